"""Trials: a command is disturbed, later commands use what is left, it runs again, and ends as a clean run."""

from __future__ import annotations

import fnmatch
import itertools
import random
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kit.files import is_temporary
from tools.chaos.experiments import Experiment
from tools.chaos.folder_contents import APART, contents, difference
from tools.chaos.moments import AFTER, BEFORE, DENIED, FULL, TORN, UNDISTURBED, Moment
from tools.chaos.processes import Done, ForkServer, run_new_process

_RESUME, _UNFINISHED = "--resume", "holds an unfinished training"
"""What is added when a command asks for it."""
_CHAIN = 4
"""Kills in a row in one folder, at most."""
_ATTEMPTS = 5
"""Tries until a moment comes before the command ends."""


@dataclass(frozen=True, slots=True)
class State:
    """A folder, and what Kaggle's server held then."""

    folder: Path
    kaggle: Any = None


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong after which moments."""

    experiment: str
    moments: tuple[Moment, ...]
    message: str

    def __str__(self) -> str:
        return f"{self.experiment}, {' then '.join(map(str, self.moments))}: {self.message}"


class Harness:
    """A prepared experiment: its undisturbed run, and trials that are compared with it."""

    def __init__(
        self, experiment: Experiment, server: ForkServer, place: Path, *, plain: bool = False
    ) -> None:
        """*plain*: also make the undisturbed run by ``python -m kit`` itself, and compare the two."""
        self.experiment, self._server, self._place = experiment, server, place
        self._numbers = itertools.count()
        place.mkdir(parents=True)
        start = place / "start"
        start.mkdir()
        if experiment.account is not None:
            experiment.account.forget()
        experiment.prepare(start)
        self._start = State(start, self._kept())
        self._before = contents(start)
        work = self._at_work(self._start)
        self.undisturbed = self._run(work)
        assert self.undisturbed.code == 0, f"{experiment.name} fails undisturbed: {self.undisturbed.err}"
        self._after, self._submitted = contents(work), self._sent()
        whole = self._snapshot(work)
        self._looked_before, self._looked_after = self._looked(self._start), self._looked(whole)
        if plain:
            work = self._at_work(self._start)
            done = run_new_process(experiment.words, work, self._environment)
            assert done.code == 0, f"{experiment.name} fails undisturbed: {done.err}"
            assert not (wrong := self._wrong(work)), f"{experiment.name}: undisturbed runs differ: {wrong}"

    @property
    def start(self) -> Path:
        """The prepared folder."""
        return self._start.folder

    def at(self, *words: str, first: bool = False) -> int:
        """The number of the undisturbed run's last (or *first*) change whose line has all *words*."""
        lines = self.undisturbed.changes
        numbers = [n for n, line in enumerate(lines, 1) if all(word in line for word in words)]
        assert numbers, f"{self.experiment.name} makes no change {words}: {lines}"
        return numbers[0 if first else -1]

    def kills(self, count: int, chance: random.Random) -> list[Moment]:
        """*count* deadly moments: before changes (all of few), inside writes, by the clock."""
        changes = len(self.undisturbed.changes)
        numbers = list(range(1, changes + 1))
        before = [Moment(BEFORE, n) for n in chance.sample(numbers, min(changes, max(count * 3 // 5, 1)))]
        half = range((count - len(before)) // 2)
        torn = [Moment(TORN, chance.choice(numbers), self._size(chance)) for _ in half]
        span = self.undisturbed.begun, self.undisturbed.seconds
        timed = [Moment(AFTER, seconds=chance.uniform(*span)) for _ in range(count - len(before) - len(torn))]
        found = before + torn + timed
        chance.shuffle(found)
        return found

    def faults(self, count: int, chance: random.Random) -> list[Moment]:
        """*count* moments from which on the disk is full, or may not be written."""
        numbers = range(1, len(self.undisturbed.changes) + 1)
        full = [Moment(FULL, chance.choice(numbers), self._size(chance)) for _ in range(count - count // 2)]
        return full + [Moment(DENIED, chance.choice(numbers)) for _ in range(count // 2)]

    def _size(self, chance: random.Random) -> int:
        """Bytes that some file of the results is larger than."""
        names = [name for name in self._after if self._after[name] != self._before.get(name)]
        return chance.randrange(max(len(self._after[chance.choice(names)]), 1))

    def disturb(self, moment: Moment, state: State | None = None) -> tuple[State, Done]:
        """Run the command from *state* (default: the prepared folder), with *moment*."""
        work = self._at_work(state or self._start)
        done = self._run(work, moment)
        return self._snapshot(work), done

    def judged(self, left: State, done: Done, moment: Moment) -> str:
        """What is wrong with how the command ended and what it left; "" if nothing."""
        if done.code == 0:  # it ended before, or only failed to remove what it no longer needs
            lasting = {
                name: content
                for name, content in contents(left.folder).items()
                if name in self._after or not (_temporary(name) or self._growing(name))
            }
            wrong = difference(lasting, self._after)
        elif moment.deadly:
            wrong = "" if done.code < 0 else f"it failed before: {_shown(done)}"
        else:
            wrong = "" if done.refused else f"no refusal in one line: {_shown(done)}"
        return wrong or self._torn(left) or self._misread(left) or self._not_mended(left)

    def _torn(self, left: State) -> str:
        """Files that are neither as before the command nor as after it."""
        wrong = [
            f"{name} is half-written"
            for name, content in contents(left.folder).items()
            if content not in (self._before.get(name), self._after.get(name))
            and not (self._growing(name) or _temporary(name) or name.endswith("/"))
        ]
        return "; ".join(wrong)

    def _growing(self, name: str) -> bool:
        return any(fnmatch.fnmatch(name, pattern) for pattern in self.experiment.growing)

    def _misread(self, left: State) -> str:
        """What later commands do with it: they work as on a whole result, or refuse."""
        known = self._before, self._after, self._looked_before, self._looked_after
        for name, content in self._looked(left).items():
            if content not in [one.get(name) for one in known]:
                return f"a later command made a different {name} from what was left"
        return self._complaint

    def _not_mended(self, left: State) -> str:
        """What is wrong after the same command ran again."""
        work = self._at_work(left)
        done = self._run(work)
        return self._wrong(work) if done.code == 0 else f"the next run fails: {_shown(done)}"

    def _wrong(self, work: Path) -> str:
        """How a finished run differs from the undisturbed one."""
        wrong = difference(contents(work), self._after)
        if self._sent() != self._submitted:
            wrong += f"; Kaggle has {len(self._sent())} submissions, not {len(self._submitted)}"
        return wrong

    def met(self, moment: Moment) -> tuple[Done, Done, str]:
        """A second command while the first is held; then the first continues.

        Returns how the second and the first ended, and how the result differs from the undisturbed run.
        """
        work = self._at_work(self._start)
        self._server.start(self.experiment.words, work, moment, self._environment)
        second = self._server.run(self.experiment.words, work, environment=self._environment)
        first = self._server.finish()
        return second, first, self._wrong(work)

    def bound(self) -> tuple[Done, str]:
        """The command where only temporary files may be written; and what it changed."""
        work = self._at_work(self._start)
        modes = {
            path: path.stat().st_mode
            for path in (work, *work.rglob("*"))
            if path.relative_to(work).parts[:1] not in [(name,) for name in APART]
        }
        for path, mode in modes.items():
            path.chmod(mode & 0o555)
        done = self._server.run(self.experiment.words, work, environment=self._environment, bound=True)
        for path, mode in modes.items():
            path.chmod(mode)
        return done, difference(contents(work), self._before)

    @property
    def _environment(self) -> Mapping[str, str]:
        account = self.experiment.account
        return {} if account is None else account.environment

    def _run(self, work: Path, moment: Moment = UNDISTURBED) -> Done:
        """The command, and again with --resume if it asks for that."""
        done = self._server.run(self.experiment.words, work, moment, self._environment)
        if done.refused and _UNFINISHED in done.err:
            done = self._server.run((*self.experiment.words, _RESUME), work, moment, self._environment)
        return done

    def _looked(self, left: State) -> dict[str, bytes]:
        """What later commands change."""
        work = self._at_work(left)
        self._complaint = ""
        for words in self.experiment.looks:
            done = self._server.run(words, work, environment=self._environment)
            findings = words[0] == "check" and done.code == 1 and done.out and "Traceback" not in done.err
            if done.code != 0 and not done.refused and not findings:
                self._complaint = f"kit {words[0]} on what was left: {_shown(done)}"
        before = contents(left.folder)
        return {
            name: content
            for name, content in contents(work).items()
            if before.get(name) != content and not name.endswith("/")
        }

    def _at_work(self, state: State) -> Path:
        """The folder in which everything runs, put back to *state*; Kaggle's server too."""
        work = self._place / "work"
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(state.folder, work, symlinks=True)
        if self.experiment.account is not None:
            self.experiment.account.put_back(state.kaggle)
        return work

    def _snapshot(self, work: Path) -> State:
        folder = self._place / f"{next(self._numbers)}"
        shutil.copytree(work, folder, symlinks=True)
        return State(folder, self._kept())

    def _kept(self) -> Any:
        return None if self.experiment.account is None else self.experiment.account.kept()

    def _sent(self) -> list[tuple[str, bytes]]:
        return [] if self.experiment.account is None else self.experiment.account.submitted()

    def tidy(self) -> None:
        """Remove what finished trials left."""
        for path in self._place.iterdir():
            if path.name != "start":
                shutil.rmtree(path, ignore_errors=True)


def _temporary(name: str) -> bool:
    return any(is_temporary(Path(part)) for part in Path(name).parts)


def _shown(done: Done) -> str:
    return f"exit code {done.code}, {done.err[-600:]!r}"


def trials(
    harness: Harness, moments: list[Moment], chance: random.Random
) -> Iterator[tuple[Moment, bool, Failure | None]]:
    """Every moment: in a fresh folder, or in the folder that the moments before have left.

    Yields it, whether it came (a command may end before), and what went wrong.
    """
    state: State | None = None
    chain: tuple[Moment, ...] = ()
    for wanted in moments:
        moment = wanted
        if not moment.deadly or len(chain) == _CHAIN or chance.random() < 0.5:
            state, chain = None, ()
        for _ in range(_ATTEMPTS):
            left, done = harness.disturb(moment, state)
            came = done.code != 0
            wrong = harness.judged(left, done, moment)
            failure = Failure(harness.experiment.name, (*chain, moment), wrong) if wrong else None
            if came or failure or not moment.deadly:
                break
            # Too late: try again in a fresh folder, where more is left to do; in a fresh folder, sooner.
            moment = wanted if state is not None else moment.sooner()
            state, chain = None, ()
        yield moment, came, failure
        if moment.deadly and came and not failure:
            state, chain = left, (*chain, moment)
        else:
            state, chain = None, ()
            harness.tidy()
