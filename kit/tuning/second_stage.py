"""The second stage while tuning: cross-fitted answers, what each group of features is worth, the last fit."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from kit.data.records import Question
from kit.ranking.features import Candidates, candidates_of, feature_groups
from kit.ranking.model import Ranker, fit_ranker
from kit.ranking.stage import fitted_on, member_order
from kit.spans.lengths import log_length_prior
from kit.tuning.fitting import Fit, Fitter
from kit.tuning.members import OutOfFold

Rows = NDArray[np.bool_]


def candidates_in(fit: Fit, members: OutOfFold, questions: Sequence[Question]) -> Candidates:
    """The candidates of *fit*'s blend with their features."""
    ordered = [fit.posteriors[index] for index in member_order(members.runs)]
    prior = log_length_prior(members.lengths, fit.length_cap)
    return candidates_of(fit.blended(), ordered, questions, prior)


def ranked_ways(
    fit: Fit, members: OutOfFold, questions: Sequence[Question], rows: Rows
) -> dict[str, list[str]]:
    """Answers to all questions by stages fitted on *rows*: the whole, and without each group of features."""
    candidates = candidates_in(fit, members, questions)
    ways = {}
    for left_out in (None, *feature_groups(0)):
        ranker = fit_ranker(candidates, questions, rows, "", without=left_out)
        label = "ranked" if left_out is None else f"ranked, without {left_out}"
        ways[label] = [candidates.texts[index] for index in ranker.chosen(candidates).tolist()]
    return ways


def last_fit(fit: Fit, members: OutOfFold, questions: Sequence[Question]) -> Ranker:
    """The ranker to keep: fitted on all questions, with the members whose weight is above 0.

    A recipe leaves out members of weight 0, so that its ranker must not know them either.
    """
    used = np.flatnonzero(fit.weights > 0).tolist()
    if len(used) < len(fit.weights):
        members = members.only(used)
        temperatures = [fit.temperatures[index] for index in used]
        alone = Fitter(members, questions).with_temperatures(temperatures, fit.length_prior, fit.length_cap)
        fit = replace(alone, candidates=fit.candidates, weights=fit.weights[used])
    everything = np.ones(len(questions), dtype=np.bool_)
    candidates = candidates_in(fit, members, questions)
    return fit_ranker(candidates, questions, everything, fitted_on(members.runs))


def can_rank() -> bool:
    """Whether LightGBM is installed."""
    return importlib.util.find_spec("lightgbm") is not None
