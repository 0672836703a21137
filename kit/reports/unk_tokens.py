"""Whether a member's tokenizer has only [UNK] for a piece of the gold answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer

from kit.data.records import Question
from kit.reports.facets import Facet, kept, missing
from kit.reports.members import Member

_TITLE = "[UNK] in the answer"
_BLOCK = 256


def facet(members: Sequence[Member], questions: Sequence[Question]) -> Facet:
    """The facet: for no member, for some, for every one; missing where no tokenizer can be read."""
    if not members:
        return missing("unk", _TITLE, "a CSV does not say which tokenizers read the context")
    files = {file for member in members if (file := _tokenizer_file(member)) is not None}
    if not files:
        return missing("unk", _TITLE, "no tokenizer.json lies beside the members' weights")
    unknown = [answers_unknown(file, questions) for file in sorted(files)]
    counts = [sum(own) for own in zip(*unknown, strict=True)]
    values = tuple(0 if not count else 2 if count == len(files) else 1 for count in counts)
    last = "yes" if len(files) == 1 else "for every tokenizer"
    return kept(Facet("unk", _TITLE, labels=("no", "for some tokenizers", last), values=values))


def answers_unknown(file: Path, questions: Sequence[Question]) -> list[bool]:
    """For each question whether a token of its first gold, in its context, is the unknown token."""
    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    unknown = _unknown_id(file, tokenizer)
    contexts = list(dict.fromkeys(question.context for question in questions))
    spans: dict[str, list[tuple[int, int]]] = {}
    for first in range(0, len(contexts), _BLOCK):
        block = contexts[first : first + _BLOCK]
        encoded = tokenizer.encode_batch(block, add_special_tokens=False)
        for context, encoding in zip(block, encoded, strict=True):
            pairs = zip(encoding.ids, encoding.offsets, strict=True)
            spans[context] = [offsets for token, offsets in pairs if token == unknown]
    return [
        any(
            begin < answer.end and answer.start < end
            for answer in (question.answers or ())[:1]
            for begin, end in spans[question.context]
        )
        for question in questions
    ]


def _tokenizer_file(member: Member) -> Path | None:
    run = member.sources[0].opened
    if run is None:
        return None
    fold = member.sources[0].fold
    folder = run.model_folder(fold if fold in run.folds else run.folds[0])
    file = folder / "tokenizer.json"
    return file if file.is_file() else None


def _unknown_id(file: Path, tokenizer: Tokenizer) -> int | None:
    """Unigram models know their unknown token by number, the others by name."""
    model = json.loads(file.read_text(encoding="utf-8"))["model"]
    number = model.get("unk_id")
    if number is not None:
        return int(number)
    found: int | None = tokenizer.token_to_id(model.get("unk_token") or "[UNK]")
    return found
