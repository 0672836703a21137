"""Where a training writes and how it is carried out on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import SkipValidation

from kit.settings.option import option
from kit.settings.validation import Settings


class RemoteCodeOptions(Settings):
    """Whether code of a backbone's may run."""

    trust_remote_code: bool = option(
        False, group="Run", help="Run code that a hub model brings along; read it first"
    )


class TimeOptions(Settings):
    """How long a command may take."""

    hours: float | None = option(
        None, gt=0, group="Run", metavar="HOURS", everyday=True, unset="no limit",
        help="Stop in this time with what can be used",
    )  # fmt: skip


class RunOptions(TimeOptions, RemoteCodeOptions):
    """The run's folder, which of its folds, and on which devices."""

    run: Annotated[
        str | Path,
        SkipValidation,
        option(
            group="Run", metavar="FOLDER", everyday=True, kernel=False,
            help="Folder of the run, such as runs/klue-bert", elsewhere=("output_dir", "out", "save_dir"),
        ),
    ]  # fmt: skip
    fold: int | str | Sequence[int] | None = option(
        None, group="Folds and evaluation", metavar="N,N", everyday=True, unset="all",
        help="Train only these of the folds, as in 0,2",
    )  # fmt: skip
    jobs: int | None = option(
        None, ge=1, group="Folds and evaluation", kernel=False, unset="one on each GPU",
        help="Folds trained at the same time",
    )  # fmt: skip
    resume: bool = option(
        False, group="Run", everyday=True, kernel=False, help="Continue from the last complete checkpoint",
        elsewhere=("resume_from_checkpoint",),
    )  # fmt: skip
    report_to: Sequence[str] = option(
        (), group="Run", metavar="NAME", several=True, kernel=False,
        help="Experiment tracker: tensorboard, wandb or mlflow",
    )  # fmt: skip
