"""What the corpus is drawn from: frames of passages, facts that fit any passage, and the parts of names.

All of it is data in the JSON files of ``texts/``, in the language of `kit.data.demo_corpus.templates`; a file
is read when the first passage is drawn.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

_FRAME_FILES = ("economy", "society", "culture", "sports", "science", "local", "weather", "world")
"""In this order: a passage's frame depends on its place in the corpus, and so do the corpus's bytes."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One sentence of a passage in several wordings, and the questions for each answer marked in it."""

    wordings: Sequence[str]
    asks: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Frame:
    """A kind of passage: the lead comes first, then some of the facts in any order.

    ``slots``: the template of each value that titles, lead and facts share.
    """

    category: str
    titles: Sequence[str]
    slots: Mapping[str, str]
    lead: Fact
    facts: Sequence[Fact]


@functools.cache
def frames() -> tuple[Frame, ...]:
    """Every kind of passage, in the order in which passages take them."""
    return tuple(
        Frame(
            content["category"],
            content["titles"],
            content["slots"],
            Fact(**content["lead"]),
            tuple(Fact(**fact) for fact in content["facts"]),
        )
        for name in _FRAME_FILES
        for content in _read(name).values()
    )


@functools.cache
def byline() -> Fact:
    """The reporter's line that a passage may begin with."""
    return Fact(**_read("common")["byline"])


@functools.cache
def asides() -> tuple[Fact, ...]:
    """Facts that fit any passage."""
    return tuple(Fact(**fact) for fact in _read("common")["asides"])


@functools.cache
def name_parts() -> Mapping[str, Sequence[str]]:
    """The parts that names are built from: syllables as one text, words as a list."""
    return _read("names")


def _read(name: str) -> dict[str, Any]:
    text = files(__package__).joinpath("texts", f"{name}.json").read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content
