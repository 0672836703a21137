"""Whether a tokenizer's offsets point at the text that its tokens stand for.

Pieces and text are compared in a plain form, the letters, in which a text equals what a normalizer makes of
it (NFC, NFKC, lower case, stripped accents).  One character may become several tokens that share its place
(``㈜``: ``(``, ``주``, ``)``), one token may take parts of two characters (``……``), and several characters
may become one (``ㄱ`` and ``ㅏ``).  So tokens that share characters are compared together, and each of them
must point at exactly the characters that its letters come from.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby, islice, pairwise

from tokenizers import Encoding, Tokenizer
from transformers.convert_slow_tokenizer import bytes_to_unicode

from kit.modeling.letters import Letters, Range, letters_of, letters_of_character

_FALLBACK = re.compile(r"<0x([0-9A-Fa-f]{2})>")
_IN_A_ROW = 5
"""Wrong tokens in a row, all found equally far from where they point, that prove a shift."""
_ROW = 25
"""The most tokens that such a row may have, right ones included."""
_ROWS = 16
"""Rows of wrong tokens that are looked at in one text."""
_FARTHEST = 64
"""Characters: the largest shift looked for in such a row."""


@dataclass(frozen=True, slots=True)
class Offsets:
    """How the offsets of one text's tokens compare with the text.

    ``compared`` counts known tokens with letters, ``wrong`` those of them that point elsewhere than at their
    letters; ``shift`` is by how many characters a row of them is off (0: there is no such row); ``example``
    describes the first wrong token.
    """

    compared: int
    wrong: int
    shift: int
    example: str


class OffsetCheck:
    """Compares a tokenizer's tokens with the texts that they were made from."""

    def __init__(self, engine: Tokenizer, unknown_id: int | None) -> None:
        self._unknown_id = unknown_id
        self._prefix = getattr(engine.model, "continuing_subword_prefix", None) or ""
        self._suffix = getattr(engine.model, "end_of_word_suffix", None) or ""
        alphabet: dict[int, str] = bytes_to_unicode() if _is_byte_level(engine) else {}
        self._byte_of = {letter: byte for byte, letter in alphabet.items()}
        self._normalizer = engine.normalizer

    def __call__(self, text: str, encoding: Encoding) -> Offsets:
        """Compare *text* with its *encoding*, which has no special tokens."""
        offsets = encoding.offsets  # a new list each time it is asked for
        stretches = self._stretches(text, encoding, offsets)
        compared = [number for stretch in stretches for number in stretch.numbers]
        form = Letters(text, letters_of)
        wrong = set(self._misplaced(form, offsets, stretches))
        if wrong and self._normalizer is not None:
            # The tokenizer may write characters in a way of its own.
            own = Letters(text, lambda cluster: letters_of(self.normalized(cluster)))
            wrong &= set(self._misplaced(own, offsets, stretches))
        if not wrong:
            return Offsets(len(compared), 0, 0, "")
        first = min(wrong)
        begin, end = offsets[first]
        example = f"token {encoding.tokens[first]!r} points at {text[begin:end]!r}"
        return Offsets(len(compared), len(wrong), _shift(form, offsets, stretches, wrong), example)

    def normalized(self, text: str) -> str:
        """What the tokenizer makes of *text* before it cuts it."""
        return text if self._normalizer is None else str(self._normalizer.normalize_str(text))

    def _misplaced(
        self, form: Letters, offsets: Sequence[Range], stretches: Sequence[_Stretch]
    ) -> Iterator[int]:
        """The numbers of the tokens that do not point at their letters."""
        known = {number for stretch in stretches for number in stretch.known}
        for stretch in stretches:
            for run in _runs(form, offsets, stretch):
                low, high = min(begin for begin, _ in run.given), max(end for _, end in run.given)
                # Unknown tokens beside it may have the other letters of a character that they share.
                before, after = (
                    None if number in known or not 0 <= number < len(offsets)
                    else form.range(*offsets[number])
                    for number in (run.numbers[0] - 1, run.numbers[-1] + 1)
                )  # fmt: skip
                found = _place(
                    form, run.letters, low, high,
                    shared_before=before is not None and before[1] > low,
                    shared_after=after is not None and after[0] < high,
                )  # fmt: skip
                if found is None and self._rewritten(form.text, offsets, run):
                    continue
                for given, tokens in groupby(
                    zip(run.given, run.parts, run.numbers, strict=True), lambda token: token[0]
                ):
                    # Tokens with one range between them (the bytes of unknown characters) are one.
                    _, parts, numbers = zip(*tokens, strict=True)
                    if found is not None:
                        begin, end = form.widened(found + parts[0][0], found + parts[-1][1])
                        if given == (begin, end):
                            continue
                        if numbers[0] in stretch.marked and given == (form.widened(begin - 1, begin)[0], end):
                            continue
                    yield from numbers

    def _rewritten(self, text: str, offsets: Sequence[Range], run: _Run) -> bool:
        """Whether all tokens of a run have one range, which the normalizer rewrites as a whole."""
        ranges = {offsets[number] for number in run.numbers}
        if len(ranges) > 1:
            return False
        begin, end = ranges.pop()
        return letters_of(self.normalized(text[begin:end])) == run.letters

    def _stretches(self, text: str, encoding: Encoding, offsets: Sequence[Range]) -> list[_Stretch]:
        """The tokens between unknown ones.  A token with part of a character that no neighbour
        completes counts as unknown.
        """
        spelled = [
            self._spelled(piece, literal=text[begin:end] == piece)
            for piece, (begin, end) in zip(encoding.tokens, offsets, strict=True)
        ]
        known = [number != self._unknown_id for number in encoding.ids]
        while True:
            broken: set[int] = set()
            runs = groupby(range(len(known)), key=known.__getitem__)
            stretches = [_stretch(list(numbers), spelled, broken) for is_known, numbers in runs if is_known]
            if not broken:
                return stretches
            for number in broken:
                known[number] = False

    def _spelled(self, piece: str, *, literal: bool) -> bytes:
        """The text of a piece in UTF-8, which may begin or end within a character.

        *literal*: the text itself has the piece, letter by letter, which may look like ``<0x41>``.
        """
        if self._byte_of and all(character in self._byte_of for character in piece):
            return bytes(self._byte_of[character] for character in piece)
        if not literal and (match := _FALLBACK.fullmatch(piece)):
            return bytes.fromhex(match[1])
        bare = piece.removeprefix(self._prefix).removesuffix(self._suffix)
        return bare.encode("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Known tokens in a row.  ``numbers`` has those with letters, ``parts`` their place in ``letters``.

    ``marked`` are those that begin with a mark, which may come from the character before their letters.
    """

    known: list[int]
    numbers: list[int]
    letters: str
    parts: list[Range]
    marked: set[int]


@dataclass(frozen=True, slots=True)
class _Run:
    """Tokens of a stretch that share characters.

    ``parts`` is where the letters of each begin and end in ``letters``; ``given`` is the range of the text's
    letters that its offsets point at.
    """

    numbers: list[int]
    letters: str
    parts: list[Range]
    given: list[Range]


def _stretch(known: list[int], spelled: Sequence[bytes], broken: set[int]) -> _Stretch:
    """The stretch of the tokens *known*; those with half a character go to *broken*."""
    joined = b"".join(spelled[number] for number in known).decode("utf-8", "surrogateescape")
    owner = [at for at, one in enumerate(joined) for _ in one.encode("utf-8", "surrogateescape")]
    letters = [letters_of_character(character) for character in joined]
    begins = list(accumulate(map(len, letters), initial=0))
    numbers, parts, marked = [], [], set()
    byte = 0
    for number in known:
        if size := len(spelled[number]):
            begin, end = owner[byte], owner[byte + size - 1] + 1
            byte += size
            if any("\udc80" <= character <= "\udcff" for character in joined[begin:end]):
                broken.add(number)
            if begins[begin] < begins[end]:
                numbers.append(number)
                parts.append((begins[begin], begins[end]))
                if unicodedata.category(joined[begin])[0] == "M":
                    marked.add(number)
    return _Stretch(known, numbers, "".join(letters), parts, marked)


def _runs(form: Letters, offsets: Sequence[Range], stretch: _Stretch) -> Iterator[_Run]:
    given = [form.range(*offsets[number]) for number in stretch.numbers]
    reached = accumulate((high for _, high in given), max, initial=-1)  # by the tokens before each
    begins = [at for at, ((low, _), before) in enumerate(zip(given, reached, strict=False)) if low >= before]
    for begin, end in pairwise([*begins, len(given)]):
        first, last = stretch.parts[begin][0], stretch.parts[end - 1][1]
        parts = [(a - first, b - first) for a, b in stretch.parts[begin:end]]
        yield _Run(stretch.numbers[begin:end], stretch.letters[first:last], parts, given[begin:end])


def _place(
    form: Letters, letters: str, low: int, high: int, *, shared_before: bool, shared_after: bool
) -> int | None:
    """Where *letters* begin among those from *low* up to *high*; None where these are others.

    A first character that is shared may have more letters in front, a last one more behind.
    """
    if low >= high:
        return None
    skipped = form.widened(low, low + 1)[1] - low - 1 if shared_before else 0
    least = form.widened(high - 1, high)[0] + 1 if shared_after else high
    for at in range(low, low + skipped + 1):
        if form.all.startswith(letters, at) and least <= at + len(letters) <= high:
            return at
    return None


def _shift(form: Letters, offsets: Sequence[Range], stretches: Sequence[_Stretch], wrong: set[int]) -> int:
    """By how many characters `_IN_A_ROW` wrong tokens in a row are off; 0 where no row is."""
    tokens = [
        (number, stretch.letters[begin:end])
        for stretch in stretches
        for number, (begin, end) in zip(stretch.numbers, stretch.parts, strict=True)
    ]
    distances = [sign * distance for distance in range(1, _FARTHEST + 1) for sign in (-1, 1)]
    places = [at for at, (number, _) in enumerate(tokens) if number in wrong]
    rows = zip(places, places[_IN_A_ROW - 1 :], strict=False)
    for first, last in islice((row for row in rows if row[1] - row[0] < _ROW), _ROWS):
        for distance in distances:
            # Among them may be tokens that look right: their range begins or ends with white space.
            if all(
                _found(form, offsets[number], distance, letters)
                for number, letters in tokens[first : last + 1]
            ):
                return -distance
    return 0


def _found(form: Letters, offsets: Range, distance: int, letters: str) -> bool:
    low, high = form.range(offsets[0] + distance, offsets[1] + distance)
    return _place(form, letters, low, high, shared_before=True, shared_after=True) is not None


def _is_byte_level(engine: Tokenizer) -> bool:
    parts = (engine.normalizer, getattr(engine, "pre_tokenizer", None))
    return any(b'"ByteLevel"' in part.__getstate__() for part in parts if part is not None)
