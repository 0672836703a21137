"""What a kernel does on Kaggle once the kit is installed: train, predict, and leave the run in the output."""

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
from typing import Annotated, Any, Literal

from pydantic import Field

from kit.errors import ConfigError, KitError, all_of
from kit.kaggle import mounts
from kit.kaggle.downloads.manifest import StoredFile, changes, stored_files
from kit.kaggle.kernels.bootstrap import MANIFEST, NO_INTERNET, SCRATCH, WORKING
from kit.kaggle.kernels.limits import MOST_OUTPUT
from kit.settings.validation import Settings, read_record, write_record

RUN = "run"
_UNREACHABLE = "the Hugging Face hub is not reachable"
"""Part of the message of `kit.modeling.load_errors`."""
_GRACE = 60.0
"""Seconds between SIGTERM and SIGKILL for a command."""


class Stopped(Exception):
    """The session received SIGTERM."""


class KernelManifest(Settings):
    """What a kernel writes about its output; the names of ``files`` begin with ``run/``."""

    run: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    backbone: str
    competition: str
    kit: str
    revision: str
    state: Literal["finished", "unfinished", "failed"]
    message: str
    seconds: Annotated[int, Field(ge=0)]
    files: Annotated[tuple[StoredFile, ...], Field(strict=False)]


@dataclass(frozen=True, slots=True)
class Session:
    """One session: the ``plan`` that `script.script_text` wrote, and the folders to work in."""

    plan: dict[str, Any]
    input: Path = mounts.INPUT
    working: Path = WORKING
    scratch: Path = SCRATCH

    @property
    def run(self) -> Path:
        """Where the run is trained: outside the output, which gets only a part of it."""
        return self.scratch / "runs" / str(self.plan["run"])

    def execute(self) -> str:
        """Do everything; returns the state: "finished", "unfinished" (to be continued) or "failed"."""
        signal.signal(signal.SIGTERM, _stop)
        state, message = "failed", ""
        try:
            if self.plan["continue"]:
                self.restore_run()
            state, message = self.train()
        except Stopped:
            state, message = "unfinished", "stopped by SIGTERM"
        except KitError as error:
            message = str(error)
        except Exception as error:  # the manifest reports any error
            message = f"{type(error).__name__}: {error}"
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # packing must not be interrupted
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
        """Seconds until the session must end; the installation counts."""
        return max(float(self.plan["began"]) + float(self.plan["hours"]) * 3600 - time.time(), 0.0)

    @property
    def backbone(self) -> str:
        """The backbone for ``kit train``: a folder among the inputs, or a name of the hub."""
        return self.placed(str(self.plan["backbone"]))

    def placed(self, word: str) -> str:
        """The real path of an input; any other word unchanged."""
        return mounts.placed(word, self.plan.get("datasets", ()), self.input)

    def compare_weights(self) -> None:
        """Raise ConfigError where the data set of the backbone changed after the push."""
        files = [StoredFile.model_validate(file) for file in self.plan.get("weights") or ()]
        if wrong := changes(Path(self.backbone), files):
            raise ConfigError(
                f"{self.plan['backbone']}: is not the backbone that this kernel was pushed with "
                f"({all_of(wrong, 3)}); its data set was updated since: push again"
            )

    def data_file(self, name: str) -> Path:
        """A data file of the competition."""
        return mounts.competition_file(str(self.plan["competition"]), name, self.input)

    def restore_run(self) -> None:
        """Copy the run that an earlier kernel left unfinished, verified by hash."""
        kernel, run = self.plan["continue"], self.plan["run"]
        output = mounts.notebook_output(kernel, self.input)
        manifest = read_record(output / MANIFEST, KernelManifest, cure="push again")
        if manifest is None:
            raise ConfigError(f"{output}: has no {MANIFEST}; continue a kernel that kit kernel push made")
        if manifest.run != run:
            raise ConfigError(f"{output}: {kernel} trained {manifest.run}, not {run}; continue its own run")
        if wrong := changes(output, manifest.files):
            raise ConfigError(f"{output}: {all_of(wrong, 3)} since {kernel} ended; push again")
        shutil.rmtree(self.run, ignore_errors=True)
        shutil.copytree(output / RUN, self.run, copy_function=shutil.copyfile)
        for folder in [self.run, *(path for path in self.run.rglob("*") if path.is_dir())]:
            folder.chmod(0o755)  # inputs are read-only, and so would be their copies
        say(f"continuing {run}, which an earlier kernel began")

    def pack(self, state: str, message: str, seconds: float) -> None:
        """Copy the run into the kernel's output, then write the manifest.

        A finished run is copied without its models (unless asked for): later steps need only span scores.
        An unfinished run is copied whole, so that a later kernel can continue it.
        """
        target = self.working / RUN
        shutil.rmtree(target, ignore_errors=True)
        (self.working / MANIFEST).unlink(missing_ok=True)
        # The output may be public, and a link may lead outside the run.
        paths = [path for path in sorted(self.run.rglob("*")) if path.is_file() and not path.is_symlink()]
        light = [path for path in paths if _is_light(path.relative_to(self.run))]
        if state == "finished" and not self.plan["with_weights"]:
            paths = light
        elif sum(path.stat().st_size for path in paths) > MOST_OUTPUT:
            paths = light
            message = f"{message}; models left out: more than Kaggle keeps".removeprefix("; ")
        copies = [target / path.relative_to(self.run) for path in paths]
        for path, copy in zip(paths, copies, strict=True):
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
        about = {name: self.plan[name] for name in ("run", "backbone", "competition", "kit", "revision")}
        files = stored_files(self.working, copies)
        write_record(
            self.working / MANIFEST,
            KernelManifest.model_validate(
                {**about, "state": state, "message": message, "seconds": round(seconds), "files": files}
            ),
        )


def with_cure(last: str) -> str:
    """A command's last line; with the cure on Kaggle where it could not reach the hub."""
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
    reader = threading.Thread(target=lambda: lines.extend(_echoed(process)), daemon=True)
    reader.start()
    code: int | None = None
    try:
        code = process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        say("time is up")
    finally:
        _end(process)  # also children of a command that ended by itself
    reader.join(timeout=5)
    return code, lines[-1]


def _echoed(process: subprocess.Popen[str]) -> Iterator[str]:
    assert process.stdout is not None
    for line in process.stdout:
        say(line.rstrip())
        if line.strip():
            yield line.strip()


def _end(process: subprocess.Popen[str]) -> None:
    """Stop a command and its children: SIGTERM first, then SIGKILL."""
    for number, grace in ((signal.SIGTERM, _GRACE), (signal.SIGKILL, 5.0)):
        until = time.monotonic() + grace
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
    raise SystemExit(Session(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))).execute() == "failed")
