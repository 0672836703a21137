"""JSON on standard output, for the commands that have ``--json``."""

from __future__ import annotations

import json
import re

_UNPRINTABLE = re.compile(r"[^ -~\n]")


def print_json(data: object) -> None:
    """Print *data* on standard output, indented; a command with ``--json`` prints nothing else there.

    Characters that a terminal would obey (also bidi overrides, which JSON allows) are escaped; a parser reads
    the same text.
    """
    text = json.dumps(data, ensure_ascii=False, indent=2)
    print(_UNPRINTABLE.sub(lambda found: _escaped(found[0]), text))


def print_json_line(data: object) -> None:
    """The same on one line, flushed: for objects that are printed one after another."""
    text = json.dumps(data, ensure_ascii=False)
    print(_UNPRINTABLE.sub(lambda found: _escaped(found[0]), text), flush=True)


def _escaped(character: str) -> str:
    return character if character.isprintable() else json.dumps(character)[1:-1]
