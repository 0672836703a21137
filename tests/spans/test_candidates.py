"""The fast search for the best span equals trying every pair of tokens."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.spans import candidates
from kit.spans.candidates import best_spans
from kit.spans.lengths import log_length_prior
from kit.spans.span_scores import SpanScores
from tests.examples import examples
from tests.spans import made


def oracle(
    scores: SpanScores, cap: int, temperature: float, bonus: list[float]
) -> list[tuple[int, int, float]]:
    """Every pair of tokens of every window, in plain Python."""
    found = []
    for question in range(len(scores)):
        best: tuple[float, int, int] | None = None
        for window in range(scores.windows[question], scores.windows[question + 1]):
            low, high = int(scores.tokens[window]), int(scores.tokens[window + 1])
            for first in range(low, high):
                for last in range(first, high):
                    begin, end = int(scores.char_begin[first]), int(scores.char_end[last])
                    if not 0 < end - begin <= cap:
                        continue
                    opening = (float(scores.start[first]) - float(scores.null[window])) / temperature
                    value = opening + float(scores.end[last]) / temperature + bonus[end - begin]
                    if best is None or (-value, begin, end) < (-best[0], best[1], best[2]):
                        best = (value, begin, end)
        found.append((0, 0, -np.inf) if best is None else (best[1], best[2], best[0]))
    return found


@examples(300)
@given(
    made.questions,
    st.integers(1, 12),
    st.integers(1, 30),
    st.sampled_from([0.5, 1.0, 2.0]),
    st.one_of(st.none(), st.lists(st.integers(-8, 0), min_size=13, max_size=13)),
)
def test_the_best_span_is_the_oracles(
    questions: list,  # type: ignore[type-arg]
    cap: int,
    chunk: int,
    temperature: float,
    steps: list[int] | None,
) -> None:
    scores = made.scores(questions)
    bonus = None if steps is None else np.array(steps[: cap + 1]) / 4
    before = candidates._CHUNK_TOKENS
    candidates._CHUNK_TOKENS = chunk  # many chunks, also with questions longer than one
    try:
        best = best_spans(scores, cap, temperature=temperature, bonus=bonus)
    finally:
        candidates._CHUNK_TOKENS = before
    assert list(zip(best.begin.tolist(), best.end.tolist(), best.score.tolist(), strict=True)) == oracle(
        scores, cap, temperature, [0.0] * (cap + 1) if bonus is None else bonus.tolist()
    )


def test_windows_compare_by_the_odds_against_their_null() -> None:
    # The second window has the higher logits, but its model says "not here" even louder.
    first = (0.0, [(0, 2, 3.0, 3.0)])
    second = (8.0, [(5, 7, 5.0, 5.0)])
    best = best_spans(made.scores([[first, second]]), 60)
    assert (best.begin[0], best.end[0], best.score[0]) == (0, 2, 6.0)


def test_an_answer_never_ends_before_it_begins_or_in_another_window() -> None:
    # Independent argmax would take start 4 and end 1.
    tokens = [(0, 1, 0.0, 0.0), (1, 2, 0.0, 9.0), (4, 5, 9.0, 0.0)]
    best = best_spans(made.scores([[(0.0, tokens)]]), 60)
    assert best.end[0] > best.begin[0]
    apart = best_spans(made.scores([[(0.0, [(0, 1, 9.0, -9.0)]), (0.0, [(1, 2, -9.0, 9.0)])]]), 60)
    assert (apart.begin[0], apart.end[0], apart.score[0]) in {(0, 1, 0.0), (1, 2, 0.0)}


def test_the_cap_counts_characters_not_tokens() -> None:
    tokens = [(0, 10, 5.0, 0.0), (10, 20, 0.0, 5.0)]
    assert best_spans(made.scores([[(0.0, tokens)]]), 20).end[0] == 20
    assert best_spans(made.scores([[(0.0, tokens)]]), 19).score[0] == 5.0


@pytest.mark.parametrize("content", [[], [(0, 30, 1.0, 1.0)]])
def test_no_valid_span_is_a_blank(content: list) -> None:  # type: ignore[type-arg]
    best = best_spans(made.scores([[(0.0, content)]]), 10)
    assert (best.begin[0], best.end[0], best.score[0]) == (0, 0, -np.inf)


def test_the_length_prior_is_a_smoothed_distribution() -> None:
    prior = log_length_prior({3: 10, 4: 2, 200: 5}, 10)
    assert prior[0] == -np.inf
    assert np.exp(prior).sum() == pytest.approx(1.0)
    assert prior[3] == prior.max()
    assert prior[9] == prior[10] > -np.inf
    # 3 keeps half of its ten and gets a quarter of its neighbour's two
    assert np.exp(prior[3] - prior[10]) == pytest.approx((10 / 2 + 2 / 4 + 0.5) / 0.5)


def test_the_prior_turns_a_crossed_span_down() -> None:
    # A long span from one answer's start to another's end beats both by logits alone.
    tokens = [(0, 2, 5.0, 4.0), (30, 32, 4.0, 5.0)]
    scores = made.scores([[(0.0, tokens)]])
    assert best_spans(scores, 60).end[0] == 32
    best = best_spans(scores, 60, bonus=0.5 * log_length_prior({2: 50, 5: 20}, 60))
    assert (best.begin[0], best.end[0]) == (0, 2)
