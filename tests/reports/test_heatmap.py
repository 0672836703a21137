"""Heatmaps: the fast marginals equal the double loop, and packing loses nothing but the last step."""

from __future__ import annotations

import numpy as np
from hypothesis import given

from kit.reports.heatmap import STRONGEST, heatmap_of, packed
from kit.spans.posteriors import span_posterior
from tests.reports.conftest import unpacked
from tests.spans import made


@given(made.questions)
def test_heatmaps_are_the_marginals_of_the_posterior(
    questions: list[list[tuple[float, list[made.Token]]]],
) -> None:
    posterior = span_posterior(made.scores(questions), 6)
    heatmap = heatmap_of(posterior)
    for number in range(len(posterior)):
        starts, ends = unpacked(packed(heatmap, number))
        part = slice(posterior.offsets[number], posterior.offsets[number + 1])
        for found, places in ((starts, posterior.begin[part]), (ends, posterior.end[part] - 1)):
            mass: dict[int, float] = {}
            for place, p in zip(places.tolist(), posterior.p[part].tolist(), strict=True):
                mass[place] = mass.get(place, 0.0) + p
            assert len(found) == min(STRONGEST, sum(round(p * 255) > 0 for p in mass.values()))
            assert [place for place, _ in found] == sorted(place for place, _ in found)
            for place, p in found:
                assert abs(p - mass[place]) <= 0.5 / 255 + 1e-12
            least = min((p for _, p in found), default=1.0)
            left_out = [p for place, p in mass.items() if place not in dict(found)]
            assert all(p <= least + 0.5 / 255 for p in left_out)


def test_places_beyond_two_bytes_fit() -> None:
    tokens = [(70_000, 70_002, 9.0, -9.0), (70_003, 70_005, -9.0, 9.0)]
    posterior = span_posterior(made.scores([[(0.0, tokens)]]), 6)
    starts, ends = unpacked(packed(heatmap_of(posterior), 0))
    assert starts == [(70_000, 1.0)]
    assert ends == [(70_004, 1.0)]
    assert np.isclose(posterior.p.sum(), 1.0)
