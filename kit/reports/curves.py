"""Curves over temperatures and weights on the report's questions, and the learning curves of its runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kit.decoding.decoders import decoder_of
from kit.decoding.ensembles import length_bonus
from kit.decoding.form_table import make_table
from kit.phrase import Phrase, portable
from kit.reports.source import Member, ReportSource
from kit.settings.runs import FoldRecord
from kit.spans.blending import BLENDS, KEPT, likeliest_together
from kit.tuning.temperature import HIGHEST, LOWEST, gold_likelihood

_POINTS = 11
"""Points of a curve over temperatures or weights."""
_SAMPLE = 400
_ROWS = 1500


@dataclass(frozen=True, slots=True)
class Curve:
    """y over x, and the x in use (None where the curve has none)."""

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    used: float | None = None

    def as_dict(self) -> dict[str, object]:
        """For the page's JSON."""
        return {
            "label": portable(self.label),
            "x": [round(value, 4) for value in self.x],
            "y": [round(value, 4) for value in self.y],
            "used": self.used,
        }


@dataclass(frozen=True, slots=True)
class Curves:
    """The curves of one chart, or the reason why there are none."""

    curves: tuple[Curve, ...] = ()
    reason: str = ""

    def as_dict(self) -> dict[str, object]:
        """For the page's JSON."""
        return {"curves": [curve.as_dict() for curve in self.curves], "reason": portable(self.reason)}


def temperatures(source: ReportSource) -> Curves:
    """Negative log likelihood of the gold span by temperature, for each member, on a sample of the questions.

    A run with several folds is represented by its first.
    """
    recipe = source.recipe
    if recipe is None:
        return Curves(reason=Phrase("a CSV has no scores to divide by a temperature"))
    answered = [number for number, question in enumerate(source.dataset) if question.answers]
    chosen = _sample(answered, _SAMPLE)
    if not len(chosen):
        return Curves(reason=Phrase("no question has an answer that a span could be"))
    # The bonus of the whole recipe: a member may have no record of answer lengths while another has one.
    everyone = [one for member in source.members for one in member.sources]
    bonus = length_bonus(recipe, everyone)
    questions = [source.dataset.questions[number] for number in chosen.tolist()]
    grid = tuple(np.geomspace(LOWEST, HIGHEST, _POINTS).tolist())
    curves = []
    for member in source.members:
        if member.posterior is None:
            continue
        scores = member.sources[0].scores(source.dataset).select(chosen)
        losses = tuple(
            -float(gold_likelihood(scores, questions, recipe.length_cap, temperature, bonus).mean())
            for temperature in grid
        )
        curves.append(Curve(member.label, grid, losses, member.temperature))
    return Curves(tuple(curves), "" if curves else Phrase("the members are CSVs, which have no scores"))


def _sample(numbers: Sequence[int], size: int) -> NDArray[np.intp]:
    """At most *size* of *numbers*, in order."""
    drawn = np.random.default_rng(0).permutation(np.array(numbers, dtype=np.intp))[:size]
    return np.sort(drawn)


def weights(source: ReportSource) -> Curves:
    """Edit Score by the weight of each member, the others in proportion, on a sample of the questions.

    Before the rules and without a boundary model; for ``ranked`` by `edit`.
    """
    recipe, members = source.recipe, source.members
    if recipe is None:
        return Curves(reason=Phrase("a CSV has no members to weigh"))
    if len(members) < 2:
        return Curves(reason=Phrase("there is one member, so no weights"))
    if (forms := decoder_of(recipe.decoder).forms) is None:
        reason = Phrase("decoder {decoder} cannot be evaluated for many weights", decoder=recipe.decoder)
        return Curves(reason=reason)
    parts = [member.posterior for member in members if member.posterior is not None]
    if len(parts) < len(members):
        return Curves(reason=Phrase("a CSV among the members has no posterior to weigh"))
    spanned = np.all([np.diff(part.offsets) > 0 for part in parts], axis=0)
    chosen = _sample(np.flatnonzero(spanned).tolist(), _ROWS)
    if not len(chosen):
        return Curves(reason=Phrase("no question has a span"))
    questions = [source.dataset.questions[number] for number in chosen.tolist()]
    table = make_table(likeliest_together([part.select(chosen) for part in parts], KEPT), questions)
    own = np.array([member.weight for member in members])
    grid = tuple(np.linspace(0.0, 1.0, _POINTS).tolist())
    curves = []
    for number, member in enumerate(members):
        others = np.delete(own, number)
        scores = []
        for weight in grid:
            mixed = np.insert((1 - weight) * others / others.sum(), number, weight)
            found = table.chosen(mixed, BLENDS[recipe.blend], forms, recipe.candidates)
            scores.append(float(table.gold[found].mean()))
        curves.append(Curve(member.label, grid, tuple(scores), round(member.weight, 4)))
    return Curves(tuple(curves))


def learning(members: Sequence[Member]) -> Curves:
    """Edit Score on held-out questions by optimizer step; a model scored only at its end has one point."""
    curves = []
    for label, fold in _trainings(members):
        points = [(one["step"], one["edit"]) for one in fold.history if {"step", "edit"} <= set(one)]
        if not points and "edit" in fold.metrics:
            points = [(float(fold.kept_step or fold.steps), fold.metrics["edit"])]
        if points:
            steps, scores = zip(*points, strict=True)
            curves.append(Curve(label, steps, scores, fold.kept_step or None))
    return _or_reason(curves, members, Phrase("the records of the trainings have no scores"))


def losses(members: Sequence[Member]) -> Curves:
    """Training loss by optimizer step, for every model whose record has it."""
    curves = [
        Curve(label, tuple(one["step"] for one in fold.losses), tuple(one["loss"] for one in fold.losses))
        for label, fold in _trainings(members)
        if fold.losses
    ]
    reason = Phrase("the records of the trainings are of an earlier version, without losses")
    return _or_reason(curves, members, reason)


def _trainings(members: Sequence[Member]) -> Iterator[tuple[str, FoldRecord]]:
    """Every trained model of the members, each once, with its name."""
    seen = set()
    for member in members:
        run, record = member.run, member.record
        if run is None or record is None or run.folder in seen:
            continue
        seen.add(run.folder)
        several = len(record.folds) > 1
        for name, fold in record.folds.items():
            yield Phrase("{run} fold {fold}", run=run.name, fold=name) if several else run.name, fold


def _or_reason(curves: Sequence[Curve], members: Sequence[Member], reason: str) -> Curves:
    if curves:
        return Curves(tuple(curves))
    recorded = any(member.record is not None for member in members)
    return Curves(reason=reason if recorded else Phrase("no member has a record of its training"))
