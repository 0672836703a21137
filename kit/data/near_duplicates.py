"""Which texts are the same but for a few edits: found by rare fingerprints, then measured exactly.

Texts are compared in a normal form (`normal_form`) in which composition, case, width, spaces and
punctuation make no difference.  All runs of a few characters (shingles) are hashed; of every
WINDOW consecutive hashes the smallest is kept (winnowing, Schleimer, Wilkerson and Aiken 2003), so
that any two texts that share a run of shingle + WINDOW - 1 characters share a fingerprint.  Pairs
that share enough of them are candidates, and those are measured on all their shingles.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.uint32]
Hashes = npt.NDArray[np.uint64]
Indices = npt.NDArray[np.int64]

SHINGLE = 8
WINDOW = 8
# Contexts of two articles on one topic share well under a tenth of their shingles; a context with
# one character in twenty replaced at random keeps six tenths of them.
NEAR = 0.4
# A short text can lie in a long one by chance; below this many shared shingles both must agree.
FEW = 24

RECIPE = f"{SHINGLE} {WINDOW} {NEAR} {FEW}"
"""Part of the keys under which groups and leaks are kept."""
WORTH_KEEPING = 1_000_000
"""Characters below which comparing texts again takes a few tenths of a second."""

# Characters hashed at a time: few enough for the processor's cache, which halves the time.
_CHUNK = 1 << 17
# Characters folded at a time: arrays this small are used again, larger ones come from the system each time,
# which takes longer than the folding.
_BLOCK = 1 << 18
_ALL_PAIRS_UP_TO = 32
_FAR_PARTNERS = 8
# Fingerprints survive edits about as often as shingles, but there are fewer: half leaves room.
_LEAST_FINGERPRINTS = NEAR / 2
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_LAST = np.uint64(0xFFFFFFFFFFFFFFFF)


@dataclass(frozen=True, slots=True)
class Overlap:
    """How much of two texts is shared, counted in distinct shingles."""

    shared: int
    left: int
    right: int

    @property
    def containment(self) -> float:
        """The share of the smaller text's shingles that the other has, 0 to 1."""
        return self.shared / max(1, min(self.left, self.right))

    @property
    def jaccard(self) -> float:
        """The share of both texts' shingles that they have in common, 0 to 1."""
        return self.shared / max(1, self.left + self.right - self.shared)

    @property
    def near(self) -> bool:
        """Containment of NEAR or more, and of both in each other where only FEW are shared."""
        return (self.containment if self.shared >= FEW else self.jaccard) >= NEAR


@dataclass(frozen=True)
class Texts:
    """Normal forms of many texts, one after another.

    ``codes``: uint32 (C,), code points; ``offsets``: int64 (N + 1,), where each text begins;
    ``shingle``: how many characters are compared at a time, a power of two.
    """

    codes: Codes
    offsets: Indices
    shingle: int
    _kept: dict[int, Hashes] = field(default_factory=dict, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def _codes(self, begin: int, end: int) -> Codes:
        return self.codes[self.offsets[begin] : self.offsets[end]]

    def form(self, index: int) -> bytes:
        """The normal form of a text as bytes that are equal only for equal forms; b"" if empty."""
        return self._codes(index, index + 1).tobytes()

    def shingles(self, index: int) -> Hashes:
        """uint64 (S,), the distinct shingle hashes of a text, ascending."""
        if index not in self._kept:
            self._kept[index] = np.unique(_shingles(self._codes(index, index + 1), self.shingle))
        return self._kept[index]

    def overlap(self, left: int, right: int) -> Overlap:
        """Measure two texts on all their shingles."""
        one, other = self.shingles(left), self.shingles(right)
        both = np.sort(np.concatenate([one, other]))
        return Overlap(int(np.count_nonzero(both[1:] == both[:-1])), len(one), len(other))

    @cached_property
    def exact(self) -> Indices:
        """int64 (N,), for each text the first with the same non-empty normal form (or itself)."""
        first: dict[bytes, int] = {}
        same = (first.setdefault(self.form(i) or i.to_bytes(9, "big"), i) for i in range(len(self)))
        return np.fromiter(same, np.int64, len(self))

    def candidates(self, left: int | None = None) -> tuple[Indices, Indices]:
        """Pairs that may be near, the likeliest first.

        With *left*, only pairs of one of the first *left* texts with one of the rest.

        Returns: two int64 (P,) arrays, the smaller index in the first.
        """
        hashes, owners = self._fingerprints()
        per_text = np.bincount(owners, minlength=len(self))
        one, other = _partners(hashes, owners, left)
        pairs, shared = np.unique(one * len(self) + other, return_counts=True)
        one, other = np.divmod(pairs, len(self))
        estimate = shared / np.minimum(per_text[one], per_text[other])
        likely = estimate >= _LEAST_FINGERPRINTS
        one, other, estimate = one[likely], other[likely], estimate[likely]
        order = np.lexsort((other, one, -estimate))
        return one[order], other[order]

    def _fingerprints(self) -> tuple[Hashes, Indices]:
        """(hash, text) of every distinct fingerprint, sorted by both."""
        bits = np.uint64(max(1, len(self) - 1).bit_length())
        low = np.uint64((1 << int(bits)) - 1)
        parts = [np.empty(0, np.uint64)]
        for begin, end in _chunks(self.offsets, _CHUNK):
            bounds = self.offsets[begin : end + 1] - self.offsets[begin]
            hashes = _shingles(self._codes(begin, end), self.shingle)
            lengths = np.diff(bounds)
            # A shingle that begins in the last characters of a text runs into the next text.
            for back in range(1, self.shingle):
                ends = bounds[1:][lengths >= back] - back
                hashes[ends[ends < len(hashes)]] = _LAST
            chosen = _winnowed(hashes)
            owners = np.repeat(np.arange(begin, end, dtype=np.uint64), lengths)[: len(chosen)][chosen]
            # One sort by one key is several times faster than by two: the text takes the lowest
            # bits, and enough remain that two of a million hashes hardly ever collide.
            parts.append((hashes[chosen] & ~low) | owners)
        keys = np.sort(np.concatenate(parts))
        keys = keys[_new(keys)]
        return keys >> bits, (keys & low).astype(np.int64)


def normal_form(texts: Sequence[str], shingle: int = SHINGLE) -> Texts:
    """NFKC, case folded, letters, digits and marks only, computed once for every distinct character."""
    composed = [unicodedata.normalize("NFC", text) for text in texts]
    bounds = np.cumsum([0, *map(len, composed)], dtype=np.int64)
    blocks = list(_chunks(bounds, _BLOCK))
    used = np.zeros(0x110000, np.bool_)
    for begin, end in blocks:
        used[_codes(composed[begin:end])] = True
    sizes = np.zeros(0x110000, np.int8)
    forms = np.zeros((1, 0x110000), np.uint32)
    for code in np.flatnonzero(used):
        form = _folded(chr(code))
        sizes[code] = len(form)
        while len(forms) < len(form):  # a few characters stand for several, such as ㎜
            forms = np.concatenate([forms, np.zeros((1, 0x110000), np.uint32)])
        forms[: len(form), code] = [ord(character) for character in form]
    parts: list[Codes] = [np.empty(0, np.uint32)]
    counts: list[Indices] = [np.zeros(1, np.int64)]
    for begin, end in blocks:
        codes = _codes(composed[begin:end])
        size = sizes[codes]
        ends = np.concatenate([[0], np.cumsum(size, dtype=np.int64)])
        folded = forms[0][codes[size > 0] if len(forms) == 1 else np.repeat(codes, size)]
        for place in range(1, len(forms)):
            there = np.flatnonzero(size > place)
            folded[ends[there] + place] = forms[place][codes[there]]
        parts.append(folded)
        counts.append(np.diff(ends[bounds[begin : end + 1] - bounds[begin]]))
    return Texts(np.concatenate(parts), np.cumsum(np.concatenate(counts)), shingle)


def _chunks(offsets: Indices, size: int) -> Iterator[tuple[int, int]]:
    """Ranges of texts of about *size* characters."""
    begin, last = 0, len(offsets) - 1
    while begin < last:
        end = int(np.searchsorted(offsets, offsets[begin] + size, side="right")) - 1
        end = max(end, begin + 1)
        yield begin, end
        begin = end


def _codes(texts: Sequence[str]) -> Codes:
    return np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)


def _folded(character: str) -> str:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", character).casefold())
    return "".join(c for c in folded if unicodedata.category(c)[0] in "LNM")


def _shingles(codes: Codes, size: int) -> Hashes:
    """uint64 (max(0, C - size + 1),): a hash of every run of *size* characters."""
    if len(codes) < size:
        return np.empty(0, np.uint64)
    # A polynomial over twice, four and eight times as many characters: three steps for eight.
    hashes = codes.astype(np.uint64)
    factor, width = _FACTOR, 1
    with np.errstate(over="ignore"):
        while width < size:
            hashes = hashes[:-width] * factor + hashes[width:]
            factor, width = factor * factor, 2 * width
        # The polynomial's low bits hardly mix; what is the smallest must not depend on the alphabet.
        hashes ^= hashes >> np.uint64(32)
        hashes *= np.uint64(0xD6E8FEB86659FD93)
        hashes ^= hashes >> np.uint64(32)
    return hashes


def _winnowed(hashes: Hashes) -> npt.NDArray[np.bool_]:
    """bool (S,): whether a hash is the smallest of any WINDOW consecutive ones; _LAST never is."""
    padded = np.concatenate([np.full(WINDOW - 1, _LAST), hashes, np.full(WINDOW - 1, _LAST)])
    smallest, width = padded, 1
    while width < WINDOW:
        smallest = np.minimum(smallest[:-width], smallest[width:])
        width *= 2
    # A hash is chosen where the largest of the minima of its windows is itself.
    largest, width = smallest, 1
    while width < WINDOW:
        largest = np.maximum(largest[:-width], largest[width:])
        width *= 2
    chosen: npt.NDArray[np.bool_] = (hashes == largest) & (hashes != _LAST)
    return chosen


def _new(ascending: Hashes) -> npt.NDArray[np.bool_]:
    """Where a value differs from the one before it; `np.unique` takes twenty times as long for millions."""
    return np.concatenate([np.ones(min(1, len(ascending)), np.bool_), ascending[1:] != ascending[:-1]])


def _partners(hashes: Hashes, owners: Indices, left: int | None) -> tuple[Indices, Indices]:
    """Pairs of texts that share a fingerprint, once a shared fingerprint."""
    starts = np.flatnonzero(_new(hashes))
    sizes = np.diff(np.append(starts, len(hashes)))
    ones = [np.empty(0, np.int64)]
    others = [np.empty(0, np.int64)]
    for size in np.unique(sizes[sizes > 1]):
        members = owners[starts[sizes == size][:, None] + np.arange(size)]
        if size <= _ALL_PAIRS_UP_TO:
            i, j = np.triu_indices(size, 1)
        else:
            # Stock phrases: all pairs would be too many.  The first and last few as partners of
            # all keep every member connected, and give each training text some test texts.
            near = np.concatenate([np.arange(_FAR_PARTNERS), np.arange(size - _FAR_PARTNERS, size)])
            i, j = (grid.ravel() for grid in np.meshgrid(near, np.arange(size)))
            different = i != j
            i, j = np.minimum(i, j)[different], np.maximum(i, j)[different]
        one, other = members[:, i].ravel(), members[:, j].ravel()
        if left is not None:
            across = (one < left) & (other >= left)
            one, other = one[across], other[across]
        ones.append(one)
        others.append(other)
    return np.concatenate(ones), np.concatenate(others)
