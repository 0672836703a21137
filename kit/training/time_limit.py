"""``--hours``: a training that ends in time, with a model that can be used."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from transformers import TrainerCallback, TrainerControl, TrainerState

from kit.settings.runs import RunRecord
from kit.terminal import duration
from kit.training.checkpoints import CHECKPOINTS, latest_complete, seconds_spent
from kit.training.cost_estimate import Forecast

_PLANNED = 0.95
"""Share of the time left that is planned for: forecasts are not exact."""
Agreed = Callable[[float], float]
"""Gives the first process's value in all of them."""


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """When a training must be over."""

    hours: float
    """As asked for."""
    deadline: float
    """By ``time.monotonic``."""

    @classmethod
    def of(cls, hours: float | None) -> Self | None:
        """The limit of a training that begins now; None without *hours*."""
        return None if hours is None else cls(hours, time.monotonic() + hours * 3600)

    @property
    def left(self) -> float:
        """Seconds until then, at least 0."""
        return max(self.deadline - time.monotonic(), 0.0)

    def allows(self, seconds: float) -> bool:
        """Whether something that takes about so many seconds ends in time."""
        return seconds <= self.left * _PLANNED

    def steps(self, expected: Forecast) -> int:
        """How many of the expected steps end in time, with the scoring after them; at least 1."""
        room = self.left * _PLANNED - expected.scoring
        a_step = (expected.seconds - expected.scoring) / expected.steps
        return min(max(int(room / a_step), 1), expected.steps)


def allows_another(limit: TimeLimit | None, record: RunRecord, model: Path, agreed: Agreed) -> bool:
    """Whether there is time for one more model, in the folder *model*; for the first one there always is.

    It is expected to take as long as the longest of the run, less what its last checkpoint has done.
    """
    if limit is None or not record.folds:
        return True
    seconds = expected_seconds(record) - seconds_spent(latest_complete(model / CHECKPOINTS))
    return bool(agreed(limit.allows(seconds)))


def expected_seconds(record: RunRecord) -> float:
    """How long another model of the run will take."""
    return max(fold.seconds for fold in record.folds.values())


def left_out(limit: TimeLimit, record: RunRecord) -> str:
    """What to tell the user where there is no time for another fold."""
    return (
        f"--hours {limit.hours:.3g}: {len(record.folds)} of {record.settings.folds} folds are trained; "
        f"another takes about {duration(expected_seconds(record))} and {duration(limit.left)} are left; the "
        "same command with --resume trains the others"
    )


def planned_steps(checkpoint: Path | None) -> int | None:
    """The steps of the training that left *checkpoint*: a limit may have shortened it."""
    if checkpoint is None:
        return None
    steps: int = TrainerState.load_from_json(str(checkpoint / "trainer_state.json")).max_steps
    return steps


def steps_in_time(
    limit: TimeLimit | None, expected: Forecast, epochs: float, agreed: Agreed, say: Callable[[str], object]
) -> int:
    """The steps that there is time for, the same in all processes: the learning rate falls over these.

    *epochs*: those of all steps.
    """
    if limit is None:
        return expected.steps
    steps = int(agreed(limit.steps(expected)))
    if steps < expected.steps:
        say(
            f"--hours {limit.hours:.3g}: {expected.steps:,} steps take about {duration(expected.seconds)}, "
            f"and {duration(limit.left)} are left; shortened to {steps:,} steps, "
            f"{epochs * steps / expected.steps:.2g} of {epochs:g} epochs"
        )
    return steps


class StopInTime(TrainerCallback):
    """Ends a training whose forecast was too low, after a last evaluation and checkpoint."""

    def __init__(self, limit: TimeLimit, scoring: float, agreed: Agreed, *, choosing: bool) -> None:
        """*scoring*: seconds that the last evaluation and the scoring after the training will take."""
        self._limit, self._scoring, self._agreed, self._choosing = limit, scoring, agreed, choosing

    def on_step_end(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """All processes must stop at the same step."""
        if state.global_step >= state.max_steps:
            return
        if self._agreed(self._limit.left < self._scoring):
            control.should_training_stop = control.should_save = True
            control.should_evaluate = self._choosing
