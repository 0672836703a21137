"""What a training reads beside its data files, and what it compares them with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, SkipValidation

from kit.settings.option import LoadedFile, option
from kit.settings.validation import Settings

GivenFile = str | Path | LoadedFile
"""A path, or a file that was read already; whoever reads it says what is wrong with it."""


class HeldOutOptions(Settings):
    """The files that a training is evaluated on and compared with."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    valid: Annotated[GivenFile | None, SkipValidation] = option(
        None, group="Data", metavar="FILE", everyday=True, kernel=False, help="Held-out file",
        elsewhere=("validation_file", "valid_file", "eval_data", "dev"),
        unset="a seeded, grouped tenth of the data",
    )  # fmt: skip
    against: Annotated[GivenFile | None, SkipValidation] = option(
        None, group="Data", metavar="FILE", kernel=False, unset="test.json beside the data",
        help="Test file to check for leaks",
    )  # fmt: skip
    allow_leak: bool = option(False, group="Data", help="Train although data occur in the test file")


class DataOptions(HeldOutOptions):
    """The data options of ``kit train``: outside data, and how several data files are mixed."""

    share: Sequence[str] | Mapping[str, float] = option(
        (), group="Data", metavar="NAME=SHARE", several=True, unset="1",
        help="How much of a --data file an epoch holds, as in korquad.json=0.25; 2: twice",
    )  # fmt: skip
    judge: str | None = option(
        None, group="Data", metavar="NAME", unset="all files",
        help="The --data file whose held-out questions choose the checkpoint and are reported; the "
        "competition's where outside data are mixed in",
    )  # fmt: skip
    before: Annotated[GivenFile | Sequence[GivenFile], SkipValidation] = option(
        (), group="Data", metavar="FILE", several=True,
        help="Outside data to train on first, without the questions whose articles are in the data",
    )  # fmt: skip
    before_epochs: float = option(1.0, gt=0, le=1000, group="Data", help="Passes over the outside data")
    before_lr: float | None = option(
        None, gt=0, lt=1, group="Data", unset="--lr", help="Peak learning rate for the outside data"
    )
    before_only: bool = option(False, group="Data", kernel=False, help="Stop after the outside data")
