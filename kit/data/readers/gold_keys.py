"""Under which keys a question keeps its golds; a key that looks like one and is not read is found."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TypeGuard

from kit.data.readers.display import MISSING

START = "answer_start"
_KEYS = ("answers", "answer", "answer_text", "text")
"""In the order in which they are looked at; ``text`` only beside a start, since rows may have other texts."""
_GOLD_LIKE = re.compile(r"answer|gold|정답|답변|답안", re.IGNORECASE)
# What a file tells about its answers, and answers to another question: none of these is a gold.
_ABOUT_GOLDS = re.compile(
    r"plausible|answerable|impossible|has_|type|class|categ|level|count|num|len|end$|score|rank|lang|_ids?$|html",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Form:
    """One way in which a row gives golds: the key, its value, and the starts that stand beside it.

    ``start`` is MISSING where the row has none of its own, as where the value holds the starts.
    """

    key: str
    value: object
    start: object


def forms(row: Mapping[str, object]) -> list[Form]:
    """Every form the row uses, those that hold a text first; null and NaN give nothing."""
    found = []
    for key in _KEYS:
        value = row.get(key)
        if is_null(value) or (key == "text" and START not in row):
            continue
        # An object brings its own start; texts may have theirs in the next column.
        beside = isinstance(value, str) or lists_texts(value)
        found.append(Form(key, value, row.get(START, MISSING) if beside else MISSING))
    if len(found) > 1:
        found.sort(key=lambda form: not any(texts_in(form.value)))
    return found


@lru_cache(1024)
def in_answers_only(keys: tuple[str, ...]) -> bool:
    """Whether ``answers`` is the only one of a row's keys that could hold golds."""
    gold_like = [key for key in keys if key in _KEYS or key == START or _looks_like_gold(key)]
    return gold_like == ["answers"]


def has_key(row: Mapping[str, object]) -> bool:
    """Whether the row has a key for golds at all, even if it holds null."""
    return any(key in row for key in _KEYS[:3]) or START in row


def unread(row: Mapping[str, object]) -> Iterator[str]:
    """Keys that look like golds, hold something, and are read by no form."""
    return (key for key, value in row.items() if _looks_like_gold(key) and _holds(value))


@cache
def _looks_like_gold(key: str) -> bool:
    if key in _KEYS or key == START:
        return False
    return bool(_GOLD_LIKE.search(key)) and not _ABOUT_GOLDS.search(key)


def _holds(value: object) -> bool:
    if isinstance(value, dict):
        return any(map(_holds, value.values()))
    if isinstance(value, list):
        return any(map(_holds, value))
    return type(value) is int or (isinstance(value, str) and bool(value.strip()))


def texts_in(value: object) -> Iterator[str]:
    """The gold texts in a value of any form, without those that are empty."""
    if isinstance(value, str):
        if value:
            yield value
    elif isinstance(value, list):
        for item in value:
            yield from texts_in(item)
    elif isinstance(value, dict):
        text = text_of(value)
        yield from texts_in(text if isinstance(text, str | list) else "")


def texts_of(forms: list[Form]) -> list[str]:
    """The gold texts of several forms, each once."""
    return list(dict.fromkeys(text for form in forms for text in texts_in(form.value)))


def text_of(answer: Mapping[str, object]) -> object:
    """What an answer's object holds as its text; MISSING where it has none."""
    return answer.get("text", answer.get("answer_text", answer.get("answer", MISSING)))


def start_of(answer: Mapping[str, object]) -> object:
    """What an answer's object holds as its start; MISSING where it has none."""
    return answer.get(START, answer.get("start", MISSING))


def is_null(value: object) -> bool:
    """Whether a value is not there, null, or the NaN that pandas writes for it."""
    return value is MISSING or value is None or (isinstance(value, float) and math.isnan(value))


def is_no_place(start: object) -> bool:
    """Whether a start says that there is none."""
    return is_null(start) or start in ("", -1, "-1")


def lists_texts(value: object) -> TypeGuard[list[object]]:
    """Whether a value is a list of texts; among them may be numbers or null, which are mistakes."""
    return (
        isinstance(value, list)
        and any(isinstance(item, str) for item in value)
        and not any(isinstance(item, list | dict) for item in value)
    )
