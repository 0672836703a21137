"""Answers from elsewhere as span scores: where texts stand, what they weigh, and free texts."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.data.records import Dataset, Question
from kit.errors import SubmissionError
from kit.spans.answer_spans import REACH, AnswerFile, Weighed, places, with_free_texts
from kit.spans.minimum_risk import texts_of
from kit.spans.posteriors import Posterior, span_posterior

CONTEXT = "한국은행은 1392년 7월 한국은행 본점에서\n기준금리를 동결했다."


def dataset(*contexts: str) -> Dataset:
    questions = tuple(Question(f"q{n}", "무엇?", context, None) for n, context in enumerate(contexts))
    return Dataset(Path("test.json"), "0" * 64, "korquad", questions)


def file(*answers: Weighed) -> AnswerFile:
    return AnswerFile(Path("llm.jsonl"), "a" * 64, {f"q{n}": own for n, own in enumerate(answers)})


def posterior(context: str, *answers: tuple[str, float], temperature: float = 1.0) -> tuple[str, Posterior]:
    """The context with its free texts, and the posterior over its spans."""
    given = file(answers)
    longer = with_free_texts(dataset(context), [given])
    return longer[0].context, span_posterior(given.scores(longer), 30, temperature=temperature)


def mass(context: str, found: Posterior) -> dict[str, float]:
    spans = zip(found.begin.tolist(), found.end.tolist(), found.p.tolist(), strict=True)
    total: dict[str, float] = {}
    for begin, end, p in spans:
        total[context[begin:end]] = total.get(context[begin:end], 0.0) + p
    return total


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1392년", [(6, 11)]),
        ("한국은행", [(0, 4), (15, 19)]),
        ("1392년7월", [(6, 14)]),  # without its white space
        ("１３９２년", [(6, 11)]),  # full-width digits
        (unicodedata.normalize("NFD", "한국은행"), [(0, 4), (15, 19)]),
        ("본점에서 기준금리", [(20, 29)]),  # over a line
        ("없는 말", []),
        ("", []),
    ],
)
def test_where_a_text_stands(text: str, found: list[tuple[int, int]]) -> None:
    assert places(text, CONTEXT) == found


@given(st.text("가나다 \n\u1100\u1161\u0301é", max_size=12), st.data())
def test_what_stands_in_a_context_is_found_there_in_any_form(context: str, draw: st.DataObject) -> None:
    begin = draw.draw(st.integers(0, len(context)))
    end = draw.draw(st.integers(begin, len(context)))
    text = context[begin:end]
    for left, right in places(text, context):
        assert context[left:right] == text
    if text:
        assert places(text, context)
    for form in ("NFC", "NFD", "NFKC"):
        for left, right in places(unicodedata.normalize(form, text), context):
            one, other = (
                "".join(unicodedata.normalize("NFKC", side).split()) for side in (context[left:right], text)
            )
            assert one == other


def test_the_likeliest_text_is_the_likeliest_and_its_neighbours_get_a_share() -> None:
    context, found = posterior(CONTEXT, ("1392년", 0.7), ("7월", 0.3))
    total = mass(context, found)
    assert max(total, key=lambda text: total[text]) == "1392년"
    assert total["1392년"] / total["7월"] == pytest.approx(7 / 3, rel=0.01)
    assert 0 < total["1392"] < total["1392년"] / 10
    assert sum(total.values()) == pytest.approx(1)
    assert not [text for text in total if text != text.strip()]
    sharper = mass(*posterior(CONTEXT, ("1392년", 0.7), ("7월", 0.3), temperature=0.5))
    assert sharper["1392년"] > total["1392년"]


def test_a_text_that_occurs_twice_shares_its_probability() -> None:
    context, found = posterior(CONTEXT, ("한국은행", 0.5), ("7월", 0.5))
    total = mass(context, found)
    assert total["한국은행"] == pytest.approx(total["7월"], rel=0.05)


def test_ends_move_within_the_line_only() -> None:
    _, found = posterior(CONTEXT, ("기준금리", 1.0))
    line = CONTEXT.index("\n")
    assert found.begin.min() == line + 1
    assert np.abs(found.begin - CONTEXT.index("기준금리")).max() <= REACH


def test_a_free_text_stands_behind_the_context() -> None:
    given = file((("십삼년", 0.6), ("1392년", 0.4)), (("본점", 1.0),))
    asked = dataset(CONTEXT, CONTEXT)
    longer = with_free_texts(asked, [given])
    assert longer[0].context == CONTEXT + "\n십삼년"
    assert longer[1] is asked[1]
    found = span_posterior(given.scores(longer), 30)
    assert next(iter(texts_of(found, longer.questions)))[0][0] == "십삼년"
    assert longer.sha256 == asked.sha256
    # with another file, too: each text once, in the order of the files
    both = with_free_texts(asked, [given, file((("십이년", 1.0),), (("본점", 1.0),))])
    assert both[0].context == CONTEXT + "\n십삼년\n십이년"


def test_a_blank_answer_has_no_span() -> None:
    given = file((("", 1.0),))
    scores = given.scores(dataset(CONTEXT))
    assert len(span_posterior(scores, 30).p) == 0


def test_a_missing_answer_is_named() -> None:
    with pytest.raises(
        SubmissionError, match=r"llm.jsonl: has no answer to question q1; a member must answer"
    ):
        file((("가", 1.0),)).scores(dataset("가", "나"))
