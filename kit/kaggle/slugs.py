"""Slugs of competitions, kernels and data sets, from what people type or paste: a name or an address."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from kit.errors import ConfigError
from kit.settings.paths import DATA

_PAGE = re.compile(r"(?:https?://)?(?:[a-z]+\.)?kaggle\.com(?:/([^?#]*))?(?:[?#].*)?", re.IGNORECASE)
_COMPETITIONS = {"c", "competitions"}
_KERNELS = {"code", "kernels", "notebooks"}
_DATASETS = {"datasets", "dataset"}
_OTHERS = {"models", "organizations", "discussions", "learn", "settings", "work", "benchmarks", "docs"}
_SECTIONS = _COMPETITIONS | _KERNELS | _DATASETS | _OTHERS | {"account"}
"""What the path of a page begins with where that is no name of a person."""

KORQUAD = "korquad"
_COMPETITION = "https://www.kaggle.com/competitions/"
_SHORT = re.compile(r"goorm-[0-9]+")
_LONG = re.compile(r"k-digital-(goorm-[0-9]+)-korean-mrc")
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Source:
    """Something to download: the name of its folder, and its slug on Kaggle ("korquad" for KorQuAD)."""

    alias: str
    slug: str

    @property
    def is_korquad(self) -> bool:
        """Whether it comes from KorQuAD's own site, without an account."""
        return self.slug == KORQUAD

    @property
    def folder(self) -> Path:
        """Where it goes unless told otherwise: ``data/goorm-2``."""
        return DATA / self.alias

    @property
    def address(self) -> str:
        """The web page of the competition."""
        return f"{_COMPETITION}{self.slug}"


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
            f"address ({_COMPETITION}SLUG)"
        )
    return Source(name, name)


def competition_named(text: str) -> str:
    """The slug in *text*, a slug or the address of any page of a competition, in lower case.

    Any other text is returned unchanged, for the caller to refuse.
    """
    parts = _path(text)
    if parts is None:
        return _bare(text).lower()
    return parts[1] if len(parts) > 1 and parts[0] in _COMPETITIONS else text


def kernel_named(text: str) -> str:
    """OWNER/SLUG, or OWNER/SLUG/VERSION, in *text*: that, or the address of any page of a notebook.

    In lower case, as Kaggle has them.  A name without "/", and any other text, is returned unchanged.
    """
    return _owned(text, _KERNELS)


def dataset_named(text: str) -> str:
    """OWNER/NAME in *text*: that, or the address of any page of a data set; else *text* unchanged."""
    return _owned(text, _DATASETS)


def _owned(text: str, kinds: set[str]) -> str:
    parts = _path(text)
    if parts is None:
        parts = _bare(text).lower().strip("/").split("/")
        if len(parts) < 2:
            return text
        return "/".join(parts[1:] if len(parts) > 2 and parts[0] in kinds else parts)
    if kinds.intersection(parts[:1]):
        parts = parts[1:]
    elif _SECTIONS.intersection(parts[:1]):
        return text
    if len(parts) < 2:
        return text
    # After the name comes a tab of the page (edit, output, log), or a version.
    last = 3 if len(parts) > 2 and parts[2].isdecimal() else 2
    return "/".join(parts[:last])


def _path(text: str) -> list[str] | None:
    """The parts of the path of an address at Kaggle, in lower case; None for any other text."""
    found = _PAGE.fullmatch(_bare(text))
    if found is None:
        return None
    return [part.lower() for part in unquote(found[1] or "").split("/") if part]


def _bare(text: str) -> str:
    return text.strip().strip("<>\"'").strip()
