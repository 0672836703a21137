"""``kit report`` as functions: what answers get wrong."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kit.api.arguments import Data, PathLike, dataset_of, name_of, path_given, recipe_of
from kit.errors import ConfigError, DataError
from kit.settings.recipe import Recipe

if TYPE_CHECKING:
    from kit.reports.contents import Contents
    from kit.reports.overview import Overview
    from kit.reports.source import ReportSource
    from kit.spans.run_folder import Run


@dataclass(frozen=True, slots=True)
class Report:
    """A written report: the HTML file, and what it shows."""

    path: Path
    contents: Contents


def report(
    subject: Recipe | Run | PathLike,
    data: Data | None = None,
    *,
    answers: Data | None = None,
    versus: PathLike | None = None,
    out: PathLike | None = None,
) -> Report:
    """Write one self-contained HTML file that shows what a run, a recipe or a CSV gets wrong.

    *data* has the questions and, unless *answers* has them, their answers; by default the file of the
    CSV's card, or the members' training file, on which out-of-fold scores are used.  *versus* is a CSV to
    compare with.  *out* defaults to ``reports/NAME.html``.  Raises ModelError for rows that a model was
    trained on, DataError where answers are missing, LockError where another process writes the same page.
    """
    from kit.files import locked
    from kit.reports.contents import contents_of
    from kit.reports.page import write_page

    source = _source(subject, data, answers)
    target = path_given(out, "out") if out is not None else Path("reports") / f"{source.name}.html"
    with locked(target, wait=False):
        made = contents_of(source, None if versus is None else path_given(versus, "versus"))
        return Report(write_page(target, made), made)


def overview(
    subject: Recipe | Run | PathLike,
    data: Data | None = None,
    *,
    answers: Data | None = None,
    versus: PathLike | None = None,
) -> Overview:
    """What `report` shows, without writing a page: scores, error types, facets."""
    from kit.reports.overview import overview_of

    return overview_of(
        _source(subject, data, answers), None if versus is None else path_given(versus, "versus")
    )


def _source(given: Recipe | Run | PathLike, data: Data | None, answers: Data | None) -> ReportSource:
    from kit.reports.source import of_csv, of_recipe, with_answers

    path = Path(given) if isinstance(given, (str, Path)) else None
    is_csv = path is not None and path.suffix.lower() == ".csv"
    recipe = None if is_csv else recipe_of(given)
    if data is None:
        data = _data_of_card(path) if is_csv and path is not None else _training_data(recipe)
    asked = dataset_of(data)
    truth = asked if answers is None else dataset_of(answers)
    questions = asked if answers is None else with_answers(asked, truth)
    withheld = sum(question.answers is None for question in questions)
    if withheld:
        raise DataError(
            f"{truth.path}: withholds {withheld:,} of {len(questions):,} answers, so no error can be "
            "shown; give a file that has them with --answers"
        )
    files = (asked, truth)
    if is_csv and path is not None:
        return of_csv(path, questions)
    assert recipe is not None
    name = "recipe" if isinstance(given, Recipe) else name_of(given)
    return of_recipe(recipe, name, questions, files)


def _data_of_card(csv: Path) -> Path:
    from kit.submission.card import card_path, read_card

    if not card_path(csv).is_file():
        raise ConfigError(f"{csv}: has no card that names its data; name them with --data")
    path = Path(read_card(csv).data.path)
    if not path.is_file():
        raise ConfigError(f"{csv}: its card names {path}, which is not here; name the data with --data")
    return path


def _training_data(recipe: Recipe | None) -> Path:
    from kit.tuning.members import find_training_data

    assert recipe is not None
    return find_training_data(recipe, Path())
