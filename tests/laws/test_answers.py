"""Laws of what happens to an answer's text: rules, scores, decoding, the CSV.

=====================================  =======================================================================
transformation                         law
=====================================  =======================================================================
every rule of ``RULES``                idempotent; never longer but by a partner mark; "" stays ""
trim                                   a slice, and nothing to trim is left
normalise (scoring)                    idempotent
edit distance                          a metric: the slow table; 0 for equals only; symmetric; triangle
F1                                     symmetric, 0 to 1, 1 for equals (0 for two blanks)
scores → candidates → answer           the answer is a slice of its context, no longer than the cap
scores → posterior                     sums to 1; best span of all is `best_spans`'
cutting to the likeliest               no mass is lost
members → blend                        order, scale and repetition of members do not matter
posterior → text of least distance     no text considered is nearer
write_submission / read_submission     what is written comes back, whatever it looks like
=====================================  =======================================================================
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.data.records import Question
from kit.decoding.decoders import argmax_answers, decoded
from kit.metrics.edit_distance import edit_distances
from kit.metrics.f1 import character_f1, normalise
from kit.spans.blending import blended
from kit.spans.candidates import best_spans
from kit.spans.minimum_risk import considered, minimum_risk_answers
from kit.spans.posteriors import Posterior, span_posterior
from kit.spans.span_scores import SpanScores
from kit.submission.csv import read_submission, write_submission
from kit.text_rules.rules import RULES, Rule, apply_rules, trim
from tests.examples import examples
from tests.hostile.texts import names, texts
from tests.spans import made

SEVERAL = examples(60)
RULE_NAMES = [name for name in RULES if name != "strip_particles"]  # tests/answers has its own
CAP = 8


def distance(one: str, other: str) -> int:
    """Levenshtein's table, slowly."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        row, before = [i], row
        for j, b in enumerate(other, 1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (a != b)))
    return row[-1]


def measured(one: str, other: str) -> float:
    return float(edit_distances([one], [(other,)])[0])


@SEVERAL
@given(st.sampled_from(RULE_NAMES), texts())
def test_rules(name: str, text: str) -> None:
    rule = Rule(name, 5 if RULES[name].argument else None)
    once = rule(text)
    assert rule(once) == once
    assert len(once) <= len(text) + (text.count("“") + 8 if name == "balance_quotes" else 0)
    assert rule("") == ""
    assert apply_rules(text, [rule, rule]) == once


@SEVERAL
@given(texts())
def test_trimming_gives_a_slice(text: str) -> None:
    trimmed = trim(text)
    assert trimmed in text
    assert trim(f"\xa0\u200b{trimmed}\ufeff\n") == trimmed


@SEVERAL
@given(texts())
def test_normalising_twice_is_normalising(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@SEVERAL
@given(texts(max_size=6), texts(max_size=6), texts(max_size=6))
def test_the_edit_distance_is_a_metric(a: str, b: str, c: str) -> None:
    assert measured(a, b) == distance(a, b) == measured(b, a)
    assert (measured(a, b) == 0) == (a == b)
    assert measured(a, c) <= measured(a, b) + measured(b, c)
    assert measured(a, "") == len(a)
    assert edit_distances([a], [(b, c)], reference="min")[0] == min(measured(a, b), measured(a, c))


@SEVERAL
@given(texts(), texts())
def test_f1(a: str, b: str) -> None:
    there, back = character_f1([a], [(b,)])[0], character_f1([b], [(a,)])[0]
    assert there == pytest.approx(back)
    assert 0 <= there <= 1
    # KorQuAD's own script gives 0 where nothing is left to compare.
    assert character_f1([a], [(a,)])[0] == pytest.approx(1.0 if normalise(a).split() else 0.0)


@st.composite
def answered(draw: st.DrawFn) -> tuple[SpanScores, list[Question]]:
    """Scores of a few questions over contexts of any kind; a token is one or more code points."""
    questions, windows = [], []
    for number in range(draw(st.integers(1, 3))):
        context = draw(texts(0, 10))
        logit = st.integers(-4, 4).map(lambda value: value / 2)
        tokens, begin = [], 0
        while begin < len(context):
            end = min(begin + draw(st.integers(1, 3)), len(context))
            tokens.append((begin, end, draw(logit), draw(logit)))
            begin = end
        cut = draw(st.integers(0, len(tokens)))
        own = [(draw(logit), tokens), (draw(logit), tokens[cut:])]
        windows.append(own[: draw(st.integers(1, 2))])
        questions.append(Question(f"q{number}", "무엇?", context, None))
    return made.scores(windows), questions


@SEVERAL
@given(answered())
def test_an_answer_is_a_slice_and_all_ways_give_the_same(given: tuple[SpanScores, list[Question]]) -> None:
    scores, questions = given
    posterior = span_posterior(scores, CAP)
    best = best_spans(scores, CAP)
    answers = argmax_answers(scores, questions, length_cap=CAP)
    assert decoded(posterior, questions, "argmax") == answers
    for number, (question, answer) in enumerate(zip(questions, answers, strict=True)):
        assert answer == question.context[best.begin[number] : best.end[number]]
        assert len(answer) <= CAP
        assert (answer == "") == (best.score[number] == -np.inf)
    mass = np.bincount(posterior.question, weights=posterior.p, minlength=len(questions))
    assert mass + posterior.tail.sum(axis=1) == pytest.approx((best.score > -np.inf).astype(float))
    few = posterior.likeliest(2)
    left = np.bincount(few.question, weights=few.p, minlength=len(questions)) + few.tail.sum(axis=1)
    assert left == pytest.approx(mass + posterior.tail.sum(axis=1))


@SEVERAL
@given(answered())
def test_no_considered_text_is_nearer(given: tuple[SpanScores, list[Question]]) -> None:
    scores, questions = given
    posterior = span_posterior(scores, CAP)
    answers = minimum_risk_answers(posterior, questions)
    for question, answer, weighed in zip(questions, answers, considered(posterior, questions), strict=True):
        spans = {
            question.context[b:e]
            for b in range(len(question.context))
            for e in range(b + 1, min(b + CAP, len(question.context)) + 1)
        }
        assert answer == "" or any(answer in span for span in spans)
        if answer:
            at = weighed.texts.index(answer)
            assert weighed.risk[at] <= weighed.risk.min() + 1e-9


def same(one: Posterior, other: Posterior) -> bool:
    return (
        np.array_equal(one.begin, other.begin)
        and np.array_equal(one.end, other.end)
        and np.allclose(one.p, other.p, rtol=1e-9)
        and np.allclose(one.tail, other.tail)
    )


@SEVERAL
@given(answered(), st.sampled_from(["mean", "product"]), st.integers(1, 9))
def test_members(given: tuple[SpanScores, list[Question]], how: str, scale: int) -> None:
    scores, _ = given
    one, other = span_posterior(scores, CAP), span_posterior(scores, CAP, temperature=2.0)
    blend = blended([one, other], [1.0, 2.0], how)
    assert same(blended([other, one], [2.0, 1.0], how), blend)
    assert same(blended([one, other], [1.0 * scale, 2.0 * scale], how), blend)
    assert same(blended([one, other, other], [1.0, 1.0, 1.0], how), blend)
    if how == "mean":
        assert same(blended([one, one], [3.0, 1.0], how), one)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("laws")


@SEVERAL
@given(answers=st.dictionaries(names(), texts(), max_size=5))
def test_a_submission_comes_back(folder: Path, answers: dict[str, str]) -> None:
    path = folder / "a.csv"
    write_submission(path, list(answers), list(answers.values()))
    assert list(read_submission(path).items()) == list(answers.items())
