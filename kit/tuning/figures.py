"""What an Edit Score of a recipe on its members' training questions may be called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from kit.data.records import Dataset
from kit.settings.recipe import Recipe

Kind = Literal["out of fold", "nested", "fit"]
NESTED = (
    "temperatures, weights, decoder and rules were fitted on these questions; the nested Edit Score, on "
    "questions that nothing was fitted on, was {score}"
)
_CHANGED = (
    "temperatures, weights, decoder and rules were fitted on these questions, and the recipe was changed "
    "afterwards; run kit tune again"
)


@dataclass(frozen=True, slots=True)
class Figure:
    """What the score of a recipe's out-of-fold answers is.

    kind: "out of fold" where nothing else was fitted on the questions: the score is an estimate; "nested"
        where settings were, and `kit tune` measured such settings on questions they were fitted without: then
        *edit* is the estimate; "fit" where there is no estimate
    template: what was fitted, with names in braces for *values*, as in `kit.phrase`; "" if nothing was
    """

    kind: Kind
    edit: float | None = None
    template: str = ""
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def why(self) -> str:
        """What was fitted, "" if nothing was."""
        return self.template.format(**self.values)


def figure_of(recipe: Recipe, dataset: Dataset) -> Figure:
    """What the Edit Score of *recipe* on *dataset*, by its members' out-of-fold scores, may be called."""
    nested = recipe.nested
    if nested is not None and dataset.sha256.startswith(nested.data):
        if nested.of in ("", recipe.settings_digest):
            return Figure("nested", nested.edit, NESTED, {"score": f"{nested.edit:.3f}"})
        return Figure("fit", None, _CHANGED)
    if recipe.ranker is not None:
        return Figure("fit", None, "the second stage was fitted on these questions")
    if recipe.boundary is not None:
        return Figure("fit", None, "the boundary model was fitted on these questions")
    return Figure("out of fold")
