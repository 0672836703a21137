"""Coverage-guided fuzzing of the readers: ``python -m tools.fuzzing [TARGET…] [--minutes 60]``.

The minutes are divided evenly among the targets.  Needs atheris (``pip install atheris``).  An input that
makes a reader raise anything but a KitError, or take more than ten seconds, is written to ``fuzzing/``; each
becomes a test.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import subprocess
import sys
import time
from pathlib import Path

_SLOW = 10
_MEMORY = 4096


def main() -> int:
    """Run the targets one after the other and print a line about each; exit code 1 if one failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--minutes", type=float, default=60.0, help="of all targets together")
    parser.add_argument("--out", type=Path, default=Path("fuzzing"), help="folder for corpora and failures")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        return _fuzz(given.one, given.out, given.minutes * 60)
    from tools.fuzzing.targets import TARGETS

    chosen = given.targets or list(TARGETS)
    if unknown := sorted(set(chosen) - set(TARGETS)):
        print(f"no target {unknown[0]}; there are {', '.join(TARGETS)}")
        return 2
    failed = False
    for name in chosen:
        failed |= _target(name, given.out / name, given.minutes * 60 / len(chosen))
    return int(failed)


def _target(name: str, out: Path, seconds: float) -> bool:
    """Fuzz one target, again if an input stops the process, and print a line about it."""
    for folder in ("corpus", "failures"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    began, runs, covered = time.monotonic(), 0, 0
    while (left := seconds - (time.monotonic() - began)) > 1:
        command = [sys.executable, "-m", "tools.fuzzing", "--one", name, "--out", out, "--minutes", left / 60]
        done = subprocess.run(
            [str(word) for word in command], capture_output=True, text=True, errors="replace"
        )
        runs += max([int(one) for one in re.findall(r"^#(\d+)\s", done.stderr, re.M)], default=0)
        covered = max([covered, *(int(one) for one in re.findall(r"cov: (\d+)", done.stderr))])
        (out / "log.txt").write_text(done.stderr[-20_000:], encoding="utf-8")
        if not runs:
            print(f"{name}: does not start; see {out / 'log.txt'}")
            return True
    failures = sorted(path.name for path in (out / "failures").iterdir() if path.suffix != ".txt")
    print(
        f"{name}: {time.monotonic() - began:.0f} s, {runs:,} inputs, {covered} edges, "
        f"{len(failures)} failures {' '.join(failures)}",
        flush=True,
    )
    return bool(failures)


def _fuzz(name: str, out: Path, seconds: float) -> int:
    import atheris
    import pandas as pd  # noqa: F401  (so that no input is charged for the import)
    from scipy import stats  # noqa: F401

    with atheris.instrument_imports(
        include=["kit", "yaml", "json", "zipfile", "csv", "tools.fuzzing.targets"]
    ):
        from tools.fuzzing.targets import TARGETS, fed
    target = TARGETS[name]
    for seed in target.seeds():
        (out / "corpus" / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    words = out / "words.txt"
    words.write_text(
        "".join(f'"{_escaped(word)}"\n' for word in filter(None, target.words.split(" "))), encoding="ascii"
    )
    seen: set[tuple[str, int]] = set()

    def one(data: bytes) -> None:
        try:
            fed(target, data)
        except Exception as error:
            link = error.__traceback__
            while link is not None and link.tb_next is not None:
                link = link.tb_next
            where = (type(error).__name__, 0 if link is None else link.tb_lineno)
            if where not in seen:  # one file per place is enough; the fuzzer continues
                seen.add(where)
                path = out / "failures" / f"{where[0]}-{hashlib.sha256(data).hexdigest()[:8]}"
                path.write_bytes(data)
                path.with_suffix(".txt").write_text(f"{error!r}", encoding="utf-8", errors="replace")

    options = [
        f"-max_total_time={max(int(seconds), 1)}", f"-timeout={_SLOW}", f"-rss_limit_mb={_MEMORY}",
        f"-artifact_prefix={out / 'failures'}/", "-max_len=4096", "-len_control=20",
        *([f"-dict={words}"] if target.words else []),
    ]  # fmt: skip
    atheris.Setup([sys.argv[0], *options, str(out / "corpus")], one)
    atheris.Fuzz()
    return 0


def _escaped(word: str) -> str:
    return "".join(
        chr(byte) if 32 < byte < 127 and byte not in b'"\\' else f"\\x{byte:02x}" for byte in word.encode()
    )


if __name__ == "__main__":
    sys.exit(main())
