"""Trainer's checkpoints: marked when complete, so that a torn one is never resumed; kept, saved, deleted."""

from __future__ import annotations

import contextlib
import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from transformers import TrainerCallback, TrainerControl, TrainerState
from transformers.trainer_pt_utils import safe_globals

from kit.errors import ModelError, WriteError
from kit.modeling.distributed import Processes

CHECKPOINTS = "checkpoints"
"""Trainer's own state in a model's folder, until the model's record is written."""
_MARK = "complete"
_KEPT = 2
"""The newest so many complete ones are kept, beside the best: one may turn out to be unreadable."""


class CheckpointMarks(TrainerCallback):
    """Marks a checkpoint once all of its files are written, then deletes those no longer needed.

    Trainer writes the files one by one, and deletes older checkpoints before it could be known that
    the new one is whole; so it is told to delete none.
    """

    def __init__(self, processes: Processes, spent: float = 0.0) -> None:
        """*spent*: seconds that went into the training before this process took it up."""
        self._processes = processes
        self._began = time.monotonic() - spent

    def on_save(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Called by Trainer in every process when its last file is there."""
        self._processes.wait()
        if not self._processes.first:
            return
        folder = Path(str(args.output_dir))
        mark = folder / f"checkpoint-{state.global_step}" / _MARK
        mark.write_text(f"{time.monotonic() - self._began:.1f}\n", encoding="utf-8")
        best = Path(state.best_model_checkpoint).name if state.best_model_checkpoint else None
        for path in complete_checkpoints(folder)[:-_KEPT]:
            if path.name != best:
                shutil.rmtree(path, ignore_errors=True)


class SaveByTheClock(TrainerCallback):
    """Asks for a checkpoint when so many minutes have passed since the last one."""

    def __init__(self, minutes: float, agreed: Callable[[float], float]) -> None:
        """*agreed*: gives the first process's value in all of them."""
        self._seconds, self._agreed = minutes * 60, agreed
        self._last = time.monotonic()

    def on_train_begin(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """The clock starts with the first step, not with the preparations."""
        self._last = time.monotonic()

    def on_step_end(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """All processes take part in a save, so that all must ask for it at the same step."""
        if self._agreed(time.monotonic() - self._last >= self._seconds):
            control.should_save = True

    def on_save(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Any save counts."""
        self._last = time.monotonic()


@contextlib.contextmanager
def saying_when_the_disk_is_full(folder: Path, what: str = "a checkpoint") -> Iterator[None]:
    """Turn the four ways in which the libraries report a failed write into one WriteError."""
    try:
        yield
    except Exception as error:
        # The Rust tokenizers raise a bare Exception.
        known = isinstance(error, (OSError, SafetensorError)) or type(error) is Exception
        if not known and "PytorchStreamWriter" not in str(error):
            raise
        reason = str(error).splitlines()[0]
        raise WriteError(
            f"{folder}: {what} cannot be written ({reason}); free space and continue with --resume"
        ) from error


def complete_checkpoints(folder: Path) -> list[Path]:
    """The marked checkpoints by step, the newest last."""
    marked = [
        path
        for path in folder.glob("checkpoint-*")
        if (path / _MARK).exists() and path.name.removeprefix("checkpoint-").isdecimal()
    ]
    return sorted(marked, key=lambda path: int(path.name.removeprefix("checkpoint-")))


def seconds_spent(checkpoint: Path | None) -> float:
    """Seconds of training that led to a complete checkpoint; 0 without one."""
    text = "" if checkpoint is None else (checkpoint / _MARK).read_text(encoding="utf-8").strip()
    return float(text) if text else 0.0


def latest_complete(folder: Path) -> Path | None:
    """The marked checkpoint with the highest step, or None."""
    return next(reversed(complete_checkpoints(folder)), None)


def latest_readable(folder: Path, say: Callable[[str], object]) -> Path | None:
    """The newest complete checkpoint whose files can be read, or None where there is no complete one.

    One that a disk has damaged since, or that somebody put a pickle into, is said and passed over.
    Raises ModelError where no complete one can be read.
    """
    reason = ""
    for path in reversed(complete_checkpoints(folder)):
        if reason:
            say(f"{reason}; trying {path.name}")
        if not (reason := _unreadable(path)):
            return path
    if reason:
        raise ModelError(f"{reason}; delete {folder} to train this model from its beginning")
    return None


def _unreadable(checkpoint: Path) -> str:
    """Why Trainer could not go on from *checkpoint*; "" where it can.

    Its tensors are mapped, not read; of pickles only tensors and numbers are taken, and no other code is run.
    """
    path = checkpoint
    try:
        path = checkpoint / "trainer_state.json"
        json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(checkpoint.glob("*.safetensors")) or [checkpoint / "model.safetensors"]:
            with safe_open(path, framework="pt") as content:
                content.keys()
        # Without one of these Trainer would begin afresh with the optimizer, and say nothing.
        random = sorted(checkpoint.glob("rng_state*.pth")) or [checkpoint / "rng_state.pth"]
        with safe_globals():
            for path in (checkpoint / "optimizer.pt", checkpoint / "scheduler.pt", *random):
                torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except _DAMAGE as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        first = reason.strip().partition("\n")[0][:200] or type(error).__name__
        return f"{path}: cannot be read ({first})"
    return ""


_DAMAGE = (
    OSError, ValueError, RuntimeError, EOFError, LookupError, TypeError, AttributeError, AssertionError,
    MemoryError, UnpicklingError, SafetensorError,
)  # fmt: skip
"""What the readers raise for files that are not theirs; RecursionError is a RuntimeError."""
