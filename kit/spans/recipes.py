"""Recipes from YAML files: schema and rules checked together, every mistake in one report."""

from __future__ import annotations

from pathlib import Path

import yaml

from kit.errors import ConfigError
from kit.files import write_text
from kit.settings.recipe import Recipe, parse
from kit.settings.validation import read_yaml, refuse
from kit.text_rules.rules import Rule, parse_rules


def load_recipe(path: Path | str) -> Recipe:
    """Read and validate a recipe file.  Raises ConfigError with all mistakes of the file in one line."""
    path = Path(path)
    data = read_yaml(path)
    recipe, mistakes = parse(data)
    if isinstance(data, dict) and isinstance(specs := data.get("rules"), list):
        try:
            parse_rules(specs)
        except ConfigError as error:
            # A rule that is not even text or a one-key mapping stands in the list already.
            mistakes = [mistake for mistake in mistakes if not mistake.startswith("rules[")]
            mistakes.append(str(error))
    if recipe is None or mistakes:
        raise refuse(path, mistakes)
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


def rules_of(recipe: Recipe) -> tuple[Rule, ...]:
    """The recipe's rules, in order.  Raises ConfigError where one is unknown."""
    return parse_rules(recipe.rules)
