"""Recipes from YAML files: schema, names and rules checked together, every mistake in one report."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import yaml

from kit.decoding.decoders import DECODERS
from kit.errors import ConfigError, unknown_name
from kit.files import write_text
from kit.settings.recipe import DEFAULT_BOUNDARY_WEIGHT, NestedScore, Recipe, parse
from kit.settings.validation import read_yaml, refuse
from kit.spans.blending import BLENDS
from kit.text_rules.rules import parse_rules

_TUNED = re.compile(r"# Tuned by kit \S+ from .* \(([0-9a-f]{8})\); nested Edit Score ([0-9.]+?)\.?\r?\n")
"""The first line of a tuned recipe: versions before `nested:` recorded the score only there."""
_TABLES = {"blend": BLENDS, "decoder": DECODERS}


def load_recipe(path: Path | str) -> Recipe:
    """Read and validate a recipe file.  Raises ConfigError with all mistakes of the file in one line."""
    path = Path(path)
    data = read_yaml(path)
    recipe, mistakes = parse(data)
    if isinstance(data, dict):
        mistakes += _unknown_names(data)
        if isinstance(specs := data.get("rules"), list):
            try:
                parse_rules(specs)
            except ConfigError as error:
                # The schema's message about a rule that is neither text nor a mapping is replaced.
                mistakes = [mistake for mistake in mistakes if not mistake.startswith("rules[")]
                mistakes.append(str(error))
    if recipe is not None and not mistakes:
        mistakes = _contradictions(recipe)
    if recipe is None or mistakes:
        raise refuse(path, mistakes)
    if recipe.nested is None and (found := _TUNED.match(path.read_text(encoding="utf-8-sig"))):
        return recipe.model_copy(update={"nested": NestedScore(data=found[1], edit=float(found[2]))})
    return recipe


def write_recipe(path: Path, recipe: Recipe, comment: str) -> None:
    """Write a recipe as YAML, what differs from the defaults only, under a comment; whole or not at all."""
    data = recipe.model_dump(mode="json", exclude_defaults=True)
    text = yaml.safe_dump(data, allow_unicode=True, sort_keys=False, width=100)
    if yaml.safe_load(text) != data:
        # Line ends of other alphabets (U+0085 in a name) stand bare in it, and are read as "\n".
        text = yaml.safe_dump(data, allow_unicode=False, sort_keys=False, width=100)
    line = "".join(one if one.isprintable() else " " for one in comment)  # a file's name must not end it
    write_text(path, f"# {line}\n{text}")


def check(recipe: Recipe) -> None:
    """Check a recipe made in Python as `load_recipe` checks a file, but for its rules.

    Raises ConfigError where its blend or decoder is unknown, or where they do not fit its other parts.
    """
    mistakes = _unknown_names({"blend": recipe.blend, "decoder": recipe.decoder}) or _contradictions(recipe)
    if mistakes:
        raise refuse("recipe", mistakes)


def _unknown_names(data: Mapping[object, object]) -> list[str]:
    given = {what: data.get(what) for what in _TABLES}
    return [
        unknown_name(what, name, _TABLES[what])
        for what, name in given.items()
        if isinstance(name, str) and name not in _TABLES[what]
    ]


def _contradictions(recipe: Recipe) -> list[str]:
    """What does not fit together in a recipe whose names are known."""
    blend, decoder = BLENDS[recipe.blend], DECODERS[recipe.decoder]
    mistakes = []
    voters = [member for member in recipe.members if member.only_votes]
    if not blend.votes and voters:
        voting = ", ".join(name for name, one in BLENDS.items() if one.votes)
        what = "a csv member" if voters[0].csv else f"{voters[0].answers} without out_of_fold:"
        mistakes.append(
            f"{what} may only vote, and blend is {recipe.blend}; give blend: {voting}, or its answers to the "
            "training questions with answers: and out_of_fold:"
        )
    if decoder.ensemble is not None and blend.votes:
        mistakes.append(
            f"decoder: {recipe.decoder} chooses among a blend's candidates; blend: {recipe.blend} has none"
        )
    if decoder.needs_ranker != (recipe.ranker is not None):
        ranking = ", ".join(name for name, one in DECODERS.items() if one.needs_ranker)
        mistakes.append(f"decoder: {ranking} and ranker: belong together; give both or neither")
    if recipe.boundary is None and recipe.boundary_weight != DEFAULT_BOUNDARY_WEIGHT:
        mistakes.append("boundary_weight: needs boundary:, the file that kit tune wrote")
    return mistakes
