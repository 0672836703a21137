"""Contamination: scores on questions that something was fitted on are refused or marked as no estimate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kit.data.readers import load
from kit.data.records import Dataset
from kit.errors import KitError, ModelError
from kit.files import sha256_file
from kit.phrase import Phrase
from kit.settings.recipe import Recipe
from kit.settings.runs import RunRecord
from kit.spans.out_of_fold import OUT_OF_FOLD
from kit.spans.recipe_members import ScoreSource
from kit.spans.run_folder import Run, open_run
from kit.submission.card import Card, card_path, read_card
from kit.tuning.figures import NESTED, figure_of


@dataclass(frozen=True, slots=True)
class Caution:
    """A reason to doubt the scores; fitted: whether something was fitted on these questions."""

    fitted: bool
    text: str


def _fit(text: str, **values: str) -> Caution:
    return Caution(True, Phrase(text, **values))


def _note(text: str, **values: str) -> Caution:
    return Caution(False, Phrase(text, **values))


def of_recipe(
    recipe: Recipe, name: str, sources: Sequence[ScoreSource], data: Sequence[Dataset]
) -> list[Caution]:
    """Cautions about a recipe and its members on *data*, the same questions in one file or two.

    Raises ModelError for a member whose weights were trained on them.
    """
    found: list[Caution] = []
    runs = {one.opened.folder.resolve(): one.opened for one in sources if one.opened is not None}
    for run in runs.values():
        folds = [source.fold for source in sources if source.opened == run]
        if run.record is None:
            found.append(_note("{run}: a plain checkpoint; its training data are unknown", run=run.name))
        elif OUT_OF_FOLD in folds:
            text = (
                "{run}: out of fold; each answer comes from the one of {count} models that did not train on "
                "its article"
            )
            found.append(_note(text, run=run.name, count=str(run.record.settings.folds)))
        else:
            _refuse_trained_on(run, data)
            if run.record.valid is not None and run.record.valid.sha256 in {one.sha256 for one in data}:
                found.append(
                    _fit("{run}: its checkpoint was chosen by its score on these questions", run=run.name)
                )
            found += _shared_articles(run.name, run.record, data[0])
    for file in dict.fromkeys(source.file.name for source in sources if source.answers is not None):
        found.append(_note("{file}: answers from elsewhere; what they were trained on is unknown", file=file))
    if any(source.fold == OUT_OF_FOLD for source in sources):
        found += _fitted(recipe, name, data[0])
    return found


def _fitted(recipe: Recipe, name: str, dataset: Dataset) -> list[Caution]:
    """A caution where something was fitted on the out-of-fold scores on *dataset*."""
    figure = figure_of(recipe, dataset)
    if figure.kind == "out of fold":
        return []
    return [_fit(f"{{file}}: {figure.template}", file=name, **figure.values)]


def of_csv(path: Path, dataset: Dataset) -> tuple[Card | None, list[Caution]]:
    """A CSV's card, where it has one that describes it, and cautions about the models behind it."""
    if not card_path(path).is_file():
        return None, [_note("{file}: has no card; the training data are unknown", file=path.name)]
    try:
        card = read_card(path)
    except KitError as error:
        return None, [_note("{file}: its card cannot be read: {error}", file=path.name, error=str(error))]
    if not card.describes(path):
        return None, [_note("{file}: its card describes another version of the file", file=path.name)]
    found = []
    for member in card.members:
        if not member.run or member.span_file.startswith(f"{OUT_OF_FOLD}-"):
            continue
        try:
            run = open_run(member.run)
        except KitError:
            found.append(_note("{run}: its run is not here; its training data are unknown", run=member.label))
            continue
        if run.learned(dataset):
            found.append(_fit("{run}: was trained on these questions", run=member.label))
        elif run.record is not None:
            found += _shared_articles(member.label, run.record, dataset)
    estimate = card.estimate
    if card.data.sha256 == dataset.sha256:
        if estimate.kind == "nested":
            found.append(_fit(f"{{file}}: {NESTED}", file=path.name, score=f"{estimate.edit:.3f}"))
        elif estimate.kind == "fit":
            found.append(Caution(True, f"{path.name}: {estimate.reason}"))
    return card, list(dict.fromkeys(found))


def _refuse_trained_on(run: Run, data: Sequence[Dataset]) -> None:
    for dataset in data:
        if run.learned(dataset):
            raise ModelError(
                f"{run.folder}: was trained on {dataset.path}, so its scores there are no estimate; "
                "give questions it has not seen, or train it with --folds 5 for out-of-fold scores"
            )


def _shared_articles(label: str, record: RunRecord, dataset: Dataset) -> list[Caution]:
    """A caution where the training file lies beside the data and shares articles with them."""
    for file in (*record.data, *(record.before.data if record.before else ())):
        path = dataset.path.parent / file.name
        if not path.is_file() or sha256_file(path) != file.sha256:
            continue
        known = {question.context for question in load(path)}
        shared = sum(question.context in known for question in dataset)
        if shared:
            text = "{run}: {n} of these questions are about articles of its {file}"
            return [_fit(text, run=label, n=f"{shared:,}", file=file.name)]
    return []
