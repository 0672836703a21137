"""A sweep that dies by SIGKILL at a step of one of its trials: ``TRIAL STEP ARGUMENTS``."""

from __future__ import annotations

import sys
from typing import Any

from kit import cli
from kit.training.progress import TrainingProgress
from tests.killed import die


def main() -> None:
    """ARGUMENTS are those of ``kit``; trials are counted from 1."""
    trial, step = int(sys.argv[1]), int(sys.argv[2])
    begun = 0

    def begin(self: TrainingProgress, args: Any, state: Any, control: Any, **_: Any) -> None:
        nonlocal begun
        begun += 1

    def end_of_step(self: TrainingProgress, args: Any, state: Any, control: Any, **_: Any) -> None:
        if begun == trial and state.global_step == step:
            die()

    TrainingProgress.on_train_begin, TrainingProgress.on_step_end = begin, end_of_step  # type: ignore[method-assign]
    sys.argv = ["kit", *sys.argv[3:]]
    cli.main()
