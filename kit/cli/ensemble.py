"""``kit ensemble``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

import kit
from kit import terminal
from kit.cli.app import Json
from kit.cli.tables import PLAIN_HELP, decoded_by, explain_scores, print_json
from kit.errors import ConfigError
from kit.hints import next_step
from kit.settings.paths import RECIPE_SUFFIXES


def ensemble(
    recipe: Annotated[list[Path], typer.Argument(help="A recipe (.yaml), or a run.")],
    data: Annotated[Path, typer.Option("--data", help="The questions.")],
    out: Annotated[Path | None, typer.Option(help="The CSV [submissions/NAME.csv].")] = None,
    answers: Annotated[
        Path | None,
        typer.Option(
            help="The same questions with answers: scores the result, or the candidates of --explain."
        ),
    ] = None,
    member: Annotated[
        list[Path] | None, typer.Option(help="Runs in place of the recipe's own members.")
    ] = None,
    plain: Annotated[bool, typer.Option("--plain", help=PLAIN_HELP)] = False,
    explain: Annotated[
        str | None, typer.Option(metavar="GUID", help="Write nothing; explain the answer to this question.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Decode span scores with a recipe; write the submission CSV and its card.

    Example: kit ensemble ensembles/course-2022.yaml --data data/goorm-2/test.json
    """
    is_recipe = recipe[0].suffix in RECIPE_SUFFIXES
    chosen, members = _chosen(recipe, is_recipe, member or [])
    if explain is not None:
        found = kit.explain(chosen, data, explain, members=members, plain=plain, answers=answers)
        if as_json:
            print_json(found.as_dict())
        else:
            terminal.show(found.tables())
        if not is_recipe:
            decoded_by("ensemble", found.decoding, plain)
        return
    made = kit.ensemble(
        chosen, data, members=members, plain=plain, out=out, answers=answers, say=terminal.say
    )
    if as_json:
        print_json(
            {
                "csv": str(made.path),
                "questions": len(made.answers),
                "blanks": made.blanks,
                "decoding": made.decoding,
                "score": None if made.score is None else made.score.as_dict(),
                "estimate": made.card.estimate.model_dump(mode="json"),
            }
        )
        return
    terminal.show(made.tables())
    if not is_recipe:
        decoded_by("ensemble", made.decoding, plain)
    if made.score is not None:
        explain_scores(made.score.blank_edit, [made.score.edit])
        terminal.say(next_step("report", made.path, data=data, answers=answers))
    else:
        if made.card.estimate.edit is not None:
            explain_scores(None)
        terminal.say(next_step("submit", made.path, message=made.card.name, dry_run=True))


def _chosen(
    given: Sequence[Path], is_recipe: bool, members: Sequence[Path]
) -> tuple[Path | None, Sequence[Path]]:
    """A recipe or a run, and the runs in place of its members; None and the runs where there are several."""
    first, *more = given
    if not more:
        return first, members
    if is_recipe:
        raise ConfigError(f"{first} is a recipe and {len(more)} more were given; give one recipe, or runs")
    if members:
        raise ConfigError("--member replaces the members of a recipe; name the recipe file first")
    return None, given
