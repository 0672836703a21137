"""Posteriors equal enumerating every span of every window."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.spans import posteriors
from kit.spans.candidates import best_spans
from kit.spans.posteriors import Posterior, mass_of_spans, span_posterior
from kit.spans.span_scores import SpanScores
from tests.examples import examples
from tests.spans import made

pytestmark = pytest.mark.usefixtures("several_threads")
Row = dict[tuple[int, int], float]


def rows(posterior: Posterior) -> list[Row]:
    found = []
    for question in range(len(posterior)):
        part = slice(posterior.offsets[question], posterior.offsets[question + 1])
        spans = zip(posterior.begin[part].tolist(), posterior.end[part].tolist(), strict=True)
        found.append(dict(zip(spans, posterior.p[part].tolist(), strict=True)))
    return found


def oracle(scores: SpanScores, cap: int, temperature: float, bonus: list[float]) -> list[Row]:
    """Every pair of tokens of every window; a span of two windows has its larger score."""
    found = []
    for question in range(len(scores)):
        best: Row = {}
        for window in range(scores.windows[question], scores.windows[question + 1]):
            low, high = int(scores.tokens[window]), int(scores.tokens[window + 1])
            for first in range(low, high):
                for last in range(first, high):
                    begin, end = int(scores.char_begin[first]), int(scores.char_end[last])
                    if 0 < end - begin <= cap:
                        value = (float(scores.start[first]) + float(scores.end[last])) / temperature
                        value += bonus[end - begin] - float(scores.null[window]) / temperature
                        best[begin, end] = max(value, best.get((begin, end), -math.inf))
        total = sum(map(math.exp, best.values()))
        found.append({span: math.exp(value) / total for span, value in best.items()})
    return found


@examples(300)
@given(
    made.questions,
    st.integers(1, 12),
    st.integers(1, 30),
    st.sampled_from([0.5, 1.0, 2.0]),
    st.one_of(st.none(), st.lists(st.integers(-8, 0), min_size=13, max_size=13)),
    st.sampled_from([1.0, 2.5, 40.0]),
)
def test_the_posterior_is_the_oracles(
    questions: list,  # type: ignore[type-arg]
    cap: int,
    chunk: int,
    temperature: float,
    steps: list[int] | None,
    depth: float,
) -> None:
    scores = made.scores(questions)
    bonus = None if steps is None else np.array(steps[: cap + 1]) / 4
    before = posteriors._CHUNK_TOKENS
    posteriors._CHUNK_TOKENS = chunk
    try:
        found = span_posterior(scores, cap, temperature=temperature, bonus=bonus, depth=depth)
    finally:
        posteriors._CHUNK_TOKENS = before
    expected = oracle(scores, cap, temperature, [0.0] * (cap + 1) if bonus is None else bonus.tolist())
    for row, full in zip(rows(found), expected, strict=True):
        assert list(row) == sorted(row)
        if not full:
            assert not row
            continue
        edge = max(full.values()) * math.exp(-depth)
        near = {span: p for span, p in full.items() if p >= edge * (1 - 1e-9)}
        total = sum(near.values())
        assert row == pytest.approx({span: p / total for span, p in near.items()}, rel=1e-6)
    wanted = [[*list(row)[:2], (500, 501)] for row in rows(found)]
    mass = mass_of_spans(scores, cap, wanted, temperature=temperature, bonus=bonus, depth=depth)
    assert mass.tolist() == pytest.approx([sum(list(row.values())[:2]) for row in rows(found)])


def test_the_default_depth_leaves_out_next_to_nothing() -> None:
    generator = np.random.default_rng(3)
    tokens = [(n, n + 1, float(a), float(b)) for n, (a, b) in enumerate(generator.normal(0, 4, (300, 2)))]
    scores = made.scores([[(0.0, tokens)]])
    (row,), (full,) = rows(span_posterior(scores, 60)), oracle(scores, 60, 1.0, [0.0] * 61)
    assert sum(full[span] for span in row) > 0.99


@examples(100)
@given(made.questions, st.integers(1, 5))
def test_the_likeliest_spans_and_the_mass_of_the_rest(questions: list, count: int) -> None:  # type: ignore[type-arg]
    scores = made.scores(questions)
    whole = span_posterior(scores, 12)
    cut = whole.likeliest(count)
    straight = span_posterior(scores, 12, count=count)
    assert rows(straight) == [pytest.approx(row) for row in rows(cut)]
    assert straight.tail == pytest.approx(cut.tail)
    for full, row, tail in zip(rows(whole), rows(cut), cut.tail, strict=True):
        ordered = sorted(full, key=lambda span: (-full[span], span))
        assert list(row) == sorted(ordered[:count])
        assert all(row[span] == full[span] for span in row)
        lost = [0.0] * 13
        for begin, end in ordered[count:]:
            lost[end - begin] += full[begin, end]
        assert tail.tolist() == pytest.approx(lost)
    best = best_spans(scores, 12)
    for row, begin, end in zip(rows(whole.likeliest(1)), best.begin.tolist(), best.end.tolist(), strict=True):
        assert list(row) == ([(begin, end)] if end else [])
