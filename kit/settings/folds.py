"""``folds.json``: the fold of each question, kept by the run and shared by members."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field

from kit.settings.validation import Settings, Sha256, read_record, write_record

FOLDS_FILE = "folds.json"


class FileFolds(Settings):
    """The folds of one data file's questions."""

    name: str
    sha256: Sha256
    fold_of: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(strict=False)]
    """The fold of each question, in file order."""


class FoldPlan(Settings):
    """The folds of a run."""

    folds: Annotated[int, Field(ge=2)]
    split_seed: int
    files: Annotated[tuple[FileFolds, ...], Field(strict=False)]

    def fold_of(self, sha256: str) -> Sequence[int] | None:
        """The fold of each question of the data file with this hash; None where it is not in the plan."""
        return next((file.fold_of for file in self.files if file.sha256 == sha256), None)


def read_plan(folder: Path) -> FoldPlan | None:
    """The plan of a run folder; None where it has none.  Raises ConfigError if damaged."""
    return read_record(folder / FOLDS_FILE, FoldPlan)


def write_plan(folder: Path, plan: FoldPlan) -> None:
    """Write folds.json, whole or not at all."""
    write_record(folder / FOLDS_FILE, plan, indent=None)
