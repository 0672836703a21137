"""The second stage while tuning: cross-fitted answers, what each group of features is worth, the last fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kit.data.records import Question
from kit.ranking.boundary import BoundaryModel, Refinement
from kit.ranking.features import Candidates, candidates_of, feature_groups
from kit.ranking.model import Ranker, enough_to_rank, fit_ranker, installed
from kit.ranking.stage import fitted_on, member_order
from kit.spans.lengths import log_length_prior
from kit.spans.minimum_risk import minimum_risk_answers
from kit.spans.posteriors import Posterior
from kit.tuning.cross_fitting import cross_fitted
from kit.tuning.fitting import Fit, Fitter, Rows
from kit.tuning.members import OutOfFold

BOUNDARY, RANKED = "edit, boundary", "ranked"


@dataclass(frozen=True, slots=True)
class SecondStage:
    """What the last fit leaves beside a recipe: the boundary model, its weight, a ranker where it helps."""

    fit: Fit
    boundary: BoundaryModel
    weight: float
    ranker: Ranker | None


def second_stage_ways(
    fit: Fit, members: OutOfFold, questions: Sequence[Question], groups: NDArray[np.int64], rows: Rows
) -> dict[str, Sequence[str]]:
    """Answers to all questions by stages fitted on *rows*: the boundary model, the trees, parts of them."""
    blend = fit.blended()
    crossed = cross_fitted(blend, questions, groups, rows)
    ways: dict[str, Sequence[str]] = {BOUNDARY: minimum_risk_answers(crossed.refinement.posterior, questions)}
    candidates = _candidates(fit, blend, members, questions, crossed.refinement)
    if installed() and enough_to_rank(candidates, rows):
        for left_out in (None, *feature_groups(0, boundary=True)):
            ranker = fit_ranker(candidates, questions, rows, "", without=left_out)
            label = RANKED if left_out is None else f"{RANKED}, without {left_out}"
            ways[label] = [candidates.texts[index] for index in ranker.chosen(candidates).tolist()]
    return ways


def last_fit(
    fit: Fit, members: OutOfFold, questions: Sequence[Question], groups: NDArray[np.int64], *, ranked: bool
) -> SecondStage:
    """The stages to keep, fitted on all questions, with the members whose weight is above 0.

    A recipe leaves out members of weight 0, so that its ranker must not know them either.
    """
    used = np.flatnonzero(fit.weights > 0).tolist()
    whole = fit
    if len(used) < len(fit.weights):
        members = members.only(used)
        temperatures = [fit.temperatures[index] for index in used]
        alone = Fitter(members, questions).with_temperatures(temperatures, fit.length_prior, fit.length_cap)
        fit = replace(alone, candidates=fit.candidates, weights=fit.weights[used])
    everything = np.ones(len(questions), dtype=np.bool_)
    blend = fit.blended()
    crossed = cross_fitted(blend, questions, groups, everything, fitted_on(members.digests))
    ranker = None
    if ranked:
        candidates = _candidates(fit, blend, members, questions, crossed.refinement)
        digest = crossed.model.digest
        ranker = fit_ranker(candidates, questions, everything, fitted_on(members.digests), boundary=digest)
    return SecondStage(whole, crossed.model, crossed.refinement.weight, ranker)


def _candidates(
    fit: Fit, blend: Posterior, members: OutOfFold, questions: Sequence[Question], refinement: Refinement
) -> Candidates:
    """The candidates of *fit*'s blend with their features."""
    ordered = [fit.posteriors[index] for index in member_order(members.digests)]
    prior = log_length_prior(members.lengths, fit.length_cap)
    return candidates_of(blend, ordered, questions, prior, refinement)
