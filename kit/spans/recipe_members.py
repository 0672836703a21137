"""What a recipe's members stand for: span files (one a fold) and other people's CSVs, in a fixed order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from kit.data.records import Dataset
from kit.hints import command
from kit.settings.recipe import Member, Recipe
from kit.settings.runs import RunRecord
from kit.spans.run_folder import Run, member_scores, open_run, stored_folds
from kit.spans.span_scores import SpanScores, aligned

_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Source:
    """One span file or CSV that takes part, with its share of the weight (all shares sum to 1)."""

    label: str
    run: str
    fold: str
    file: Path
    weight: float
    temperature: float
    opened: Run | None
    """None for a CSV."""

    def scores(self, dataset: Dataset) -> SpanScores:
        """Its scores in the data's order.  Raises SpanFileError naming what is missing and the cure."""
        assert self.opened is not None
        guids = tuple(question.guid for question in dataset)
        cure = f"run: {command('predict', self.opened.folder, data=dataset.path, again=True)}"
        return aligned(member_scores(self.opened, self.fold, dataset), guids, self.label, cure)


def sources_of(recipe: Recipe, dataset: Dataset) -> tuple[Source, ...]:
    """The recipe's members on *dataset*: a run stands for its folds, which share its weight.

    The same file with the same temperature is one source with the sum of the weights.  The order
    depends on the files alone, so that neither the order of the members nor the scale of their weights
    moves a bit of the result.  Members of weight 0 take no part.
    """
    total = sum(member.weight for member in recipe.members)
    found: dict[tuple[Path, float], Source] = {}
    for member in recipe.members:
        if member.weight > 0:
            for source in _expanded(member, dataset):
                key = source.file.resolve(), source.temperature
                earlier = found[key].weight if key in found else 0.0
                found[key] = replace(source, weight=earlier + source.weight)
    scaled = (replace(source, weight=round(source.weight / total, _DIGITS)) for source in found.values())
    return tuple(sorted(scaled, key=lambda source: (source.file.name, str(source.file), source.temperature)))


def used_by(recipe: Recipe, dataset: Dataset) -> Dataset:
    """What of *dataset* all members have scores on: its first questions, where one has a ``--limit``."""
    for member in recipe.members:
        dataset = dataset if member.run is None else open_run(member.run).used(dataset)
    return dataset


def answer_lengths_of(records: Iterable[RunRecord]) -> dict[int, int]:
    """Gold answer length in code points → how often, as runs recorded it; what several share counts once."""
    distinct = {
        tuple(sorted((int(length), count) for length, count in record.answer_lengths.items()))
        for record in records
    }
    counts: dict[int, int] = {}
    for lengths in sorted(distinct):
        for length, count in lengths:
            counts[length] = counts.get(length, 0) + count
    return counts


def _expanded(member: Member, dataset: Dataset) -> Iterable[Source]:
    if member.csv is not None:
        yield Source(member.label, "", "", Path(member.csv), member.weight, 1.0, None)
        return
    assert member.run is not None
    run = open_run(member.run)
    folds = stored_folds(run, member.fold, dataset)
    for fold in folds:
        # Where there is no file yet, reading it will say so with the command that makes it.
        file = run.find_spans(dataset, fold) or run.span_file(dataset, fold)
        label = member.label if len(folds) == 1 else f"{member.label} fold {fold}"
        yield Source(label, member.run, fold, file, member.weight / len(folds), member.temperature, run)
