"""Characters that look like nothing, like something else, or like a damaged file, counted by name."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from kit.data.records import Question

WHITE_SPACE = (
    "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007"
    "\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
"""All of Unicode's white space."""


def _ranges(*bounds: tuple[int, int]) -> str:
    return "".join(chr(code) for first, last in bounds for code in range(first, last + 1))


# Unicode's Default_Ignorable_Code_Point without the tags, which complete some flags; and the control
# characters and the blank Braille pattern, which fonts show as nothing.
INVISIBLE = _ranges(
    (0x00, 0x08), (0x0E, 0x1B), (0x7F, 0x84), (0x86, 0x9F), (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C),
    (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E),
    (0x2060, 0x206F), (0x2800, 0x2800), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0), (0xFFF9, 0xFFFB), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0100, 0xE01EF),
)  # fmt: skip
"""Soft hyphen, zero-width characters, joiners, Hangul fillers, variation selectors, byte-order mark, …"""

EXAMPLES = 3
# Nothing writes these on purpose: a NUL ends texts in many tools, and U+FFFD stands where a byte
# could not be decoded.
FAULTY = frozenset("\0\ufffd")
_USUAL = frozenset(" \n\t")
# Conjoining jamo: what normal Hangul turns into under NFD, three characters for one.
_JAMO = ((0x1100, 0x11FF), (0xA960, 0xA97F), (0xD7B0, 0xD7FF))
_CATEGORIES = frozenset({"Cc", "Cf", "Co", "Cn", "Cs", "Zs", "Zl", "Zp"})
_FAMILIES = {
    "Co": ("U+E000..U+10FFFD", "PRIVATE USE"),
    "Cn": ("unassigned", "NO CHARACTER IN UNICODE " + unicodedata.unidata_version),
    "Cs": ("U+D800..U+DFFF", "LONE SURROGATE"),
}
"""Categories whose characters are counted together: (code, name)."""
_CONTROL_NAMES = {0x00: "NULL", 0x0D: "CARRIAGE RETURN", 0x1A: "SUBSTITUTE", 0x1B: "ESCAPE", 0x7F: "DELETE"}

_MEANINGS = {
    "U+0000": "a NUL, at which many tools end a text",
    "U+000D": "a carriage return, half of a Windows line end",
    "U+00A0": "a no-break space, which looks like a space",
    "U+00AD": "a soft hyphen, invisible except at a line's end",
    "U+1100..U+D7FF": "Hangul in decomposed form (NFD), up to three characters for one syllable",
    "U+2028": "a line separator, an unusual line end",
    "U+200B": "a zero-width space, invisible",
    "U+3000": "an ideographic space, as wide as a Hangul syllable",
    "U+3164": "a Hangul filler, invisible",
    "U+D800..U+DFFF": "half of a character that was cut or badly converted",
    "U+E000..U+10FFFD": "private use: means something in one font only",
    "U+FEFF": "a byte-order mark, invisible",
    "U+FFFD": "a replacement character, where a byte could not be decoded",
    "unassigned": "no character of Unicode " + unicodedata.unidata_version,
}


@dataclass(frozen=True, slots=True)
class CharacterCount:
    """How often one character, or a family of them, occurs in contexts, questions and gold answers.

    ``code`` is ``U+00A0`` or a range; ``guids`` names the first few questions that have it.
    """

    code: str
    name: str
    contexts: int
    questions: int
    answers: int
    guids: tuple[str, ...]
    faulty: bool

    @property
    def meaning(self) -> str:
        """What the character is, in plain words: ``an invisible left-to-right mark``."""
        if known := _MEANINGS.get(self.code):  # all ranges among them
            return known
        name = self.name.lower()
        character = chr(int(self.code[2:], 16))
        if unicodedata.category(character) == "Zs":
            return f"a kind of space ({name})"
        return f"an invisible {name}" if character in INVISIBLE else name

    @property
    def count(self) -> int:
        """Occurrences in distinct contexts and in questions (answers are parts of contexts)."""
        return self.contexts + self.questions


def suspicious(questions: Sequence[Question]) -> tuple[CharacterCount, ...]:
    """Count the suspicious characters of all questions, the most frequent first."""
    contexts = _histogram(dict.fromkeys(question.context for question in questions))
    texts = _histogram(question.text for question in questions)
    answers = _histogram(answer.text for question in questions for answer in question.answers or ())
    families: dict[tuple[str, str], list[str]] = {}
    for code in np.flatnonzero(contexts + texts).tolist():
        family = _family(chr(code))
        if family is not None:
            families.setdefault(family, []).append(chr(code))
    counts = [
        CharacterCount(
            code,
            name,
            sum(int(contexts[ord(c)]) for c in characters),
            sum(int(texts[ord(c)]) for c in characters),
            sum(int(answers[ord(c)]) for c in characters),
            _first(questions, characters),
            not FAULTY.isdisjoint(characters),
        )
        for (code, name), characters in families.items()
    ]
    return tuple(sorted(counts, key=lambda count: (-count.count, count.code)))


def character_name(character: str) -> str:
    """The Unicode name, or what there is in its place."""
    code = ord(character)
    return unicodedata.name(character, "") or _CONTROL_NAMES.get(code) or "CONTROL CHARACTER"


def _histogram(texts: Iterable[str]) -> npt.NDArray[np.int64]:
    codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)
    return np.bincount(codes, minlength=0x110000)


def _family(character: str) -> tuple[str, str] | None:
    """(code, name) under which a character is counted; None for an unsuspicious one."""
    code = ord(character)
    if any(low <= code <= high for low, high in _JAMO):
        return "U+1100..U+D7FF", "HANGUL CONJOINING JAMO (NFD)"
    category = unicodedata.category(character)
    if character not in FAULTY and (category not in _CATEGORIES or character in _USUAL):
        return None
    return _FAMILIES.get(category) or (f"U+{code:04X}", character_name(character))


def _first(questions: Sequence[Question], characters: Sequence[str]) -> tuple[str, ...]:
    having = (
        question.guid
        for question in questions
        if any(character in question.context or character in question.text for character in characters)
    )
    return tuple(islice(having, EXAMPLES))
