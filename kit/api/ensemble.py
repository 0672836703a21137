"""``kit ensemble`` as functions: span scores become answers, and answers a submission."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kit import terminal
from kit.api.arguments import (
    Data,
    PathLike,
    answers_given,
    dataset_of,
    is_recipe,
    name_of,
    path_given,
    recipe_of,
    run_of,
    source_path,
)
from kit.decoding.default import Decoding, recipe_of_runs
from kit.display import Displayed, Table, edit
from kit.errors import ConfigError, counted
from kit.settings.paths import submission_csv, unused
from kit.settings.recipe import Member, Recipe
from kit.submission.answer_files import answer, answer_files
from kit.submission.build import made_from_same, make_submission
from kit.submission.card import Card, card_path
from kit.submission.csv import check_submission
from kit.submission.csv import write_submission as write

if TYPE_CHECKING:
    from kit.decoding.explain import Explanation
    from kit.metrics.scores import Score
    from kit.spans.run_folder import Run


@dataclass(frozen=True, slots=True, repr=False)
class Submission(Displayed):
    """A written submission: its CSV, the answers in it, its card, and its score where answers were given."""

    path: Path
    answers: Mapping[str, str]
    card: Card
    score: Score | None

    @property
    def decoding(self) -> str:
        """How the answers were decoded: ``edit with length_prior 0.5, cap 30``."""
        return str(Decoding.of(Recipe.model_validate(self.card.recipe)))

    @property
    def blanks(self) -> int:
        """How many answers are empty."""
        return sum(not text for text in self.answers.values())

    @property
    def headline(self) -> str:
        known = self.score if self.score is not None else self.card.estimate
        return f"{self.path}: {counted(len(self.answers), 'answer')}; {known}"

    def tables(self) -> list[Table]:
        rows = [
            ("CSV", str(self.path)),
            ("card", str(card_path(self.path))),
            ("questions", f"{len(self.answers):,}"),
            ("blank answers", f"{self.blanks:,}"),
        ]
        score, estimate = self.score, self.card.estimate
        if score is not None:
            rows += [
                ("Edit Score", f"{edit(score.edit)} (95 %: {score.interval}) characters"),
                *score.named_metrics(),
            ]
        elif estimate.edit is None:
            rows.append(("local estimate", estimate.reason))
        else:
            rows += [("local estimate", str(estimate)), ("", estimate.reason)]
        return [Table(self.card.name, (), rows)]


def decode(recipe: Recipe | Run | PathLike, data: Data, *, plain: bool = False) -> dict[str, str]:
    """guid → answer for every question of *data*, in file order.

    *recipe* is a recipe, the path of one, or a run whose span scores exist.  A run is decoded by ``edit``
    with the length prior of the answers that it was trained on, or with *plain* by argmax alone.  Raises
    SpanFileError naming the command to run where there are no scores.
    """
    return answer(recipe_of(recipe, plain=plain), dataset_of(data)).texts


def explain(
    recipe: Recipe | Run | PathLike | None,
    data: Data,
    guid: str,
    *,
    members: Sequence[Run | PathLike] = (),
    plain: bool = False,
    answers: Data | None = None,
) -> Explanation:
    """How the recipe comes to its answer to one question: candidates, expected distances, members.

    *recipe*, *members* and *plain* are those of `ensemble`.  *answers*: the same questions with answers; the
    gold and each candidate's distance to it are then known, too.
    """
    from kit.decoding.explain import explain as explain_question
    from kit.reports.source import with_answers

    chosen = _recipe(recipe, members, plain)
    asked = dataset_of(data)
    if answers is not None:
        asked = with_answers(asked, dataset_of(answers, answers_needed=True))
    return explain_question(chosen, asked, guid, answer_files(chosen))


def ensemble(
    recipe: Recipe | Run | PathLike | None,
    data: Data,
    *,
    members: Sequence[Run | PathLike] = (),
    plain: bool = False,
    out: PathLike | None = None,
    answers: Data | None = None,
    say: Callable[[str], object] = lambda line: None,
) -> Submission:
    """Decode *data* with a recipe and write CSV and card; with *answers*, score them too.

    *members* are runs that replace the recipe's own; with None as the recipe they are blended by ``mean``.
    Runs without a recipe are decoded as `decode` says; *plain*: by argmax alone.  *out* defaults to
    ``submissions/NAME.csv``, NAME being the recipe's or (first) run's; where that file was made from
    something else, the name gets an addition, and *say* is told.  The CSV is checked against the questions,
    and against ``sample_submission.csv`` where one lies beside the data.
    """
    chosen, dataset = _recipe(recipe, members, plain), dataset_of(data)
    truth = None if answers is None else dataset_of(answers, answers_needed=True)
    sources = [source_path(one) for one in (recipe, *members) if one and not isinstance(one, Recipe)]
    made_from = shlex.join(map(str, sources))
    if out is not None:
        target = path_given(out, "out")
    else:
        default = submission_csv(name_of(recipe if recipe is not None or not members else members[0]))
        target = unused(default, sources[0], lambda csv: made_from_same(csv, made_from, chosen, dataset), say)
    path, texts, card, result = make_submission(chosen, dataset, target, truth, made_from, terminal.progress)
    return Submission(path, texts, card, result)


def write_submission(path: PathLike, data: Data, answers: Mapping[str, str]) -> Path:
    """Write *answers* (guid → text) as a submission CSV for *data*, checked, in the data's order."""
    answers, path = answers_given(answers, "answers"), path_given(path, "path")
    guids = tuple(question.guid for question in dataset_of(data))
    ordered = {guid: answers[guid] for guid in guids if guid in answers} | dict(answers)
    check_submission(ordered, guids, path)
    write(path, guids, [answers[guid] for guid in guids])
    return path


def _recipe(recipe: Recipe | Run | PathLike | None, members: Sequence[Run | PathLike], plain: bool) -> Recipe:
    """*recipe* with *members* in place of its own."""
    if not members:
        return recipe_of(recipe, plain=plain)
    if recipe is None:
        return recipe_of_runs(list(map(run_of, members)), plain=plain)
    if not is_recipe(recipe):
        raise ConfigError("--member replaces the members of a recipe; name the recipe file first")
    runs = tuple(Member(run=str(source_path(member, "run"))) for member in members)
    return recipe_of(recipe, plain=plain).model_copy(update={"members": runs})
