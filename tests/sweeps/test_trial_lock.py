"""Whose turn it is: no trial twice, none lost, whoever dies."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy

pytest.importorskip("optuna")

from optuna.trial import TrialState

from kit.settings.searching import Search
from kit.sweeps import trial_lock
from kit.sweeps.storage import GRACE, OpenStudy, quiet
from kit.sweeps.trial_lock import ERROR, LEFT, MACHINE, Claim, attempts, claimed, place, revive
from tests.commands import run_program
from tests.sweeps.made import GRID, RANGES, begin, search_of


@pytest.fixture(autouse=True)
def _silent() -> Iterator[None]:
    with quiet():
        yield


@contextlib.contextmanager
def next_trial(kept: OpenStudy, folder: Path, search: Search, total: int = 20) -> Iterator[Claim]:
    with claimed(kept, folder, search, total, seed=1) as claim:
        assert claim is not None
        yield claim


def run_all(kept: OpenStudy, folder: Path, search: Search, total: int) -> list[dict[str, object]]:
    drawn = []
    while True:
        with claimed(kept, folder, search, total, seed=1) as claim:
            if claim is None:
                return drawn
            drawn.append(claim.trial.params)
            kept.study.tell(claim.trial, float(sum(claim.trial.params.values())))


def states(kept: OpenStudy) -> dict[str, TrialState]:
    return {name: trial.state for name, trial in attempts(kept.study).items()}


def test_trials_are_counted_over_all_commands(tmp_path: Path) -> None:
    search = search_of(*RANGES)
    assert len(run_all(begin(tmp_path / "sweep", search), tmp_path / "sweep", search, 3)) == 3
    kept = begin(tmp_path / "sweep", search)
    assert len(run_all(kept, tmp_path / "sweep", search, 5)) == 2
    assert run_all(kept, tmp_path / "sweep", search, 5) == []
    assert list(states(kept)) == [f"trial-{number:04d}" for number in range(5)]


def test_a_sweep_that_goes_on_draws_what_an_undisturbed_one_draws(tmp_path: Path) -> None:
    search = search_of(*RANGES)
    whole = run_all(begin(tmp_path / "a", search), tmp_path / "a", search, 12)
    parts = []
    for total in (2, 11, 12):
        parts += run_all(begin(tmp_path / "b", search), tmp_path / "b", search, total)
    assert parts == whole
    assert len({str(params) for params in whole}) == 12


def test_a_grid_is_gone_through_once(tmp_path: Path) -> None:
    search = search_of(*GRID)
    kept = begin(tmp_path / "sweep", search)
    drawn = run_all(kept, tmp_path / "sweep", search, 50)
    assert sorted((params["batch_size"], params["epochs"]) for params in drawn) == search.combinations()
    assert len(states(kept)) == 6


def test_a_trial_whose_process_died_goes_on_first_under_its_name(tmp_path: Path) -> None:
    search, folder = search_of(*RANGES), tmp_path / "sweep"
    kept = begin(folder, search)
    with next_trial(kept, folder, search) as first:
        kept.study.tell(first.trial, 1.0)
    with next_trial(kept, folder, search) as second:
        params = second.trial.params
        second.trial.report(3.0, 500)
    # the block ended untold, as when its process dies
    kept = begin(folder, search)
    with next_trial(kept, folder, search) as again:
        assert (again.name, again.again, again.trial.params) == (second.name, True, params)
        assert states(kept) == {first.name: TrialState.COMPLETE, second.name: TrialState.RUNNING}
        kept.study.tell(again.trial, 2.0)
    with next_trial(kept, folder, search) as third:
        assert not third.again
        assert third.name not in {first.name, second.name}


def test_a_trial_at_work_here_is_left_alone(tmp_path: Path) -> None:
    search, folder = search_of(*RANGES), tmp_path / "sweep"
    kept = begin(folder, search)
    with (
        next_trial(kept, folder, search) as first,
        next_trial(begin(folder, search), folder, search) as second,
    ):
        assert first.name != second.name
        assert set(states(kept).values()) == {TrialState.RUNNING}


def let_it_be_silent_for(kept: OpenStudy, seconds: float) -> None:
    with kept.storage.engine.begin() as connection:
        connection.execute(
            sqlalchemy.text(
                f"UPDATE trial_heartbeats SET heartbeat = datetime('now', '-{int(seconds)} seconds')"
            )
        )


@pytest.mark.parametrize("dead", [True, False])
def test_another_machines_trial_is_taken_over_when_it_was_silent_for_long(tmp_path: Path, dead: bool) -> None:
    search, folder = search_of(*RANGES), tmp_path / "sweep"
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    kept = begin(folder, search, url)
    with next_trial(kept, folder, search) as claim:
        claim.trial.set_user_attr(MACHINE, "another")
        claim.beat()
    let_it_be_silent_for(kept, GRACE * 1.2 if dead else GRACE * 0.8)
    revive(kept, folder)
    assert states(kept) == {claim.name: TrialState.WAITING if dead else TrialState.RUNNING}
    if dead:  # and the one that was not dead but asleep notices before it writes anything
        claim.last_beat -= GRACE * 1.2
        with pytest.raises(trial_lock.TakenOver):
            claim.check()


def test_two_attempts_after_one_death_are_one_trial(tmp_path: Path) -> None:
    """Two machines that see a death at the same moment may both let it wait."""
    search, folder = search_of(*RANGES), tmp_path / "sweep"
    kept = begin(folder, search)
    with next_trial(kept, folder, search) as claim:
        pass
    revive(kept, folder)
    (waiting,) = kept.study.get_trials(states=(TrialState.WAITING,))
    kept.study.add_trial(waiting)
    assert len(run_all(kept, folder, search, 3)) == 3
    assert list(states(kept)) == [claim.name, "trial-0003", "trial-0004"]
    assert set(states(kept).values()) == {TrialState.COMPLETE}


def test_a_training_that_always_dies_is_given_up(tmp_path: Path) -> None:
    search, folder = search_of(*RANGES), tmp_path / "sweep"
    kept = begin(folder, search)
    names = []
    for evaluations in (0, 1, 2, 2, 2, 2, 2):
        with next_trial(kept, folder, search) as claim:
            names.append(claim.name)
            for share in range(evaluations):
                claim.trial.report(9.0, 100 * share)
            if len(names) == 4:  # somebody pressed Ctrl-C
                claim.trial.set_user_attr(LEFT, True)
    assert len(set(names)) == 1
    revive(kept, folder)
    (trial,) = attempts(kept.study).values()
    assert trial.state == TrialState.PRUNED
    assert trial.user_attrs[ERROR] == "its process ended 3 times without one more evaluation"


@pytest.mark.parametrize("machines", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_several_processes_share_a_sweep(tmp_path: Path, machines: int) -> None:
    """On one machine by the folder; on two (locks lie in a machine's temporary folder) by a database."""
    log, total = tmp_path / "log", 7
    url = [] if machines == 1 else [f"sqlite:///{tmp_path / 'shared.db'}"]
    words = (machines, tmp_path, total, log, *url)
    done = run_program("tests.sweeps.worker", *words, cwd=tmp_path, processes=2)
    assert done.returncode == 0, done.stderr
    lines = log.read_text(encoding="utf-8").splitlines()
    assert len({line.split()[0] for line in lines}) == len(lines) == total
    assert len({line.split()[1] for line in lines}) == 2
    kept = begin(tmp_path / "machine-0" / "sweep", search_of(*RANGES), *url)
    assert set(states(kept).values()) == {TrialState.COMPLETE}
    assert len(states(kept)) == total


def test_a_place_has_one_name(tmp_path: Path) -> None:
    assert place(tmp_path) == place(tmp_path / "x" / "..")
    assert place(tmp_path) != place(tmp_path / "x")  # whose locks are others


def test_a_trial_at_work_in_another_folder_of_this_machine_is_left_alone(tmp_path: Path) -> None:
    search, url = search_of(*RANGES), f"sqlite:///{tmp_path / 'shared.db'}"
    a, b = tmp_path / "a" / "sweep", tmp_path / "b" / "sweep"
    kept, other = begin(a, search, url), begin(b, search, url)
    with next_trial(kept, a, search) as first, next_trial(other, b, search) as second:
        assert first.name != second.name
        assert set(states(kept).values()) == {TrialState.RUNNING}
