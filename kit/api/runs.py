"""``kit runs`` as a function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, overload

from kit.api.arguments import Data, PathLike, dataset_of, path_given, run_of
from kit.display import BLANK, EDIT, Displayed, Table, duration, edit, shortened
from kit.errors import ConfigError, KitError, counted
from kit.files import did_you_mean
from kit.settings.paths import RUNS, SWEEP_FILE
from kit.settings.runs import RunRecord, read_run
from kit.sweeps.installed import check_installed

if TYPE_CHECKING:
    from kit.reports.run_comparison import RunComparison
    from kit.spans.run_folder import Run
    from kit.sweeps.results import Sweep

_COLUMNS = ("run", "backbone", "model", EDIT, BLANK, "equal to gold", "questions held out", "time")
_REASON = 60


@dataclass(frozen=True, slots=True, repr=False)
class Runs(Displayed):
    """The runs and sweeps of a folder by name; ``unreadable`` has the reason for each that cannot be read."""

    folder: Path
    records: Mapping[str, RunRecord]
    sweeps: Mapping[str, Sweep]
    unreadable: Mapping[str, str]

    @property
    def headline(self) -> str:
        sweeps = f" and {counted(len(self.sweeps), 'sweep')}" if self.sweeps else ""
        return f"{counted(len(self.records), 'run')}{sweeps} in {self.folder}"

    def tables(self) -> list[Table]:
        """A line for each model of a run, and one for each sweep."""
        lines = {name: _models(name, record) for name, record in self.records.items()}
        lines |= {name: [_line(name, sweep)] for name, sweep in self.sweeps.items()}
        lines |= {
            name: [(name, "", "cannot be read", *[""] * (len(_COLUMNS) - 3))] for name in self.unreadable
        }
        rows = [row for name in sorted(lines) for row in lines[name]]
        return [Table(self.headline, _COLUMNS, rows, words=("backbone", "model"))]

    def as_dict(self) -> dict[str, object]:
        records = {name: record.model_dump(mode="json") for name, record in self.records.items()}
        sweeps = {name: sweep.as_dict() for name, sweep in self.sweeps.items()}
        errors = {name: {"error": reason} for name, reason in self.unreadable.items()}
        return {**records, **sweeps, **errors}


def _models(name: str, record: RunRecord) -> list[tuple[str, ...]]:
    if not record.folds:
        return [(name, record.backbone, "unfinished", *[""] * (len(_COLUMNS) - 3))]
    found = []
    for fold, result in record.folds.items():
        *scores, _, time = result.cells
        found.append((name, record.backbone, fold, *scores, time))
    return found


def _line(name: str, sweep: Sweep) -> tuple[str, ...]:
    trials = f"sweep of {counted(len(sweep.trials), 'trial')}"
    best = "" if sweep.best is None else f", best {sweep.best.name}"
    seconds = sum(trial.seconds or 0.0 for trial in sweep.trials)
    return (
        name,
        sweep.backbone,
        shortened(f"{trials}{best}", _REASON),
        edit(None if sweep.best is None else sweep.best.edit),
        edit(sweep.blank_edit),
        "",
        f"{sweep.held_out:,}" if sweep.held_out else "",
        duration(seconds) if seconds else "",
    )


@overload
def runs(folder: PathLike = RUNS) -> Runs: ...


@overload
def runs(
    folder: PathLike = RUNS, *, compare: Sequence[Run | PathLike], data: Data | None = None
) -> RunComparison: ...


def runs(
    folder: PathLike = RUNS, *, compare: Sequence[Run | PathLike] = (), data: Data | None = None
) -> Runs | RunComparison:
    """List the runs and sweeps of *folder* with their settings and held-out scores.

    *compare*: runs, by name in *folder* or by path, to compare with the first of them: settings that differ,
    and paired scores on questions that none of them learned.  These are of *data*, by default of a file that
    all of them were trained or chosen on.  Raises ConfigError without the folder, ModelError for what is no
    run.
    """
    if compare:
        from kit.reports.run_comparison import compare_runs

        if isinstance(compare, (str, Path)):
            raise ConfigError(f"compare: is {compare}; give a list of at least two runs")
        opened = [run_of(_named(one, folder) if isinstance(one, (str, Path)) else one) for one in compare]
        dataset = None if data is None else dataset_of(data, answers_needed=True)
        return compare_runs(opened, dataset, Path())
    if data is not None:
        raise ConfigError("--data names the questions of a comparison; give --compare too")
    folder = path_given(folder, "folder")
    if not folder.is_dir():
        cure = did_you_mean(folder) or f"kit train with --run {folder / 'NAME'} makes the first run"
        raise ConfigError(f"{folder}: no such folder; {cure}")
    records, sweeps, unreadable = {}, {}, {}
    for path in sorted(path for path in folder.iterdir() if path.is_dir()):
        try:
            if (record := read_run(path)) is not None:
                records[path.name] = record
            elif (sweep := _sweep(path)) is not None:
                sweeps[path.name] = sweep
        except KitError as error:  # the other runs are listed all the same
            unreadable[path.name] = str(error)
    return Runs(folder, records, sweeps, unreadable)


def _named(run: PathLike, folder: PathLike) -> Path:
    """The folder of a run that was named by its name in *folder*, or by its path."""
    path = path_given(run, "compare")
    inside = path_given(folder, "folder") / path
    return inside if inside.is_dir() and not path.is_dir() else path


def _sweep(path: Path) -> Sweep | None:
    """The sweep in the folder *path*; None where there is none.  Raises KitError where it cannot be read."""
    if not (path / SWEEP_FILE).is_file():
        return None
    check_installed()
    from kit.api.sweep import found_sweep

    return found_sweep(path, None)
