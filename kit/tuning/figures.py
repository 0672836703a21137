"""What an Edit Score of a recipe on its members' training questions may be called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kit.data.records import Dataset
from kit.settings.recipe import Recipe

Kind = Literal["out of fold", "nested", "fit"]


@dataclass(frozen=True, slots=True)
class Figure:
    """What the score of a recipe's out-of-fold answers is.

    kind: "out of fold" where nothing else was fitted on the questions: the score is an estimate; "nested"
        where settings were, and `kit tune` measured such settings on questions they were fitted without: then
        *edit* is the estimate; "fit" where there is no estimate
    why: what was fitted, "" if nothing was
    """

    kind: Kind
    edit: float | None = None
    why: str = ""


def figure_of(recipe: Recipe, dataset: Dataset) -> Figure:
    """What the Edit Score of *recipe* on *dataset*, by its members' out-of-fold scores, may be called."""
    nested = recipe.nested
    if nested is not None and dataset.sha256.startswith(nested.data):
        what = "temperatures, weights, decoder and rules were fitted on these questions"
        if nested.of in ("", recipe.settings_digest):
            score = f"{nested.edit:.3f}"
            why = f"{what}; the nested Edit Score, on questions that nothing was fitted on, was {score}"
            return Figure("nested", nested.edit, why)
        return Figure("fit", None, f"{what}, and the recipe was changed afterwards; run kit tune again")
    for what, path in (
        ("second stage", recipe.ranker),
        ("boundary model", getattr(recipe, "boundary", None)),
    ):
        if path is not None:
            return Figure("fit", None, f"{path}: the {what} was fitted on these questions")
    return Figure("out of fold")
