"""``kit report`` as functions: what answers get wrong."""

from __future__ import annotations

import hashlib
import html
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kit import terminal
from kit.api.arguments import Data, PathLike, dataset_of, name_of, path_given, recipe_of, source_path
from kit.display import Displayed, Table, escaped
from kit.display import html_of as tables_html
from kit.errors import ConfigError, DataError
from kit.files import locked
from kit.reports.contents import Contents, contents_of
from kit.reports.language import language_given
from kit.reports.overview import Overview, overview_of
from kit.reports.page import html_of, made_from_same, write_page
from kit.reports.source import Asked, ReportSource, of_csv, of_recipe, with_answers
from kit.settings.paths import report_page, unused
from kit.settings.recipe import Recipe
from kit.spans.recipe_members import used_by
from kit.spans.run_folder import Run
from kit.submission.card import card_path, read_card
from kit.tuning.members import find_training_data

_CURE = "name labelled questions with --data"
_LARGEST_INLINE = 20_000_000
"""Characters of a page; a notebook keeps each output in its file."""


@dataclass(frozen=True, slots=True, repr=False)
class Report(Displayed):
    """A written report: the HTML file, and what it shows."""

    path: Path
    contents: Contents

    @property
    def headline(self) -> str:
        return f"{self.path}: {self.contents.overview.own.headline}"

    def tables(self) -> list[Table]:
        return self.contents.overview.tables()

    def _repr_html_(self) -> str:
        """The whole page in a frame; what is too large for a notebook stays in its file."""
        page = html_of(self.contents)
        if len(page) > _LARGEST_INLINE:
            size = f"{len(page) / 1e6:.0f} MB"
            note = Table(f"{self.path}: {size}, too large for a notebook; open it in a browser", (), ())
            return tables_html([note, *self.tables()])
        # Apart from the notebook: scripts of the frame reach nothing outside it.
        return (
            f'<iframe srcdoc="{html.escape(page)}" sandbox="allow-scripts" title="{escaped(self.headline)}" '
            'style="width:100%;height:45em;border:1px solid #8888"></iframe>'
        )


def report(
    subject: Recipe | Run | PathLike,
    data: Data | None = None,
    *,
    answers: Data | None = None,
    versus: PathLike | None = None,
    plain: bool = False,
    out: PathLike | None = None,
    title: str = "",
    lang: str | None = None,
    say: Callable[[str], object] = lambda line: None,
) -> Report:
    """Write one self-contained HTML file that shows what a run, a recipe or a CSV gets wrong.

    *data* has the questions and, unless *answers* has them, their answers; by default the file of the
    CSV's card, or the members' training file, on which out-of-fold scores are used.  *versus* is a CSV to
    compare with.  A run is decoded as `decode` says; *plain*: by argmax alone.  *out* defaults to
    ``reports/NAME.html``; where that page was made from something else, the name gets an addition, and *say*
    is told.  *title* defaults to NAME; *lang* is ``en`` or ``ko``, by default the language of the reader's
    browser.  Raises ModelError for rows that a model was trained on, DataError where answers are missing,
    LockError where another process writes the same page.
    """
    language = language_given(lang)
    target = None if out is None else path_given(out, "out", ".html")
    source = _source(subject, data, answers, plain)
    named = "recipe" if isinstance(subject, Recipe) else str(source_path(subject))
    origin = f"{named} {source.dataset.path}".encode(errors="surrogateescape")
    made_from = hashlib.sha256(origin).hexdigest()[:16]
    if target is None:
        default = report_page(source.name)
        target = unused(default, Path(named), lambda page: made_from_same(page, made_from), say)
    with locked(target, wait=False):
        rival = None if versus is None else path_given(versus, "versus")
        made = contents_of(source, rival, title=title, language=language, progress=terminal.progress)
        return Report(write_page(target, made, made_from), made)


def overview(
    subject: Recipe | Run | PathLike,
    data: Data | None = None,
    *,
    answers: Data | None = None,
    versus: PathLike | None = None,
    plain: bool = False,
) -> Overview:
    """What `report` shows, without writing a page: scores, error types, facets."""
    source = _source(subject, data, answers, plain)
    rival = None if versus is None else path_given(versus, "versus")
    compared = 0 if source.blend is None else len(source.texts)
    with terminal.progress("comparing with the gold answers", compared) as advance:
        return overview_of(source, rival, advance)


def _source(
    given: Recipe | Run | PathLike, data: Data | None, answers: Data | None, plain: bool
) -> ReportSource:
    path = Path(given) if isinstance(given, (str, Path)) else None
    csv = path if path is not None and ".csv" in map(str.lower, path.suffixes) else None
    if csv is not None and plain:
        raise ConfigError(f"{csv}: --plain is for runs; a CSV is decoded already")
    recipe = None if csv is not None else recipe_of(given, plain=plain)
    if data is None:
        data = _training_data(recipe) if csv is None else _data_of_card(csv)
    asked = dataset_of(data)
    truth = asked if answers is None else dataset_of(answers)
    if recipe is not None:
        asked = used_by(recipe, asked)
    questions = asked if answers is None else with_answers(asked, truth)
    withheld = sum(question.answers is None for question in questions)
    if withheld:
        raise DataError(
            f"{truth.path}: withholds {withheld:,} of {len(questions):,} answers, so no error can be "
            "shown; give a file that has them with --answers"
        )
    subject = given.folder if isinstance(given, Run) else path
    paths = Asked(subject, asked.path, None if answers is None else truth.path)
    if csv is not None:
        return of_csv(csv, questions, paths)
    assert recipe is not None
    name = "recipe" if isinstance(given, Recipe) else name_of(given)
    return of_recipe(recipe, name, questions, (asked, truth), paths, terminal.progress)


def _data_of_card(csv: Path) -> Path:
    if not card_path(csv).is_file():
        raise ConfigError(f"{csv}: has no card that names its data; name them with --data")
    path = Path(read_card(csv).data.path)
    if not path.is_file():
        raise ConfigError(f"{csv}: its card names {path}, which is not here; name the data with --data")
    return path


def _training_data(recipe: Recipe | None) -> Path:
    assert recipe is not None
    try:
        return find_training_data(recipe, Path(), cure=_CURE)
    except ConfigError as error:
        said = str(error)
        raise ConfigError(said if said.endswith(_CURE) else f"{said}; or {_CURE}") from None
