"""Trainer's checkpoints: a mark on those that are complete, so that a torn one is never resumed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from kit.errors import WriteError

_MARK = "complete"


class CheckpointMarks(TrainerCallback):
    """Marks a checkpoint once all of its files are written: Trainer itself writes them one by one."""

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Called by Trainer when a checkpoint's last file is there."""
        (Path(str(args.output_dir)) / f"checkpoint-{state.global_step}" / _MARK).touch()


@contextlib.contextmanager
def saying_when_the_disk_is_full(folder: Path) -> Iterator[None]:
    """Turn the three ways in which the libraries report a failed write into one WriteError."""
    try:
        yield
    except (OSError, SafetensorError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "PytorchStreamWriter" not in str(error):
            raise
        reason = str(error).splitlines()[0]
        raise WriteError(
            f"{folder}: a checkpoint cannot be written ({reason}); free space and go on with --resume"
        ) from error


def latest_complete(checkpoints: Path) -> Path | None:
    """The marked checkpoint with the highest step, or None."""
    marked = [
        path
        for path in checkpoints.glob("checkpoint-*")
        if (path / _MARK).exists() and path.name.removeprefix("checkpoint-").isdigit()
    ]
    return max(marked, key=lambda path: int(path.name.removeprefix("checkpoint-")), default=None)
