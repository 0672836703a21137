"""KorQuAD 1.0's exact match and F1, against values worked out by hand and the official way, slowly."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.metrics.f1 import character_f1, exact_matches, normalise

# Hangul, NFD jamo, Hanja, emoji, white space that is not " ", official brackets, ASCII punctuation.
LETTERS = "한글달력가AbİΣς韓🙂\u1112\u1161\u11ab 　\xa0\u200b\t'\"《》<>〈〉()‘’“”.,%-·"
texts = st.text(alphabet=LETTERS, max_size=12)
pairs = st.lists(st.tuples(texts, st.lists(texts, min_size=1, max_size=4)), max_size=9)


def slow_words(text: str) -> list[str]:
    """The official preparation, a character at a time."""
    spaced = ""
    for character in text:
        spaced += " " if character in {*"'\"()‘’", *"《》<>〈〉"} else character
    kept = [character for character in spaced.lower() if character not in string.punctuation]
    return "".join(kept).split()


def slow_f1(prediction: str, gold: str) -> float:
    """Characters are paired off one by one."""
    left = [character for word in slow_words(prediction) for character in word]
    right = [character for word in slow_words(gold) for character in word]
    open_golds = list(right)
    same = 0
    for character in left:
        if character in open_golds:
            open_golds.remove(character)
            same += 1
    if same == 0:
        return 0.0
    precision, recall = same / len(left), same / len(right)
    return 2 * precision * recall / (precision + recall)


@pytest.mark.parametrize(
    ("prediction", "golds", "exact", "f1"),
    [
        ("한 달", ["한 달가량", "한 달"], True, 1.0),
        ("한 달", ["한 달가량"], False, 2 / 3),  # 2 of 2 and 2 of 4 characters
        ("달 한", ["한 달"], False, 1.0),  # a multiset of characters has no order
        ("가가가", ["가"], False, 0.5),  # precision 1/3, recall 1
        ("《한글》", ["한글"], True, 1.0),
        ("‘한글’ (1446년)", ["한글 1446년"], True, 1.0),
        ("“한글”", ["한글"], False, 2 / 3),  # typographic double quotes are not on the list
        ("3.5%", ["35"], True, 1.0),
        ("Kim's", ["kims"], False, 1.0),  # an apostrophe leaves a space
        ("LG CNS", ["lgcns"], False, 1.0),
        ("한\xa0 달", ["한 달"], True, 1.0),
        ("한\u200b달", ["한달"], False, 0.8),
        ("", ["한글"], False, 0.0),
        ("한글", [""], False, 0.0),
        ("", [""], True, 0.0),  # official: F1 is 0 when nothing is in common, even nothing
        ("...", ["-"], True, 0.0),
        (" ", [""], True, 0.0),
        ("서울", ["부산", "서울특별시"], False, 4 / 7),
    ],
)
def test_matches_by_hand(prediction: str, golds: list[str], exact: bool, f1: float) -> None:
    assert exact_matches([prediction], [golds]).tolist() == [exact]
    assert character_f1([prediction], [golds]).tolist() == pytest.approx([f1])


@given(pairs)
def test_matches_equal_the_slow_way(rows: list[tuple[str, list[str]]]) -> None:
    texts, golds_of = [row[0] for row in rows], [row[1] for row in rows]
    assert exact_matches(texts, golds_of).tolist() == [
        any(slow_words(text) == slow_words(gold) for gold in golds) for text, golds in rows
    ]
    # To the last bit: sums over a file must not differ from the official result.
    assert character_f1(texts, golds_of).tolist() == [
        max(slow_f1(text, gold) for gold in golds) for text, golds in rows
    ]


def test_lower_case_is_taken_before_punctuation_goes() -> None:
    # The comma makes this sigma a final one, ς; without it, it would become σ.
    assert normalise("ΑΣ,Α") == "αςα"


@given(texts)
def test_normalise_settles(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)
