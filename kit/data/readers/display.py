"""How values of a data file are shown inside one-line messages."""

from __future__ import annotations

import json
import re

LONGEST = 40
MISSING = object()
"""Stands for the value of a key that is not there, since null is a value."""
_NOT_SHOWN = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""JSON leaves these as they are; a terminal or a UTF-8 file would not."""


def plain(text: str) -> str:
    """*text* on one line and encodable as UTF-8; unchanged where it already is."""
    if text.isprintable():  # false for controls, line ends and lone surrogates
        return text
    return _escaped(text)[1:-1]


def quoted(text: str) -> str:
    """*text* in double quotes, escaped as in JSON, cut after LONGEST characters."""
    return _escaped(_cut(text))


def described(value: object) -> str:
    """A JSON value in words: ``null``, ``a number (5)``, ``the text "…"``, ``a list``."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case int() | float():
            return f"a number ({_cut(str(value))})"
        case str():
            return f"the text {quoted(value)}"
        case list():
            return "a list"
        case _:
            return "an object"


def found(value: object) -> str:
    """What a key has, to be read after it: ``is null``, ``is a list``; ``is missing`` for MISSING."""
    return "is missing" if value is MISSING else f"is {described(value)}"


def lone_surrogate(text: str) -> str | None:
    """The first lone surrogate of *text*, written as ``U+D800 at 3``; None where it can be encoded."""
    try:
        # Encoding runs several times faster than a regular expression, and almost no text fails.
        text.encode()
    except UnicodeEncodeError as error:
        return f"U+{ord(text[error.start]):04X} at {error.start}"
    return None


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _escaped(text: str) -> str:
    return _NOT_SHOWN.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))
