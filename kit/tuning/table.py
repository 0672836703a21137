"""Everything that does not depend on the weights, computed once: to try hundreds of weights in seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

from kit.data.records import Question
from kit.metrics.metrics import edit_distances
from kit.spans.blending import EPSILON, Union
from kit.spans.minimum_risk import shorter_forms, tail_distances
from kit.spans.posteriors import Posterior
from kit.spans.span_scores import offsets_of

Weights = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Table:
    """M members' posteriors over the union of their spans, and all distances between its texts.

    Of Q questions: S spans, F forms (the distinct texts, then shorter forms of them and "").

    p: float64 (M, S); question: int64 (S,); form: int64 (S,), the form that each span reads
    length: int64 (S,), code points of each span; tails: float64 (M, Q, length_cap + 1), as in `Posterior`
    forms: F texts; form_offsets: int64 (Q + 1,); lengths: int64 (F,), code points
    distances: int16 (N,), for each form its distance to every text of its question, row after row
    row_offsets: int64 (F + 1,); columns: int64 (N,), the form (a text) that each distance is to
    gold: float64 (F,), distance of each form to the question's gold
    derived, parent: int64 (D,): form `derived` is a shorter form of the text `parent`
    """

    p: NDArray[np.float64]
    question: NDArray[np.int64]
    form: NDArray[np.int64]
    length: NDArray[np.int64]
    tails: NDArray[np.float64]
    forms: tuple[str, ...]
    form_offsets: NDArray[np.int64]
    lengths: NDArray[np.int64]
    distances: NDArray[np.int16]
    row_offsets: NDArray[np.int64]
    columns: NDArray[np.int64]
    gold: NDArray[np.float64]
    derived: NDArray[np.int64]
    parent: NDArray[np.int64]
    alone: dict[tuple[str, int], list[NDArray[np.int64]]] = field(default_factory=dict)
    """What each member answers on its own, by decoder and candidates: no vote's weights change it."""

    def chosen(self, weights: Weights, blend: str, decoder: str, candidates: int) -> NDArray[np.int64]:
        """The form that answers each question, int64 (Q,), for these weights (of any sum)."""
        scaled = weights / weights.sum()
        if blend == "vote":
            return self._elected(scaled, decoder, candidates)
        p = self._mean(scaled) if blend == "mean" else self._product(scaled)
        # The spans of a question lie in order of the text, so that the first of equals is the earlier.
        order = np.lexsort((np.arange(len(p)), -np.round(p, 12), self.question))
        first = np.searchsorted(self.question[order], np.arange(len(self)))
        if decoder == "argmax":
            best: NDArray[np.int64] = self.form[order[first]]
            return best
        tail = np.tensordot(scaled, self.tails, axes=1) if blend == "mean" else np.zeros(self.tails.shape[1:])
        rank = np.arange(len(p)) - first[self.question[order]]
        cut = order[rank >= candidates]
        np.add.at(tail, (self.question[cut], self.length[cut]), p[cut])
        p[cut] = 0.0
        of_text = np.bincount(self.form, weights=p, minlength=len(self.forms))
        beyond = tail_distances(tail)[self._question_of_form(), self.lengths]
        risk = np.add.reduceat(self.distances * of_text[self.columns], self.row_offsets[:-1]) + beyond
        # Only texts of the kept candidates, their shorter forms and "" are answers.
        allowed = of_text > 0
        allowed[self.derived[allowed[self.parent]]] = True
        allowed[self.lengths == 0] = True
        risk[~allowed] = np.inf
        lowest = np.minimum.reduceat(risk, self.form_offsets[:-1])
        # Of equals the likelier text, then the first.
        near = risk <= np.repeat(lowest, np.diff(self.form_offsets)) + 1e-9
        order = np.lexsort((np.arange(len(risk)), -of_text, ~near, self._question_of_form()))
        found: NDArray[np.int64] = order[self.form_offsets[:-1]]
        return found

    def __len__(self) -> int:
        return len(self.form_offsets) - 1

    def _elected(self, weights: Weights, decoder: str, candidates: int) -> NDArray[np.int64]:
        """As `kit.decoding.voting.elected`: every member's own answer counts with its weight."""
        votes = np.zeros(len(self.forms))
        if (decoder, candidates) not in self.alone:
            members = np.eye(len(weights))
            self.alone[decoder, candidates] = [
                self.chosen(member, "mean", decoder, candidates) for member in members
            ]
        for weight, own in zip(weights, self.alone[decoder, candidates], strict=True):
            votes[own] += weight
        mass = np.bincount(self.form, weights=self._mean(weights), minlength=len(self.forms))
        question = self._question_of_form()
        order = np.lexsort((np.arange(len(votes)), -np.round(mass, 9), -np.round(votes, 9), question))
        found: NDArray[np.int64] = order[self.form_offsets[:-1]]
        return found

    def _mean(self, weights: Weights) -> NDArray[np.float64]:
        return weights @ self.p

    def _product(self, weights: Weights) -> NDArray[np.float64]:
        counts = np.bincount(self.question)
        share = EPSILON / counts[self.question]
        log_p = weights @ np.log((1 - EPSILON) * self.p + share)
        top = np.maximum.reduceat(log_p, offsets_of(counts)[:-1])
        weight = np.exp(log_p - top[self.question])
        p: NDArray[np.float64] = weight / np.bincount(self.question, weights=weight)[self.question]
        return p

    def _question_of_form(self) -> NDArray[np.int64]:
        return np.repeat(np.arange(len(self.form_offsets) - 1), np.diff(self.form_offsets))


def make_table(posteriors: Sequence[Posterior], questions: Sequence[Question]) -> Table:
    """The table of *questions*, all with at least one span, from their members' posteriors."""
    union = Union.of(posteriors)
    p = np.zeros((len(posteriors), len(union.begin)))
    for row, one, place in zip(p, posteriors, union.places, strict=True):
        row[place] = one.p
    offsets = offsets_of(np.bincount(union.question, minlength=len(questions)).astype(np.int64))
    begins, ends = union.begin.tolist(), union.end.tolist()
    form = np.empty(len(begins), dtype=np.int64)
    forms: list[str] = []
    form_counts, rows, columns, row_sizes, gold = [], [], [], [], []
    derived: list[int] = []
    parent: list[int] = []
    for number, question in enumerate(questions):
        base = len(forms)
        texts: dict[str, int] = {}
        for span in range(offsets[number], offsets[number + 1]):
            text = question.context[begins[span] : ends[span]]
            form[span] = base + texts.setdefault(text, len(texts))
        shorter = [(one, text) for text in texts for one in shorter_forms(text)]
        own = list(dict.fromkeys([*texts, *(one for one, _ in shorter), ""]))
        index = {one: base + number for number, one in enumerate(own)}
        derived += [index[one] for one, _ in shorter]
        parent += [index[text] for _, text in shorter]
        distances = cdist(own, list(texts), scorer=Levenshtein.distance, dtype=np.int16, workers=1)
        rows.append(distances.ravel())
        columns.append(np.tile(base + np.arange(len(texts)), len(own)))
        row_sizes += [len(texts)] * len(own)
        gold.append(edit_distances(own, [question.golds] * len(own)))
        form_counts.append(len(own))
        forms += own
    return Table(
        p=p,
        question=union.question,
        form=form,
        length=(union.end - union.begin).astype(np.int64),
        tails=np.stack([one.tail for one in posteriors]),
        forms=tuple(forms),
        form_offsets=offsets_of(np.array(form_counts, dtype=np.int64)),
        lengths=np.fromiter(map(len, forms), np.int64, len(forms)),
        distances=np.concatenate(rows),
        row_offsets=offsets_of(np.array(row_sizes, dtype=np.int64)),
        columns=np.concatenate(columns),
        gold=np.concatenate(gold),
        derived=np.array(derived, dtype=np.int64),
        parent=np.array(parent, dtype=np.int64),
    )
