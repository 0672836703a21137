"""Blends equal their formulas, and do not depend on the order or the scale of their members."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.spans.blending import EPSILON, blended, likeliest_together
from kit.spans.posteriors import Posterior, span_posterior
from tests.examples import examples
from tests.spans import made
from tests.spans.test_posteriors import rows


def posteriors_of(members: list) -> list[Posterior]:  # type: ignore[type-arg]
    count = min(len(questions) for questions in members)
    return [span_posterior(made.scores(questions[:count]), 12).likeliest(6) for questions in members]


members = st.lists(made.questions, min_size=2, max_size=4)
weights = st.lists(st.sampled_from([0.25, 0.5, 1.0, 3.0]), min_size=4, max_size=4)


@examples(75)
@given(members, weights)
def test_the_mean_is_the_weighted_mean(given_members: list, given_weights: list[float]) -> None:  # type: ignore[type-arg]
    posteriors = posteriors_of(given_members)
    chosen = given_weights[: len(posteriors)]
    found = blended(posteriors, chosen, "mean")
    for number, row in enumerate(rows(found)):
        parts = [rows(one)[number] for one in posteriors]
        expected: dict[tuple[int, int], float] = {}
        for part, weight in zip(parts, chosen, strict=True):
            for span, p in part.items():
                expected[span] = expected.get(span, 0.0) + weight / sum(chosen) * p
        assert row == pytest.approx(expected)
        assert list(row) == sorted(row)
        if all(parts):
            assert sum(row.values()) + found.tail[number].sum() == pytest.approx(1.0)


@examples(75)
@given(members, weights)
def test_the_product_is_the_weighted_geometric_mean(given_members: list, given_weights: list[float]) -> None:  # type: ignore[type-arg]
    posteriors = posteriors_of(given_members)
    chosen = given_weights[: len(posteriors)]
    for number, row in enumerate(rows(blended(posteriors, chosen, "product"))):
        parts = [rows(one)[number] for one in posteriors]
        union = sorted(set().union(*parts))
        raw = {}
        for span in union:
            terms = [
                weight / sum(chosen) * math.log((1 - EPSILON) * part.get(span, 0.0) + EPSILON / len(union))
                for part, weight in zip(parts, chosen, strict=True)
            ]
            raw[span] = math.exp(sum(terms))
        assert row == pytest.approx({span: value / sum(raw.values()) for span, value in raw.items()})


def test_a_product_does_not_kill_what_one_member_cannot_express() -> None:
    fine = span_posterior(made.scores([[(0.0, [(0, 4, 5.0, 5.0), (4, 5, 0.0, 0.0)])]]), 12)
    coarse = span_posterior(made.scores([[(0.0, [(0, 5, 5.0, 5.0)])]]), 12)
    (row,) = rows(blended([fine, coarse], [1.0, 1.0], "product"))
    assert row[0, 4] > 0.05


def test_one_member_is_its_own_blend() -> None:
    one = span_posterior(made.scores([[(0.0, [(0, 4, 1.0, 2.0), (4, 5, 0.0, 0.0)])]]), 12)
    for how in ("mean", "product"):
        assert np.array_equal(blended([one], [3.0], how).p, one.p)


@examples(75)
@given(members, st.integers(1, 5))
def test_members_are_cut_to_the_same_spans_the_likeliest_of_any(given_members: list, count: int) -> None:  # type: ignore[type-arg]
    posteriors = posteriors_of(given_members)
    cut = likeliest_together(posteriors, count)
    for number in range(len(posteriors[0])):
        before = [rows(one)[number] for one in posteriors]
        after = [rows(one)[number] for one in cut]
        highest = {span: max(row.get(span, 0.0) for row in before) for span in sorted(set().union(*before))}
        kept = sorted(highest, key=lambda span: (-highest[span], span))[:count]
        assert after == [{span: p for span, p in row.items() if span in kept} for row in before]
        for whole, one in zip(posteriors, cut, strict=True):
            mass = [sum(rows(each)[number].values()) + each.tail[number].sum() for each in (whole, one)]
            assert mass[0] == pytest.approx(mass[1])
