"""Trainer's checkpoints: a mark on those that are complete, so that a torn one is never resumed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

_MARK = "complete"


class CheckpointMarks(TrainerCallback):
    """Marks a checkpoint once all of its files are written: Trainer itself writes them one by one."""

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Called by Trainer when a checkpoint's last file is there."""
        (Path(str(args.output_dir)) / f"checkpoint-{state.global_step}" / _MARK).touch()


def latest_complete(checkpoints: Path) -> Path | None:
    """The marked checkpoint with the highest step, or None."""
    marked = [
        path
        for path in checkpoints.glob("checkpoint-*")
        if (path / _MARK).exists() and path.name.removeprefix("checkpoint-").isdigit()
    ]
    return max(marked, key=lambda path: int(path.name.removeprefix("checkpoint-")), default=None)
