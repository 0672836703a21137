"""The slow oracle of `kit.decoding.form_table`: one flat array of distances, all questions alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

from kit.data.records import Question
from kit.decoding import form_table
from kit.metrics.edit_distance import edit_distances
from kit.spans.blending import Blend, Union
from kit.spans.minimum_risk import shorter_forms, tail_distances
from kit.spans.posteriors import Posterior
from kit.spans.span_scores import offsets_of

FormIndex = NDArray[np.int64]
"""A form for each question, int64 (Q,)."""
Forms = Callable[["SlowTable", NDArray[np.float64], NDArray[np.float64], int], FormIndex]
"""A decoder on the table: the table, the probabilities of its spans, float64 (S,), the tail beside them,
float64 (Q, length_cap + 1), and the number of candidates → the form that answers each question."""


@dataclass(frozen=True, slots=True)
class SlowTable:
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
    alone: dict[tuple[Forms, int], list[NDArray[np.int64]]] = field(default_factory=dict)
    """What each member answers on its own, by decoder and candidates: weights of a vote do not change it."""

    def chosen(self, weights: NDArray[np.float64], blend: Blend, forms: Forms, candidates: int) -> FormIndex:
        """The form that answers each question by these weights (float64 (M,), any sum) and *forms*."""
        scaled = weights / weights.sum()
        p = blend.of(self.p, scaled, self.question)
        forms = {
            form_table.likeliest_forms: likeliest_forms,
            form_table.minimum_risk_forms: minimum_risk_forms,
        }[forms]
        if blend.votes:
            return self._elected(scaled, p, forms, candidates)
        return forms(self, p, blend.tail(self.tails, scaled), candidates)

    def _elected(
        self, weights: NDArray[np.float64], p: NDArray[np.float64], forms: Forms, candidates: int
    ) -> FormIndex:
        """As `kit.decoding.voting.elected`: every member's own answer counts with its weight."""
        key = forms, candidates
        if key not in self.alone:
            self.alone[key] = [
                forms(self, own, tail, candidates) for own, tail in zip(self.p, self.tails, strict=True)
            ]
        votes = np.zeros(len(self.forms))
        for weight, own in zip(weights, self.alone[key], strict=True):
            votes[own] += weight
        mass = np.bincount(self.form, weights=p, minlength=len(self.forms))
        order = np.lexsort(
            (np.arange(len(votes)), -np.round(mass, 9), -np.round(votes, 9), self.question_of_form)
        )
        found: FormIndex = order[self.form_offsets[:-1]]
        return found

    def __len__(self) -> int:
        return len(self.form_offsets) - 1

    @property
    def question_of_form(self) -> NDArray[np.int64]:
        """The question of each form, int64 (F,)."""
        return np.repeat(np.arange(len(self)), np.diff(self.form_offsets))

    def ordered(self, p: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Spans by question, the likeliest first, int64 (S,), and where each question begins, int64 (Q,)."""
        # The spans of a question lie in order of the text, so that the first of equals is the earlier.
        order = np.lexsort((np.arange(len(p)), -np.round(p, 12), self.question))
        return order, np.searchsorted(self.question[order], np.arange(len(self)))


def likeliest_forms(
    table: SlowTable, p: NDArray[np.float64], tail: NDArray[np.float64], candidates: int
) -> FormIndex:
    """The form of each question's likeliest span: argmax on the table."""
    order, first = table.ordered(p)
    found: FormIndex = table.form[order[first]]
    return found


def minimum_risk_forms(
    table: SlowTable, p: NDArray[np.float64], tail: NDArray[np.float64], candidates: int
) -> FormIndex:
    """The form of least expected distance of each question: `minimum_risk_answers` on the table."""
    order, first = table.ordered(p)
    rank = np.arange(len(p)) - first[table.question[order]]
    cut = order[rank >= candidates]
    p, tail = p.copy(), tail.copy()
    np.add.at(tail, (table.question[cut], table.length[cut]), p[cut])
    p[cut] = 0.0
    of_text = np.bincount(table.form, weights=p, minlength=len(table.forms))
    question = table.question_of_form
    beyond = tail_distances(tail)[question, table.lengths]
    risk = np.add.reduceat(table.distances * of_text[table.columns], table.row_offsets[:-1]) + beyond
    # Only texts of the kept candidates, their shorter forms and "" are answers.
    allowed = of_text > 0
    allowed[table.derived[allowed[table.parent]]] = True
    allowed[table.lengths == 0] = True
    risk[~allowed] = np.inf
    lowest = np.minimum.reduceat(risk, table.form_offsets[:-1])
    # Of equals the likelier text, then the first.
    near = risk <= np.repeat(lowest, np.diff(table.form_offsets)) + 1e-9
    order = np.lexsort((np.arange(len(risk)), -of_text, ~near, question))
    found: FormIndex = order[table.form_offsets[:-1]]
    return found


def slow_table(posteriors: Sequence[Posterior], questions: Sequence[Question]) -> SlowTable:
    """The table of *questions*, all with at least one span, from their members' posteriors."""
    union = Union.of(posteriors)
    p = np.stack(list(union.rows(posteriors)))
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
    return SlowTable(
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


_SLOW = {
    form_table.likeliest_forms: likeliest_forms,
    form_table.minimum_risk_forms: minimum_risk_forms,
}
"""The decoders on this table, by those on the fast one."""
