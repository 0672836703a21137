"""Guards: what a backbone's tokenizer does to the user's own data, and settings kept within its limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kit.data.records import Question
from kit.data.spread import spread
from kit.errors import ModelError
from kit.modeling.backbones import Backbone
from kit.modeling.load_errors import tokenizer_description, unknown_class
from kit.modeling.offsets import OffsetCheck

_SAMPLE = 256
_SAMPLE_ASTRAL = 64
_ROUND_TRIP_LEAST = 0.98
_UNKNOWN_MOST = 0.2
"""Share of tokens that may be [UNK] without a rare character in the text they stand for."""
_FEW_PIECES = 500
"""A vocabulary with fewer pieces of Hangul is none for Korean."""


@dataclass(frozen=True, slots=True)
class TokenizerReport:
    """What a tokenizer does to a sample of contexts.  Shares are of tokens, 0 to 1."""

    unknown: float
    """Tokens that are [UNK]."""
    unexplained: float
    """Those of them whose text is of Hangul syllables and ASCII alone, which a Korean vocabulary has."""
    round_trip: float
    """Known tokens whose offsets point at exactly the text that they stand for."""
    lower_cases: bool
    strips_accents: bool
    """Accent stripping also takes Hangul apart into jamo."""
    cause: str = ""
    """Why more of them are [UNK] than may be, and the cure; "" where there are few."""

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


def inspect_tokenizer(
    backbone: Backbone, questions: Sequence[Question], *, allow_unknown: bool = False
) -> TokenizerReport:
    """Run the tokenizer over up to 256 contexts of *questions*, and up to 64 that have emoji.

    Raises ModelError where its offsets do not point at the text they stand for: every label and
    every answer would be shifted; and, unless *allow_unknown*, where more than a fifth of the tokens are
    [UNK] although their text has no rare character.
    """
    report = read_sample(backbone, _sample(questions))
    if report.cause and not allow_unknown:
        raise ModelError(
            f"{backbone.reference}: {report.unexplained * 100:.0f} % of tokens are [UNK] on this data, more "
            f"than {_UNKNOWN_MOST * 100:.0f} %: {report.cause} (--allow-unknown goes on all the same)"
        )
    return report


def read_sample(backbone: Backbone, contexts: Sequence[str]) -> TokenizerReport:
    """What the tokenizer does to *contexts*.  Raises ModelError where its offsets are wrong."""
    unknown_id = backbone.tokenizer.unk_token_id
    check = OffsetCheck(backbone.engine, unknown_id)
    encodings = backbone.engine.encode_batch(contexts, add_special_tokens=False)
    found = [check(context, encoding) for context, encoding in zip(contexts, encodings, strict=True)]
    compared, wrong = sum(one.compared for one in found), sum(one.wrong for one in found)
    round_trip = 1 - wrong / compared if compared else 1.0
    shifted = [one for one in found if one.shift]
    if shifted or round_trip < _ROUND_TRIP_LEAST:
        first = next(one for one in shifted or found if one.wrong)
        by = f"by {first.shift:+d} characters in places, " if first.shift else ""
        raise ModelError(
            f"{backbone.reference}: offsets of its tokenizer are wrong for {(1 - round_trip) * 100:.1f} % of "
            f"tokens ({by}{first.example}); answers would be shifted, use another backbone or repair "
            "its tokenizer.json"
        )
    unknown = [
        context[begin:end]
        for context, encoding in zip(contexts, encodings, strict=True)
        for number, (begin, end) in zip(encoding.ids, encoding.offsets, strict=True)
        if number == unknown_id
    ]
    tokens = max(sum(map(len, encodings)), 1)
    share = sum(map(_is_common, unknown)) / tokens
    apart = len(check.normalized("각")) == 3
    return TokenizerReport(
        unknown=len(unknown) / tokens,
        unexplained=share,
        round_trip=round_trip,
        lower_cases=check.normalized("A") == "a",
        strips_accents=apart,
        cause=_cause(backbone, apart) if share > _UNKNOWN_MOST else "",
    )


def _is_common(text: str) -> bool:
    """Whether *text* is of Hangul syllables and ASCII alone."""
    return all(character < "\x7f" or "가" <= character <= "힣" for character in text)


def _cause(backbone: Backbone, takes_hangul_apart: bool) -> str:
    """Why a tokenizer does not know common Korean text, and the cure."""
    described = tokenizer_description(backbone.location)
    if described.get("auto_map") and not backbone.loading["trust_remote_code"]:
        return "its tokenizer brings code of its own; read it, then allow it with --trust-remote-code"
    pieces = backbone.engine.get_vocab()
    named, used = str(described.get("tokenizer_class") or ""), type(backbone.tokenizer).__name__
    foreign = f", since the library does not know {named}" if named and unknown_class(named) else ""
    cure = "give the folder the tokenizer.json of the model's own tokenizer"
    bars, hashes = (sum(piece.startswith(mark) for piece in pieces) for mark in ("▁", "##"))
    if type(backbone.engine.model).__name__ == "WordPiece" and bars > hashes:
        return f"its vocabulary is SentencePiece's (▁…), but {used} reads it as WordPiece{foreign}; {cure}"
    if foreign:
        return f"{used} reads its vocabulary{foreign}; {cure}"
    if takes_hangul_apart and any("가" <= piece[-1:] <= "힣" for piece in pieces):
        return (
            "it strips accents, which takes Hangul syllables apart, and its vocabulary has syllables; write "
            '"do_lower_case": false and "strip_accents": false into its tokenizer_config.json'
        )
    hangul = sum(any("가" <= character <= "힣" for character in piece) for piece in pieces)
    if hangul < _FEW_PIECES:
        return f"its vocabulary has {hangul} pieces with Hangul; use a Korean or multilingual backbone"
    return (
        "its vocabulary does not fit this text; check that the folder has the tokenizer files of this very "
        "model, and the data with kit check"
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
