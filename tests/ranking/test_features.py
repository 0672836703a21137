"""The second stage's features are what their names say."""

from __future__ import annotations

import numpy as np
import pytest

from kit.data.records import Question
from kit.ranking.boundary import Refinement, with_forms
from kit.ranking.features import candidates_of, feature_groups
from kit.spans.blending import blended
from kit.spans.minimum_risk import texts_of
from kit.spans.posteriors import Posterior, span_posterior
from tests.spans import made

QUESTION = Question("q0", "부산시는 언제?", "서울 부산시는 12년 제", None)
SCORES = made.scores(
    [[(0.0, [(0, 2, 1.0, 1.0), (3, 6, 3.0, 2.0), (6, 7, 0.0, 2.5), (8, 11, 2.0, 2.0), (12, 13, 0.0, 0.0)])]]
)
PRIOR = np.log(np.array([1e-9, 0.1, 0.2, 0.3, 0.2, 0.1, 0.05, 0.03, 0.01, 0.01]))


def test_features() -> None:
    members = [span_posterior(SCORES, 9), span_posterior(SCORES, 9, temperature=2.0)]
    blend = blended(members, [1.0, 1.0], "mean")
    found = candidates_of(blend, members, [QUESTION], PRIOR)
    groups = feature_groups(2, boundary=False)
    assert found.names == tuple(name for group in groups.values() for name in group)
    rows = {
        text: dict(zip(found.names, row.tolist(), strict=True))
        for text, row in zip(found.texts, found.values, strict=True)
    }
    first = rows[found.texts[0]]
    for at, (text, row) in enumerate(rows.items()):
        assert row["risk_above_best"] == pytest.approx(row["risk"] - first["risk"])
        assert row["rank_risk"] == at
        assert row["length"] == len(text)
        assert row["log_prior"] == pytest.approx(PRIOR[len(text)] if 0 < len(text) < 10 else PRIOR[1:].min())
        bigrams = [text[i] + text[i + 1] for i in range(len(text) - 1)]
        shared = [bigram for bigram in bigrams if bigram in QUESTION.text]
        assert row["bigrams_in_question"] == pytest.approx(len(shared) / max(len(bigrams), 1))
        assert row["in_question"] == float(bool(text) and text in QUESTION.text)
        assert row["digits"] == sum(character.isdecimal() for character in text)
        assert row["occurrences"] == (QUESTION.context.count(text) if text else 0)
        assert row["p_to_best"] == pytest.approx(row["p"] / max(one["p"] for one in rows.values()))
    assert rows["부산시"]["bigrams_in_question"] == 1.0
    assert rows["부산시"]["particle_follows"] == 1.0
    assert rows["12년"]["date_like"] == 1.0
    assert rows["12년"]["at_word_end"] == 1.0
    assert rows["부산시는"]["particle_end"] == 1.0
    assert {row["rank_p"] for row in rows.values()} == set(range(len(rows)))


def test_nesting_says_how_the_mass_of_other_spans_lies() -> None:
    """Spans 부산 (0.1), 부산시 (0.3), 부산시는 (0.4) and 시 (0.1), all on the same place."""
    begin, end = np.array([3, 3, 3, 5], np.int32), np.array([5, 6, 7, 6], np.int32)
    blend = Posterior(np.array([0, 4]), begin, end, np.array([0.1, 0.3, 0.4, 0.1]), np.zeros((1, 10)))
    found = candidates_of(blend, [blend], [QUESTION], PRIOR)
    row = dict(zip(found.names, found.values[found.texts.index("부산시")].tolist(), strict=True))
    expected = {
        "p_around": 0.4, "p_inside": 0.2, "p_same_begin": 0.8, "p_same_end": 0.4, "p_overlapping": 0.9,
        "p_longer_right": 0.4, "p_longer_left": 0.0, "p_shorter_right": 0.1, "p_shorter_left": 0.1,
    }  # fmt: skip
    assert {name: row[name] for name in expected} == pytest.approx(expected)


def test_boundary_features_are_of_the_refined_posterior() -> None:
    blend = span_posterior(SCORES, 9)
    spread = with_forms(blend, [QUESTION])
    refinement = Refinement(spread, np.arange(len(spread.p), dtype=float), 0.5)
    found = candidates_of(blend, [blend], [QUESTION], PRIOR, refinement)
    groups = feature_groups(1, boundary=True)
    assert found.names == tuple(name for group in groups.values() for name in group)
    own = dict(zip(found.names, found.columns(found.names).T, strict=True))
    (texts, p), *_ = texts_of(refinement.posterior, [QUESTION])
    mass = dict(zip(texts, p.tolist(), strict=True))
    assert own["refined_p"].tolist() == pytest.approx([mass.get(text, 0.0) for text in found.texts])
    assert own["boundary"][found.texts.index("")] == -30
    assert own["p_boundary"].sum() == pytest.approx(1.0)
    assert own["refined_risk_above_best"].min() == 0
    assert sorted(own["rank_boundary"].tolist()) == list(range(len(found.texts)))
    assert found.columns(["length"])[:, 0].tolist() == [len(text) for text in found.texts]
