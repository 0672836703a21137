"""The report in Korean: one table of all its texts, English and Korean, for the page and for ``--text``."""

from __future__ import annotations

import functools
import json
from importlib.resources import files
from typing import Literal, get_args

from kit.errors import ConfigError, unknown_name
from kit.phrase import Phrase

Language = Literal["en", "ko"]
LANGUAGES: tuple[Language, ...] = get_args(Language)


@functools.cache
def korean() -> dict[str, str]:
    """English template → Korean template, with the same names in braces."""
    text = (files("kit.reports") / "page" / "korean.json").read_text(encoding="utf-8")
    table: dict[str, str] = json.loads(text)
    return table


def translated(text: str, language: Language | None) -> str:
    """*text* in *language* where it is a phrase; a text of the data is returned as it is."""
    if language != "ko" or not isinstance(text, Phrase):
        return str(text)
    template = korean().get(text.template, text.template)
    return template.format(**{name: translated(value, language) for name, value in text.values.items()})


def language_given(value: str | None) -> Language | None:
    """*value* as a language; None: as the browser says.  Raises ConfigError for an unknown one."""
    for language in LANGUAGES:
        if value == language:
            return language
    if value is None:
        return None
    raise ConfigError(unknown_name("lang", value, LANGUAGES))
