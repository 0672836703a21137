"""Edit distances, against values worked out by hand and the textbook table."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.errors import ConfigError
from kit.metrics.edit_distance import edit_distances
from kit.metrics.f1 import character_f1, exact_matches

# Hangul, NFD jamo, Hanja, emoji, white space that is not " ", official brackets, ASCII punctuation.
LETTERS = "한글달력가AbİΣς韓🙂\u1112\u1161\u11ab 　\xa0\u200b\t'\"《》<>〈〉()‘’“”.,%-·"
texts = st.text(alphabet=LETTERS, max_size=12)
pairs = st.lists(st.tuples(texts, st.lists(texts, min_size=1, max_size=4)), max_size=9)


def slow_distance(left: str, right: str) -> int:
    """The textbook table, whole."""
    table = [[i + j for j in range(len(right) + 1)] for i in range(len(left) + 1)]
    for i, one in enumerate(left, start=1):
        for j, other in enumerate(right, start=1):
            table[i][j] = min(table[i - 1][j] + 1, table[i][j - 1] + 1, table[i - 1][j - 1] + (one != other))
    return table[-1][-1]


@pytest.mark.parametrize(
    ("prediction", "golds", "first", "least", "mean"),
    [
        ("한 달", ["한 달가량", "한 달"], 2, 0, 1.0),
        ("", ["한 달가량", "한 달"], 5, 3, 4.0),
        ("", [""], 0, 0, 0.0),
        ("한 달가량", [""], 5, 5, 5.0),
        ("서울시", ["부산시", "서울", "서울시청"], 2, 1, 4 / 3),
        ("1,004명", ["1004명"], 1, 1, 1.0),
        ("한국", ["韓國"], 2, 2, 2.0),
        ("🙂👍🏽", ["🙂"], 2, 2, 2.0),  # code points, not bytes or UTF-16 units
        ("한\xa0달", ["한 달"], 1, 1, 1.0),
        (" 한 달", ["한 달"], 1, 1, 1.0),
    ],
)
def test_distances_by_hand(
    prediction: str, golds: list[str], first: float, least: float, mean: float
) -> None:
    assert edit_distances([prediction], [golds]).tolist() == [first]
    assert edit_distances([prediction], [golds], "min").tolist() == [least]
    assert edit_distances([prediction], [golds], "mean").tolist() == pytest.approx([mean])


def test_distances_are_over_code_points_as_given() -> None:
    composed, decomposed = "한국", unicodedata.normalize("NFD", "한국")
    assert len(decomposed) == 6
    assert edit_distances([decomposed], [[composed]]).tolist() == [6]
    assert edit_distances([decomposed], [[decomposed]]).tolist() == [0]


@given(pairs)
def test_distances_equal_the_table(rows: list[tuple[str, list[str]]]) -> None:
    predictions, golds = [row[0] for row in rows], [row[1] for row in rows]
    slow = [[slow_distance(text, gold) for gold in several] for text, several in rows]
    assert edit_distances(predictions, golds).tolist() == [row[0] for row in slow]
    assert edit_distances(predictions, golds, "min").tolist() == [min(row) for row in slow]
    assert edit_distances(predictions, golds, "mean").tolist() == [sum(row) / len(row) for row in slow]


@pytest.mark.parametrize("reference", ["first", "min", "mean"])
@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 31, 257])
def test_odd_sized_batches_are_scored_whole(size: int, reference: str) -> None:
    predictions = ["가" * (row % 5) for row in range(size)]
    distances = edit_distances(predictions, [["", ""]] * size, reference)
    assert distances.shape == (size,)
    assert distances.dtype == np.float64
    assert distances.tolist() == [row % 5 for row in range(size)]


def test_distance_zero_is_raw_equality() -> None:
    assert exact_matches(["한글."], [["한글"]]).tolist() == [1]
    assert edit_distances(["한글."], [["한글"]]).tolist() == [1]


def test_unknown_reference() -> None:
    with pytest.raises(ConfigError) as caught:
        edit_distances(["a"], [["a"]], "longest")
    assert str(caught.value) == 'reference is "longest"; known: first, min, mean'
    with pytest.raises(
        ConfigError, match=r'reference is "frist"; did you mean first\? known: first, min, mean'
    ):
        edit_distances(["a"], [["a"]], "frist")


@pytest.mark.parametrize("function", [edit_distances, exact_matches, character_f1])
def test_misshapen_input_is_refused(function) -> None:
    with pytest.raises(ValueError, match="2 predictions but 1 questions"):
        function(["a", "b"], [["a"]])
    with pytest.raises(ValueError, match=r"golds\[1\] is empty"):
        function(["a", "b"], [["a"], []])
    with pytest.raises(TypeError, match=r"golds\[0\] is the string 'ab'"):
        function(["a"], ["ab"])
