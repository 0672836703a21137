"""The results of a sweep: ranked trials, importance of settings, the command to train the best with folds."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import optuna
from optuna.trial import FrozenTrial, TrialState

from kit.display import BLANK as IF_BLANK
from kit.display import EDIT, Displayed, Table, duration, share
from kit.display import edit as shown_edit
from kit.errors import counted
from kit.settings.job import Job, JobOptions
from kit.settings.ranges import Range, Value, read_range, shown
from kit.settings.searching import Settle
from kit.settings.training import EXECUTION_ONLY
from kit.sweeps.storage import OpenStudy, about_of
from kit.sweeps.trial_lock import ERROR, attempts

STEPS, SECONDS, HELD_OUT, BLANK, BEST_AT = "steps", "seconds", "held_out", "blank_edit", "best_at"
"""Attributes of a trial: optimizer steps, their seconds, number of held-out questions, Edit Score of empty
answers to them, share of the training (in thousandths) of its best evaluation."""
PLOT_FILE = "sweep.png"
"""In the sweep's folder."""
_IMPORTANCE_FROM = 12
"""Number of finished trials for importances.  In simulated searches with one important setting of three, it
came first in 8 of 10 from here on; with fewer trials hardly more often than by chance."""
_NOT_RETRAINED = frozenset({"evaluations", "folds"})

State = Literal["finished", "stopped early", "failed", "at work", "waiting"]
_ORDER: tuple[State, ...] = ("finished", "stopped early", "failed", "at work", "waiting")


@dataclass(frozen=True, slots=True)
class TrialResult:
    """One trial: the settings that were varied, and what it scored on the held-out questions."""

    name: str
    """Its run's folder."""
    state: State
    edit: float | None
    """The best Edit Score of its evaluations, in characters."""
    varied: Mapping[str, Value]
    curve: tuple[tuple[float, float], ...]
    """Share of the training done, and the Edit Score there."""
    best_at: float | None
    """The share at which its best evaluation came."""
    steps: int | None
    seconds: float | None
    error: str | None

    def row(self, names: Sequence[str]) -> tuple[str, ...]:
        """Its cells in the sweep's table, with the settings *names*."""
        return (
            self.name,
            self.state,
            shown_edit(self.edit),
            *(shown(self.varied[name]) if name in self.varied else "" for name in names),
            "" if self.best_at is None else f"{self.best_at * 100:.0f} %",
            "" if self.steps is None else f"{self.steps:,}",
            "" if self.seconds is None else duration(self.seconds),
        )

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "trial": self.name,
            "state": self.state,
            "edit": self.edit,
            "settings": dict(self.varied),
            "evaluations": [{"share": share, "edit": edit} for share, edit in self.curve],
            "best_at": self.best_at,
            "steps": self.steps,
            "seconds": self.seconds,
            "error": self.error,
        }


@dataclass(frozen=True, slots=True, repr=False)
class Sweep(Displayed):
    """The state of a sweep."""

    folder: Path
    backbone: str
    data: tuple[str, ...]
    """Names of the training files."""
    ranges: tuple[Range, ...]
    trials: tuple[TrialResult, ...]
    """The best first; then those stopped early, failed, unfinished."""
    importances: Mapping[str, float]
    """Share of the differences that each setting explains (PED-ANOVA); empty with few trials."""
    held_out: int
    """Number of held-out questions of every trial; 0 before the first has finished."""
    blank_edit: float | None
    """The Edit Score of empty answers to them."""
    command: str | None
    """Trains the best trial's settings with folds; None before the first has finished."""

    @property
    def headline(self) -> str:
        """The folder, and how far it has come."""
        best = "" if self.best is None else f", best {shown_edit(self.best.edit)} ({self.best.name})"
        return f"{self.folder} ({self.backbone}): {counted(len(self.trials), 'trial')}{best}"

    def tables(self) -> list[Table]:
        """The trials, the best first, and what mattered."""
        judged = f", {counted(self.held_out, 'question')} held out" if self.held_out else ""
        blank = "" if self.blank_edit is None else f", {shown_edit(self.blank_edit)} {IF_BLANK}"
        names = [one.name for one in self.ranges]
        columns = ("trial", "state", EDIT, *names, "best at", "steps", "time")
        rows = [trial.row(names) for trial in self.trials]
        title = f"{self.folder} ({self.backbone}{judged}{blank})"
        found = [Table(title, columns, rows, words=("state",))]
        if self.importances:
            hint = f"what mattered, a hint from {counted(len(self.finished), 'trial')}"
            shares = [(name, share(value)) for name, value in self.importances.items()]
            found.append(Table(hint, ("setting", "share of the differences"), shares))
        return found

    @property
    def finished(self) -> tuple[TrialResult, ...]:
        """The trials that ran to their end, the best first."""
        return tuple(trial for trial in self.trials if trial.state == "finished")

    @property
    def best(self) -> TrialResult | None:
        """The finished trial with the lowest Edit Score."""
        return next(iter(self.finished), None)

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "sweep": str(self.folder),
            "backbone": self.backbone,
            "data": list(self.data),
            "ranges": [str(one) for one in self.ranges],
            "held_out": self.held_out,
            "blank_edit": self.blank_edit,
            "trials": [trial.as_dict() for trial in self.trials],
            "best": self.best.name if self.best else None,
            "importances": dict(self.importances),
            "command": self.command,
        }


def results(opened: OpenStudy, folder: Path, settle: Settle) -> Sweep:
    """The state of the sweep in its study.  Raises ConfigError for a study that is no sweep of the kit."""
    about = about_of(opened.study)
    ranges = tuple(read_range(name, text) for name, text in about["ranges"].items())
    known = attempts(opened.study)
    trials = sorted((_result(name, trial, ranges) for name, trial in known.items()), key=_rank)
    notes: Mapping[str, Any] = next(
        (trial.user_attrs for trial in known.values() if HELD_OUT in trial.user_attrs), {}
    )
    sweep = Sweep(
        folder=folder,
        backbone=about["backbone"],
        data=tuple(name for name, _ in about["data"]),
        ranges=ranges,
        trials=tuple(trials),
        importances=_importances(opened.study, ranges),
        held_out=notes.get(HELD_OUT, 0),
        blank_edit=notes.get(BLANK),
        command=None,
    )
    if sweep.best is None:
        return sweep
    words = _folds_command(opened, folder, {**about["settings"], **sweep.best.varied}, settle)
    return replace(sweep, command=shlex.join(words))


def _result(name: str, trial: FrozenTrial, ranges: tuple[Range, ...]) -> TrialResult:
    notes = trial.user_attrs
    curve = tuple((share / 1000, edit) for share, edit in sorted(trial.intermediate_values.items()))
    seen = min(curve, key=lambda point: point[1], default=None)
    finished = trial.state == TrialState.COMPLETE
    best_at = notes[BEST_AT] / 1000 if BEST_AT in notes else seen[0] if seen else None
    return TrialResult(
        name=name,
        state=_state(trial),
        edit=trial.value if finished else seen[1] if seen else None,
        varied={one.name: one.settled(trial.params[one.name]) for one in ranges if one.name in trial.params},
        curve=curve,
        best_at=best_at,
        steps=notes.get(STEPS),
        seconds=notes.get(SECONDS),
        error=notes.get(ERROR),
    )


def _state(trial: FrozenTrial) -> State:
    if trial.state == TrialState.COMPLETE:
        return "finished"
    if trial.state == TrialState.PRUNED:
        return "failed" if ERROR in trial.user_attrs else "stopped early"
    return "at work" if trial.state == TrialState.RUNNING else "waiting"


def _rank(trial: TrialResult) -> tuple[int, float, str]:
    return _ORDER.index(trial.state), float("inf") if trial.edit is None else trial.edit, trial.name


def _importances(study: optuna.Study, ranges: tuple[Range, ...]) -> dict[str, float]:
    """Settings by importance; of Optuna's evaluators the one that needs no further library."""
    finished = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if len(ranges) < 2 or len(finished) < _IMPORTANCE_FROM:
        return {}
    found = optuna.importance.get_param_importances(
        study, evaluator=optuna.importance.PedAnovaImportanceEvaluator()
    )
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def _folds_command(opened: OpenStudy, folder: Path, settings: Mapping[str, Any], settle: Settle) -> list[str]:
    """``kit train`` with these settings and folds, as words; what is the backbone's own is left out."""
    chosen, default = settle(**settings), dict(settle())
    changed = {
        name
        for name, value in chosen
        if value != default[name] and name not in EXECUTION_ONLY and name not in _NOT_RETRAINED
    }
    job = Job(
        opened.file.backbone,
        tuple(map(Path, opened.file.data)),
        chosen.model_copy(update={"folds": 5}),
        JobOptions(run=folder.parent / f"{folder.resolve().name}-best"),
    )
    return ["kit", *job.argv({*changed, "folds"})]
