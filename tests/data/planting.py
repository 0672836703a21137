"""Systematic mistakes, planted in sound questions: each with the places that are right afterwards."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Gold:
    """A context, an answer in it, the start that is written down, and the slice that is right."""

    context: str
    text: str
    start: int | None
    begin: int
    own: str


Plant = Callable[[str, str, int], Gold]
"""From a sound context, answer and start."""


def _counted(count: Callable[[str, int], int]) -> Plant:
    return lambda context, text, start: Gold(context, text, count(context, start), start, text)


def _respelled(context_of: Callable[[str], str], counted_in: Callable[[str], str]) -> Plant:
    """The context is written in one way, the start counted in another, the answer written as counted."""

    def plant(context: str, text: str, start: int) -> Gold:
        before, middle = context[:start], context[start : start + len(text)]
        written = context_of(context)
        begin, end = len(context_of(before)), len(context_of(before + middle))
        return Gold(written, counted_in(text), len(counted_in(before)), begin, written[begin:end])

    return plant


def _normal(form: str) -> Callable[[str], str]:
    return lambda text: unicodedata.normalize(form, text)  # type: ignore[arg-type]


def _same(text: str) -> str:
    return text


def _returns(text: str) -> str:
    return re.sub(r"(?<=[.。]) |\r?\n", "\r\n", text)


def _lines(text: str) -> str:
    return re.sub(r"(?<=[.。]) |\r?\n", "\n", text)


def _spaced(text: str) -> str:
    return re.sub(r"(?<=,) ", " \xa0 ", text)


def _one_space(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def _indented(context: str, text: str, start: int) -> Gold:
    indent = " \n\t"[: len(context) % 3 + 1] if context[0].strip() else ""
    return Gold(indent + context, text, start, start + len(indent), text)


def _smiling(plant: Plant) -> Plant:
    """The same in contexts with an emoji in front of every comma, and of the first space."""

    def planted(context: str, text: str, start: int) -> Gold:
        smile = "😀"
        before = re.sub("(?=,)|(?<! ) ", lambda found: smile + found[0], context[:start])
        return plant(before + context[start:], text, len(before))

    return planted


def _in_place(context_of: Callable[[str], str], text_of: Callable[[str], str]) -> Plant:
    """The start is right; the answer is written otherwise than its context."""

    def plant(context: str, text: str, start: int) -> Gold:
        begin = len(context_of(context[:start]))
        own = context_of(text)
        return Gold(context_of(context), text_of(text), begin, begin, own)

    return plant


PLANTS: dict[str, tuple[Plant, str]] = {
    "UTF-8 bytes": (_counted(lambda c, s: len(c[:s].encode())), "UTF-8 bytes"),
    "UTF-16 units": (_smiling(_counted(lambda c, s: len(c[:s].encode("utf-16-le")) // 2)), "UTF-16 units"),
    "UTF-8 bytes after emoji": (_smiling(_counted(lambda c, s: len(c[:s].encode()))), "UTF-8 bytes"),
    "one-based": (_counted(lambda c, s: s + 1), "counted from one"),
    "one too low": (_counted(lambda c, s: s - 1), "counted from -1"),
    "a title in front": (_counted(lambda c, s: s + 17), "counted from 17"),
    "bytes from one": (_counted(lambda c, s: len(c[:s].encode()) + 1), "UTF-8 bytes, from one"),
    "\\r not counted": (_respelled(_returns, _lines), "without carriage returns"),
    "\\r counted": (_respelled(_lines, _returns), "with a carriage return before every line end"),
    "leading white space stripped": (_indented, "without the white space at the beginning"),
    "NFD contexts, counted in NFC": (_respelled(_normal("NFD"), _same), "normalised to NFC"),
    "NFC contexts, counted in NFD": (_respelled(_same, _normal("NFD")), "decomposed to NFD"),
    "NFD contexts, NFC answers": (_in_place(_normal("NFD"), _same), "Unicode normal form"),
    "NFC contexts, NFD answers": (_in_place(_same, _normal("NFD")), "Unicode normal form"),
    "entities, counted decoded": (_respelled(html.escape, _same), "HTML entities are decoded"),
    "no entities, counted encoded": (_respelled(_same, html.escape), "with HTML entities"),
    "spaces collapsed": (_respelled(_spaced, _one_space), "runs of white space as one space"),
    "bytes of NFD": (
        lambda c, t, s: Gold(
            c, unicodedata.normalize("NFD", t), len(unicodedata.normalize("NFD", c[:s]).encode()), s, t
        ),
        "UTF-8 bytes, in texts decomposed to NFD",
    ),
}  # fmt: skip
"""By name: how the mistake is made, and what must be said of it."""


def planted(
    questions: Iterable[tuple[str, str, str, int]], plant: Plant
) -> tuple[dict[str, Any], list[Gold]]:
    """A file of (question, context, text, start) with the mistake in each, and the golds as planted."""
    documents, golds = [], []
    for number, (question, context, text, start) in enumerate(questions):
        gold = plant(context, text, start)
        golds.append(gold)
        answer = {"text": gold.text, "answer_start": gold.start}
        row = {"guid": f"q{number}", "question": question, "answers": [answer]}
        documents.append({"title": "", "paragraphs": [{"context": gold.context, "qas": [row]}]})
    return {"version": "1", "data": documents}, golds
