"""A sweep: one trial after the other, each an ordinary run, until all are done or the time is over."""

from __future__ import annotations

import contextlib
import gc
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import optuna
import torch
from optuna.trial import TrialState

from kit.data.records import Dataset
from kit.errors import ModelError
from kit.settings.job import Job
from kit.settings.ranges import shown
from kit.settings.runs import FULL, FoldRecord
from kit.settings.searching import Search, Settle
from kit.settings.sweep_options import SweepOptions
from kit.settings.training import TrainingSettings
from kit.sweeps.pruner import OutOfTime, Pruned, PruningCallback, share_of
from kit.sweeps.results import BEST_AT, BLANK, HELD_OUT, SECONDS, STEPS
from kit.sweeps.storage import OpenStudy, patiently
from kit.sweeps.trial_lock import ERROR, LEFT, Claim, TakenOver, attempts, claimed
from kit.training.callbacks import Callbacks
from kit.training.checkpoints import CHECKPOINTS
from kit.training.run import train_run

_FAILURES = 3
"""This many failed trainings in a row are no bad luck with the settings."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a process of a sweep does."""

    job: Job[Dataset]
    """What all trials share; ``run`` is the sweep's folder, and each trial has other settings."""
    search: Search
    settle: Settle
    options: SweepOptions


@dataclass(frozen=True, slots=True)
class SweepCallbacks:
    """What a sweep calls: with its lines, for the callbacks of each training, and after each trial."""

    say: Callable[[str], object] = lambda line: None
    training: Callable[[], contextlib.AbstractContextManager[Callbacks]] = lambda: contextlib.nullcontext(
        Callbacks()
    )
    after_each: Callable[[], object] = lambda: None


def carry_out(plan: Plan, opened: OpenStudy, callbacks: SweepCallbacks) -> None:
    """Train trials until the study has as many as asked for, or the time is over.

    Raises ModelError where one training after the other fails, and whatever ends a training for a reason that
    is not in its settings (a full disk, an interruption): the next command resumes its trial.
    """
    deadline = None if plan.options.hours is None else time.monotonic() + plan.options.hours * 3600
    failures = 0
    tidy(opened, plan.job.run, plan.options.keep)
    while deadline is None or time.monotonic() < deadline:
        with claimed(opened, plan.job.run, plan.search, plan.options.trials, plan.options.seed) as claim:
            if claim is None:
                return
            try:
                failed = _train(plan, opened, claim, callbacks, deadline)
            except TakenOver:
                callbacks.say(f"{claim.name}: no heartbeat for too long; another process resumes it")
                continue
            except OutOfTime:
                claim.trial.set_user_attr(LEFT, True)
                break
            except KeyboardInterrupt:
                claim.trial.set_user_attr(LEFT, True)
                raise
        tidy(opened, plan.job.run, plan.options.keep)
        callbacks.after_each()
        failures = failures + 1 if failed else 0
        if failures == _FAILURES:
            raise ModelError(f"{plan.job.run}: {failures} trainings in a row failed, the last one: {failed}")
    callbacks.say(f"{plan.options.hours:g} h are over; the same command continues from the last checkpoint")


def _train(
    plan: Plan, opened: OpenStudy, claim: Claim, callbacks: SweepCallbacks, deadline: float | None
) -> str | None:
    """Train one trial and tell the study; returns why it failed, or None."""
    folder = plan.job.run / claim.name
    params = claim.trial.params
    settings = plan.search.settings(params, plan.settle)
    drawn = ", ".join(f"{one.name} {shown(one.settled(params[one.name]))}" for one in plan.search.ranges)
    place = list(attempts(opened.study)).index(claim.name) + 1
    callbacks.say(f"{claim.name} ({place} of {plan.options.trials}){' resumes' * claim.again}: {drawn}")
    judge = PruningCallback(
        claim, fewest=plan.options.prune_after, deadline=deadline, checkpoints=folder / FULL / CHECKPOINTS
    )
    try:
        fold = _fit(plan, folder, settings, callbacks, judge)
    except Pruned:
        share = max(judge.reported, default=0)
        callbacks.say(f"{claim.name}: stopped after {share / 10:.0f} %: others were better by then")
        _tell(opened, claim, state=TrialState.PRUNED)
        return None
    except ModelError as error:
        callbacks.say(f"{claim.name}: failed: {error}")
        claim.note(ERROR, str(error))
        _tell(opened, claim, state=TrialState.PRUNED)  # not FAIL, which the sampler ignores
        return str(error)
    finally:
        gc.collect()  # the model
        torch.cuda.empty_cache()
    if not judge.reported:  # it had ended when its process died, untold
        judge.report({share_of(entry["step"], fold.steps): entry["edit"] for entry in fold.history})
    notes = {
        STEPS: fold.steps,
        SECONDS: fold.seconds,
        HELD_OUT: fold.held_out,
        BLANK: fold.metrics["blank_edit"],
        BEST_AT: share_of(fold.kept_step, fold.steps),
    }
    for name, value in notes.items():
        claim.note(name, value)
    _tell(opened, claim, fold.metrics["edit"])
    return None


def _fit(
    plan: Plan, folder: Path, settings: TrainingSettings, callbacks: SweepCallbacks, judge: PruningCallback
) -> FoldRecord:
    with callbacks.training() as own:
        trained = replace(own, trainer_callbacks=(*own.trainer_callbacks, judge))
        run = train_run(plan.job.asking(settings, run=folder, resume=True), trained)
    assert run.record is not None
    return run.record.folds[FULL]


def _tell(
    opened: OpenStudy, claim: Claim, value: float | None = None, state: TrialState | None = None
) -> None:
    try:
        patiently(lambda: opened.study.tell(claim.trial, value, state=state))
    except (ValueError, optuna.exceptions.UpdateFinishedTrialError):  # it is not running, says the study
        raise TakenOver from None


def tidy(opened: OpenStudy, folder: Path, keep: int) -> None:
    """Delete the models of trials that are over but for the *keep* best; the study has what they scored."""
    trials = attempts(opened.study)
    ranked = sorted(
        (trial.value, name)
        for name, trial in trials.items()
        if trial.state == TrialState.COMPLETE and trial.value is not None
    )
    best = {name for _, name in ranked[:keep]}
    for name, trial in trials.items():
        if trial.state in (TrialState.COMPLETE, TrialState.PRUNED) and name not in best:
            shutil.rmtree(folder / name / FULL, ignore_errors=True)
