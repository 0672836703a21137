"""Facets: properties of questions by which the report divides the distance; one value a question."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from kit.data.records import Question
from kit.phrase import Phrase
from kit.reports.source import Member, ReportSource

_OTHER = Phrase("(other)")
_NO_MEMBERS = Phrase("a CSV has no members")
_NOT_GIVEN = Phrase("(not given)")
_CHARACTERS = Phrase("characters")
_MOST = 12
"""Values that a facet of names shows; the others are summed as (other)."""
_LENGTHS = (0, 1, 2, 3, 5, 8, 13, 21, 31)
_CONTEXTS = (0, 250, 500, 750, 1000, 1250, 1500, 2000)
_DISTANCES = (0, 1, 2, 3, 5, 10, 20)
_BLOCK = 256
"""Contexts that are tokenized together."""

QUESTION_WORDS = (
    ("누가", re.compile("누구|누가|누굴")),
    ("언제", re.compile("언제|며칠")),
    ("어디", re.compile("어디|어느 ?(?:곳|나라|도시|지역)")),
    ("무엇", re.compile("무엇|무슨|뭐|뭘|어떤|어느")),
    ("몇", re.compile("몇|얼마")),
    ("왜", re.compile("왜(?![가-힣])")),
    ("어떻게", re.compile("어떻게|어찌")),
)
NO_QUESTION_WORD = Phrase("(none)")


@dataclass(frozen=True, slots=True)
class Facet:
    """One way to divide the questions.

    labels: the names of its values, in the order shown; values: int (Q,), an index into them;
    unit: what the labels count, "" for names; reason: why there are no values, "" where there are;
    rival: whether it divides the distance of the CSV compared with.  Texts of the kit are phrases.
    """

    key: str
    title: str
    unit: str = ""
    labels: tuple[str, ...] = ()
    values: tuple[int, ...] = ()
    reason: str = ""
    rival: bool = False


def of_questions(questions: Sequence[Question]) -> list[Facet]:
    """The facets of the questions and their golds."""
    golds = [len(one.golds[0]) for one in questions]
    contexts = [len(one.context) for one in questions]
    return [
        binned("gold", Phrase("gold length"), _CHARACTERS, golds, _LENGTHS),
        _named("word", Phrase("question word"), [question_word(one.text) for one in questions], _WORDS),
        _commonest("category", Phrase("category"), [one.category for one in questions]),
        _commonest("source", Phrase("source"), [one.source for one in questions]),
        binned("context", Phrase("context length"), _CHARACTERS, contexts, _CONTEXTS),
    ]


def of_answers(distances: NDArray[np.float64], golds: Sequence[str]) -> list[Facet]:
    """The facets of the answers: their distance, and whether a blank would have been nearer."""
    nearer = [int(len(gold) < distance) for distance, gold in zip(distances, golds, strict=True)]
    labels = (Phrase("the answer is as near"), Phrase("a blank is nearer"))
    return [
        binned("distance", Phrase("edit distance"), _CHARACTERS, distances.astype(int).tolist(), _DISTANCES),
        without_unused(Facet("blank", Phrase("answer or blank"), labels=labels, values=tuple(nearer))),
    ]


def question_word(text: str) -> str:
    """The question word (누가, 언제, 어디, 무엇, 몇, 왜, 어떻게); NO_QUESTION_WORD for none.

    Korean puts the question near the end, so the last of several counts.
    """
    last = {
        word: found[-1].start() for word, pattern in QUESTION_WORDS if (found := [*pattern.finditer(text)])
    }
    return max(last, key=lambda word: last[word], default=NO_QUESTION_WORD)


_WORDS = (*(word for word, _ in QUESTION_WORDS), NO_QUESTION_WORD)


def binned(key: str, title: str, unit: str, numbers: Sequence[int], edges: Sequence[int]) -> Facet:
    """Whole numbers ≥ edges[0] in bins that begin at *edges*; empty bins are left out."""
    labels = [
        f"{low}+" if high is None else f"{low}" if high == low + 1 else f"{low}-{high - 1}"
        for low, high in zip(edges, [*edges[1:], None], strict=True)
    ]
    values = tuple(bisect_right(edges, number) - 1 for number in numbers)
    return without_unused(Facet(key, title, unit, tuple(labels), values))


def _commonest(key: str, title: str, names: Sequence[str]) -> Facet:
    """A name of each question, "" where it has none; the rare ones together."""
    if not any(names):
        return Facet(key, title, reason=Phrase("the data have none"))
    names = [name or _NOT_GIVEN for name in names]
    common = [name for name, _ in Counter(names).most_common(_MOST)]
    return _named(key, title, [name if name in common else _OTHER for name in names], [*common, _OTHER])


def _named(key: str, title: str, names: Sequence[str], order: Sequence[str]) -> Facet:
    labels = tuple(dict.fromkeys(order))
    place = {label: index for index, label in enumerate(labels)}
    return without_unused(Facet(key, title, labels=labels, values=tuple(place[name] for name in names)))


def without_unused(facet: Facet) -> Facet:
    """*facet* without the labels that no question has."""
    used = sorted(set(facet.values))
    again = {value: index for index, value in enumerate(used)}
    labels = tuple(facet.labels[value] for value in used)
    return replace(facet, labels=labels, values=tuple(again[value] for value in facet.values))


def windows(source: ReportSource) -> Facet:
    """How many windows the context has, the largest number of any member."""
    title = Phrase("window count")
    scored = [member.sources[0] for member in source.members if member.run is not None]
    if not scored:
        return Facet("windows", title, reason=_NO_MEMBERS)
    counts = np.max([np.diff(one.scores(source.dataset).windows) for one in scored], axis=0)
    return binned("windows", title, Phrase("windows"), counts.tolist(), (0, 1, 2, 3, 4, 5, 7, 11))


def disagreement(source: ReportSource) -> Facet:
    """How many members have another answer."""
    key, title = "others", Phrase("members with another answer")
    count = len(source.members)
    if count < 2:
        return Facet(key, title, reason=Phrase("there is only one member") if count else _NO_MEMBERS)
    others = [
        sum(member.texts[number] != text for member in source.members)
        for number, text in enumerate(source.texts)
    ]
    labels = tuple(Phrase("{n} of {all}", n=str(number), all=str(count)) for number in range(count + 1))
    return without_unused(Facet(key, title, labels=labels, values=tuple(others)))


def unk_tokens(source: ReportSource) -> Facet:
    """Whether the gold has [UNK] tokens for no member, some or all; missing without a tokenizer file."""
    key, title = "unk", Phrase("[UNK] in the answer")
    if not source.members:
        return Facet(key, title, reason=Phrase("a CSV does not name the tokenizers"))
    files = {file for member in source.members if (file := _tokenizer_file(member)) is not None}
    if not files:
        reason = Phrase("there is no tokenizer.json beside the members' weights")
        return Facet(key, title, reason=reason)
    unknown = [has_unk_token(file, source.dataset.questions) for file in sorted(files)]
    counts = [sum(own) for own in zip(*unknown, strict=True)]
    values = tuple(0 if not count else 2 if count == len(files) else 1 for count in counts)
    last = Phrase("yes") if len(files) == 1 else Phrase("for every tokenizer")
    labels = (Phrase("no"), Phrase("for some tokenizers"), last)
    return without_unused(Facet(key, title, labels=labels, values=values))


def has_unk_token(file: Path, questions: Sequence[Question]) -> list[bool]:
    """For each question, whether a token of its first gold in its context is the unknown token."""
    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    unk = _unk_id(file, tokenizer)
    contexts = list(dict.fromkeys(question.context for question in questions))
    spans: dict[str, list[tuple[int, int]]] = {}
    for first in range(0, len(contexts), _BLOCK):
        block = contexts[first : first + _BLOCK]
        encoded = tokenizer.encode_batch(block, add_special_tokens=False)
        for context, encoding in zip(block, encoded, strict=True):
            pairs = zip(encoding.ids, encoding.offsets, strict=True)
            spans[context] = [offsets for token, offsets in pairs if token == unk]
    return [
        any(
            begin < answer.end and answer.start < end
            for answer in (question.answers or ())[:1]
            for begin, end in spans[question.context]
        )
        for question in questions
    ]


def _tokenizer_file(member: Member) -> Path | None:
    run, fold = member.run, member.sources[0].fold
    if run is None:
        return None
    folder = run.model_folder(fold if fold in run.folds else run.folds[0])
    file = folder / "tokenizer.json"
    return file if file.is_file() else None


def _unk_id(file: Path, tokenizer: Tokenizer) -> int | None:
    """Unigram models name their unknown token by number, the others by text."""
    model: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))["model"]
    number: int | None = model.get("unk_id")
    return tokenizer.token_to_id(model.get("unk_token") or "[UNK]") if number is None else number
