"""``kit check`` as functions: read data files, report what is wrong with them, repair them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from kit.api.arguments import Data, PathLike, dataset_of, path_given, several
from kit.data.checks import FileReport, RepairReport
from kit.data.checks import check as check_file
from kit.data.checks import repair as repair_file
from kit.data.leaks import LeakReport, find_leaks
from kit.data.readers import load as load_file
from kit.data.records import Dataset
from kit.display import Displayed, Table
from kit.errors import ConfigError, DataError, KitError, all_of, counted

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True, repr=False)
class Checked(Displayed):
    """What `check_files` found.

    ``files``: a report of each file that could be read.  ``leaks``, ``repair``: None where they were not
    asked for or failed.  ``compared``: whether any file was clean enough to look for leaks.  ``failures``:
    why a file could not be read, compared or repaired.
    """

    files: tuple[FileReport, ...]
    leaks: LeakReport | None
    repair: RepairReport | None
    compared: bool
    failures: tuple[KitError, ...]

    @property
    def headline(self) -> str:
        return "; ".join([report.headline for report in self.files] + [str(error) for error in self.failures])

    def tables(self) -> list[Table]:
        found = [table for report in self.files for table in report.tables()]
        found += self.leaks.tables() if self.leaks is not None else []
        return [*found, *(Table(str(error), (), ()) for error in self.failures)]

    def refusal(self) -> KitError | None:
        """The error of all that failed, or of all broken rules that no repair mended; None without any."""
        if self.failures:
            one, *more = self.failures
            return DataError(all_of([str(failure) for failure in self.failures])) if more else one
        faulty = [report for report in self.files if not report.clean]
        if self.repair is not None or not faulty:
            return None
        faults = counted(sum(len(report.faults) for report in faulty), "fault")
        names = ", ".join(str(report.path) for report in faulty)
        return DataError(f"{faults} in {names}; {'; '.join(report.cure for report in faulty)}")

    def as_dict(self) -> dict[str, object]:
        return {
            "files": [report.as_dict() for report in self.files],
            "leaks": None if self.leaks is None else self.leaks.as_dict(),
            "repair": None if self.repair is None else self.repair.as_dict(),
        }


def load(path: PathLike) -> Dataset:
    """Read questions from a file in any of the known formats.  Raises DataError."""
    return load_file(path_given(path, "load"))


def check(path: PathLike, *, repair: PathLike | None = None, strict: bool = False) -> FileReport:
    """Report everything about one data file that could hurt a training or a submission.

    *repair*: also write a copy that loads to this path; the result's ``repaired`` lists the changes.
    *strict*: the copy leaves out answers whose place had to be chosen.  Raises DataError where the file
    cannot be read or no question would be left, WriteError.
    """
    checked = check_files([path_given(path, "check")], repair=repair, strict=strict)
    if checked.failures:
        raise checked.failures[0]
    return replace(checked.files[0], repaired=checked.repair)


def check_files(
    files: Sequence[PathLike],
    *,
    against: PathLike | None = None,
    repair: PathLike | None = None,
    strict: bool = False,
) -> Checked:
    """Check several *files*; a failure of one does not hide the reports of the others.

    *against*: a test file; reports what of the clean files leaks into it.  *repair*: where to write a copy
    of the only file that loads, *strict* as for `check`.  Raises ConfigError for options that do not go
    together; other errors are in the result.
    """
    if strict and repair is None:
        raise ConfigError("--strict: says what a repair leaves out; give --repair OUT.json too")
    if repair is not None and len(files) != 1:
        raise ConfigError(f"--repair {repair}: repairs one file at a time, and {len(files)} were given")
    paths = [path_given(file, "check") for file in files]
    failures: list[KitError] = []
    found = [_tried(failures, lambda path=path: check_file(path)) for path in paths]  # type: ignore[misc]
    reports = tuple(report for report in found if report is not None)
    done = leak = None
    if repair is not None and reports:
        out = path_given(repair, "repair", ".json")
        done = _tried(failures, lambda: repair_file(paths[0], out, strict=strict))
    clean = [report.path for report in reports if report.clean]
    if against is not None and clean:
        leak = _tried(failures, lambda: leaks(clean, against))
    return Checked(reports, leak, done, bool(clean), tuple(failures))


def leaks(train: Data | Sequence[Data], test: Data) -> LeakReport:
    """Contexts and questions of *train* that also occur, exactly or nearly, in *test*."""
    return find_leaks([dataset_of(data) for data in several(train)], dataset_of(test))


def _tried(failures: list[KitError], doing: Callable[[], _Result]) -> _Result | None:
    try:
        return doing()
    except KitError as error:
        failures.append(error)
        return None
