"""Names of competitions, kernels and data sets, also as people paste them: in capitals, or as an address."""

from __future__ import annotations

import re
from urllib.parse import unquote

_PAGE = re.compile(r"(?:https?://)?(?:[a-z]+\.)?kaggle\.com(?:/([^?#]*))?(?:[?#].*)?", re.IGNORECASE)
_COMPETITIONS = {"c", "competitions"}
_KERNELS = {"code", "kernels", "notebooks"}
_DATASETS = {"datasets", "dataset"}
_OTHERS = {
    "models",
    "organizations",
    "discussions",
    "learn",
    "settings",
    "work",
    "benchmarks",
    "docs",
    "account",
}


def competition_named(text: str) -> str:
    """The slug in *text*, a slug or the address of any page of a competition, in lower case.

    What is neither comes back as it is, for the caller to refuse.
    """
    parts = _path(text)
    if parts is None:
        return _bare(text).lower()
    return parts[1] if len(parts) > 1 and parts[0] in _COMPETITIONS else text


def kernel_named(text: str) -> str:
    """OWNER/SLUG, or OWNER/SLUG/VERSION, in *text*: that, or the address of any page of a notebook.

    In lower case, as Kaggle has them.  A name without "/", and what is none of these, comes back as it is.
    """
    return _owned(text, _KERNELS, _COMPETITIONS | _DATASETS | _OTHERS)


def dataset_named(text: str) -> str:
    """OWNER/NAME in *text*: that, or the address of any page of a data set; else *text* as it is."""
    return _owned(text, _DATASETS, _COMPETITIONS | _KERNELS | _OTHERS)


def _owned(text: str, rooms: set[str], others: set[str]) -> str:
    parts = _path(text)
    if parts is None:
        name = _bare(text)
        parts = name.lower().strip("/").split("/")
        if len(parts) < 2:
            return text
        return "/".join(parts[1:] if len(parts) > 2 and parts[0] in rooms else parts)
    if parts and parts[0] in rooms:
        parts = parts[1:]
    elif not parts or parts[0] in others:
        return text
    if len(parts) < 2:
        return text
    # Behind the name stands a tab of the page (edit, output, log), or a version.
    version = parts[2:3] if parts[2:3] and parts[2].isdecimal() else []
    return "/".join([*parts[:2], *version])


def _path(text: str) -> list[str] | None:
    """The parts of the path of an address at Kaggle, in lower case; None for what is no such address."""
    found = _PAGE.fullmatch(_bare(text))
    if found is None:
        return None
    return [part.lower() for part in unquote(found[1] or "").split("/") if part]


def _bare(text: str) -> str:
    return text.strip().strip("<>\"'").strip()
