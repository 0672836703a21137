"""What a person may ask for, and where it comes from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from kit.errors import ConfigError
from kit.kaggle.addresses import competition_named
from kit.settings.paths import DATA

KORQUAD = "korquad"
_WEB = "https://www.kaggle.com/competitions/"
_SHORT = re.compile(r"goorm-[0-9]+")
_LONG = re.compile(r"k-digital-(goorm-[0-9]+)-korean-mrc")
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Source:
    """One thing to download: what its folder is called, and its slug on Kaggle ("korquad" for KorQuAD)."""

    alias: str
    slug: str

    @property
    def is_korquad(self) -> bool:
        """Whether it comes from KorQuAD's own site, without any account."""
        return self.slug == KORQUAD

    @property
    def folder(self) -> Path:
        """Where it goes unless told otherwise: ``data/goorm-2``."""
        return DATA / self.alias

    @property
    def address(self) -> str:
        """The web page of the competition."""
        return f"{_WEB}{self.slug}"


def source_of(text: str) -> Source:
    """*text* as a source: "korquad", a cohort ("goorm-2"), a slug, or the address of a competition's page.

    In capitals or not.  Raises ConfigError for what can be none of these.
    """
    name = competition_named(text)
    if name == KORQUAD:
        return Source(KORQUAD, KORQUAD)
    if _SHORT.fullmatch(name):
        return Source(name, f"k-digital-{name}-korean-mrc")
    if found := _LONG.fullmatch(name):
        return Source(found[1], name)
    if not _SLUG.fullmatch(name):
        raise ConfigError(
            f"{text!r}: is no competition; give goorm-2, korquad, or the last part of a competition's "
            f"address ({_WEB}SLUG)"
        )
    return Source(name, name)
