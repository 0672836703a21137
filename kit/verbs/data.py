"""Verbs about data files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kit.data.formats import load as load_file
from kit.data.records import Dataset
from kit.verbs.arguments import Data, PathLike, dataset_of, several

if TYPE_CHECKING:
    from kit.data.checks import FileReport
    from kit.data.leaks import LeakReport


def load(path: PathLike) -> Dataset:
    """Read questions from a file in any of the known formats.  Raises DataError."""
    return load_file(path)


def check(path: PathLike) -> FileReport:
    """Report everything about one data file that could hurt a training or a submission."""
    from kit.data.checks import check as check_file

    return check_file(Path(path))


def leaks(train: Data | Sequence[Data], test: Data) -> LeakReport:
    """Contexts and questions of *train* that also occur, exactly or nearly, in *test*."""
    from kit.data.leaks import find_leaks

    return find_leaks([dataset_of(data) for data in several(train)], dataset_of(test))
