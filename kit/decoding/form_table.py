"""What decoding needs whatever the members' weights, computed once: to try hundreds of weights in seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kit.data.records import Question
from kit.decoding.risk_block import QuestionForms, RiskBlock
from kit.metrics.edit_distance import edit_distances
from kit.spans.blending import Blend, Union
from kit.spans.minimum_risk import shorter_forms
from kit.spans.posteriors import Posterior
from kit.spans.span_scores import offsets_of

FormIndex = NDArray[np.int64]
"""A form for each question, int64 (Q,)."""
Forms = Callable[["FormTable", NDArray[np.float64], NDArray[np.float64], int], FormIndex]
"""A decoder on the table: the table, the probabilities of its spans, float64 (S,), the tail beside them,
float64 (Q, length_cap + 1), and the number of candidates → the form that answers each question."""
_SURE = 0.51
"""A span that every member gives more than this is the answer under any weights, blend and decoder.  More
than half would do for means; a product spreads `kit.spans.blending.EPSILON` over all spans first."""
_BLOCK_CELLS = 1 << 20
"""Distances in one block, about: they fit the caches."""


@dataclass(frozen=True, slots=True)
class FormTable:
    """M members' posteriors over the union of their spans, and all distances between its texts.

    Of Q questions: S spans, F forms (the distinct texts, then shorter forms of them and "").  Where every
    member is sure of one span, that span stands alone, with probability 1: the table is for decoders that
    take a span with more than half of the probability.

    p: float64 (M, S); question: int64 (S,), ascending; form: int64 (S,), the form that each span reads
    length: int64 (S,), code points of each span; tails: float64 (M, Q, length_cap + 1), as in `Posterior`
    forms: F texts; form_offsets: int64 (Q + 1,); gold: float64 (F,), distance of each form to the gold
    blank: int64 (Q,), the form "" of each question, or its only form
    blocks: the questions where not every member is sure, some in each, with the distances between their forms
    """

    p: NDArray[np.float64]
    question: NDArray[np.int64]
    form: NDArray[np.int64]
    length: NDArray[np.int64]
    tails: NDArray[np.float64]
    forms: tuple[str, ...]
    form_offsets: NDArray[np.int64]
    gold: NDArray[np.float64]
    blank: NDArray[np.int64]
    blocks: tuple[RiskBlock, ...]
    alone: dict[tuple[Forms, int], NDArray[np.int64]] = field(default_factory=dict)
    """What each member answers alone, int64 (M, Q), by decoder and candidates: weights do not change it."""
    prepared: dict[Blend, NDArray[np.float64]] = field(default_factory=dict)
    """The members' probabilities as each blend prepares them, float64 (M, S)."""

    def chosen(self, weights: NDArray[np.float64], blend: Blend, forms: Forms, candidates: int) -> FormIndex:
        """The form that answers each question by these weights (float64 (M,), any sum) and *forms*."""
        scaled = weights / weights.sum()
        if blend not in self.prepared:
            self.prepared[blend] = np.stack([blend.prepare(row, self.question) for row in self.p])
        p = blend.combine(self.prepared[blend], scaled, self.question)
        if blend.votes:
            return self._elected(scaled, p, forms, candidates)
        return forms(self, p, blend.tail(self.tails, scaled), candidates)

    def _elected(
        self, weights: NDArray[np.float64], p: NDArray[np.float64], forms: Forms, candidates: int
    ) -> FormIndex:
        """As `kit.decoding.voting.elected`: every member's own answer counts with its weight."""
        key = forms, candidates
        if key not in self.alone:
            own = [forms(self, row, tail, candidates) for row, tail in zip(self.p, self.tails, strict=True)]
            self.alone[key] = np.stack(own)
        ballots = self.alone[key]
        votes = np.zeros(ballots.shape)
        for weight, ballot in zip(weights.tolist(), ballots, strict=True):
            votes += weight * (ballots == ballot)
        mass = np.bincount(self.form, weights=p, minlength=len(self.forms))[ballots]
        question = np.broadcast_to(np.arange(len(self)), ballots.shape)
        keys = (ballots, -np.round(mass, 9), -np.round(votes, 9), question)
        order = np.lexsort(tuple(key.ravel() for key in keys))
        found: FormIndex = ballots.ravel()[order[:: len(ballots)]]
        return found

    def __len__(self) -> int:
        return len(self.form_offsets) - 1


def likeliest_forms(
    table: FormTable, p: NDArray[np.float64], tail: NDArray[np.float64], candidates: int
) -> FormIndex:
    """The form of each question's likeliest span: argmax on the table."""
    found = table.blank.copy()
    if len(p):
        # The spans of a question lie in order of the text, so that the first of equals is the earlier.
        rounded = np.round(p, 12)
        heads = np.flatnonzero(np.diff(table.question, prepend=-1))
        top = np.repeat(np.maximum.reduceat(rounded, heads), np.diff(np.append(heads, len(p))))
        best = np.flatnonzero(rounded == top)
        first = best[np.diff(table.question[best], prepend=-1) > 0]
        found[table.question[first]] = table.form[first]
    return found


def minimum_risk_forms(
    table: FormTable, p: NDArray[np.float64], tail: NDArray[np.float64], candidates: int
) -> FormIndex:
    """The form of least expected distance of each question: `minimum_risk_answers` on the table."""
    found = table.blank.copy()
    padded = np.append(p, 0.0)
    for block in table.blocks:
        found[block.questions] = block.least_risk(padded[block.spans], tail[block.questions], candidates)
    return found


def make_table(posteriors: Sequence[Posterior], questions: Sequence[Question]) -> FormTable:
    """The table of *questions* from their members' posteriors."""
    union = Union.of(posteriors)
    p = np.stack(list(union.rows(posteriors)))
    tails = np.stack([one.tail for one in posteriors])
    sure = p.min(axis=0, initial=1.0) > _SURE
    settled = np.zeros(len(questions), dtype=np.bool_)
    settled[union.question[sure]] = True
    kept = sure | ~settled[union.question]
    p[:, sure] = 1.0
    tails[:, settled] = 0.0
    question, p = union.question[kept], p[:, kept]
    begins, ends = union.begin[kept].tolist(), union.end[kept].tolist()
    offsets = offsets_of(np.bincount(question, minlength=len(questions))).tolist()
    form = np.empty(len(begins), dtype=np.int64)
    forms: list[str] = []
    form_offsets, blank, gold, unsettled = [0], [], [], []
    for number, one in enumerate(questions):
        base, spans = len(forms), (offsets[number], offsets[number + 1])
        texts: dict[str, int] = {}
        for span in range(*spans):
            text = one.context[begins[span] : ends[span]]
            form[span] = base + texts.setdefault(text, len(texts))
        own, parents = list(texts), []
        if not settled[number]:
            shorter = [(short, text) for text in texts for short in shorter_forms(text)]
            own = list(dict.fromkeys([*texts, *(short for short, _ in shorter), ""]))
            place = {text: number for number, text in enumerate(own)}
            parents = [(place[short], place[text]) for short, text in shorter]
            if texts:
                unsettled.append(QuestionForms(number, own, len(texts), base, spans, parents))
        blank.append(base + (0 if settled[number] else own.index("")))
        gold.append(edit_distances(own, [one.golds] * len(own)))
        forms += own
        form_offsets.append(len(forms))
    length = np.array(ends, np.int64) - np.array(begins, np.int64)
    return FormTable(
        p=p, question=question, form=form, length=length, tails=tails, forms=tuple(forms),
        form_offsets=np.array(form_offsets, np.int64), gold=np.concatenate([np.zeros(0), *gold]),
        blank=np.array(blank, np.int64),
        blocks=tuple(RiskBlock.of(rows, form, length) for rows in _alike(unsettled)),
    )  # fmt: skip


def _alike(rows: Sequence[QuestionForms]) -> Iterator[list[QuestionForms]]:
    """*rows* in lists of similar size, each of a limited number of distances."""
    gathered: list[QuestionForms] = []
    for one in sorted(rows, key=lambda one: one.size):
        if gathered and (len(gathered) + 1) * one.texts * len(one.own) > _BLOCK_CELLS:
            yield gathered
            gathered = []
        gathered.append(one)
    if gathered:
        yield gathered
