"""Texts side by side, any piece of which is hashed at once for many places.

By differences of running sums: Karp and Rabin, Efficient randomized pattern-matching algorithms (1987).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Places = NDArray[np.int64]

_GAP = 6
"""NULs around every text: the neighbours of a span at its edge."""
_BASE = 0x9E3779B97F4A7C15
_HANGUL, _DIGIT, _LOWER, _UPPER, _HANJA, _SPACE, _OPENER, _CLOSER, _QUOTE, _JOINER, _OTHER = range(1, 12)
_KINDS = (
    (_HANGUL, "[가-힣ㄱ-ㅎㅏ-ㅣ\u1100-\u11ff]"), (_DIGIT, r"\d"), (_LOWER, "[a-z]"), (_UPPER, "[A-Z]"),
    (_HANJA, "[\u3400-\u9fff\uf900-\ufaff]"), (_SPACE, r"\s"), (_OPENER, "[“‘(〈《「『\\[]"),
    (_CLOSER, "[”’)〉》」』\\]]"), (_QUOTE, "[\"'`]"), (_JOINER, "[-~·∼〜–—/:.,]"),
)  # fmt: skip


class HashedTexts:
    """T texts side by side, with gaps: N code points.

    Begins and ends are int64 arrays of places among the N, ends exclusive.

    first: int64 (T,), where each text begins; kind: uint8 (N,), of each code point
    """

    def __init__(self, texts: Sequence[str]) -> None:
        gap = "\0" * _GAP
        joined = gap + gap.join(texts) + gap
        codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype="<u4")
        self._sizes = np.fromiter(map(len, texts), np.int64, len(texts))
        self.first = _GAP + np.r_[0, np.cumsum(self._sizes + _GAP)[:-1]].astype(np.int64)
        count = len(codes) + 1
        self._powers = np.cumprod(np.full(count, _BASE, np.uint64)) * np.uint64(pow(_BASE, -1, 1 << 64))
        self._inverse = np.cumprod(np.full(count, pow(_BASE, -1, 1 << 64), np.uint64)) * np.uint64(_BASE)
        self._sums = self._summed(mixed(codes.astype(np.uint64) + np.uint64(1)) * self._inverse[:-1])
        self.kind = _kind_table()[codes]
        changes = np.r_[True, self.kind[1:] != self.kind[:-1]]
        self._run = np.cumsum(changes) - 1
        self._kinds = mixed(self.kind.astype(np.uint64) + np.uint64(77))
        of_run = np.where(changes, self._kinds * self._inverse[self._run], np.uint64(0))
        self._shapes = self._summed(of_run)
        space = (self.kind == _SPACE) | (self.kind == 0)
        place = np.arange(len(codes))
        self._spaces = np.r_[0, np.cumsum(space)]
        self._last_space = np.maximum.accumulate(np.where(space, place, -1))
        self._next_space = np.minimum.accumulate(np.where(space, place, len(codes))[::-1])[::-1]
        self._digits = np.r_[0, np.cumsum(self.kind == _DIGIT)]
        self._marks = np.r_[0, np.cumsum((self.kind == _OPENER).astype(int) - (self.kind == _CLOSER))]
        self._quotes = np.r_[0, np.cumsum(self.kind == _QUOTE)]

    @staticmethod
    def _summed(terms: Hashes) -> Hashes:
        found: Hashes = np.r_[np.zeros(1, np.uint64), np.cumsum(terms, dtype=np.uint64)]
        return found

    def piece(self, begin: Places, end: Places) -> Hashes:
        """The hash of what stands in [begin, end)."""
        found: Hashes = (self._sums[end] - self._sums[begin]) * self._powers[begin]
        return found

    def whole(self) -> Hashes:
        """The hash of each text."""
        return self.piece(self.first, self.first + self._sizes)

    def shape(self, begin: Places, end: Places) -> Hashes:
        """The hash of the kinds in [begin, end), each run of one kind counted once."""
        run = self._run[begin]
        rest = (self._shapes[end] - self._shapes[begin + 1]) * self._powers[run]
        found: Hashes = rest + self._kinds[begin]
        return found

    def words(self, begin: Places, end: Places) -> Places:
        """How many words stand in [begin, end)."""
        found: Places = self._spaces[end] - self._spaces[begin] + 1
        return found

    def digits(self, begin: Places, end: Places) -> Places:
        """How many digits stand in [begin, end)."""
        found: Places = self._digits[end] - self._digits[begin]
        return found

    def opened(self, begin: Places, end: Places) -> Places:
        """0 where marks are balanced; otherwise which kind is open."""
        brackets = np.sign(self._marks[end] - self._marks[begin]) + 1
        quotes = (self._quotes[end] - self._quotes[begin]) % 2
        found: Places = brackets * 2 + quotes
        return found

    def word_begin(self, place: Places) -> Places:
        """Where the word begins that ends before, or goes on at, *place*."""
        found: Places = self._last_space[place - 1] + 1
        return found

    def word_end(self, place: Places) -> Places:
        """The first white space at or after *place*."""
        found: Places = self._next_space[np.minimum(place, len(self.kind) - 1)]
        return found


@functools.cache
def _kind_table() -> NDArray[np.uint8]:
    table = np.full(0x110000, _OTHER, np.uint8)
    for kind, pattern in reversed(_KINDS):
        found = re.compile(pattern)
        for code in range(0x10000):
            if found.match(chr(code)):
                table[code] = kind
    table[0] = 0
    return table


def mixed(values: Hashes) -> Hashes:
    """Every bit of the result depends on every bit of the value (splitmix64's last steps)."""
    values = values * np.uint64(_BASE)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
