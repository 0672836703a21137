"""Facets: one value a question, nothing lost, question words as Korean asks them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.data.records import Answer, Question
from kit.reports.facets import NO_QUESTION_WORD, binned, of_answers, of_questions, question_word


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("회사를 세운 사람은 누구인가?", "누가"),
        ("누가 언제 왔는가?", "언제"),
        ("언제 어디에서 열렸나?", "어디"),
        ("어느 나라에서 왔나?", "어디"),
        ("무슨 일이 있었나?", "무엇"),
        ("가격은 얼마인가?", "몇"),
        ("몇 명이 왔나?", "몇"),
        ("왜 떠났나?", "왜"),
        ("왜구는 무엇인가?", "무엇"),
        ("어떻게 만들었나?", "어떻게"),
        ("왜구가 온 해는?", NO_QUESTION_WORD),
        ("", NO_QUESTION_WORD),
    ],
)
def test_question_words(text: str, word: str) -> None:
    assert question_word(text) == word


@given(st.lists(st.integers(0, 99), min_size=1))
def test_bins_hold_every_number(numbers: list[int]) -> None:
    facet = binned("k", "t", "characters", numbers, (0, 1, 2, 5, 30))
    for number, value in zip(numbers, facet.values, strict=True):
        label = facet.labels[value]
        low, _, high = label.partition("-")
        if label.endswith("+"):
            assert number >= int(label[:-1])
        else:
            assert int(low) <= number <= int(high or low)
    assert set(facet.values) == set(range(len(facet.labels)))


def test_what_the_data_do_not_name_is_missing_with_a_reason() -> None:
    questions = [Question("a", "누가?", "가나", (Answer("가", 0),), category="정치")]
    by_key = {facet.key: facet for facet in of_questions(questions)}
    assert by_key["category"].labels == ("정치",)
    assert by_key["source"].reason == "the data name no source"
    assert by_key["source"].values == ()


def test_many_names_are_put_together() -> None:
    questions = [Question(str(n), "?", "가", (), category=f"c{min(n, 20)}") for n in range(40)]
    (facet,) = [facet for facet in of_questions(questions) if facet.key == "category"]
    assert len(facet.labels) == 13
    assert facet.labels[0] == "c20"
    assert facet.labels[-1] == "(other)"
    assert len(facet.values) == 40


def test_a_blank_is_nearer_only_where_it_is() -> None:
    facet = of_answers(np.array([3.0, 2.0, 1.0]), ["가나", "가나", ""])[1]
    assert [facet.labels[value] for value in facet.values] == [
        "a blank is nearer", "the answer is as near", "a blank is nearer",
    ]  # fmt: skip
