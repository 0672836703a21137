"""Numbers as the tables show them, and JSON for other programs."""

from __future__ import annotations

import json


def print_json(data: object) -> None:
    """*data* on standard output, readable; nothing else goes there."""
    print(json.dumps(data, ensure_ascii=False, indent=2))


def edit(value: float) -> str:
    """An Edit Score, in characters."""
    return f"{value:.3f}"


def share(value: float) -> str:
    """A share as per cent."""
    return f"{value:.1%}"
