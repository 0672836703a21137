"""``kit ensemble``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kit import api, terminal
from kit.errors import ConfigError
from kit.settings.recipe import Member, Recipe, bare
from kit.submission.card import Estimate
from kit.views import explanations
from kit.views.output import print_json, scored, share


def run(
    given: Sequence[Path],
    data: Path,
    out: Path | None,
    answers: Path | None,
    members: Sequence[Path],
    explain: str | None,
    as_json: bool,
) -> None:
    """Decode, write CSV and card, print where they are and what they score; or explain one answer."""
    recipe, name = _recipe(given, members)
    if explain is not None:
        explanations.run(recipe, data, explain, as_json)
        return
    made = api.ensemble(recipe, data, out=out or Path("submissions") / f"{name}.csv", answers=answers)
    blanks = sum(not text for text in made.answers.values())
    if as_json:
        score = None if made.score is None else made.score.as_dict()
        print_json({"csv": str(made.path), "questions": len(made.answers), "blanks": blanks, "score": score})
        return
    rows = [
        ("CSV", str(made.path)),
        ("card", str(made.path.with_suffix(".json"))),
        ("questions", f"{len(made.answers):,}"),
        ("blank answers", f"{blanks:,} ({share(blanks / max(len(made.answers), 1))})"),
    ]
    if made.score is None:
        rows += _estimate(made.card.estimate)
    else:
        rows += [
            ("Edit Score", f"{scored(made.score.edit, made.score.interval)} characters"),
            ("exact match", share(made.score.exact)),
            ("character F1", share(made.score.f1)),
        ]
    terminal.facts(name, rows)


def _estimate(estimate: Estimate) -> list[tuple[str, str]]:
    if estimate.edit is None:
        return [("local estimate", estimate.reason)]
    return [
        ("local estimate", f"Edit Score {scored(estimate.edit, estimate.interval)} characters"),
        ("", estimate.reason),
    ]


def _recipe(given: Sequence[Path], members: Sequence[Path]) -> tuple[Recipe, str]:
    from kit.decoding.recipes import load_recipe

    first, *rest = given
    if first.suffix not in api.RECIPE_SUFFIXES:
        if members:
            raise ConfigError("--member replaces the members of a recipe; name the recipe file first")
        runs = bare(str(first)).members + tuple(Member(run=str(path)) for path in rest)
        return Recipe(members=runs), first.resolve().name
    if rest:
        raise ConfigError(f"{first} is a recipe and {len(rest)} more were given; give one recipe, or runs")
    recipe = load_recipe(first)
    if members:
        replaced = tuple(Member(run=str(path)) for path in members)
        recipe = recipe.model_copy(update={"members": replaced})
    return recipe, first.stem
