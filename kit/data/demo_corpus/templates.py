"""The small language that passages and questions are written in, and how a text is drawn from it.

``[a|b|]``   one of the alternatives, which may nest and may be empty
``{co}``     the passage's value of the slot ``co``
``{@date}``  a new value from the table of draws
``{20-90/5}`` a number from 20 to 90 in steps of 5 (1 when left out)
``<who:…>``  an answer: its place in the text is kept under the key ``who``
``~``        inside an answer (or a value): a shorter form of the answer ends here
``^은``      the shape of the particle that fits what stands before it
"""

from __future__ import annotations

import functools
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from kit.data.demo_corpus import josa


@dataclass(frozen=True, slots=True)
class Draw:
    """Where random choices come from; names of a *held_out* draw are mostly from the test's stems."""

    rng: random.Random
    held_out: bool = False


Source = Callable[[Draw], str]


class Span(NamedTuple):
    """An answer's place in a text: [start, end) and, where it has a shorter form, that form's end."""

    start: int
    end: int
    short_end: int | None = None


@dataclass(slots=True)
class Canvas:
    """A text that grows from left to right, with the answers met on the way."""

    text: str = ""
    spans: dict[str, Span] = field(default_factory=dict)
    short_end: int | None = None


class _Words(NamedTuple):
    text: str


class _Slot(NamedTuple):
    name: str


class _Number(NamedTuple):
    first: int
    last: int
    step: int


class _Particle(NamedTuple):
    base: str


class _Choice(NamedTuple):
    options: tuple[tuple[_Node, ...], ...]


class _Answer(NamedTuple):
    key: str
    body: tuple[_Node, ...]


_Node = _Words | _Slot | _Number | _Particle | _Choice | _Answer

_PARTICLE = re.compile("|".join(sorted(josa.SHAPES, key=len, reverse=True)))
_PLAIN = re.compile(r"[^\[\]|<>{}^]+")
_NUMBER = re.compile(r"(\d+)-(\d+)(?:/(\d+))?")


@functools.cache
def parse(template: str) -> tuple[_Node, ...]:
    """Read a template; a ValueError shows the template and the place where it breaks the language."""
    nodes, _ = _sequence(template, 0, "")
    return nodes


def _sequence(template: str, at: int, stops: str) -> tuple[tuple[_Node, ...], int]:
    nodes: list[_Node] = []
    while at < len(template) and template[at] not in stops:
        sign = template[at]
        if sign == "[":
            options = []
            while sign in "[|":
                body, at = _sequence(template, at + 1, "|]")
                options.append(body)
                sign = _at(template, at)
            nodes.append(_Choice(tuple(options)))
            at += 1
        elif sign == "<":
            colon = template.index(":", at)
            body, end = _sequence(template, colon + 1, ">")
            _at(template, end)
            nodes.append(_Answer(template[at + 1 : colon], body))
            at = end + 1
        elif sign == "{":
            end = template.index("}", at)
            nodes.append(_value(template[at + 1 : end]))
            at = end + 1
        elif sign == "^":
            match = _PARTICLE.match(template, at + 1)
            if match is None:
                raise ValueError(f"{template!r}: no particle after ^ at {at}")
            nodes.append(_Particle(match.group()))
            at = match.end()
        else:
            plain = _PLAIN.match(template, at)
            if plain is None:
                raise ValueError(f"{template!r}: unexpected {sign!r} at {at}")
            nodes.append(_Words(plain.group()))
            at = plain.end()
    return tuple(nodes), at


def _at(template: str, at: int) -> str:
    if at >= len(template):
        raise ValueError(f"{template!r}: a bracket is not closed")
    return template[at]


def _value(name: str) -> _Node:
    number = _NUMBER.fullmatch(name)
    if number is None:
        return _Slot(name)
    return _Number(int(number[1]), int(number[2]), int(number[3] or 1))


@dataclass(frozen=True, slots=True)
class Writer:
    """Draws texts from templates with one passage's slot values and the table of fresh draws."""

    draw: Draw
    values: Mapping[str, str]
    fresh: Mapping[str, Source]

    def write(self, template: str, canvas: Canvas | None = None) -> Canvas:
        """Append a text drawn from *template* to *canvas* (a new one by default)."""
        canvas = Canvas() if canvas is None else canvas
        self._nodes(parse(template), canvas)
        return canvas

    def text(self, template: str) -> str:
        """A text drawn from *template*, without its answers."""
        return self.write(template).text

    def _nodes(self, nodes: tuple[_Node, ...], canvas: Canvas) -> None:
        for node in nodes:
            match node:
                case _Words(text):
                    _put(canvas, text)
                case _Slot(name):
                    fresh = name.startswith("@")
                    _put(canvas, self.fresh[name[1:]](self.draw) if fresh else self.values[name])
                case _Number(first, last, step):
                    canvas.text += str(self.draw.rng.randrange(first, last + 1, step))
                case _Particle(base):
                    canvas.text += josa.particle(canvas.text, base)
                case _Choice(options):
                    self._nodes(self.draw.rng.choice(options), canvas)
                case _Answer(key, body):
                    start, canvas.short_end = len(canvas.text), None
                    self._nodes(body, canvas)
                    canvas.spans[key] = Span(start, len(canvas.text), canvas.short_end)


def _put(canvas: Canvas, text: str) -> None:
    head, mark, tail = text.partition("~")
    canvas.text += head
    if mark:
        canvas.short_end = len(canvas.text)
        canvas.text += tail
