"""Passages and their questions, drawn from the frames."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from kit.data.demo_corpus.names import FRESH
from kit.data.demo_corpus.passages import Fact, Frame, asides, byline, frames
from kit.data.demo_corpus.templates import Canvas, Draw, Span, Writer
from kit.data.records import Answer, Question

# Every so many passages one is a digest of the day, over 1,200 characters: windows matter there.
DIGEST_EVERY = 40
DIGEST_FRAMES = 5
DIGEST_CATEGORY = "종합"

_SOURCES = ("sample-daily", "sample-times", "sample-economy", "sample-herald")


class _Article(NamedTuple):
    """A passage and every question that it answers, in the order of the answers."""

    title: str
    context: str
    asked: tuple[tuple[str, tuple[Answer, ...]], ...]


def articles(seed: int, part: str, count: int, *, held_out: bool, titles: set[str]) -> list[Question]:
    """The questions of *count* new passages; *titles* holds those taken and gets the new ones."""
    # A text seed is hashed by random itself, the same in every version and process.
    rng = random.Random(f"{seed}/{part}")
    draw = Draw(rng, held_out)
    questions: list[Question] = []
    every = frames()
    for index in range(count):
        digest = index % DIGEST_EVERY == DIGEST_EVERY - 1
        chosen = rng.sample(every, DIGEST_FRAMES) if digest else [every[index % len(every)]]
        article = _write(draw, chosen)
        while article.title in titles:
            article = _write(draw, chosen)
        titles.add(article.title)
        source = rng.choice(_SOURCES)
        for text, answers in rng.sample(article.asked, rng.choice((3, 3, 3, 4))):
            key = f"{seed}/{part}/{len(questions)}"
            questions.append(
                Question(
                    guid=hashlib.sha256(key.encode()).hexdigest()[:32],
                    text=text,
                    context=article.context,
                    answers=answers,
                    title=article.title,
                    category=DIGEST_CATEGORY if digest else chosen[0].category,
                    source=source,
                )
            )
    return questions


def _write(draw: Draw, chosen: Sequence[Frame]) -> _Article:
    rng = draw.rng
    canvas = Canvas()
    title = ""
    asked: list[tuple[Span, str]] = []
    whole = len(chosen) > 1
    for frame in chosen:
        writer = Writer(draw, _values(draw, frame), FRESH)
        title = title or writer.text(rng.choice(frame.titles))
        told = [frame.lead, *_body(rng, frame, whole)]
        if not canvas.text and rng.random() < 0.3:
            told.insert(0, byline())
        for fact in told:
            if canvas.text:
                canvas.text += _gap(rng)
            canvas.spans = {}
            writer.write(rng.choice(fact.wordings), canvas)
            for key, span in canvas.spans.items():
                asked.append((span, writer.text(rng.choice(fact.asks[key])).replace(" ?", "?")))
    asked.sort(key=lambda pair: pair[0].start)
    questions = tuple((text, _golds(canvas.text, span)) for span, text in asked)
    return _Article(title, canvas.text, questions)


def _body(rng: random.Random, frame: Frame, whole: bool) -> list[Fact]:
    """The facts after the lead: most of the frame's, at times one that fits anywhere, in any order."""
    if whole:
        return rng.sample(frame.facts, len(frame.facts))
    body = rng.sample(frame.facts, rng.choice((5, 6, 6, 7)))
    if rng.random() < 0.5:
        body.append(rng.choice(asides()))
    rng.shuffle(body)
    return body


def _values(draw: Draw, frame: Frame) -> Mapping[str, str]:
    """A value for every slot; no two slots of a passage share one, so that questions are clear."""
    values: dict[str, str] = {}
    writer = Writer(draw, {}, FRESH)
    for slot, template in frame.slots.items():
        value = writer.text(template)
        while value in values.values():
            value = writer.text(template)
        values[slot] = value
    return values


def _gap(rng: random.Random) -> str:
    """What stands between two sentences: a space, or at times what real articles carry along."""
    chance = rng.random()
    if chance < 0.03:
        return "\xa0"
    if chance < 0.05:
        return " \u200b"
    return "  " if chance < 0.07 else " "


def _golds(context: str, span: Span) -> tuple[Answer, ...]:
    """The answer and, where it has one, its shorter form at the same start."""
    ends = [span.end]
    if span.short_end is not None and span.short_end < span.end:
        ends.append(span.short_end)
    return tuple(Answer(context[span.start : end], span.start) for end in ends)
