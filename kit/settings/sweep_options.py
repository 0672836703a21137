"""The options of ``kit sweep``; the settings that it searches are those of `kit.settings.training`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import SkipValidation

from kit.settings.data_options import HeldOutOptions
from kit.settings.option import option
from kit.settings.ranges import Given, Value
from kit.settings.run_options import RemoteCodeOptions, TimeOptions


class SweepOptions(HeldOutOptions, TimeOptions, RemoteCodeOptions):
    """The flags of ``kit sweep``, and the keywords of `kit.sweep`."""

    run: Annotated[str | Path | None, SkipValidation] = option(
        None, group="Run", metavar="FOLDER", help="Folder of the sweep, such as runs/sweep-1"
    )
    ranges: Annotated[Mapping[str, Given] | Sequence[str], SkipValidation] = option(
        (), group="Run", flag="--range", metavar="NAME=RANGE", several=True,
        help="Range of a setting: NAME=LOW:HIGH, NAME=LOW:HIGH:log or NAME=A,B,C; again for each",
    )  # fmt: skip
    fixed: Annotated[Mapping[str, Value] | Sequence[str], SkipValidation] = option(
        (), group="Run", flag="--set", metavar="NAME=VALUE", several=True,
        help="Setting of kit train for all trials; again for each",
    )  # fmt: skip
    trials: int = option(20, ge=1, group="Run", help="Number of trials, with those of earlier commands")
    keep: int = option(1, ge=0, group="Run", help="Number of best trials whose weights are kept")
    prune_after: int = option(
        4, ge=1, group="Run", help="Number of trials that run to their end before any is stopped early"
    )
    storage: str | None = option(
        None, group="Run", metavar="URL", unset="RUN/sweep.db", environment="KIT_SWEEP_STORAGE",
        help="Database that several machines share",
    )  # fmt: skip
    seed: int = option(
        42, ge=0, group="Run", help="Seed of the search; --set seed=7 is that of the trainings"
    )
    quiet: bool = False
    """No lines and no progress bar on standard error; a keyword only."""
