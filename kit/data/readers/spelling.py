"""One text in other code points: normal forms, kinds of space, entities, and the way back to the original."""

from __future__ import annotations

import html
import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import groupby

from kit.data.characters import INVISIBLE, WHITE_SPACE

_KEPT = 1024  # spelled contexts; the questions of a context follow one another


class Spelling:
    """A text as a form spells it, and where each of its places lies in the original.

    ``edits`` has (begin, end) of every span that changed, in the original and in ``text``, in order.
    """

    __slots__ = ("_new", "_old", "edits", "text")

    def __init__(self, text: str, edits: list[tuple[int, int, int, int]]) -> None:
        self.text = text
        self.edits = edits
        self._old = [edit[0] for edit in edits]
        self._new = [edit[2] for edit in edits]

    def begin(self, place: int) -> int | None:
        """Where in the original a slice begins that begins at *place*; None inside a changed span."""
        number = bisect_right(self._new, place) - 1
        if number < 0:
            return place
        begin, end, new_begin, new_end = self.edits[number]
        if place == new_begin and new_end > new_begin:
            return begin
        # What was removed in front of a slice does not belong to it.
        return end + place - new_end if place >= new_end else None

    def end(self, place: int) -> int | None:
        """Where in the original a slice ends that ends at *place*; None inside a changed span."""
        number = bisect_left(self._new, place)
        if number < len(self.edits) and self._new[number] == place:
            return self._old[number]
        return self.begin(place)

    def place(self, original: int) -> int | None:
        """Where *original* lies in ``text``; None inside a changed span."""
        number = bisect_right(self._old, original) - 1
        if number < 0:
            return original
        begin, end, new_begin, new_end = self.edits[number]
        if original == begin:
            return new_begin
        return new_end + original - end if original >= end else None


@dataclass(frozen=True, eq=False)
class Form:
    """A way to spell a text.

    ``counted`` says how a start that was counted in texts of this form was counted; ``differs`` how
    two texts differ that are equal in it, "" for a form that only explains starts.
    """

    counted: str
    differs: str
    pattern: Callable[[], re.Pattern[str]]
    respell: Callable[[str], str]
    whole: bool = False
    """It changes a context only, never an answer, as white space that begins the context."""

    def of(self, answer: str) -> str:
        """An answer in this form."""
        return answer if self.whole else _spelled(self, answer).text

    def spell(self, text: str) -> Spelling:
        """*text* in this form."""
        return _spelled(self, text)


@lru_cache(_KEPT)
def _spelled(form: Form, text: str) -> Spelling:
    edits: list[tuple[int, int, int, int]] = []
    pieces: list[str] = []
    done = length = 0
    for found in form.pattern().finditer(text):
        new = form.respell(found[0])
        if new == found[0]:
            continue
        begin, end = found.span()
        length += begin - done
        pieces += (text[done:begin], new)
        edits.append((begin, end, length, length + len(new)))
        length += len(new)
        done = end
    pieces.append(text[done:])
    return Spelling("".join(pieces), edits)


def _fixed(pattern: str) -> Callable[[], re.Pattern[str]]:
    return lambda: re.compile(pattern)  # which re caches itself


def _class(characters: Iterable[str]) -> str:
    """The inside of a regular expression's class of these characters, as ranges."""
    codes = sorted(map(ord, characters))
    # Codes that follow one another are equally far from their places in the list.
    runs = [list(run) for _, run in groupby(enumerate(codes), lambda one: one[1] - one[0])]
    return "".join(f"\\U{run[0][1]:08x}-\\U{run[-1][1]:08x}" for run in runs)


# Ideographs, Hangul syllables, surrogates and private use: all that no form changes but NFD the syllables.
_CONSTANT = ((0x3400, 0x9FFF), (0xAC00, 0xD7A3), (0xD800, 0xF8FF), (0x17000, 0x1AFFF), (0x20000, 0x2F7FF))
_SYLLABLES = "[\uac00-\ud7a3]"
_PLANES = 0x30000
_VOWELS = ((0x1160, 0x11FF), (0xD7B0, 0xD7FF))
"""Conjoining vowels and final consonants, which complete the syllable before them."""


def _characters() -> Iterable[str]:
    """All characters that a form may change."""
    begin = 0
    for first, last in (*_CONSTANT, (_PLANES, _PLANES)):
        yield from map(chr, range(begin, first))
        begin = last + 1


@cache
def _attached() -> str:
    """Characters that join the one before: combining marks, and the vowels and finals of NFD Hangul."""
    marks = (character for character in _characters() if unicodedata.combining(character))
    vowels = (chr(code) for first, last in _VOWELS for code in range(first, last + 1))
    return _class({*marks, *vowels})


def _changing(respell: Callable[[str], str], *first: str) -> Callable[[], re.Pattern[str]]:
    """Single characters that *respell* changes, after the alternatives *first*."""

    @cache
    def pattern() -> re.Pattern[str]:
        changed = _class(character for character in _characters() if respell(character) != character)
        return re.compile(
            "|".join([*(each.replace("ATTACHED", _attached()) for each in first), f"[{changed}]"])
        )

    return pattern


def _normal(name: str) -> Callable[[str], str]:
    return lambda text: unicodedata.normalize(name, text)  # type: ignore[arg-type]


_CLUSTER = r"[\s\S][ATTACHED]+"
_ENTITY = r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});"
_SIGNS = str.maketrans({
    **dict.fromkeys("“”„‟«»″＂〝〞「」『』", '"'),
    **dict.fromkeys("‘’‚‛′`´＇", "'"),
    **dict.fromkeys("‐‑‒–—―−ㅡ－", "-"),
    **dict.fromkeys("∼〜～˜", "~"),
    **dict.fromkeys("‧・ㆍ•∙⋅･", "·"),
    "…": "...",
})  # fmt: skip
_HIDDEN = f"[{_class(INVISIBLE)}]+"
_SPACES = f"[{_class(WHITE_SPACE)}]+"


def _loose(text: str) -> str:
    """Nearly equal texts become equal: no spaces, nothing invisible, one case, one form of every sign."""
    text = re.sub(f"{_HIDDEN}|{_SPACES}", "", html.unescape(text).translate(_SIGNS))
    return unicodedata.normalize("NFKC", text).casefold()


NFC = Form(
    "in texts normalised to NFC", "Unicode normal form", _changing(_normal("NFC"), _CLUSTER), _normal("NFC")
)
NFD = Form("in texts decomposed to NFD", "", _changing(_normal("NFD"), _SYLLABLES), _normal("NFD"))
DECODED = Form("in texts whose HTML entities are decoded", "HTML entities", _fixed(_ENTITY), html.unescape)
SPACE_KINDS = Form(
    "with every white space as a plain space", "kinds of white space",
    _fixed(f"[{_class(set(WHITE_SPACE) - {' '})}]"), lambda text: " ",
)  # fmt: skip
SHOWN_ONLY = Form("without invisible characters", "invisible characters", _fixed(_HIDDEN), lambda text: "")
ONE_SPACE = Form(
    "with runs of white space as one space", "runs of white space", _fixed(_SPACES), lambda text: " "
)
ONE_CASE = Form("in texts of one letter case", "letter case", _changing(str.casefold), str.casefold)
ONE_SIGN = Form(
    "with typewriter signs", "quotation marks, dashes or dots", _fixed(f"[{_class(map(chr, _SIGNS))}]"),
    lambda text: text.translate(_SIGNS),
)  # fmt: skip
NFKC = Form(
    "in texts normalised to NFKC", "compatibility characters", _changing(_normal("NFKC"), _CLUSTER),
    _normal("NFKC"),
)  # fmt: skip
UNSPACED = Form("without white space", "white space", _fixed(_SPACES), lambda text: "")
LOOSE = Form("", "several of these ways at once", _changing(_loose, _ENTITY, _CLUSTER), _loose)

EQUIVALENCES = (
    NFC, SPACE_KINDS, SHOWN_ONLY, ONE_SPACE, DECODED, ONE_CASE, ONE_SIGN, NFKC, UNSPACED, LOOSE,
)  # fmt: skip
"""Under which an answer may equal a slice of its context, the closest first."""

COUNTED = (
    Form("without carriage returns", "", _fixed("\r"), lambda text: ""),
    Form("with a carriage return before every line end", "", _fixed("(?<!\r)\n"), lambda text: "\r\n"),
    Form("without the white space at the beginning", "", _fixed(r"\A\s+"), lambda text: "", whole=True),
    NFC,
    NFD,
    DECODED,
    Form("in texts with HTML entities", "", _fixed("[&<>\"']"), html.escape),
    Form("in texts with the HTML entities of &, < and >", "", _fixed("[&<>]"),
         lambda text: html.escape(text, quote=False)),
    Form("without line ends", "", _fixed("[\r\n]+"), lambda text: ""),
    Form("without HTML tags", "", _fixed("<[^<>]+>"), lambda text: ""),
    ONE_SPACE,
    SHOWN_ONLY,
    NFKC,
    UNSPACED,
)  # fmt: skip
"""In texts of which form starts may have been counted, the usual first."""
