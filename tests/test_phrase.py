"""Phrases are texts, and remember how they were made."""

from __future__ import annotations

import copy
import json
from dataclasses import asdict, dataclass

import pytest

from kit.phrase import Phrase, joined, numbered, portable


def test_a_phrase_is_its_english_text() -> None:
    phrase = Phrase("{run}: {n} answers", run="e5", n="3")
    assert phrase == "e5: 3 answers"
    assert {phrase: 1}["e5: 3 answers"] == 1
    assert json.dumps(phrase) == '"e5: 3 answers"'
    with pytest.raises(KeyError):
        Phrase("{run}: {n} answers", run="e5")


def test_values_keep_their_braces() -> None:
    phrase = Phrase("{file}: is here", file="{odd}.csv")
    assert phrase == "{odd}.csv: is here"
    assert copy.deepcopy(phrase) is phrase


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 spans"), (1, "1 span"), (2, "2 spans"), (1204, "1,204 spans")]
)
def test_numbers_take_an_s(number: int, text: str) -> None:
    assert numbered(number, "span") == text


def test_portable_is_json_with_templates() -> None:
    @dataclass(frozen=True)
    class Caution:
        fitted: bool
        text: str

    inner = numbered(2, "question")
    caution = Caution(True, Phrase("{run}: saw {all}", run="e5", all=inner))
    assert portable(asdict(caution)) == {
        "fitted": True,
        "text": {"say": "{run}: saw {all}", "run": "e5", "all": {"say": "{n} questions", "n": "2"}},
    }
    sentences = joined([Phrase("A blank."), Phrase("No.")])
    assert sentences == "A blank. No."
    assert portable([sentences, 1, None]) == [
        {"say": "{p0} {p1}", "p0": {"say": "A blank."}, "p1": {"say": "No."}},
        1,
        None,
    ]
