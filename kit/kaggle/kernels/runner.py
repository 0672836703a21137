"""The kit's own part of a kernel: trains, reads the test file, and leaves the run in the output."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kit.errors import ConfigError, KitError, all_of
from kit.files import sha256_file, write_text
from kit.kaggle import mounts
from kit.kaggle.downloads.manifest import StoredFile, changes
from kit.kaggle.kernels.bootstrap import MANIFEST, NO_INTERNET, SCRATCH, WORKING

RUN = "run"
MOST_OUTPUT = 19 << 30
"""Kaggle keeps 20 GB of output."""
_UNREACHABLE = "the Hugging Face hub is not reachable"
"""As `kit.modeling.load_errors` words it."""
_GRACE = 60.0
"""Seconds that a command which is told to stop has for it."""


class Stopped(Exception):
    """Told to stop from outside."""


@dataclass(frozen=True, slots=True)
class Session:
    """What to do (``plan``, as `script.script_text` writes it) and where."""

    plan: dict[str, Any]
    input: Path = mounts.INPUT
    working: Path = WORKING
    scratch: Path = SCRATCH

    @property
    def run(self) -> Path:
        """Where the run is trained; not in the output, for which not all of it is meant."""
        return self.scratch / "runs" / str(self.plan["run"])

    def carry_out(self) -> str:
        """Everything; returns the state: "finished", "unfinished" (to go on with) or "failed"."""
        signal.signal(signal.SIGTERM, _stop)
        state, message = "failed", ""
        try:
            if self.plan["continue"]:
                self.bring_back()
            state, message = self.train()
        except Stopped:
            state, message = "unfinished", "told to stop"
        except KitError as error:
            message = str(error)
        except Exception as error:  # whatever it is, the manifest says it
            message = f"{type(error).__name__}: {error}"
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # what is left to do is to keep what there is
        seconds = time.time() - float(self.plan["began"])
        self.pack(state, message, seconds)
        say(f"{state} after {seconds / 60:.0f} min{': ' if message else ''}{message}")
        return state

    def train(self) -> tuple[str, str]:
        """Train and predict until the time is up; returns the state and why."""
        self.compare_weights()
        given = [self.placed(word) for word in self.plan["train"]]
        data, test = self.data_file("train.json"), self.data_file("test.json")
        words = ["train", self.backbone, "--data", str(data), "--run", str(self.run), *given, "--resume"]
        code, last = run_kit(words, self.seconds_left)
        if code is None:
            return "unfinished", f"stopped after {self.plan['hours']:g} h, before Kaggle would have"
        if code:
            return "failed", with_cure(last)
        trust = ["--trust-remote-code"] * ("--trust-remote-code" in given)
        code, last = run_kit(["predict", str(self.run), "--data", str(test), *trust], self.seconds_left)
        if code is None:
            return "unfinished", "trained, and stopped before the test file was read"
        return ("failed", last) if code else ("finished", "")

    @property
    def seconds_left(self) -> float:
        """Until it must stop; the installation counts."""
        return max(float(self.plan["began"]) + float(self.plan["hours"]) * 3600 - time.time(), 0.0)

    @property
    def backbone(self) -> str:
        """As ``kit train`` takes it: a folder among the inputs, or what it is called anywhere."""
        return self.placed(str(self.plan["backbone"]))

    def placed(self, word: str) -> str:
        """A path among the inputs where it really is; any other word as it is."""
        return mounts.placed(word, self.plan.get("datasets", ()), self.input)

    def compare_weights(self) -> None:
        """Raise ConfigError where the data set of the backbone is not the one that was attached."""
        files = [StoredFile.model_validate(file) for file in self.plan.get("weights") or ()]
        if wrong := changes(Path(self.backbone), files):
            raise ConfigError(
                f"{self.plan['backbone']}: is not the backbone that this kernel was pushed with "
                f"({all_of(wrong, 3)}); its data set was updated meanwhile: push again"
            )

    def data_file(self, name: str) -> Path:
        """A file of the competition, wherever Kaggle mounted its data."""
        return mounts.competition_file(str(self.plan["competition"]), name, self.input)

    def bring_back(self) -> None:
        """Take over the run that an earlier kernel left unfinished, every file as it was."""
        kernel, run = self.plan["continue"], self.plan["run"]
        output = mounts.notebook_output(kernel, self.input)
        if not (output / MANIFEST).is_file():
            raise ConfigError(f"{output}: has no {MANIFEST}; continue a kernel that kit kernel push made")
        manifest = json.loads((output / MANIFEST).read_text(encoding="utf-8"))
        if manifest["run"] != run:
            raise ConfigError(
                f"{output}: {kernel} trained {manifest['run']}, not {run}; continue its own run"
            )
        for file in manifest["files"]:
            if sha256_file(output / file["name"]) != file["sha256"]:
                raise ConfigError(f"{output}: {file['name']} is not as {kernel} left it; push again")
        shutil.rmtree(self.run, ignore_errors=True)
        shutil.copytree(output / RUN, self.run, copy_function=shutil.copyfile)
        for folder in [self.run, *(path for path in self.run.rglob("*") if path.is_dir())]:
            folder.chmod(0o755)  # inputs are read-only, and so would be their copies
        say(f"going on with {run}, which an earlier kernel began")

    def pack(self, state: str, message: str, seconds: float) -> None:
        """Copy the run into the kernel's output, then write the manifest.

        A finished run without its models (unless asked for): span scores are all that later steps need.
        An unfinished one whole, to go on with.
        """
        target = self.working / RUN
        shutil.rmtree(target, ignore_errors=True)
        (self.working / MANIFEST).unlink(missing_ok=True)
        # The output may be public, and what a link leads to is not the run's.
        paths = [path for path in sorted(self.run.rglob("*")) if path.is_file() and not path.is_symlink()]
        light = [path for path in paths if _is_light(path.relative_to(self.run))]
        if state == "finished" and not self.plan["with_weights"]:
            paths = light
        elif sum(path.stat().st_size for path in paths) > MOST_OUTPUT:
            paths = light
            message = f"{message}; models left out: more than Kaggle keeps".removeprefix("; ")
        files = []
        for path in paths:
            copy = target / path.relative_to(self.run)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
            name = copy.relative_to(self.working).as_posix()
            files.append({"name": name, "size": copy.stat().st_size, "sha256": sha256_file(copy)})
        about = {name: self.plan[name] for name in ("run", "backbone", "competition", "kit", "revision")}
        manifest = {**about, "state": state, "message": message, "seconds": round(seconds), "files": files}
        text = json.dumps(manifest, ensure_ascii=False, indent=1)
        write_text(self.working / MANIFEST, text + "\n")


def with_cure(last: str) -> str:
    """A command's last line; where it could not reach the hub, with what helps on Kaggle."""
    return f"{last}; {NO_INTERNET}" if _UNREACHABLE in last else last


def _is_light(path: Path) -> bool:
    """Whether a file of a run is a record or has span scores."""
    return path.parts[0] == "spans" or (len(path.parts) == 1 and path.suffix == ".json")


def run_kit(words: Sequence[str], seconds: float) -> tuple[int | None, str]:
    """Run a command of the kit; returns its exit code (None: stopped after *seconds*) and its last line."""
    say("kit " + " ".join(words))
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "kit", *words],
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
        code = process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        say("time is up")
    finally:
        _end(process)  # also what a command that ended by itself left behind
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
        until = time.monotonic() + patience
        try:
            os.killpg(process.pid, number)
            while time.monotonic() < until:
                process.poll()
                os.killpg(process.pid, 0)
                time.sleep(0.1)
        except ProcessLookupError:
            return


def _stop(*_: object) -> None:
    raise Stopped


def say(line: str) -> None:
    """One line in the kernel's log."""
    print(line, flush=True)


if __name__ == "__main__":
    raise SystemExit(
        Session(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))).carry_out() == "failed"
    )
