"""Guards: what a backbone's tokenizer does to the user's own data, and settings kept within its limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kit.data.records import Question
from kit.data.spread import spread
from kit.errors import ModelError
from kit.models.backbones import Backbone
from kit.models.offsets import OffsetCheck

_SAMPLE = 256
_SAMPLE_ASTRAL = 64
_ROUND_TRIP_LEAST = 0.98


@dataclass(frozen=True, slots=True)
class TokenizerReport:
    """What a tokenizer does to a sample of contexts.  Shares are of tokens, 0 to 1."""

    unknown: float
    """Tokens that are [UNK]."""
    round_trip: float
    """Known tokens whose offsets point at exactly the text that they stand for."""
    lower_cases: bool
    strips_accents: bool
    """Accent stripping also takes Hangul apart into jamo."""
    contexts: int

    def remarks(self) -> list[str]:
        """What a user should know, one line each."""
        found = []
        if self.unknown > 0.005:
            found.append(
                f"{self.unknown * 100:.1f} % of tokens are [UNK] on this data: answers in them are guessed"
            )
        if self.lower_cases:
            found.append("the tokenizer lower-cases; answers are still cut from the original text")
        if self.strips_accents:
            found.append("the tokenizer strips accents, which takes Hangul syllables apart into jamo")
        return found


def inspect_tokenizer(backbone: Backbone, questions: Sequence[Question]) -> TokenizerReport:
    """Run the tokenizer over up to 256 contexts of *questions*, and up to 64 that have emoji.

    Raises ModelError where its offsets do not point at the text they stand for: every label and
    every answer would be shifted.
    """
    contexts = _sample(questions)
    unknown_id = backbone.tokenizer.unk_token_id
    offsets_of = OffsetCheck(backbone.engine, unknown_id)
    tokens = unknown = compared = wrong = shift = 0
    example = shifted = ""
    encodings = backbone.engine.encode_batch(contexts, add_special_tokens=False)
    for context, encoding in zip(contexts, encodings, strict=True):
        tokens += len(encoding)
        unknown += encoding.ids.count(unknown_id)
        found = offsets_of(context, encoding)
        compared += found.compared
        wrong += found.wrong
        example = example or found.example
        if found.shift and not shift:
            shift, shifted = found.shift, found.example
    round_trip = 1 - wrong / compared if compared else 1.0
    if shift or round_trip < _ROUND_TRIP_LEAST:
        by = f"by {shift:+d} characters in places, " if shift else ""
        raise ModelError(
            f"{backbone.reference}: offsets of its tokenizer are wrong for {(1 - round_trip) * 100:.1f} % of "
            f"tokens ({by}{shifted or example}); answers would be shifted, use another backbone or repair "
            "its tokenizer.json"
        )
    normalized = _normalizer(backbone)
    return TokenizerReport(
        unknown=unknown / tokens if tokens else 0.0,
        round_trip=round_trip,
        lower_cases=normalized("A") == "a",
        strips_accents=len(normalized("각")) == 3,
        contexts=len(contexts),
    )


def _sample(questions: Sequence[Question]) -> list[str]:
    """Contexts from all over the data.  Some have characters beyond U+FFFF where any has: offsets that
    count UTF-16 units or bytes of an emoji are wrong behind it only.
    """
    contexts = list(dict.fromkeys(question.context for question in questions))
    astral = [text for text in contexts if len(text.encode("utf-16-le", "surrogatepass")) > 2 * len(text)]
    return list(dict.fromkeys([*spread(contexts, _SAMPLE), *spread(astral, _SAMPLE_ASTRAL)]))


def clamp_lengths(backbone: Backbone, max_length: int, stride: int) -> tuple[int, int, list[str]]:
    """max_length and stride (tokens) within the backbone's limits, and a line for each one changed."""
    return clamped(backbone.name, backbone.limits.positions, max_length, stride)


def clamped(name: str, positions: int, max_length: int, stride: int) -> tuple[int, int, list[str]]:
    """As `clamp_lengths`, for a backbone called *name* whose windows may have *positions* tokens."""
    said = []
    if max_length > positions:
        said.append(f"max length {max_length} is more than {name} has positions; using {positions}")
        max_length = positions
    if stride > max_length // 2:
        said.append(f"stride {stride} is more than half of max length {max_length}; using {max_length // 2}")
        stride = max_length // 2
    return max_length, stride, said


def _normalizer(backbone: Backbone):  # type: ignore[no-untyped-def]
    normalizer = backbone.engine.normalizer
    return (lambda text: text) if normalizer is None else normalizer.normalize_str
