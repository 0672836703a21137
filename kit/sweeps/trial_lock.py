"""Whose turn it is: a trial belongs to one process at a time, and one whose process died goes on."""

from __future__ import annotations

import contextlib
import hashlib
import platform
import random
import tempfile
import threading
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState, create_trial

from kit.errors import LockError
from kit.files import locked, write_text
from kit.settings.searching import Search
from kit.sweeps.storage import BEAT, GRACE, Kept, distributions

NAME, MACHINE, ERROR, LEFT = "name", "machine", "error", "left"
"""Attributes of a trial: its folder, the machine (and place) at work on it, why its training failed, whether
its process left it of its own accord."""
_CLOSED, _REACHED, _FRUITLESS = "closed", "reached", "fruitless"
_AT_WORK = "sweep trial"
_FRUITLESS_ENDS = 3
"""A training that ends so often without an evaluation more than before is not begun again."""


class TakenOver(Exception):
    """Another process goes on with this trial, because this one gave no sign of life for too long."""


class Heartbeat:
    """A trial's sign of life in the database, every BEAT seconds while its training runs."""

    def __init__(self, kept: Kept, trial: optuna.Trial) -> None:
        self._kept, self._trial = kept, trial
        self._last = time.time()
        self._stop = threading.Event()

    @contextlib.contextmanager
    def beating(self) -> Iterator[None]:
        """Signs of life while the block runs."""
        thread = threading.Thread(target=self._beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()

    def check(self) -> None:
        """Before anything is written: after a silence (a machine that slept) the trial may be another's.

        Waits while the database does not answer.  Raises TakenOver.
        """
        while time.time() - self._last > GRACE:
            with contextlib.suppress(optuna.exceptions.StorageInternalError):
                trial = self._kept.storage.get_trial(self._trial._trial_id)
                if trial.state != TrialState.RUNNING:
                    raise TakenOver
                self._record()
                return
            time.sleep(BEAT / 6)

    def _beat(self) -> None:
        while True:
            with contextlib.suppress(optuna.exceptions.StorageInternalError):
                self._record()
            if self._stop.wait(BEAT):
                self._kept.storage.remove_session()  # this thread's own
                return

    def _record(self) -> None:
        self._kept.storage.record_heartbeat(self._trial._trial_id)
        self._last = time.time()


@dataclass(frozen=True, slots=True)
class Claim:
    """A trial that this process, and no other, is at work on."""

    trial: optuna.Trial
    name: str
    """Of its folder, as in trial-0007: that of the first attempt."""
    again: bool
    """Whether an earlier process began it."""
    heartbeat: Heartbeat


def name_of(trial: FrozenTrial) -> str:
    """The folder of a trial; attempts at the same training share it."""
    return str(trial.user_attrs.get(NAME, f"trial-{trial.number:04d}"))


def attempts(study: optuna.Study) -> dict[str, FrozenTrial]:
    """The trials by name, of several attempts the one that counts; without what was never trained."""
    found: dict[str, FrozenTrial] = {}
    for trial in study.get_trials(deepcopy=False):
        if _CLOSED in trial.user_attrs:
            continue
        known = found.get(name_of(trial))
        # Of two attempts that live (two machines saw the same death) the first counts.
        if known is None or known.state == TrialState.FAIL:
            found[name_of(trial)] = trial
    return found


@contextlib.contextmanager
def claimed(kept: Kept, folder: Path, search: Search, total: int, seed: int) -> Iterator[Claim | None]:
    """The next trial to train, held against others while the block runs; None where none is left to begin.

    First those whose process died, then new ones up to *total*.  A block that ends before the trial was
    told a score leaves it to whoever comes next.
    """
    with contextlib.ExitStack() as held:
        with locked(folder, purpose="sweep"):  # from asking for a trial until its lock is held
            revive(kept, folder)
            claim = _next(kept, place(folder), search, total, seed)
            if claim is not None:
                held.enter_context(locked(folder / claim.name, wait=False, purpose=_AT_WORK))
        if claim is not None:
            held.enter_context(claim.heartbeat.beating())
        yield claim


def revive(kept: Kept, folder: Path) -> None:
    """Let trials whose process is dead wait for another.

    On this machine their locks tell; on others their signs of life.
    """
    study = kept.study
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        here = place(folder)
        begun = trial.user_attrs.get(MACHINE, None if kept.shared else here)
        if begun == here and _unlocked(folder / name_of(trial)):
            with contextlib.suppress(ValueError):  # it was told a score at this very moment
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
    state = TrialState.WAITING
    attributes: dict[str, Any] = {NAME: name_of(dead), _REACHED: max(reached, before)}
    attributes[_FRUITLESS] = fruitless
    if fruitless >= _FRUITLESS_ENDS:
        state = TrialState.PRUNED
        attributes[ERROR] = f"its process ended {fruitless} times without one more evaluation"
    return create_trial(
        state=state, params=dead.params, distributions=dead.distributions, user_attrs=attributes
    )


def _next(kept: Kept, here: str, search: Search, total: int, seed: int) -> Claim | None:
    study = kept.study
    while True:
        known = attempts(study)
        waiting = any(trial.state == TrialState.WAITING for trial in known.values())
        untried = _untried(known.values(), search)
        if not waiting and (len(known) >= total or untried == []):
            return None
        # A seed of its own for each trial: a sweep that goes on does not draw its first trials again.
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
            return Claim(trial, name, again, Heartbeat(kept, trial))


def _close(study: optuna.Study, trial: optuna.Trial, why: str) -> None:
    trial.set_user_attr(_CLOSED, why)
    study.tell(trial, state=TrialState.FAIL)


def _untried(known: Iterable[FrozenTrial], search: Search) -> list[tuple[Any, ...]] | None:
    """The combinations that no trial has; None where they are not to be counted."""
    every = search.combinations()
    if every is None:
        return None
    tried = {_values(trial.params, search) for trial in known if trial.params}
    return [combination for combination in every if combination not in tried]


def _values(params: Mapping[str, Any], search: Search) -> tuple[Any, ...]:
    return tuple(params[one.name] for one in search.ranges)


def place(folder: Path) -> str:
    """Names this machine and *folder*, alike for all processes whose locks (``kit.files.locked``) meet."""
    file = Path(tempfile.gettempdir()) / "kit-machine"
    with locked(file):
        if not file.exists():
            write_text(file, f"{platform.node()}-{uuid.uuid4().hex[:8]}")
    key = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:8]
    return f"{file.read_text(encoding='utf-8')}-{key}"
