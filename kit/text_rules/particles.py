"""The rule strip_particles: an answer without the particles (조사) that the context had put behind it."""

from __future__ import annotations

import functools
import importlib.util
import threading
from typing import Any

from kit.errors import ConfigError

INSTALL = "pip install 'korean-mrc-kit[particles]'"


def installed() -> bool:
    """Whether kiwipiepy is here."""
    return importlib.util.find_spec("kiwipiepy") is not None


def check_installed(what: str = "strip_particles") -> None:
    """Raises ConfigError with the install command where kiwipiepy, which *what* needs, is missing."""
    if not installed():
        raise ConfigError(f"{what} needs kiwipiepy, which is not installed; {INSTALL}")


def strip_particles(text: str) -> str:
    """Remove particles at the end, as kiwipiepy's morphology tells them from nouns that end alike.

    "서울에서는" → "서울", but "제주도" and "하와이" stay.  A text of nothing but particles stays too.
    """
    while (shorter := text[: _end_of_noun(text)]) != text:
        text = shorter
    return text


def _end_of_noun(text: str) -> int:
    """Where the last particles begin, in code points; len(text) where there are none to strip."""
    end = len(text)
    for token in reversed(kiwi().tokenize(text)):
        if not token.tag.startswith("J") or token.start + token.len != end:
            return end
        end = token.start
    return len(text)


_loading = threading.Lock()


def kiwi() -> Any:
    """The analyser of morphemes, loaded once, whichever thread asks first.

    Raises ConfigError where kiwipiepy is missing.
    """
    with _loading:  # loading takes seconds, in which another thread would begin it too
        return _kiwi()


@functools.cache
def _kiwi() -> Any:
    check_installed()
    from kiwipiepy import Kiwi

    return Kiwi()
