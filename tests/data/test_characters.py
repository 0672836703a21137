"""Characters that hide, and which of them are faults."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kit.data.characters import suspicious
from kit.data.checks import check
from kit.data.records import Answer, Question

Write = Callable[..., Path]


def question(context: str, text: str = "무엇인가?", guid: str = "a", gold: str = "") -> Question:
    return Question(guid, text, context, (Answer(gold, context.index(gold)),) if gold else ())


@pytest.mark.parametrize(
    ("character", "code", "name", "faulty"),
    [
        ("\xa0", "U+00A0", "NO-BREAK SPACE", False),
        ("\xad", "U+00AD", "SOFT HYPHEN", False),
        ("\u200b", "U+200B", "ZERO WIDTH SPACE", False),
        ("\u200d", "U+200D", "ZERO WIDTH JOINER", False),
        ("\u202e", "U+202E", "RIGHT-TO-LEFT OVERRIDE", False),
        ("\ufeff", "U+FEFF", "ZERO WIDTH NO-BREAK SPACE", False),
        ("\u3000", "U+3000", "IDEOGRAPHIC SPACE", False),
        ("\r", "U+000D", "CARRIAGE RETURN", False),
        ("\x07", "U+0007", "CONTROL CHARACTER", False),
        ("\x00", "U+0000", "NULL", True),
        ("\ufffd", "U+FFFD", "REPLACEMENT CHARACTER", True),
        ("\ue000", "U+E000..U+10FFFD", "PRIVATE USE", False),
        ("\u1112", "U+1100..U+D7FF", "HANGUL CONJOINING JAMO (NFD)", False),
    ],
)
def test_a_character_is_counted_by_name(character: str, code: str, name: str, faulty: bool) -> None:
    context = f"앞{character}{character}뒤"
    (count,) = suspicious(
        [
            question(context, guid="a", gold=character),
            question(context, text=f"왜{character}?", guid="b"),
            question("다른 문맥", guid="c"),
        ]
    )
    assert (count.code, count.name, count.faulty) == (code, name, faulty)
    assert (count.contexts, count.questions, count.answers, count.count) == (2, 1, 1, 3)
    assert count.guids == ("a", "b")


@pytest.mark.parametrize("text", ["가나다 漢字\n\t“따옴표” ‘’ … ㎜ ① ㈜ ㉠ ㅋㅋ ㅏ 😀 é ½ ·"])
def test_what_is_normal_here_is_not_counted(text: str) -> None:
    assert suspicious([question(text)]) == ()


def test_hidden_characters_are_remarks_and_lost_ones_are_faults(write: Write) -> None:
    def file(context: str) -> dict[str, Any]:
        rows = [{"guid": "a", "question": "?", "answers": None}]
        return {"data": [{"title": "", "paragraphs": [{"context": context, "qas": rows}]}]}

    assert check(write(file("가\xa0나\u200b\xad漢"))).clean
    report = check(write(file("가\ufffd나")))
    assert [fault.message for fault in report.faults] == [
        "question a: context has U+FFFD REPLACEMENT CHARACTER at 1; restore the character that was lost there"
    ]
    report = check(write(file(unicodedata.normalize("NFD", "각나"))))
    assert report.clean
    assert report.characters[0].count == 5
    assert ("text not in Unicode's composed form (NFC)", 1) in [(r.text, r.count) for r in report.remarks]


@pytest.mark.parametrize(
    ("character", "code", "meaning"),
    [
        ("\u200e", "U+200E", "an invisible left-to-right mark"),
        ("\u200b", "U+200B", "a zero-width space, invisible"),
        ("\xa0", "U+00A0", "a no-break space, which looks like a space"),
        ("\u2009", "U+2009", "a kind of space (thin space)"),
        ("\x07", "U+0007", "an invisible control character"),
        ("\ufffd", "U+FFFD", "a replacement character, where a byte could not be decoded"),
        (
            "\u1100",
            "U+1100..U+D7FF",
            "Hangul in decomposed form (NFD), up to three characters for one syllable",
        ),
        ("\ue000", "U+E000..U+10FFFD", "private use: means something in one font only"),
        ("\ufeff", "U+FEFF", "a byte-order mark, invisible"),
    ],
)
def test_a_character_is_explained(character: str, code: str, meaning: str) -> None:
    (found,) = suspicious([question(f"가{character}나")])
    assert (found.code, found.meaning) == (code, meaning)
