"""A broken rule before it is known whose it is."""

from __future__ import annotations

from dataclasses import dataclass

from kit.data.readers.display import lone_surrogate
from kit.data.readers.raw import FaultKind


@dataclass(frozen=True, slots=True)
class Mistake:
    """A broken rule; ``field`` is relative to the question (``answers[1].text``)."""

    kind: FaultKind
    field: str
    text: str


def surrogate_mistake(text: str, field: str) -> Mistake | None:
    """The mistake of a text that cannot be encoded; None for every other text."""
    found = lone_surrogate(text)
    if found is None:
        return None
    return Mistake(
        FaultKind.SURROGATE, field, f"has a lone surrogate ({found}), which is no character; mend the text"
    )
