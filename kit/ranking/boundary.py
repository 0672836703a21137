"""The boundary model: how much a span looks like an answer, by its characters and what surrounds it.

A log-linear model over hashed features of a span.  It sees no score of a member, so that it works beside any.
`Refinement` has it as a log term in a posterior.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from kit.data.records import Question
from kit.ranking.boundary_features import span_features
from kit.spans.minimum_risk import shorter_forms
from kit.spans.posteriors import Posterior
from kit.spans.span_scores import offsets_of
from kit.text_rules import particles

FORM_SHARE = 0.5
"""The share of a span's mass that a shorter form of it gets where no tokens stand for that form: a token may
hold a noun and its particle together."""


@dataclass(frozen=True)
class BoundaryModel:
    """weights: float32 (2 ** bits,), one a hashed feature.

    morphology: whether parts of speech are among the features (needs kiwipiepy)
    fitted_on: SHA-256 of the data that it was fitted on, hex
    l2: the weight of the penalty on squared weights that it was fitted with
    """

    weights: NDArray[np.float32]
    morphology: bool
    fitted_on: str
    l2: float

    @property
    def bits(self) -> int:
        """Features are hashed to so many bits."""
        return len(self.weights).bit_length() - 1

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the weights, hex."""
        return sha256(self.weights.astype("<f4").tobytes()).hexdigest()

    def scores(
        self,
        questions: Sequence[Question],
        question: NDArray[np.int64],
        begin: NDArray[np.int32],
        end: NDArray[np.int32],
    ) -> NDArray[np.float64]:
        """Log odds of S spans, up to a constant of each question, float64 (S,).

        *question*: int64 (S,), ascending, the index of each span's question; *begin*, *end*: int32 (S,), code
        points, end exclusive.  Raises ConfigError where kiwipiepy is needed and missing.
        """
        if self.morphology:
            particles.check_installed("the boundary model")
        features = span_features(questions, question, begin, end, bits=self.bits, morphology=self.morphology)
        found: NDArray[np.float64] = self.weights[features].sum(axis=1, dtype=np.float64)
        return found


@dataclass(frozen=True)
class Refinement:
    """A posterior over spans and their shorter forms, and the boundary score of each, float64 (S,)."""

    spread: Posterior
    scores: NDArray[np.float64]
    weight: float

    @cached_property
    def posterior(self) -> Posterior:
        """The posterior times exp(weight · score), each question's listed mass as it was.

        Its tail stays: nothing is known of the spans there.
        """
        old = self.spread
        counts = np.diff(old.offsets)
        counts, heads = counts[counts > 0], old.offsets[:-1][counts > 0]
        with np.errstate(divide="ignore"):
            log_p = np.log(old.p) + self.weight * self.scores
        top = np.maximum.reduceat(log_p, heads)
        raised = np.exp(log_p - np.repeat(np.where(np.isfinite(top), top, 0.0), counts))
        listed, total = np.add.reduceat(old.p, heads), np.add.reduceat(raised, heads)
        p = raised * np.repeat(listed / np.where(total > 0, total, 1.0), counts)
        return Posterior(old.offsets, old.begin, old.end, p, old.tail)


def refinement(
    posterior: Posterior, questions: Sequence[Question], model: BoundaryModel, weight: float
) -> Refinement:
    """The spans of *posterior* and their shorter forms, scored by *model*."""
    spread = with_forms(posterior, questions)
    scores = model.scores(questions, spread.question, spread.begin, spread.end)
    return Refinement(spread, scores, weight)


def with_forms(posterior: Posterior, questions: Sequence[Question]) -> Posterior:
    """The spans of *posterior* and the shorter forms of each, which share in its mass; the tail stays."""
    begins: list[int] = []
    ends: list[int] = []
    masses: list[float] = []
    counts = []
    for number, question in enumerate(questions):
        own = {(begin, end): p for begin, end, p in posterior.spans(number)}
        forms: dict[tuple[int, int], float] = {}
        for (begin, end), p in own.items():
            text = question.context[begin:end]
            for form in shorter_forms(text):
                if form and len(form) < len(text):
                    place = begin + text.find(form)
                    span = place, place + len(form)
                    if span not in own:
                        forms[span] = max(forms.get(span, 0.0), FORM_SHARE * p)
        spans = sorted((own | forms).items())
        total = sum(own.values())
        scale = total / (total + sum(forms.values())) if forms else 1.0
        begins += [begin for (begin, _), _ in spans]
        ends += [end for (_, end), _ in spans]
        masses += [scale * p for _, p in spans]
        counts.append(len(spans))
    return Posterior(
        offsets_of(counts), np.array(begins, np.int32), np.array(ends, np.int32),
        np.array(masses, np.float64), posterior.tail,
    )  # fmt: skip
