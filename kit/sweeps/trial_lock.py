"""Which process trains which trial: one at a time, and a trial whose process died is resumed by another."""

from __future__ import annotations

import contextlib
import hashlib
import random
import tempfile
import threading
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState, create_trial

from kit.errors import LockError
from kit.files import locked, write_text
from kit.settings.searching import Search
from kit.sweeps.storage import BEAT, GRACE, OpenStudy, distributions, patiently

NAME, MACHINE, ERROR, LEFT = "name", "machine", "error", "left"
"""Attributes of a trial: its folder, the machine (and folder) that trains it, why its training failed,
whether its process stopped on purpose."""
_CLOSED, _REACHED, _FRUITLESS = "closed", "reached", "fruitless"
_AT_WORK = "sweep trial"
_FRUITLESS_ENDS = 3
"""A training whose process died this often without a new evaluation is not resumed again."""


class TakenOver(Exception):
    """Another process resumed this trial, because this one sent no heartbeat for too long."""


@dataclass
class Claim:
    """A trial that only this process trains; it sends a heartbeat to the database every BEAT seconds."""

    opened: OpenStudy
    trial: optuna.Trial
    name: str
    """The name of its folder, as in trial-0007: that of the first attempt."""
    again: bool
    """Whether an earlier process began it."""
    last_beat: float = field(default_factory=time.time)

    @contextlib.contextmanager
    def beating(self) -> Iterator[None]:
        """Send heartbeats while the block runs."""
        stop = threading.Event()

        def beat() -> None:
            while True:
                with contextlib.suppress(optuna.exceptions.StorageInternalError):
                    self.beat()
                if stop.wait(BEAT):
                    self.opened.storage.remove_session()  # this thread's own
                    return

        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def note(self, name: str, value: object) -> None:
        """Give the trial an attribute, however long the database takes."""
        patiently(lambda: self.trial.set_user_attr(name, value))

    def beat(self) -> None:
        """Send one heartbeat."""
        self.opened.storage.record_heartbeat(self.trial._trial_id)
        self.last_beat = time.time()

    def check(self) -> None:
        """Before anything is written: after a long silence (the machine slept) another may have the trial.

        Waits while the database does not answer.  Raises TakenOver.
        """
        while time.time() - self.last_beat > GRACE:
            with contextlib.suppress(optuna.exceptions.StorageInternalError):
                if self.opened.storage.get_trial(self.trial._trial_id).state != TrialState.RUNNING:
                    raise TakenOver
                self.beat()
                return
            time.sleep(BEAT / 6)


def name_of(trial: FrozenTrial) -> str:
    """The folder of a trial; attempts at the same training share it."""
    return str(trial.user_attrs.get(NAME, f"trial-{trial.number:04d}"))


def attempts(study: optuna.Study) -> dict[str, FrozenTrial]:
    """The trials by name, of several attempts the one that counts; without those that were never trained."""
    found: dict[str, FrozenTrial] = {}
    for trial in study.get_trials(deepcopy=False):
        if _CLOSED in trial.user_attrs:
            continue
        known = found.get(name_of(trial))
        # Of two live attempts (two machines saw the same death) the first counts.
        if known is None or known.state == TrialState.FAIL:
            found[name_of(trial)] = trial
    return found


@contextlib.contextmanager
def claimed(opened: OpenStudy, folder: Path, search: Search, total: int, seed: int) -> Iterator[Claim | None]:
    """The next trial to train, held against others while the block runs; None where none is left to begin.

    First those whose process died, then new ones up to *total*.  Where the block ends before the trial has a
    score, the next process resumes it.
    """
    with contextlib.ExitStack() as held:
        with locked(folder, purpose="sweep"):  # from asking for a trial until its lock is held
            revive(opened, folder)
            claim = _next(opened, place(folder), search, total, seed)
            if claim is not None:
                held.enter_context(locked(folder / claim.name, wait=False, purpose=_AT_WORK))
        if claim is not None:
            held.enter_context(claim.beating())
        yield claim


def revive(opened: OpenStudy, folder: Path) -> None:
    """Let trials whose process died wait for another: known here by their locks, elsewhere by heartbeats."""
    study, here = opened.study, place(folder)
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        begun = trial.user_attrs.get(MACHINE, None if opened.shared else here)
        if begun == here and _unlocked(folder / name_of(trial)):
            with contextlib.suppress(ValueError):  # it got its score at this moment
                study.tell(trial.number, state=TrialState.FAIL)
    optuna.storages.fail_stale_trials(study)
    for trial in attempts(study).values():
        if trial.state == TrialState.FAIL:
            study.add_trial(_another_attempt(trial))


def _unlocked(path: Path) -> bool:
    try:
        with locked(path, wait=False, purpose=_AT_WORK):
            return True
    except LockError:
        return False


def _another_attempt(dead: FrozenTrial) -> FrozenTrial:
    reached, before = len(dead.intermediate_values), dead.user_attrs.get(_REACHED, 0)
    died = LEFT not in dead.user_attrs
    fruitless = 0 if reached > before else dead.user_attrs.get(_FRUITLESS, 0) + died
    attributes = {NAME: name_of(dead), _REACHED: max(reached, before), _FRUITLESS: fruitless}
    state = TrialState.WAITING
    if fruitless >= _FRUITLESS_ENDS:
        state = TrialState.PRUNED
        attributes[ERROR] = f"its process ended {fruitless} times without one more evaluation"
    return create_trial(
        state=state, params=dead.params, distributions=dead.distributions, user_attrs=attributes
    )


def _next(opened: OpenStudy, here: str, search: Search, total: int, seed: int) -> Claim | None:
    study = opened.study
    while True:
        known = attempts(study)
        waiting = any(trial.state == TrialState.WAITING for trial in known.values())
        untried = _untried(known.values(), search)
        if not waiting and (len(known) >= total or untried == []):
            return None
        # Each trial has its own seed: a resumed sweep does not draw its first trials again.
        study.sampler = optuna.samplers.TPESampler(
            seed=(seed + len(known)) % 2**32, multivariate=True, constant_liar=True
        )
        trial = study.ask(distributions(search.ranges))
        begun = study.get_trials(deepcopy=False)[trial.number]
        name, again = name_of(begun), NAME in begun.user_attrs
        trial.set_user_attr(NAME, name)
        trial.set_user_attr(MACHINE, here)
        now = attempts(study)
        surplus = name not in known and list(now).index(name) >= total
        if surplus or now[name].number != trial.number:
            _close(study, trial, "another machine was quicker")
        elif name not in known and untried is not None and _values(trial.params, search) not in untried:
            # The same settings give the same model: others are trained in their place.
            _close(study, trial, "drawn before")
            chosen = random.Random(seed + len(known)).choice(untried)
            study.enqueue_trial(dict(zip((one.name for one in search.ranges), chosen, strict=True)))
        else:
            return Claim(opened, trial, name, again)


def _close(study: optuna.Study, trial: optuna.Trial, why: str) -> None:
    trial.set_user_attr(_CLOSED, why)
    study.tell(trial, state=TrialState.FAIL)


def _untried(known: Iterable[FrozenTrial], search: Search) -> list[tuple[Any, ...]] | None:
    """The combinations that no trial has; None where there are too many to list."""
    every = search.combinations()
    if every is None:
        return None
    tried = {_values(trial.params, search) for trial in known if trial.params}
    return [combination for combination in every if combination not in tried]


def _values(params: Mapping[str, Any], search: Search) -> tuple[Any, ...]:
    return tuple(params[one.name] for one in search.ranges)


def place(folder: Path) -> str:
    """A name of this machine and *folder*, the same for all processes that share locks (`kit.files`)."""
    file = Path(tempfile.gettempdir()) / "kit-machine"
    with locked(file):
        if not file.exists():
            write_text(file, uuid.uuid4().hex)
    key = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:8]
    return f"{file.read_text(encoding='utf-8')}-{key}"
