"""What several commands print: JSON, and what an Edit Score is."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence

from kit import terminal
from kit.display import edit

LEGEND = "Edit Score: mean Levenshtein distance in characters; lower is better"
_ROUNDING = 1e-9
_UNPRINTABLE = re.compile(r"[^ -~\n]")


def print_json(data: object, *, indent: int | None = 2) -> None:
    """Print *data* on standard output; a command with ``--json`` prints nothing else there.

    Characters that a terminal would obey (also bidi overrides, which JSON allows) are escaped; a parser reads
    the same text.
    """
    text = json.dumps(data, ensure_ascii=False, indent=indent)
    print(_UNPRINTABLE.sub(lambda found: _escaped(found[0]), text), flush=True)


def _escaped(character: str) -> str:
    return character if character.isprintable() else json.dumps(character)[1:-1]


PLAIN_HELP = "Decode runs by plain argmax, cap 60, instead of the default."


def decoded_by(command: str, decoding: str, plain: bool) -> None:
    """Say how *command* decoded runs, for which no recipe said it, and how to get plain argmax."""
    from kit.decoding.default import NO_PRIOR

    turned_off = f"kit {command} --plain: plain argmax"
    if plain:
        terminal.say(f"decoded by {decoding}")
    elif NO_PRIOR in decoding:
        terminal.say(
            f"decoded by {decoding}: no answer lengths are recorded; in a recipe, lengths: train.json gives "
            f"them ({turned_off})"
        )
    else:
        terminal.say(f"decoded by {decoding} ({turned_off})")


def explain_scores(blank: float | None, edits: Sequence[float] = ()) -> None:
    """What an Edit Score is, below the first one that a command prints.

    *blank*: that of all blank; where one of *edits* is worse, also why that happens and what helps.
    """
    if blank is None or math.isnan(blank):
        terminal.line(LEGEND)
        return
    terminal.line(f"{LEGEND}; all blank would score {edit(blank)}")
    if any(one > blank + _ROUNDING for one in edits):
        terminal.line(
            f"{edit(max(edits))} is worse than all blank: a weak model often takes start and end from "
            "different places, and such answers are far too long; a length prior (runs have it unless "
            "--plain; length_prior in a recipe), the rules of course-2022, or kit tune shorten them, and "
            "more training helps"
        )
