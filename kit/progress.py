"""How long work says how far it is, so that its caller can show a bar with the time left."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import TypeVar

Advance = Callable[[int], object]
"""Called with how many more parts are done."""
Progress = Callable[[str, int], AbstractContextManager[Advance]]
"""What is done and its number of parts → a block with an `Advance`."""
_Item = TypeVar("_Item")


def unwatched(done: int) -> None:
    """Show nothing."""


@contextlib.contextmanager
def no_progress(what: str, total: int) -> Iterator[Advance]:
    """Show nothing."""
    yield unwatched


def watched(items: Iterable[_Item], advance: Advance) -> Iterator[_Item]:
    """The same *items*; each counts as done when the next one is asked for."""
    for item in items:
        yield item
        advance(1)
