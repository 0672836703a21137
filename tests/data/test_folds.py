"""Groups are connected components; splits deal whole groups, alike everywhere."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.data import folds as data_folds
from kit.data.records import Question
from kit.errors import ConfigError, DataError


def question(guid: str, context: str, title: str = "") -> Question:
    return Question(guid, "무엇인가?", context, (), title)


def story(seed: int) -> str:
    rng = random.Random(seed)
    return " ".join(
        "".join(chr(0xAC00 + rng.randrange(11172)) for _ in range(rng.randint(1, 4))) for _ in range(60)
    )


def many(count: int, contexts: int) -> list[Question]:
    return [question(f"q{number}", story(number % contexts)) for number in range(count)]


def test_one_context_is_one_group_numbered_by_first_appearance() -> None:
    """Pitfall 6: questions of one article never part."""
    order = [7, 3, 7, 5, 3, 7]
    labels = data_folds.groups([question(str(n), story(seed)) for n, seed in enumerate(order)])
    assert labels.dtype == np.int64
    assert labels.tolist() == [0, 1, 0, 2, 1, 0]


def test_near_contexts_and_titles_connect_groups() -> None:
    first, second, third = story(1), story(2), story(3)
    questions = [
        question("a", first, "도서관"),
        question("b", second, ""),
        question("c", first[20:], "다리"),  # near the first
        question("d", third, "다리"),  # the third's title, and so the first's group
        question("e", story(4), ""),  # an empty title connects nothing
        question("f", second.replace(" ", "\xa0"), ""),
    ]
    assert data_folds.groups(questions).tolist() == [0, 1, 0, 0, 2, 1]


def test_groups_of_nothing_and_of_empty_contexts() -> None:
    assert data_folds.groups([]).tolist() == []
    assert data_folds.groups([question("a", ""), question("b", ""), question("c", " ")]).tolist() == [0, 0, 1]


def test_groups_of_much_data_are_found_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    questions = [question(f"q{n}", story(n % 9), "" if n % 4 else f"t{n % 3}") for n in range(30)]
    expected = data_folds.groups(questions)
    monkeypatch.setenv("KIT_CACHE", str(tmp_path))
    assert not list(tmp_path.iterdir())  # little data is grouped again
    monkeypatch.setattr(data_folds, "WORTH_KEEPING", 1)
    assert np.array_equal(data_folds.groups(questions), expected)
    (path,) = tmp_path.rglob("*.kit")
    with monkeypatch.context() as patch:
        patch.setattr(data_folds, "_groups", lambda questions: pytest.fail("they were known"))
        assert np.array_equal(data_folds.groups(iter(questions)), expected)
    np.save(path.open("wb"), expected[:5])
    assert np.array_equal(data_folds.groups(questions), expected)  # damaged: found again
    assert np.array_equal(np.load(path), expected)
    renamed = [question(q.guid, q.context, "one title") for q in questions]
    assert set(data_folds.groups(renamed).tolist()) == {0}
    monkeypatch.setenv("KIT_CACHE", "")
    assert np.array_equal(data_folds.groups(questions), expected)


@given(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["", "t0", "t1", "t2"])), max_size=12),
    st.randoms(use_true_random=False),
)
def test_groups_are_the_slow_components(kinds: list[tuple[int, str]], rng: random.Random) -> None:
    questions = [question(str(n), story(kind), title) for n, (kind, title) in enumerate(kinds)]
    labels = data_folds.groups(questions)
    slow = list(range(len(questions)))
    for _ in questions:  # spread the smallest label until nothing changes
        for i, one in enumerate(questions):
            for j, other in enumerate(questions):
                if one.context == other.context or (one.title and one.title == other.title):
                    slow[i] = slow[j] = min(slow[i], slow[j])
    assert labels.tolist() == [sorted(set(slow)).index(label) for label in slow]
    shuffled = list(range(len(questions)))
    rng.shuffle(shuffled)
    again = data_folds.groups([questions[i] for i in shuffled])
    for place, i in enumerate(shuffled):
        for other_place, j in enumerate(shuffled):
            assert (again[place] == again[other_place]) == (labels[i] == labels[j])


@pytest.mark.parametrize("k", [2, 3, 5])
def test_folds_hold_whole_groups_and_are_balanced(k: int) -> None:
    questions = many(201, 60)
    labels = data_folds.groups(questions)
    folds = data_folds.folds(questions, k, 0)
    assert folds.dtype == np.int64
    for group in range(60):
        assert len(set(folds[labels == group].tolist())) == 1
    sizes = np.bincount(folds, minlength=k)
    assert sizes.sum() == 201
    assert sizes.max() - sizes.min() <= np.bincount(labels).max()


def test_holdout_holds_whole_groups_close_to_the_share() -> None:
    questions = many(300, 90)
    labels = data_folds.groups(questions)
    for share in (0.05, 0.1, 0.5, 0.9):
        held = data_folds.holdout(questions, share, 1)
        assert held.dtype == np.bool_
        assert abs(held.mean() - share) <= np.bincount(labels).max() / 300
        assert not set(labels[held].tolist()) & set(labels[~held].tolist())


def test_splits_are_the_same_everywhere() -> None:
    """Groups of one question are dealt in the order of a hash: no library's random numbers enter."""
    questions = [question(f"q{number}", "") for number in range(12)]
    labels = np.arange(12)
    order = sorted(range(12), key=lambda n: hashlib.sha256(f"7\nq{n}".encode()).hexdigest())
    folds = data_folds.folds(questions, 3, 7, labels=labels)
    assert [folds[number] for number in order] == [0, 1, 2] * 4
    held = data_folds.holdout(questions, 0.25, 7, labels=labels)
    assert set(np.flatnonzero(held).tolist()) == set(order[:3])


@given(st.permutations(range(24)), st.integers(0, 3))
def test_splits_depend_on_guids_and_seed_not_on_order(order: list[int], seed: int) -> None:
    questions = [question(f"q{number}", "") for number in range(24)]
    labels = np.array([number // 3 % 7 for number in range(24)])
    shuffled = [questions[i] for i in order]
    folds = data_folds.folds(questions, 4, seed, labels=labels)
    held = data_folds.holdout(questions, 0.2, seed, labels=labels)
    assert data_folds.folds(shuffled, 4, seed, labels=labels[order] * 5).tolist() == folds[order].tolist()
    assert data_folds.holdout(shuffled, 0.2, seed, labels=labels[order] * 5).tolist() == held[order].tolist()


def test_seeds_differ() -> None:
    questions = [question(str(number), "") for number in range(50)]
    labels = np.arange(50)
    assert len({data_folds.folds(questions, 5, seed, labels=labels).tobytes() for seed in range(5)}) == 5
    assert len({data_folds.holdout(questions, 0.1, seed, labels=labels).tobytes() for seed in range(5)}) == 5


def test_a_holdout_is_never_empty_nor_everything() -> None:
    questions = [question(str(number), "") for number in range(10)]
    labels = np.array([0] * 9 + [1])
    for share in (0.001, 0.1, 0.5, 0.999):
        assert 0 < data_folds.holdout(questions, share, labels=labels).sum() < 10
    assert data_folds.holdout(questions, 0.001, labels=labels).tolist() == [False] * 9 + [True]


def test_what_cannot_be_split_says_so() -> None:
    questions = many(6, 2)
    with pytest.raises(
        DataError, match=r"3 asked for, but the questions form only 2 groups .* ask for 2 or fewer"
    ):
        data_folds.folds(questions, 3)
    with pytest.raises(ConfigError, match="1 asked for; at least 2 are needed"):
        data_folds.folds(questions, 1)
    with pytest.raises(DataError, match="holdout: all 3 questions belong to one group"):
        data_folds.holdout(many(3, 1))
    with pytest.raises(DataError, match="holdout: the only question belongs to one group"):
        data_folds.holdout(many(1, 1))
    for share in (0, 1, -0.1, float("nan")):
        with pytest.raises(ConfigError, match="must lie between 0 and 1"):
            data_folds.holdout(questions, share)
    with pytest.raises(DataError, match="2 group ids were given for 6 questions"):
        data_folds.folds(questions, 2, labels=np.array([0, 1]))


def test_folds_of_one_group_name_no_number_that_would_be_refused() -> None:
    with pytest.raises(DataError) as caught:
        data_folds.folds(many(6, 1), 5)
    assert str(caught.value) == (
        "folds: 5 asked for, but the questions form only 1 group (same or nearly the same article); give "
        "more questions"
    )
    with pytest.raises(DataError, match=r"form only 3 groups .*; ask for 3 or fewer, or give more questions"):
        data_folds.folds(many(6, 3), 5)
    assert set(data_folds.folds(many(6, 3), 3).tolist()) == {0, 1, 2}
