"""Sources: whose each question is, whose scores count, and which windows an epoch holds."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.data.records import Answer, Dataset, Question
from kit.errors import DataError
from kit.modeling.distributed import Processes
from kit.settings.folds import FileFolds, FoldPlan
from kit.settings.mixture import Mixture
from kit.settings.runs import SourceScore
from kit.training.collator import PADDING
from kit.training.mixture import Sources, SourceSampler
from kit.training.sampler import LengthGroupedSampler, MicroBatches
from kit.training.splits import Part
from tests.examples import examples

SHARES = st.sampled_from([0.07, 0.1, 0.25, 1 / 3, 0.5, 0.9, 1.0, 1.4, 2.0, 2.5])


def dataset(name: str, count: int) -> Dataset:
    """*count* questions whose guids are those of any other file."""
    questions = tuple(Question(str(number), "?", name, (Answer(name, 0),)) for number in range(count))
    return Dataset(Path(name), name[0] * 64, "test", questions)


A, B, VALID = dataset("a.json", 3), dataset("b.json", 5), dataset("v.json", 2)
MIXED = [B.questions[0], A.questions[0], B.questions[1], B.questions[2], A.questions[1]]


def evaluate(questions: Sequence[Question]) -> dict[str, float]:
    """As if every answer to a.json were 1 off and every answer to b.json 6."""
    distances = [1.0 if question.context == "a.json" else 6.0 for question in questions]
    return {"edit": float(np.mean(distances)), "exact": 0.0}


def test_all_questions_make_the_score_and_each_file_has_its_own() -> None:
    sources = Sources.of([A, B], Mixture())
    found = sources.evaluated(MIXED, evaluate)
    assert found["edit"] == pytest.approx(evaluate(MIXED)["edit"]) == pytest.approx(4.0)
    assert (found["edit/a.json"], found["edit/b.json"]) == (1.0, 6.0)
    assert sources.judging(MIXED) == 5
    assert sources.scores_in(found, MIXED) == {
        "a.json": SourceScore(held_out=2, metrics={"edit": 1.0, "exact": 0.0}),
        "b.json": SourceScore(held_out=3, metrics={"edit": 6.0, "exact": 0.0}),
    }


def test_the_judge_alone_makes_the_score() -> None:
    sources = Sources.of([A, B], Mixture(judge="a.json"))
    found = sources.evaluated(MIXED, evaluate)
    assert (found["edit"], found["edit/a.json"], found["edit/b.json"]) == (1.0, 1.0, 6.0)
    assert sources.judging(MIXED) == 2
    with pytest.raises(DataError, match=r"--judge a\.json: none of its questions is held out"):
        sources.evaluated(MIXED[2:4], evaluate)


def test_one_file_has_one_score() -> None:
    sources = Sources.of([A], Mixture())
    assert sources.evaluated(A.questions, evaluate) == {"edit": 1.0, "exact": 0.0}
    assert sources.scores_in({"edit": 1.0}, A.questions) == {}


def test_the_file_of_valid_is_a_source_of_its_own() -> None:
    sources = Sources.of([A, B], Mixture(shares={"b.json": 0.5}), VALID)
    assert sources.evaluated(VALID.questions, evaluate) == {"edit": 6.0, "exact": 0.0}
    assert list(sources.split([*VALID, *A])) == ["a.json", "v.json"]


def test_a_folds_record() -> None:
    each = [
        SourceScore(held_out=1, metrics={"edit": 1.0, "exact": 1.0}),
        SourceScore(held_out=3, metrics={"edit": 5.0, "exact": 0.0}),
    ]
    both = {"a.json": each[0], "b.json": each[1]}
    assert Sources.of([A, B], Mixture()).recorded(each) == {
        "metrics": {"edit": 4.0, "exact": 0.25},
        "held_out": 4,
        "sources": both,
    }
    judged = Sources.of([A, B], Mixture(judge="a.json")).recorded(each)
    assert judged == {"metrics": each[0].metrics, "held_out": 1, "sources": both}
    empty = SourceScore(held_out=0, metrics={"edit": 0.0, "exact": 0.0})
    alone = Sources.of([A, B], Mixture()).recorded([each[0], empty])
    assert alone == {"metrics": each[0].metrics, "held_out": 1, "sources": {}}


def test_a_fold_without_the_judge_is_refused_before_any_is_trained() -> None:
    folds = [FileFolds(name=one.path.name, sha256=one.sha256, fold_of=(0, 2)) for one in (A, B)]
    plan = FoldPlan(folds=4, split_seed=1, files=tuple(folds))
    with pytest.raises(DataError, match=r"--judge b\.json: fold 1, 3 holds none of its 5 questions; ask for"):
        Sources.of([A, B], Mixture(judge="b.json")).refuse_unjudged(plan, [A, B])
    Sources.of([A, B], Mixture()).refuse_unjudged(plan, [A, B])


def test_shares_are_of_windows() -> None:
    part = Part("full", MIXED, (), ())
    windows = np.array([0, 0, 0, 0, 1, 2, 2, 3, 3, 4])  # 2 of a.json, 8 of b.json
    assert Sources.of([A, B], Mixture()).draws(part, windows, 1) is None
    draws = Sources.of([A, B], Mixture(shares={"b.json": 0.25}), VALID).draws(part, windows, 1)
    assert draws is not None
    assert draws.count == 4
    for epoch in range(4):
        assert {4, 9} < set(draws(epoch).tolist())


@examples(100)
@given(st.integers(1, 60), SHARES, st.integers(0, 3))
def test_epochs_one_after_another_are_whole_cycles(windows: int, share: float, seed: int) -> None:
    draws = SourceSampler(np.zeros(windows, dtype=np.int64), [share], seed)
    epochs = [draws(epoch) for epoch in range(12)]
    assert {len(epoch) for epoch in epochs} == {draws.count}
    assert draws.count == math.ceil(Fraction(str(share)) * windows)
    least = math.floor(draws.count / windows)
    for epoch in epochs:  # nearly even in every epoch, and no window twice for a share up to 1
        counts = Counter(epoch.tolist())
        assert all(least <= counts[window] <= math.ceil(draws.count / windows) for window in range(windows))
    whole = np.concatenate(epochs)
    for end in range(windows, len(whole) + 1, windows):
        assert Counter(whole[:end].tolist()) == Counter(dict.fromkeys(range(windows), end // windows))


def test_a_quarter_shows_everything_in_four_epochs() -> None:
    draws = SourceSampler(np.zeros(103, dtype=np.int64), [0.25], 1)
    assert draws.count == 26
    assert set(np.concatenate([draws(epoch) for epoch in range(4)]).tolist()) == set(range(103))


def test_a_share_is_the_number_that_was_written() -> None:
    assert SourceSampler(np.zeros(100, dtype=np.int64), [0.07], 1).count == 7  # 0.07 * 100 is above 7
    assert SourceSampler(np.zeros(3, dtype=np.int64), [1e-9], 1).count == 1
    assert SourceSampler(np.ones(3, dtype=np.int64), [0.5, 1.0], 1).count == 3  # a source without windows


def test_the_draws_of_an_epoch_do_not_depend_on_what_was_asked_before() -> None:
    source = np.arange(50) % 3
    one, other = (SourceSampler(source, [0.3, 1.0, 1.7], 5) for _ in range(2))
    forward = [one(epoch) for epoch in range(6)]
    backward = [other(epoch) for epoch in reversed(range(6))][::-1]
    assert all(np.array_equal(a, b) for a, b in zip(forward, backward, strict=True))
    assert not np.array_equal(forward[0], SourceSampler(source, [0.3, 1.0, 1.7], 6)(0))
    shown = Counter(source[forward[3]].tolist())
    assert shown == {0: math.ceil(0.3 * 17), 1: 17, 2: math.ceil(1.7 * 16)}


@examples(50)
@given(
    st.lists(st.integers(1, 99), min_size=2, max_size=80),
    SHARES,
    st.sampled_from([1, 2, 4]),
    st.sampled_from([1, 2, 3]),
    st.integers(0, 4),
)
def test_a_shared_epoch_is_the_same_for_any_processes_and_micro_batch(
    lengths: list[int], share: float, micro: int, size: int, epoch: int
) -> None:
    source = np.arange(len(lengths)) % 2
    draws = SourceSampler(source, [1.0, share], 3)

    sampler = LengthGroupedSampler(np.array(lengths), 8, 3, draws)
    sampler.set_epoch(epoch)
    order = sampler.order(epoch).tolist()
    assert len(order) == sampler.epoch_size == draws.count
    assert Counter(order) == Counter(draws(epoch).tolist())
    parts = [MicroBatches(sampler, micro, None, Processes(rank, size)) for rank in range(size)]
    assert len({len(list(part)) for part in parts}) == 1  # all make the same steps
    turns = np.stack([np.array([number for piece in part for number in piece]) for part in parts], axis=1)
    together = turns.ravel()
    assert together[together != PADDING].tolist() == order


def test_without_shares_the_order_is_that_of_all_windows() -> None:
    lengths = np.random.default_rng(0).integers(10, 400, 300)
    every = SourceSampler(np.arange(300) % 2, [1.0, 1.0], 4)
    plain = LengthGroupedSampler(lengths, 16, 4)
    assert sorted(LengthGroupedSampler(lengths, 16, 4, draws=every).order(2)) == sorted(plain.order(2))


@pytest.mark.parametrize("share", [0.3, 2.2])
def test_the_longest_window_of_an_epoch_comes_first(share: float) -> None:
    lengths = np.random.default_rng(0).integers(10, 400, 300)
    sampler = LengthGroupedSampler(lengths, 16, 4, draws=SourceSampler(np.zeros(300, np.int64), [share], 4))
    for epoch in range(3):
        order = sampler.order(epoch)
        whole = order[: len(order) // 16 * 16]
        assert lengths[whole].max() in lengths[order[:16]]
