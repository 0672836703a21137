"""What fits a given time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kit.settings.training import TrainingSettings
from kit.training.choice import Candidate, Speed, choose

SETTINGS = TrainingSettings(epochs=5.0, max_length=384)


def candidates(*seconds: float) -> list[Candidate]:
    """Backbones that need so many seconds for a question."""
    return [Candidate(f"b{number}", SETTINGS, Speed(one)) for number, one in enumerate(seconds)]


def test_the_seconds_of_a_run() -> None:
    """Five models learn 4/5 of 100 questions twice; each question is scored once, the test by all five."""
    seconds = Speed(0.3).seconds(100, 30, 5, 2.0)
    assert seconds == pytest.approx(0.3 * (4 * 100 * 2) + 0.1 * (100 + 5 * 30) + 5 * 20)


def test_as_many_backbones_as_there_is_time_for() -> None:
    cost = Speed(0.1).seconds(1000, 100, 5, 5.0)
    two = choose(candidates(0.1, 0.1, 0.1), 1000, 100, 2.5 * cost)
    assert [member.backbone for member in two.members] == ["b0", "b1"]
    assert (two.folds, two.limit) == (5, None)
    assert all(member.epochs == 5.0 and member.max_length == 384 for member in two.members)
    assert two.members[0].seconds == pytest.approx(cost)
    # a slow one that does not fit is passed over for the next
    assert [member.backbone for member in choose(candidates(9.0, 0.1), 1000, 100, cost).members] == ["b1"]


def test_no_backbone_is_measured_for_which_no_time_is_left() -> None:
    measured: list[str] = []

    def one_by_one() -> Iterator[Candidate]:
        for candidate in candidates(0.1, 0.1, 0.1):
            measured.append(candidate.backbone)
            yield candidate

    cost = Speed(0.1).seconds(1000, 100, 5, 5.0)
    assert len(choose(one_by_one(), 1000, 100, 1.1 * cost).members) == 1
    assert measured == ["b0"]


@pytest.mark.parametrize(
    ("share", "folds", "epochs"), [(1.0, 5, 5.0), (0.7, 5, 3.0), (0.4, 3, 3.0), (0.15, 2, 2.5)]
)
def test_with_less_time_fewer_epochs_and_folds(share: float, folds: int, epochs: float) -> None:
    cost = Speed(1.0).seconds(1000, 0, 5, 5.0)
    found = choose(candidates(1.0), 1000, 0, share * cost)
    assert (found.folds, found.members[0].epochs, found.limit) == (folds, epochs, None)
    assert found.members[0].seconds <= share * cost


def test_at_last_fewer_questions() -> None:
    seconds = Speed(1.0).seconds(300, 40, 2, 2.5)
    found = choose(candidates(2.0, 1.0), 1000, 40, seconds)
    assert (found.members[0].backbone, found.folds, found.limit) == ("b1", 2, 300)
    assert choose(candidates(1.0), 1000, 40, 1.0).limit == 50
    assert choose(candidates(1.0), 30, 40, 1.0).limit == 30


def test_folds_that_were_asked_for_stay() -> None:
    cost = Speed(1.0).seconds(1000, 0, 4, 5.0)
    assert choose(candidates(1.0), 1000, 0, cost, folds=4).folds == 4
    less = choose(candidates(1.0), 1000, 0, cost / 2, folds=4)
    assert (less.folds, less.members[0].epochs) == (4, 2.5)
