"""Korean particles: which of the two shapes follows a word is decided by its last sound."""

from __future__ import annotations

# After a closed syllable (one with a final consonant), after an open one.
SHAPES: dict[str, tuple[str, str]] = {
    "은": ("은", "는"),
    "이": ("이", "가"),
    "을": ("을", "를"),
    "과": ("과", "와"),
    "으로": ("으로", "로"),
    "이다": ("이다", "다"),
    "이라": ("이라", "라"),
    "이며": ("이며", "며"),
    "이고": ("이고", "고"),
    "이나": ("이나", "나"),
    "이었": ("이었", "였"),
}

_RIEUL = 8
# Signs read as Korean words: which final consonant the reading ends in (0: none).
_READ_AS = dict(zip("0123456789", (21, _RIEUL, 0, 16, 0, 0, 1, _RIEUL, _RIEUL, 0), strict=True))
_READ_AS |= dict.fromkeys("lrLR", _RIEUL) | dict.fromkeys("mnMN", 16)
_SILENT = " ’”)」』》\u200b\xa0"


def final_consonant(word: str) -> int:
    """The final consonant of the last sound of *word*: its index in Unicode's list, 0 for none.

    Closing quotes and brackets are not read; digits and some letters are read as in Korean; other
    signs (``%``, ``㎜``) are read as words that end in a vowel.
    """
    spoken = word.rstrip(_SILENT)
    if not spoken:
        return 0
    last = spoken[-1]
    if "가" <= last <= "힣":
        return (ord(last) - ord("가")) % 28
    return _READ_AS.get(last, 0)


def particle(word: str, base: str) -> str:
    """The shape of particle *base* (a key of SHAPES) that follows *word*: 을 after 책, 를 after 나무."""
    closed, opened = SHAPES[base]
    final = final_consonant(word)
    if base == "으로" and final == _RIEUL:
        return opened
    return closed if final else opened
