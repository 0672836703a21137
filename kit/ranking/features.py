"""What the second stage looks at: members, blend, text, question and context of every candidate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kit.data.records import Question
from kit.ranking.boundary import Refinement
from kit.ranking.text_features import (
    ASKED,
    CONTEXT,
    QUESTION,
    TEXT,
    context_features,
    question_features,
    text_features,
)
from kit.spans.minimum_risk import considered, shorter_forms, texts_of
from kit.spans.posteriors import Posterior
from kit.spans.span_scores import offsets_of

CONSIDERED = 30
"""Candidates a question: the best by expected distance."""
_TINY = 1e-6
_NO_BOUNDARY = -30.0
"""The boundary score of a blank, and of a text that no span reads as."""

BLEND = ("p", "log_p", "p_to_best", "rank_p", "risk", "risk_above_best", "rank_risk", "best_p")
NESTING = (
    "p_around", "p_inside", "p_same_begin", "p_same_end", "p_overlapping", "p_longer_right", "p_longer_left",
    "p_shorter_right", "p_shorter_left",
)  # fmt: skip
"""The mass of spans of the blend by how they lie to a candidate's: whether the members agree at each end."""
BOUNDARY = (
    "boundary", "boundary_below_best", "rank_boundary", "p_boundary", "refined_p", "log_refined_p",
    "refined_risk", "refined_risk_above_best", "rank_refined_risk",
)  # fmt: skip
"""The boundary model's score of a candidate, and the blend refined by it."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """C candidate texts of Q questions and their features.

    offsets: int64 (Q + 1,); texts: C; values: float64 (C, features), in the order of *names*
    """

    offsets: NDArray[np.int64]
    texts: tuple[str, ...]
    values: NDArray[np.float64]
    names: tuple[str, ...]

    def columns(self, names: Sequence[str]) -> NDArray[np.float64]:
        """The features *names*, float64 (C, names)."""
        if tuple(names) == self.names:
            return self.values
        found: NDArray[np.float64] = self.values[:, [self.names.index(name) for name in names]]
        return found


def feature_groups(members: int, *, boundary: bool) -> dict[str, tuple[str, ...]]:
    """Names of the features by group, in the order of the columns."""
    own = tuple(f"{what}_{number}" for number in range(members) for what in ("p", "log_p", "rank"))
    groups = {
        "members": own, "blend": BLEND, "text": TEXT, "context": CONTEXT, "question": QUESTION,
        "nesting": NESTING,
    }  # fmt: skip
    return groups | {"boundary": BOUNDARY} if boundary else groups


def candidates_of(
    blend: Posterior,
    members: Sequence[Posterior],
    questions: Sequence[Question],
    log_prior: NDArray[np.float64],
    refinement: Refinement | None = None,
) -> Candidates:
    """The candidates of every question with their features.

    *log_prior*: float64 (length_cap + 1,), of answer lengths; *members*: one posterior each, in the
    fixed order that the second stage was fitted with; *refinement*: *blend* by a boundary model.
    """
    by_member = [list(texts_of(member, questions)) for member in members]
    places = _places(blend, questions)
    texts: list[str] = []
    rows: list[list[float]] = []
    counts = []
    refined = None if refinement is None else _refined(refinement, questions)
    for number, (question, weighed) in enumerate(zip(questions, considered(blend, questions), strict=True)):
        mine = [dict(zip(names, p.tolist(), strict=True)) for names, p in (one[number] for one in by_member)]
        ranks = [{text: rank for rank, text in enumerate(one)} for one in mine]
        asked = [float(bool(pattern.search(question.text))) for _, pattern in ASKED]
        chosen = weighed.texts[:CONSIDERED]
        p, risk = weighed.p[:CONSIDERED], weighed.risk[:CONSIDERED]
        rank_p = _ranks(-p)
        best_p = float(weighed.p.max(initial=0.0))
        nesting = _nesting(chosen, places[number], blend, number)
        bounded = [[]] * len(chosen) if refined is None else _boundary_features(chosen, next(refined))
        for at, text in enumerate(chosen):
            row: list[float] = []
            for own, rank in zip(mine, ranks, strict=True):
                there = own.get(text, 0.0)
                row += [there, float(np.log(there + _TINY)), rank.get(text, len(rank))]
            row += [
                p[at], float(np.log(p[at] + _TINY)), p[at] / max(best_p, _TINY), rank_p[at], risk[at],
                risk[at] - risk[0], float(at), best_p,
            ]  # fmt: skip
            row += text_features(text, log_prior)
            row += context_features(text, question.context, places[number].get(text))
            row += question_features(text, question.text, asked)
            rows.append([*row, *nesting[at], *bounded[at]])
            texts.append(text)
        counts.append(len(chosen))
    groups = feature_groups(len(members), boundary=refinement is not None)
    names = tuple(name for group in groups.values() for name in group)
    values = np.array(rows, dtype=np.float64).reshape(len(rows), len(names))
    return Candidates(offsets_of(counts), tuple(texts), values, names)


def _refined(
    refinement: Refinement, questions: Sequence[Question]
) -> Iterator[dict[str, tuple[float, float, float]]]:
    """Question by question, of every text: boundary score of its likeliest span, refined p, refined risk."""
    posterior = refinement.posterior
    scores = iter(refinement.scores.tolist())
    for number, (question, weighed) in enumerate(
        zip(questions, considered(posterior, questions), strict=True)
    ):
        best: dict[str, tuple[float, float]] = {}
        for (begin, end, p), score in zip(posterior.spans(number), scores, strict=False):
            text = question.context[begin:end]
            best[text] = max(best.get(text, (-1.0, 0.0)), (p, score))
        yield {
            text: (best[text][1] if text in best else _NO_BOUNDARY, p, risk)
            for text, p, risk in zip(weighed.texts, weighed.p.tolist(), weighed.risk.tolist(), strict=True)
        }


def _boundary_features(
    texts: Sequence[str], refined: Mapping[str, tuple[float, float, float]]
) -> list[list[float]]:
    """The features of BOUNDARY for each of *texts*, the candidates of one question."""
    score, p, risk = np.array([refined[text] for text in texts]).reshape(-1, 3).T
    raised = np.exp(score - score.max(initial=_NO_BOUNDARY))
    columns = [
        score, score - score.max(initial=_NO_BOUNDARY), _ranks(-score), raised / raised.sum(), p,
        np.log(p + _TINY), risk, risk - risk.min(initial=np.inf), _ranks(risk),
    ]  # fmt: skip
    rows: list[list[float]] = np.stack(columns, axis=1).tolist()
    return rows


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.argsort(np.argsort(values, kind="stable"), kind="stable").astype(np.float64)


def _places(blend: Posterior, questions: Sequence[Question]) -> list[dict[str, int]]:
    """Where each text begins, by question: its likeliest span, or the one that it is a shorter form of."""
    found = []
    for number, question in enumerate(questions):
        own: dict[str, int] = {}
        for begin, end, _ in sorted(blend.spans(number), key=lambda span: -span[2]):
            own.setdefault(question.context[begin:end], begin)
        for text, begin in list(own.items()):
            for form in shorter_forms(text):
                own.setdefault(form, begin + text.find(form))
        found.append(own)
    return found


def _nesting(
    texts: Sequence[str], places: Mapping[str, int], blend: Posterior, number: int
) -> list[list[float]]:
    """The features of NESTING for each of *texts*, the candidates of question *number*."""
    part = slice(blend.offsets[number], blend.offsets[number + 1])
    p, begin, end = blend.p[part], blend.begin[part].astype(np.int64), blend.end[part].astype(np.int64)
    first = np.array([places.get(text, 0) for text in texts], dtype=np.int64)[:, None]
    last = first + np.fromiter(map(len, texts), np.int64, len(texts))[:, None]
    same_begin, same_end = begin == first, end == last
    same = same_begin & same_end
    around = (begin <= first) & (end >= last) & ~same
    inside = (begin >= first) & (end <= last) & ~same
    masks = [
        around, inside, same_begin, same_end, (begin < last) & (end > first), around & same_begin,
        around & same_end, inside & same_begin, inside & same_end,
    ]  # fmt: skip
    rows: list[list[float]] = np.stack([mask @ p for mask in masks], axis=1).tolist()
    return rows
