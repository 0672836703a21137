"""Trains a backbone where this runs, on Kaggle; written by ``kit kernel push``, and all that it needs.

Installs the kit that it carries (never another torch), trains, reads the test file, and leaves the run in
the kernel's output, with a manifest.
"""

from __future__ import annotations

import base64
import hashlib
import importlib
import importlib.metadata
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

PLAN: dict[str, Any] = {}
WHEEL = ""

INPUT = Path(os.environ.get("KIT_KAGGLE_INPUT", "/kaggle/input")).absolute()
WORKING = Path(os.environ.get("KIT_KAGGLE_WORKING", "/kaggle/working")).absolute()
SCRATCH = Path(os.environ.get("KIT_KAGGLE_SCRATCH", "/kaggle/temp")).absolute()
MANIFEST = "kit-kernel.json"
RUN = "run"

# The host's torch fits its driver: whatever pip thinks, these stay as they are.
_FIXED = re.compile(r"(torch|torchvision|torchaudio|triton|pytorch-.*|nvidia-.*|cuda-.*|cupy-.*)")
# Only for the other side, where kernels are pushed from.
_NOT_NEEDED = {"kaggle", "six"}
_MOST_OUTPUT = 19 << 30
"""Kaggle keeps 20 GB of output."""
_GRACE = 60.0
"""Seconds that a training which is told to stop has for it."""


class Stopped(Exception):
    """Told to stop from outside."""


def main() -> None:
    """Do as PLAN says; ends with exit code 1 where the training failed, after its output is written."""
    began = time.monotonic()
    deadline = began + float(PLAN["hours"]) * 3600
    signal.signal(signal.SIGTERM, _stop)
    run = SCRATCH / "runs" / PLAN["run"]
    state, message = "failed", ""
    try:
        environment = install(SCRATCH / "installed")
        if PLAN["continue"]:
            bring_back(run)
        state, message = train(run, environment, deadline)
    except Stopped:
        state, message = "unfinished", "told to stop"
    except Exception as error:  # whatever it is, the manifest says it
        message = f"{type(error).__name__}: {error}"
    seconds = time.monotonic() - began
    pack(run, state, message, seconds)
    say(f"{state} after {seconds / 60:.0f} min{': ' if message else ''}{message}")
    if state == "failed":
        raise SystemExit(1)


def train(run: Path, environment: dict[str, str], deadline: float) -> tuple[str, str]:
    """Train and predict until *deadline* (of the monotonic clock); returns the state and why."""
    words = ["train", on_host(PLAN["backbone"]), "--data", str(data_file("train.json")), "--run", str(run)]
    code, last = kit([*words, *PLAN["train"], "--resume"], environment, deadline)
    if code is None:
        return "unfinished", f"stopped after {PLAN['hours']:g} h, before Kaggle would have"
    if code:
        return "failed", last
    trust = ["--trust-remote-code"] * ("--trust-remote-code" in PLAN["train"])
    code, last = kit(
        ["predict", str(run), "--data", str(data_file("test.json")), *trust], environment, deadline
    )
    if code is None:
        return "unfinished", "trained, and stopped before the test file was read"
    return ("failed", last) if code else ("finished", "")


def install(target: Path) -> dict[str, str]:
    """Put the kit into *target*, and what it needs and is missing beside the host's own.

    Returns the environment in which ``python -m kit`` is that kit.
    """
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    if PLAN["git"]:
        pip("install", "--no-deps", "--target", str(target), f"git+{PLAN['git']}")
    else:
        wheel = SCRATCH / PLAN["wheel"]
        wheel.write_bytes(base64.b64decode(WHEEL))
        if sha256(wheel) != PLAN["wheel_sha256"]:
            raise ValueError("the kit inside this kernel is damaged; push it again")
        pip("install", "--no-deps", "--no-index", "--target", str(target), str(wheel))
    (kit_itself,) = importlib.metadata.distributions(path=[str(target)])
    required = [line for line in kit_itself.requires or () if "extra ==" not in line]
    if missing := lacking(required, installed_version):
        refuse_fixed(missing)
        pins = SCRATCH / "fixed.txt"
        pins.write_text("".join(f"{name}=={version}\n" for name, version in fixed_here()))
        say(f"installing {', '.join(missing)}")
        pip("install", "--constraint", str(pins), *missing)
        importlib.invalidate_caches()
        if still := lacking(required, installed_version):
            raise ValueError(f"the host still lacks {', '.join(still)}")
    path = os.pathsep.join([str(target), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}


def lacking(required: Iterable[str], installed: Callable[[str], str | None]) -> list[str]:
    """Those of *required* that the host does not have, or only too old; *installed* (name) → version."""
    try:
        from packaging.requirements import Requirement
    except ImportError:
        from pip._vendor.packaging.requirements import Requirement  # type: ignore[assignment]

    missing = []
    for line in required:
        requirement = Requirement(line)
        if requirement.name.lower() in _NOT_NEEDED or (
            requirement.marker and not requirement.marker.evaluate()
        ):
            continue
        version = installed(requirement.name)
        # 2.6.0+cu124 is 2.6.0, and a host's pre-release will do.
        if version is None or not requirement.specifier.contains(version.split("+")[0], prereleases=True):
            missing.append(line)
    return missing


def refuse_fixed(missing: Iterable[str]) -> None:
    """Stop where it is torch itself that is missing or too old."""
    for line in missing:
        name = re.split(r"[^A-Za-z0-9._-]", line.strip())[0]
        if _FIXED.fullmatch(name.lower()):
            raise ValueError(
                f"the kit needs {line} and the host has {installed_version(name) or 'none'}; it is never "
                "replaced: choose the latest environment in the kernel's settings"
            )


def fixed_here() -> list[tuple[str, str]]:
    """Name and version of what pip must leave as it is."""
    found: dict[str, str] = {}
    for distribution in importlib.metadata.distributions():
        name = (distribution.metadata["Name"] or "").lower().replace("_", "-")
        if _FIXED.fullmatch(name):
            found.setdefault(name, distribution.version)
    return sorted(found.items())


def installed_version(name: str) -> str | None:
    """The host's version of a package; None where it has none."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def bring_back(run: Path) -> None:
    """Put the run that an earlier kernel left unfinished in *run*, every file as it was."""
    for path in sorted(INPUT.rglob(MANIFEST)):
        manifest = json.loads(path.read_text(encoding="utf-8"))
        if manifest["run"] != PLAN["run"]:
            continue
        for file in manifest["files"]:
            if sha256(path.parent / file["name"]) != file["sha256"]:
                raise ValueError(f"{file['name']} of the earlier kernel is not as it was left")
        shutil.rmtree(run, ignore_errors=True)
        shutil.copytree(path.parent / RUN, run)
        for written in run.rglob("*"):  # inputs are read-only, and so would be their copies
            written.chmod(0o755 if written.is_dir() else 0o644)
        say(f"going on with {PLAN['run']}, which an earlier kernel began")
        return
    raise ValueError(f"no attached kernel has begun a run called {PLAN['run']}")


def pack(run: Path, state: str, message: str, seconds: float) -> None:
    """Copy the run into the kernel's output, then write the manifest.

    A finished run without its models (unless asked for): span scores are all that later steps need.  An
    unfinished one whole, to go on with.
    """
    target = WORKING / RUN
    shutil.rmtree(target, ignore_errors=True)
    (WORKING / MANIFEST).unlink(missing_ok=True)
    paths = [path for path in sorted(run.rglob("*")) if path.is_file()]
    light = [path for path in paths if _is_light(path.relative_to(run))]
    if state == "finished" and not PLAN["with_weights"]:
        paths = light
    elif sum(path.stat().st_size for path in paths) > _MOST_OUTPUT:
        paths = light
        message = f"{message}; models left out: more than Kaggle keeps".removeprefix("; ")
    files = []
    for path in paths:
        copy = target / path.relative_to(run)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
        name = copy.relative_to(WORKING).as_posix()
        files.append({"name": name, "size": copy.stat().st_size, "sha256": sha256(copy)})
    about = {name: PLAN[name] for name in ("run", "backbone", "competition", "kit", "revision")}
    manifest = {**about, "state": state, "message": message, "seconds": round(seconds), "files": files}
    temporary = WORKING / f".{MANIFEST}"
    temporary.write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    temporary.replace(WORKING / MANIFEST)


def _is_light(path: Path) -> bool:
    """Whether a file of a run is a record or has span scores."""
    return path.parts[0] == "spans" or (len(path.parts) == 1 and path.suffix == ".json")


def data_file(name: str) -> Path:
    """A file of the competition, wherever Kaggle mounted its data."""
    found = sorted(
        INPUT.rglob(name), key=lambda path: (PLAN["competition"] not in path.parts, len(path.parts))
    )
    if not found:
        raise ValueError(f"{INPUT}: no {name}; accept the rules of {PLAN['competition']} and push again")
    return found[0]


def on_host(backbone: str) -> str:
    """A backbone's folder among the inputs as it is called here; anything else as it is."""
    inside = backbone.removeprefix("/kaggle/input/")
    return backbone if inside == backbone else str(INPUT / inside)


def kit(words: Sequence[str], environment: dict[str, str], deadline: float) -> tuple[int | None, str]:
    """Run a command of the kit; returns its exit code (None: stopped at *deadline*) and its last line."""
    say("kit " + " ".join(words))
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "kit", *words],
        env=environment,
        cwd=SCRATCH,  # nothing there can be taken for the kit
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )
    lines = [""]
    reader = threading.Thread(target=lambda: lines.extend(_repeated(process)), daemon=True)
    reader.start()
    code: int | None = None
    try:
        code = process.wait(timeout=max(deadline - time.monotonic(), 0))
    except subprocess.TimeoutExpired:
        say("time is up")
    finally:
        _end(process)  # also what a process that ended by itself left behind
    reader.join(timeout=5)
    return code, lines[-1]


def _repeated(process: subprocess.Popen[str]) -> Iterator[str]:
    assert process.stdout is not None
    for line in process.stdout:
        say(line.rstrip())
        if line.strip():
            yield line.strip()


def _end(process: subprocess.Popen[str]) -> None:
    """Stop a command and all that it started: kindly, then not."""
    for number, patience in ((signal.SIGTERM, _GRACE), (signal.SIGKILL, 5.0)):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return
        until = time.monotonic() + patience
        while time.monotonic() < until:
            process.poll()
            try:
                os.killpg(process.pid, 0)
            except ProcessLookupError:
                return
            time.sleep(0.1)


def _stop(*_: object) -> None:
    raise Stopped


def pip(*words: str) -> None:
    """Run pip of this Python."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *words]
    subprocess.run(command, check=True)  # noqa: S603


def sha256(path: Path) -> str:
    """Of a file's bytes, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def say(line: str) -> None:
    """One line in the kernel's log."""
    print(line, flush=True)


if __name__ == "__main__":
    main()
