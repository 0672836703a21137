"""One member's answers: temperature, length prior and cap all have their say, by both ways."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kit.data.records import Dataset, Question
from kit.decoding.decoders import argmax_answers, decoded
from kit.decoding.explain import Explanation
from kit.errors import SpanFileError
from kit.spans.posteriors import span_posterior
from tests.spans import made

# The likeliest is "가나다" by 2; a prior against three characters turns that, unless odds are sharpened.
SCORES = made.scores([[(0.0, [(0, 1, 4.0, 0.0), (1, 2, 0.0, 2.0), (2, 3, 0.0, 4.0)])]])
QUESTIONS = [Question("q0", "?", "가나다라", None)]
BONUS = np.array([-np.inf, 0.0, 0.0, -3.0, -9.0])


def both_ways(**given: object) -> str:
    (short,) = argmax_answers(SCORES, QUESTIONS, length_cap=4, **given)  # type: ignore[arg-type]
    (long,) = decoded(span_posterior(SCORES, 4, **given), QUESTIONS, "argmax")  # type: ignore[arg-type]
    assert short == long
    return short


def test_prior_and_temperature() -> None:
    assert both_ways() == "가나다"
    assert both_ways(bonus=BONUS) == "가나"
    assert both_ways(bonus=BONUS, temperature=0.5) == "가나다"
    assert both_ways(temperature=0.5) == "가나다"
    assert argmax_answers(SCORES, QUESTIONS, length_cap=2) == ("가나",)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e3, 1e6])
def test_large_scores_round_and_lose_no_answer(scale: float) -> None:
    """Found by fuzzing: the bound that prunes starts had rounded above all of them."""
    nulls = [number / 7 for number in range(20)]
    large = made.scores([[(null, [(0, 2, 0.1, scale)])] for null in nulls])
    questions = [Question(f"q{number}", "?", "가나다라", None) for number in range(20)]
    for temperature in (0.001, 1.0, 1000.0):
        answers = argmax_answers(large, questions, length_cap=4, temperature=temperature)
        posterior = span_posterior(large, 4, temperature=temperature)
        assert answers == decoded(posterior, questions, "argmax")
        assert all(answers)
        mass = np.bincount(posterior.question, weights=posterior.p) + posterior.tail.sum(axis=1)
        assert mass == pytest.approx(1.0)


def test_a_question_without_scores_names_the_member() -> None:
    with pytest.raises(SpanFileError, match="five: has no scores for question q9"):
        argmax_answers(SCORES, [Question("q9", "?", "가", None)], label="five")


@pytest.mark.parametrize(("text", "place"), [("가", 0), ("다", 2), ("", None), ("하", None)])
def test_where_an_explained_text_stands(text: str, place: int | None) -> None:
    data = Dataset(Path("t.json"), "0" * 64, "klue-flat", tuple(QUESTIONS))
    assert Explanation(data.questions[0], text, text, None, ()).place == place
