"""Guards: what a backbone's tokenizer does to the user's own data, and settings kept within its limits."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from kit.data.records import Question
from kit.errors import ModelError
from kit.models.backbones import Backbone

_SAMPLE = 256
_ROUND_TRIP_LEAST = 0.98


@dataclass(frozen=True, slots=True)
class TokenizerReport:
    """What a tokenizer does to a sample of contexts.  Shares are of tokens, 0 to 1."""

    unknown: float
    """Tokens that are [UNK]."""
    round_trip: float
    """Known tokens whose text equals the slice of the context under their offsets."""
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
    """Run the tokenizer over up to 256 contexts of *questions*.

    Raises ModelError where its offsets do not point at the text they stand for: every label and
    every answer would be shifted.
    """
    contexts = list(dict.fromkeys(question.context for question in questions))
    contexts = contexts[:: max(len(contexts) // _SAMPLE, 1)][:_SAMPLE]
    unknown_id = backbone.tokenizer.unk_token_id
    marks = _continuation_marks(backbone)
    tokens = unknown = compared = same = 0
    example = ""
    for context, encoding in zip(
        contexts, backbone.engine.encode_batch(contexts, add_special_tokens=False), strict=True
    ):
        tokens += len(encoding)
        for token_id, piece, (begin, end) in zip(
            encoding.ids, encoding.tokens, encoding.offsets, strict=True
        ):
            if token_id == unknown_id:
                unknown += 1
                continue
            for mark in marks:
                piece = piece.removeprefix(mark)
            expected, found = _skeleton(piece), _skeleton(context[begin:end])
            if not expected or not found or not piece.isprintable() or _is_bytes(piece, found):
                continue
            compared += 1
            if expected == found:
                same += 1
            elif not example:
                example = f"token {piece!r} points at {context[begin:end]!r}"
    round_trip = same / compared if compared else 1.0
    if round_trip < _ROUND_TRIP_LEAST:
        raise ModelError(
            f"{backbone.reference}: offsets of its tokenizer are wrong for {(1 - round_trip) * 100:.1f} % of "
            f"tokens ({example}); answers would be shifted, use another backbone or repair its tokenizer.json"
        )
    normalized = _normalizer(backbone)
    return TokenizerReport(
        unknown=unknown / tokens if tokens else 0.0,
        round_trip=round_trip,
        lower_cases=normalized("A") == "a",
        strips_accents=len(normalized("각")) == 3,
        contexts=len(contexts),
    )


def clamp_lengths(backbone: Backbone, max_length: int, stride: int) -> tuple[int, int, list[str]]:
    """max_length and stride (tokens) within the backbone's limits, and a line for each one changed."""
    said = []
    positions = backbone.limits.positions
    if max_length > positions:
        said.append(f"max length {max_length} is more than {backbone.name} has positions; using {positions}")
        max_length = positions
    if stride > max_length // 2:
        said.append(f"stride {stride} is more than half of max length {max_length}; using {max_length // 2}")
        stride = max_length // 2
    return max_length, stride, said


def _normalizer(backbone: Backbone):  # type: ignore[no-untyped-def]
    normalizer = backbone.engine.normalizer
    return (lambda text: text) if normalizer is None else normalizer.normalize_str


def _continuation_marks(backbone: Backbone) -> tuple[str, ...]:
    prefix = getattr(backbone.engine.model, "continuing_subword_prefix", None)
    return tuple(mark for mark in (prefix, "▁", "Ġ") if mark)


def _skeleton(text: str) -> str:
    """Text without what tokenizers normalise: compatibility forms, case, accents, white space."""
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(c for c in decomposed if not c.isspace() and unicodedata.category(c) not in ("Mn", "Cf"))


def _is_bytes(piece: str, found: str) -> bool:
    """Byte-level pieces spell UTF-8 bytes in other letters; they cannot be compared as text."""
    return not found.isascii() and all(ord(c) < 0x180 for c in piece)
