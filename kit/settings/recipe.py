"""The recipe: which members, how they are blended, decoded and tidied.  The whole schema.

The names of blends, decoders and rules are checked in `kit.decoding.recipes`, which knows their tables.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import PurePath
from typing import Annotated, Self

from pydantic import Field, SerializerFunctionWrapHandler, ValidationError, model_serializer, model_validator

from kit.settings.validation import PathText, Settings, mistakes_in

RuleSpec = str | dict[str, int | float | str | bool]

DEFAULT_LENGTH_CAP = 60
_NAMED_BY_CONTENT = {"ranker", "boundary"}
"""`kit tune` names these files NAME-DIGEST."""
_PATHS = {"run", "csv", "answers", "out_of_fold", "lengths", "ranker", "boundary"}
DEFAULT_BOUNDARY_WEIGHT = 0.45


# Upper bounds are far beyond any use and well within float64 and memory: past them sums overflow, and
# every answer would be a blank without a word.


class Member(Settings):
    """A run (or one fold of it), or answers from elsewhere.

    answers: a file of them for the questions to answer; out_of_fold: one for the training questions.  Without
    *out_of_fold* they may only vote, as a *csv* does
    """

    run: PathText | None = None
    csv: PathText | None = None
    answers: PathText | None = None
    out_of_fold: PathText | None = None
    fold: Annotated[int, Field(ge=0)] | None = None
    weight: Annotated[float, Field(ge=0, le=1e6)] = 1.0
    temperature: Annotated[float, Field(ge=1e-3, le=1e3)] = 1.0

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if [self.run, self.csv, self.answers].count(None) != 2:
            raise ValueError("a member has either run:, answers: or csv:, exactly one of them")
        if self.run is None and self.fold is not None:
            what = "a csv has" if self.answers is None else "answers have"
            raise ValueError(f"fold belongs to a run; {what} none")
        if self.answers is None and self.out_of_fold is not None:
            raise ValueError("out_of_fold belongs to answers:; the out-of-fold scores of a run are its own")
        return self

    @model_serializer(mode="wrap")
    def _without_unused(self, dump: SerializerFunctionWrapHandler) -> dict[str, object]:
        """A card of a recipe without answers from elsewhere stays as it was before there were any."""
        data: dict[str, object] = dump(self)
        for name in ("answers", "out_of_fold"):
            if getattr(self, name) is None:
                data.pop(name, None)
        return data

    @property
    def only_votes(self) -> bool:
        """Whether it has one text a question and nothing else, so that it can take part in a vote alone."""
        return self.run is None and self.out_of_fold is None

    @property
    def label(self) -> str:
        """How tables call this member: the folder or file name, with its fold."""
        name = PurePath(self.run or self.answers or self.csv or "").name
        return name if self.fold is None else f"{name} fold {self.fold}"


class NestedScore(Settings):
    """The Edit Score that `kit tune` measured: each question is answered by settings fitted without it.

    data: SHA-256 of the questions' file, hex, or its first 8 digits; of: `Recipe.settings_digest` of the
    recipe that was measured, "" where an earlier version of the kit did not record it
    """

    data: Annotated[str, Field(pattern="^([0-9a-f]{8}|[0-9a-f]{64})$")]
    edit: Annotated[float, Field(ge=0)]
    of: Annotated[str, Field(pattern="^([0-9a-f]{16})?$")] = ""


class Recipe(Settings):
    """Everything that decides the bytes of a submission, given the members' span scores."""

    about: str = ""
    members: Annotated[tuple[Member, ...], Field(min_length=1, strict=False)]
    blend: str = "mean"
    decoder: str = "argmax"
    length_cap: Annotated[int, Field(ge=1, le=1000)] = DEFAULT_LENGTH_CAP
    length_prior: Annotated[float, Field(ge=0, le=1e3)] = 0.0
    lengths: PathText | None = None
    candidates: Annotated[int, Field(ge=1, le=10_000)] = 50
    boundary: PathText | None = None
    boundary_weight: Annotated[float, Field(ge=0, le=100)] = DEFAULT_BOUNDARY_WEIGHT
    ranker: PathText | None = None
    rules: Annotated[tuple[RuleSpec, ...], Field(strict=False)] = ()
    nested: NestedScore | None = None

    @model_validator(mode="after")
    def _some_weight(self) -> Self:
        if not any(member.weight > 0 for member in self.members):
            raise ValueError("all weights are 0; at least one must be above")
        return self

    @property
    def settings_digest(self) -> str:
        """Stands for everything that decides the answers, whatever folder its files are in: 16 hex digits."""
        content = self.model_dump(mode="json", exclude_defaults=True, exclude={"about", "nested"})
        for paths in (content, *content["members"]):
            for name in _PATHS & paths.keys():
                paths[name] = PurePath(paths[name]).name
        for name in _NAMED_BY_CONTENT & content.keys():
            content[name] = content[name].rpartition("-")[2]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]

    @model_serializer(mode="wrap")
    def _without_unused(self, dump: SerializerFunctionWrapHandler) -> dict[str, object]:
        """A card of a recipe without a boundary model stays as it was before there were any."""
        data: dict[str, object] = dump(self)
        if self.boundary is None:
            data.pop("boundary", None)
            data.pop("boundary_weight", None)
        return data


def parse(data: object) -> tuple[Recipe | None, list[str]]:
    """A recipe from parsed YAML, or every mistake against the schema (not those of the rules)."""
    if not isinstance(data, dict):
        kind = "empty" if data is None else f"a {type(data).__name__}"
        return None, [f"is {kind}; a recipe is a mapping with at least members:"]
    try:
        return Recipe.model_validate(data), []
    except ValidationError as error:
        return None, mistakes_in(error, Recipe)
