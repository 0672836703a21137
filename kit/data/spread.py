"""Some of many values, from all over them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

_Value = TypeVar("_Value")


def spread(values: Sequence[_Value], most: int) -> Sequence[_Value]:
    """At most *most* of *values* at equal distances, in order: parts of a file may differ."""
    return values[:: -(-len(values) // most)] if len(values) > most else values
