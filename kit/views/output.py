"""Numbers as the tables show them, and JSON for other programs."""

from __future__ import annotations

import json
import re

from kit.metrics.bootstrap import Interval

EDIT, INTERVAL = "Edit Score (characters)", "95 % interval"
"""Heads of the columns that most tables have."""
_UNPRINTABLE = re.compile(r"[^ -~\n]")


def print_json(data: object) -> None:
    """*data* on standard output, readable; nothing else goes there.

    What a terminal would obey (also bidi overrides, which JSON allows) stands there escaped: the same text
    to whoever parses it.
    """
    text = json.dumps(data, ensure_ascii=False, indent=2)
    print(_UNPRINTABLE.sub(lambda found: _escaped(found[0]), text))


def print_json_line(data: object) -> None:
    """The same on one line, at once: for what comes piece by piece."""
    text = json.dumps(data, ensure_ascii=False)
    print(_UNPRINTABLE.sub(lambda found: _escaped(found[0]), text), flush=True)


def _escaped(character: str) -> str:
    return character if character.isprintable() else json.dumps(character)[1:-1]


def edit(value: float) -> str:
    """An Edit Score, in characters."""
    return f"{value:.3f}"


def share(value: float) -> str:
    """A share as per cent."""
    return f"{value * 100:.1f} %"


def difference(value: float) -> str:
    """By how many characters one Edit Score is above another (+) or below it."""
    return f"{value:+.3f}"


def scored(value: float, interval: Interval | None) -> str:
    """An Edit Score with its interval: ``1.942 (95 %: 1.574 to 2.299)``."""
    return edit(value) if interval is None else f"{edit(value)} (95 %: {interval})"
