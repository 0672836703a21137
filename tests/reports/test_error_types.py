"""Error types: a table of cases, and what holds for every answer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.data.records import Answer, Question
from kit.metrics.edit_distance import edit_distances
from kit.reports.error_types import ERROR_TYPES, MEANINGS, ErrorType, error_type

CONTEXT = "2015년 3월 서울에서 한국은행 총재가 말했다. 5월 서울은 맑다."


def question(gold: str, context: str = CONTEXT) -> Question:
    answers = (Answer(gold, context.index(gold)),) if gold else ()
    return Question("q", "무엇?", context, answers)


@pytest.mark.parametrize(
    ("prediction", "gold", "error"),
    [
        ("한국은행", "한국은행", ErrorType.RIGHT),
        ("", "", ErrorType.RIGHT),
        ("", "한국은행", ErrorType.BLANKED),
        (" ", "한국은행", ErrorType.BLANKED),
        ("서울", "", ErrorType.NOT_BLANKED),
        ("서울에서", "서울", ErrorType.PARTICLE_ONLY),
        ("서울", "서울에서", ErrorType.PARTICLE_ONLY),
        ("총재가 ", "총재", ErrorType.PARTICLE_ONLY),
        ("한국은행 총재", "한국은행", ErrorType.TOO_LONG),
        ("총재가 말했다", "총재", ErrorType.TOO_LONG),
        ("은행", "한국은행 총재", ErrorType.TOO_SHORT),
        ("에서 한국", "한국은행 총재", ErrorType.TOO_SHORT),
        ("서울에서 한국은행", "한국은행 총재", ErrorType.TOO_LONG),
        ("3월", "5월", ErrorType.WRONG_PLACE),
        ("맑다", "한국은행", ErrorType.WRONG_PLACE),
        ("한국은행총재", "한국은행 총재가", ErrorType.TOO_SHORT),  # a rule took the space out
        ("없는 말", "한국은행", ErrorType.WRONG_PLACE),
    ],
)
def test_error_types(prediction: str, gold: str, error: ErrorType) -> None:
    assert error_type(prediction, question(gold)) is error


def test_of_several_places_the_one_nearest_to_the_gold_counts() -> None:
    context = "서울은 크다. 멀리 서울 시청이 있다."
    asked = Question("q", "어디?", context, (Answer("서울 시청", context.index("서울 시청")),))
    assert error_type("서울", asked) is ErrorType.TOO_SHORT


def test_every_kind_has_a_meaning() -> None:
    assert set(MEANINGS) == set(ERROR_TYPES)


text = st.text(st.sampled_from("가나은는이 .😀각\u200b"), max_size=8)


@given(st.text(st.sampled_from("가나은는이 .😀각\u200b"), max_size=24), st.data())
def test_every_answer_has_one_kind_and_shares_sum_to_the_whole(context: str, data: st.DataObject) -> None:
    questions, predictions = [], []
    for _ in range(data.draw(st.integers(1, 5))):
        begin = data.draw(st.integers(0, len(context)))
        end = data.draw(st.integers(begin, len(context)))
        answers = (Answer(context[begin:end], begin),) if end > begin else ()
        questions.append(Question("q", "?", context, answers))
        predictions.append(data.draw(st.one_of(text, st.just(context[begin:end]), st.just(context[begin:]))))
    kinds = [error_type(prediction, one) for prediction, one in zip(predictions, questions, strict=True)]
    distances = edit_distances(predictions, [one.golds for one in questions])
    parts = [distances[np.array([error is one for error in kinds])].sum() for one in ErrorType]
    assert sum(parts) == distances.sum()
    for prediction, one, error, distance in zip(predictions, questions, kinds, distances, strict=True):
        gold = one.golds[0]
        assert (error is ErrorType.RIGHT) == (distance == 0)
        if error is ErrorType.BLANKED:
            assert not prediction.strip()
            assert gold.strip()
        if error is ErrorType.NOT_BLANKED:
            assert not gold.strip()
        if error is ErrorType.TOO_SHORT and prediction in context:
            assert len(prediction) < len(gold)
        if error is ErrorType.PARTICLE_ONLY:
            assert prediction.strip().startswith(gold.strip()) or gold.strip().startswith(prediction.strip())
