"""What the boundary model sees of a span: its characters, what surrounds it, and the question, all hashed.

Every feature is the hash of a piece of text, or of several together, so that no vocabulary is kept.
Weinberger et al., Feature Hashing for Large Scale Multitask Learning (2009).
"""

from __future__ import annotations

import functools
import re
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kit.data.records import Question
from kit.ranking.text_hashing import HashedTexts, Hashes, Places, mixed
from kit.text_rules import particles

_CHUNK = 256
"""Questions looked at together: bounds the memory."""
_ASKED = (
    "누구|누가|인물|사람", "언제|시기|날짜|연도", "어디|장소|지역|나라|도시|곳", "몇|얼마|횟수|개수|인원",
    "이름|명칭", "무엇|무슨|어떤|어느|뭐", "왜|이유|원인|까닭", "어떻게|방법",
)  # fmt: skip
_WANTED_UNIT = re.compile(r"몇 ?(\w)")


def span_features(
    questions: Sequence[Question],
    question: Places,
    begin: NDArray[Any],
    end: NDArray[Any],
    *,
    bits: int,
    morphology: bool,
) -> NDArray[np.int32]:
    """The features of S spans, int32 (S, features), each below 2 ** *bits*.

    *question*: int64 (S,), ascending, which of *questions* each span belongs to; *begin*, *end*: (S,), code
    points of its context, end exclusive, never empty.  *morphology*: also the parts of speech at both ends.
    Raises ConfigError where that needs kiwipiepy and it is not installed.
    """
    shift = np.uint64(64 - bits)
    parts = []
    for first in range(0, len(questions), _CHUNK):
        some = slice(*np.searchsorted(question, [first, first + _CHUNK]))
        if some.stop > some.start:
            columns = _columns(
                questions[first : first + _CHUNK], question[some] - first,
                begin[some].astype(np.int64), end[some].astype(np.int64), morphology,
            )  # fmt: skip
            hashed = [
                (mixed(column + np.uint64(number)) >> shift).astype(np.int32)
                for number, column in enumerate(columns)
            ]
            parts.append(np.stack(hashed, axis=1))
    return np.concatenate(parts) if parts else np.zeros((0, 1), np.int32)


def _columns(
    questions: Sequence[Question], question: Places, begin: Places, end: Places, morphology: bool
) -> Iterator[Hashes]:
    contexts: dict[str, int] = {}
    of = np.array([contexts.setdefault(one.context, len(contexts)) for one in questions], dtype=np.int64)
    text = HashedTexts(list(contexts))
    asked = _asked(questions)
    inside = _number(
        [
            questions[number].context[b:e] in questions[number].text
            for number, b, e in zip(question.tolist(), begin.tolist(), end.tolist(), strict=True)
        ]
    )
    b, e = text.first[of[question]] + begin, text.first[of[question]] + end
    left = [text.piece(b - size, b) for size in (1, 2, 3)]
    right = [text.piece(e, e + size) for size in (1, 2, 3)]
    head = [text.piece(b, np.minimum(b + size, e)) for size in (1, 2, 3)]
    tail = [text.piece(np.maximum(e - size, b), e) for size in (1, 2, 3)]
    shape = text.shape(b, e)
    kinds = [_number(text.kind[place]) for place in (b - 1, b, e - 1, e)]
    words = _number(np.minimum(text.words(b, e), 6))
    length = _number(np.minimum(e - b, 24))
    marks = _number(text.opened(b, e))
    digits = _number(np.minimum(text.digits(b, e), 5))
    whole_words = _number(text.word_begin(b) == b), _number(text.word_end(e) == e)
    last_word = text.piece(np.maximum(text.word_begin(e), b), e)
    first_word = text.piece(b, np.minimum(text.word_end(b), e))
    follows = text.piece(e, np.minimum(text.word_end(e), e + 4))
    before = text.piece(np.maximum(text.word_begin(b), b - 4), b)
    next_word = text.piece(e, np.minimum(text.word_end(e + 1), e + 6))
    word_before = text.piece(np.maximum(text.word_begin(b - 1), b - 6), b)
    yield from (*left, *right, *head, *tail)
    yield from _crossed(
        *((one, other) for one in left[:2] for other in head[:2]),
        *((one, other) for one in tail for other in right[:2]),
        (tail[0], right[2]), (left[0], right[0]), (head[0], tail[0]),
        (shape,), (shape, kinds[0], kinds[3]),
        (kinds[0], kinds[1]), (kinds[2], kinds[3]), (tail[0], kinds[3]), (left[0], kinds[1]),
        (words,), (length,), (words, length), (marks, kinds[0], kinds[3]),
        (last_word,), (first_word,), (follows,), (before,), (next_word,), (word_before,),
        (follows, tail[0]), (follows, tail[1]), (follows, kinds[2]), (*whole_words, words),
        (inside,), (inside, words, kinds[2]), (digits, tail[0], right[0]),
    )  # fmt: skip
    for one in asked:
        own = one[question]
        yield from _crossed(
            (own, tail[0]), (own, right[0]), (own, shape), (own, words), (own, last_word), (own, follows)
        )
    for one in asked[:2]:
        own = one[question]
        yield from _crossed(
            (own, tail[1]), (own, length), (own, inside), (own, left[0]), (own, tail[0], right[0]),
            (own, digits, kinds[2], kinds[3]),
        )  # fmt: skip
    if morphology:
        tags, starts = _tags(list(contexts), text)
        around = [_number(tags[place]) for place in (b - 1, b, e - 1, e)]
        at = [_number(starts[place]) for place in (b, e)]
        yield from _crossed(
            (around[0], around[1], at[0]), (around[2], around[3], at[1]),
            (around[2], around[3], at[1], tail[0]), (around[1], around[2]), (around[2], at[1], follows),
        )  # fmt: skip
        for one in asked[:2]:
            own = one[question]
            yield from _crossed((own, around[2], around[3], at[1]), (own, around[1], around[2]))


def _asked(questions: Sequence[Question]) -> list[Hashes]:
    """What each question asks for, uint64 (Q,) each: kinds of question words, its end, the unit it wants."""
    kinds, endings, ends, units = [], [], [], []
    for question in questions:
        bare = question.text.rstrip(" ?？.!\"'”’")
        kinds.append(sum(1 << number for number, one in enumerate(_ASKED) if re.search(one, bare)))
        endings.append(bare[-2:])
        ends.append(bare[-3:])
        wanted = _WANTED_UNIT.search(bare)
        units.append(wanted.group(1) if wanted else bare.rpartition(" ")[2])
    return [_number(kinds), *(HashedTexts(pieces).whole() for pieces in (endings, ends, units))]


def _tags(contexts: Sequence[str], text: HashedTexts) -> tuple[NDArray[np.uint16], NDArray[np.bool_]]:
    """The part of speech of each code point, uint16 (N,), and where a morpheme begins, bool (N,)."""
    tags = np.zeros(len(text.kind) + 1, np.uint16)
    starts = np.zeros(len(text.kind) + 1, np.bool_)
    for first, context in zip(text.first.tolist(), contexts, strict=True):
        begin, end, tag = _morphemes(context)
        for left, right, one in zip(begin.tolist(), end.tolist(), tag.tolist(), strict=True):
            tags[first + left : first + right] = one
        starts[first + begin] = starts[first + end] = True
    return tags, starts


@functools.lru_cache(maxsize=1 << 14)
def _morphemes(context: str) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.uint16]]:
    """Begin, end and part of speech of every morpheme; remembered, since tuning asks again and again."""
    tokens = particles.kiwi().tokenize(context)
    begin = np.fromiter((token.start for token in tokens), np.int32, len(tokens))
    size = np.fromiter((token.len for token in tokens), np.int32, len(tokens))
    tag = np.fromiter((_tag_number(str(token.tag)) for token in tokens), np.uint16, len(tokens))
    return begin, begin + size, tag


@functools.cache
def _tag_number(tag: str) -> int:
    return 1 + zlib.crc32(tag.encode()) % 65_521


def _number(values: Any) -> Hashes:
    return np.asarray(values).astype(np.uint64) + np.uint64(1)


def _crossed(*features: tuple[Hashes, ...]) -> Iterator[Hashes]:
    """Each of *features*, which are hashes of one thing or of several together, as one hash."""
    for found, *others in features:
        for other in others:
            found = mixed(found) * np.uint64(31) + other
        yield found
