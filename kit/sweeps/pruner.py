"""Early stopping of trials: each evaluation goes to the study, and a trial that lags behind is pruned."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import TrialState
from transformers import TrainerCallback, TrainerControl, TrainerState

from kit.sweeps.results import SECONDS, STEPS
from kit.sweeps.trial_lock import Claim, TakenOver
from kit.training.checkpoints import latest_complete, seconds_spent

WHOLE = 1000
"""The study's step at the end of a training: steps are thousandths of the training."""
_EARLIEST = 200
"""No trial is pruned before this: the learning rate still rises, or has hardly begun to fall."""
_SAME = 10
"""Evaluations this close count as at the same share: steps are whole numbers."""

Curve = Mapping[int, float]
"""Edit Score by share of the training done, in thousandths."""


class Pruned(Exception):
    """The trial's best Edit Score so far is above the median of the others'."""


class OutOfTime(Exception):
    """The time limit of the user has passed; a checkpoint was saved."""


def lags(own: Curve, others: Sequence[Curve], fewest: int) -> bool:
    """Whether to prune a training after its last evaluation in *own*.

    The median stopping rule (Golovin et al. 2017, Google Vizier, 3.2.2, with the best values so far, as
    Optuna's MedianPruner has them): its best so far is above the median of what the finished *others*
    had reached at the same share of theirs, of which there must be at least *fewest*.  Shares of the
    training are compared, not steps as MedianPruner does: with other batch sizes and epochs the same step is
    at another place of the learning rate's schedule, or no other trial has it at all.
    """
    share = max(own)
    if not _EARLIEST <= share < WHOLE:
        return False
    until = [[edit for at, edit in other.items() if at <= share + _SAME] for other in others]
    reached = [min(edits) for edits in until if edits]
    return len(reached) >= max(fewest, 1) and min(own.values()) > statistics.median(reached)


class PruningCallback(TrainerCallback):
    """Reports each evaluation to the study, prunes a trial that lags behind, and stops at the deadline."""

    def __init__(self, claim: Claim, *, fewest: int, deadline: float | None, checkpoints: Path) -> None:
        """*fewest*: as in `lags`; *deadline*: by ``time.monotonic``."""
        self._claim, self._fewest, self._deadline = claim, fewest, deadline
        self._began = time.monotonic() - seconds_spent(latest_complete(checkpoints))
        self._leaving = False
        self.reported: dict[int, float] = {}

    def report(self, curve: Curve) -> None:
        """Tell the study the scores it does not have yet; nothing while its database is unavailable.

        The next evaluation reports them too.  Raises TakenOver where another process has the trial.
        """
        for share, edit in sorted(curve.items()):
            if share not in self.reported:
                try:
                    self._claim.trial.report(edit, share)
                except optuna.exceptions.UpdateFinishedTrialError:
                    raise TakenOver from None
                except optuna.exceptions.StorageInternalError:
                    return
                self.reported[share] = edit

    def on_train_begin(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """A resumed training reports its earlier evaluations."""
        self.report(_curve(state))

    def on_step_end(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """After the deadline a checkpoint is saved, then the training ends."""
        self._claim.check()
        if self._deadline is not None and time.monotonic() > self._deadline:
            self._leaving = control.should_save = True

    def on_save(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """End once the checkpoint is complete; a training at its last step just ends."""
        if self._leaving and state.global_step < state.max_steps:
            raise OutOfTime

    def on_evaluate(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Report the score; prune a trial that lags behind."""
        own = _curve(state)
        self.report(own)
        try:
            others = self._claim.opened.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        except optuna.exceptions.StorageInternalError:  # the next evaluation decides
            return
        if lags(own, [other.intermediate_values for other in others], self._fewest):
            self._claim.note(STEPS, state.global_step)
            self._claim.note(SECONDS, round(time.monotonic() - self._began, 1))
            raise Pruned


def _curve(state: TrainerState) -> Curve:
    return {
        share_of(entry["step"], state.max_steps): float(entry["eval_edit"])
        for entry in state.log_history
        if "eval_edit" in entry
    }


def share_of(step: float, steps: float) -> int:
    """Thousandths of a training of *steps* that are done after *step*."""
    return round(WHOLE * step / steps)
