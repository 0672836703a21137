"""Curves over temperatures and weights on the report's questions, and the learning curves of its runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kit.data.records import Dataset
from kit.decoding.decoders import decoder_of
from kit.decoding.ensembles import length_bonus
from kit.decoding.form_table import make_table
from kit.reports.source import Member, ReportSource
from kit.settings.recipe import Recipe
from kit.spans.blending import BLENDS, KEPT, likeliest_together
from kit.spans.posteriors import span_posterior
from kit.tuning.temperature import HIGHEST, LOWEST, gold_likelihood

_TEMPERATURES = 11
_SAMPLE = 400
_WEIGHTS = 11
_ROWS = 1500
_SEED = 0


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
            "label": self.label,
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
        return {"curves": [curve.as_dict() for curve in self.curves], "reason": self.reason}


def temperatures(source: ReportSource) -> Curves:
    """Negative log likelihood of the gold span by temperature, for each member, on a sample of the questions.

    A run with several folds is represented by its first.
    """
    if source.recipe is None:
        return Curves(reason="a CSV has no scores to divide by a temperature")
    answered = [number for number, question in enumerate(source.dataset) if question.answers]
    chosen = _sample(answered, _SAMPLE)
    if not len(chosen):
        return Curves(reason="no question has an answer that a span could be")
    curves = [
        _likelihoods(source.recipe, member, source.dataset, chosen)
        for member in source.members
        if member.posterior is not None
    ]
    return Curves(tuple(curves), "" if curves else "the members are CSVs, which have no scores")


def _sample(numbers: Sequence[int], size: int) -> NDArray[np.intp]:
    """At most *size* of *numbers*, in order."""
    drawn = np.random.default_rng(_SEED).permutation(np.array(numbers, dtype=np.intp))[:size]
    return np.sort(drawn)


def _likelihoods(recipe: Recipe, member: Member, dataset: Dataset, chosen: NDArray[np.intp]) -> Curve:
    scored = member.sources[0]
    scores = scored.scores(dataset).select(chosen)
    questions = [dataset.questions[number] for number in chosen.tolist()]
    bonus = length_bonus(recipe, [scored])
    grid = np.geomspace(LOWEST, HIGHEST, _TEMPERATURES)
    losses = []
    for temperature in grid.tolist():
        posterior = span_posterior(scores, recipe.length_cap, temperature=temperature, bonus=bonus)
        losses.append(-float(gold_likelihood(posterior, questions).mean()))
    return Curve(member.label, tuple(grid.tolist()), tuple(losses), member.temperature)


def weights(source: ReportSource) -> Curves:
    """Edit Score by the weight of each member, the others in proportion, on a sample of the questions.

    Before the rules and without a boundary model; for ``ranked`` by `edit`.
    """
    recipe, members = source.recipe, source.members
    if recipe is None:
        return Curves(reason="a CSV has no members to weigh")
    if len(members) < 2:
        return Curves(reason="there is one member, so no weights")
    if (forms := decoder_of(recipe.decoder).forms) is None:
        return Curves(reason=f"decoder {recipe.decoder} cannot be evaluated for many weights")
    parts = [member.posterior for member in members if member.posterior is not None]
    if len(parts) < len(members):
        return Curves(reason="a CSV among the members has no posterior to weigh")
    spanned = np.all([np.diff(part.offsets) > 0 for part in parts], axis=0)
    chosen = _sample(np.flatnonzero(spanned).tolist(), _ROWS)
    if not len(chosen):
        return Curves(reason="no question has a span")
    questions = [source.dataset.questions[number] for number in chosen.tolist()]
    table = make_table(likeliest_together([part.select(chosen) for part in parts], KEPT), questions)
    own = np.array([member.weight for member in members])
    grid = np.linspace(0.0, 1.0, _WEIGHTS)
    curves = []
    for number, member in enumerate(members):
        others = np.delete(own, number)
        scores = []
        for weight in grid.tolist():
            mixed = np.insert((1 - weight) * others / others.sum(), number, weight)
            found = table.chosen(mixed, BLENDS[recipe.blend], forms, recipe.candidates)
            scores.append(float(table.gold[found].mean()))
        curves.append(Curve(member.label, tuple(grid.tolist()), tuple(scores), round(member.weight, 4)))
    return Curves(tuple(curves))


def learning(members: Sequence[Member]) -> Curves:
    """Edit Score on held-out questions by optimizer step, for every model whose training was evaluated."""
    curves = []
    for member in members:
        run = member.sources[0].opened
        if run is None or run.record is None:
            continue
        for name, fold in run.record.folds.items():
            points = [(one["step"], one["edit"]) for one in fold.history if {"step", "edit"} <= set(one)]
            label = member.label if len(run.record.folds) == 1 else f"{member.label} fold {name}"
            if points:
                steps, scores = zip(*points, strict=True)
                curves.append(Curve(label, steps, scores, fold.kept_step or None))
    if curves:
        return Curves(tuple(curves))
    if not any(member.sources[0].opened and member.sources[0].opened.record for member in members):
        return Curves(reason="no member has a record of its training")
    return Curves(reason="the members' trainings were evaluated only at their end, as folds are")
