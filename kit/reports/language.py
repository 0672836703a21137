"""The report in Korean: one table of all its texts, English and Korean, for the page and for ``--text``."""

from __future__ import annotations

import functools
import json
from importlib.resources import files
from typing import Literal, get_args

from kit.errors import entry_of
from kit.phrase import Phrase

Language = Literal["en", "ko"]
LANGUAGES: tuple[Language, ...] = get_args(Language)


def page_file(name: str) -> str:
    """The text of a file of the package's page/."""
    return (files("kit.reports") / "page" / name).read_text(encoding="utf-8")


@functools.cache
def korean() -> dict[str, str]:
    """English template → Korean template, with the same names in braces."""
    table: dict[str, str] = json.loads(page_file("korean.json"))
    return table


def translated(text: str, language: Language | None) -> str:
    """*text* in *language* where it is a phrase; a text of the data is returned as it is."""
    if language != "ko" or not isinstance(text, Phrase):
        return str(text)
    template = korean().get(text.template, text.template)
    return template.format(**{name: translated(value, language) for name, value in text.values.items()})


def language_given(value: str | None) -> Language | None:
    """*value* as a language; None: as the browser says.  Raises ConfigError for an unknown one."""
    return None if value is None else entry_of({one: one for one in LANGUAGES}, value, "lang")
