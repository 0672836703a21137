"""The chapters: Markdown files with marked parts, for some hosts or all; prose in one language.

A line ``::: ko``, ``::: en`` or ``::: code`` begins a part; words after it name its hosts, without them it is
for all.  ``::: and`` continues the code above, and ``::: kit`` is the place of the kit itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal, get_args

Host = Literal["colab", "kaggle", "local"]
Language = Literal["both", "ko", "en"]
HOSTS: tuple[Host, ...] = get_args(Host)
LANGUAGES: tuple[Language, ...] = get_args(Language)

_MARK = "::: "
_KINDS = ("ko", "en", "code", "and", "kit")


@dataclass(frozen=True, slots=True)
class Part:
    """Prose in one language, or code, and its hosts."""

    kind: str
    hosts: tuple[str, ...]
    text: str


def chapters() -> dict[str, tuple[Part, ...]]:
    """Every chapter's parts by its name ("train"), in order."""
    folder = files(__package__).joinpath("chapters")
    found = sorted((one for one in folder.iterdir() if one.name.endswith(".md")), key=lambda one: one.name)
    return {
        one.name.removesuffix(".md").partition("-")[2]: tuple(_parts(one.read_text(encoding="utf-8")))
        for one in found
    }


def _parts(text: str) -> Iterator[Part]:
    for block in f"\n{text}".split(f"\n{_MARK}")[1:]:
        head, _, body = block.partition("\n")
        kind, *hosts = head.split()
        if kind not in _KINDS or not set(hosts) <= set(HOSTS):
            raise ValueError(f"a chapter has a part marked {head!r}; see the marks in kit.notebooks.chapters")
        yield Part(kind, tuple(hosts or HOSTS), body.strip("\n"))


def prose(texts: dict[str, str], language: Language) -> str:
    """A Markdown cell from the same text in both languages, by language; their headings share one line."""
    if language != "both":
        return texts[language]
    headings, bodies = [], []
    for text in (texts["ko"], texts["en"]):
        heading, _, body = text.partition("\n") if text.startswith("#") else ("", "", text)
        headings.append(heading)
        bodies.append(body.strip("\n"))
    if not headings[0]:
        return "\n\n".join(bodies)
    marks, _, korean = headings[0].partition(" ")
    english = re.sub(r"^#+ (\d+\. )?", "", headings[1])
    return f"{marks} {korean} · {english}\n\n" + "\n\n".join(bodies)


def code(text: str, language: Language) -> str:
    """A code cell's source with its comments in the wanted languages."""
    if language != "both":
        text = re.sub(rf"^ *# (?!{language})(ko|en): .*\n", "", text, flags=re.M)
    return re.sub(r"^( *# )(ko|en): ", r"\1", text, flags=re.M)
