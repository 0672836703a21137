"""The letters of a text: a plain form in which texts that differ by normalization are equal."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import accumulate, pairwise

Range = tuple[int, int]


@lru_cache(maxsize=1 << 16)
def letters_of_character(character: str) -> str:
    """The letters of one character; "" for white space, marks and controls."""
    text = character
    for _ in range(2):  # folding case can leave what decomposes once more
        text = unicodedata.normalize("NFKD", text).casefold()
    return "".join(c for c in text if c not in "▁\ufffd" and unicodedata.category(c)[0] not in "CMZ")


def letters_of(text: str) -> str:
    """*text* without what tokenizers normalise: compatibility forms, case, marks, white space, controls.

    Hangul syllables are taken apart.  The letters of a text are those of its characters, one after another.
    """
    return "".join(map(letters_of_character, text))


class Letters:
    """The letters of a text (``all``), and which of its characters they come from.

    Characters that Unicode may compose into one (jamo, compatibility jamo) count as one: a cluster.
    """

    def __init__(self, text: str, letters: Callable[[str], str]) -> None:
        clusters = list(_clusters(text))
        pieces = [letters(cluster) for cluster in clusters]
        edges = list(pairwise(accumulate(map(len, pieces), initial=0)))
        self.text, self.all = text, "".join(pieces)
        self._of_character = [edge for one, edge in zip(clusters, edges, strict=True) for _ in one]
        """Begin and end of the cluster that each character belongs to, in letters."""
        self._of_letter = [edge for one, edge in zip(pieces, edges, strict=True) for _ in one]
        """The same of the cluster that each letter belongs to."""

    def range(self, begin: int, end: int) -> Range:
        """The letters of the characters from *begin* up to *end*; offsets outside the text are its end."""
        if not 0 <= begin < len(self.text) or end <= begin:
            return len(self.all), len(self.all)
        return self._of_character[begin][0], self._of_character[min(end, len(self.text)) - 1][1]

    def widened(self, begin: int, end: int) -> Range:
        """The letters of all clusters that the letters from *begin* up to *end* belong to."""
        return self._of_letter[begin][0], self._of_letter[end - 1][1]


def _clusters(text: str) -> Iterator[str]:
    """Each character, or characters together that Unicode may compose into one syllable."""
    begin = 0
    for at in range(1, len(text)):
        # Only a vowel or a final consonant joins what stands before it.
        joins = "\u1161" <= letters_of_character(text[at])[:1] <= "\u11ff"
        if not joins or not _compose(text[begin:at], text[at]):
            yield text[begin:at]
            begin = at
    if text:
        yield text[begin:]


def _compose(one: str, other: str) -> bool:
    apart = unicodedata.normalize("NFKC", one) + unicodedata.normalize("NFKC", other)
    return unicodedata.normalize("NFKC", one + other) != apart
