"""What a data file holds and what is wrong with it: everything at once, nothing changed."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import fmean

import numpy as np

from kit.data.characters import CharacterCount, suspicious
from kit.data.grouping import Grouping
from kit.data.readers import Fault, FaultKind, Remark, read
from kit.data.readers.display import plain
from kit.data.repair import RepairReport, repair, repairable
from kit.data.rules import question_faults
from kit.display import Displayed, Table
from kit.errors import SHOWN, counted
from kit.hints import command
from kit.settings.paths import repaired_copy

__all__ = ["FileReport", "Lengths", "Mismatch", "RepairReport", "check", "repair"]

_ANSWER_POINTS = (50, 75, 90, 95, 97, 98, 99)
_TEXT_POINTS = (50, 90)
_TAG = re.compile(
    r"</?(?:a|article|b|blockquote|body|br|caption|center|code|d[dlt]|div|em|figcaption|figure|font|footer|h[1-6]|"
    r"head|header|hr|html|i|img|li|link|main|meta|nav|ol|p|pre|script|section|small|span|strong|style|su[bp]|table|"
    r"tbody|td|tfoot|th|thead|title|tr|u|ul)(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Lengths:
    """Lengths in code points: count, mean, quantiles as (percent, length), and the longest.

    A quantile is the smallest length that at least this percentage of the texts does not exceed.
    """

    count: int
    mean: float
    quantiles: tuple[tuple[int, int], ...]
    longest: int

    def as_dict(self) -> dict[str, float]:
        """For JSON: ``{"count", "mean", "p50", …, "max"}``."""
        points = {f"p{percent}": length for percent, length in self.quantiles}
        return {"count": self.count, "mean": round(self.mean, 3), **points, "max": self.longest}


@dataclass(frozen=True, slots=True)
class Mismatch:
    """An answer whose start does not begin its text; ``found`` is the nearest place that does, or None."""

    guid: str
    text: str
    given: str
    found: int | None


@dataclass(frozen=True, slots=True, repr=False)
class FileReport(Displayed):
    """One data file, described and checked.

    ``contexts`` counts distinct ones; ``golds_per_question`` is a mean over questions that have
    answers; ``faults`` holds every broken rule (the mismatches among them), ``remarks`` what is
    unusual and was read all the same.
    """

    path: Path
    sha256: str
    format: str
    questions: int
    contexts: int
    answers: int
    golds_per_question: float
    unanswerable: int
    withheld: int
    context_lengths: Lengths
    question_lengths: Lengths
    answer_lengths: Lengths
    mismatches: tuple[Mismatch, ...]
    duplicates: tuple[str, ...]
    empty_contexts: tuple[str, ...]
    empty_questions: tuple[str, ...]
    characters: tuple[CharacterCount, ...]
    faults: tuple[Fault, ...]
    remarks: tuple[Remark, ...]
    repairable: bool = True
    """Whether `repair` would leave any question."""
    grouping: Grouping | None = field(default=None, repr=False, compare=False)
    """None for a test file, which is not split."""
    repaired: RepairReport | None = None
    """What `kit.check(…, repair=…)` changed in the copy that it wrote."""

    @property
    def clean(self) -> bool:
        """Whether no rule is broken."""
        return not self.faults

    @property
    def cure(self) -> str:
        """What to do about the faults."""
        if not self.repairable:
            return f"{self.path}: no question would be left by --repair; get another copy"
        return f"`{command('check', self.path, repair=repaired_copy(self.path))}` writes a sound copy"

    @property
    def headline(self) -> str:
        """The file, its size, and whether it is sound."""
        faults = counted(len(self.faults), "fault") if self.faults else "no faults"
        return f"{self.path}: {counted(self.questions, 'question')}, {faults}"

    def tables(self) -> list[Table]:
        """What it holds, and the broken rules."""
        found = [Table(str(self.path), (), self.rows())]
        if self.faults:
            shown = [(f"{number + 1}", fault.message) for number, fault in enumerate(self.faults[:SHOWN])]
            found.append(Table(f"{len(self.faults):,} faults, the first {len(shown)}", (), shown))
        return found

    def _all_remarks(self) -> list[Remark]:
        return [*self.remarks, *(self.grouping.remarks() if self.grouping else ())]

    def rows(self) -> list[tuple[str, str]]:
        """What it holds as (label, value), for a short table."""
        rows = [
            ("format", self.format),
            ("sha256", self.sha256),
            ("questions", f"{self.questions:,}"),
            ("contexts", f"{self.contexts:,}"),
            ("gold answers", f"{self.answers:,} ({self.golds_per_question:.2f} an answered question)"),
            ("unanswerable", f"{self.unanswerable:,}"),
            ("answers withheld", f"{self.withheld:,}"),
            ("answer length", _in_words(self.answer_lengths)),
            ("question length", _in_words(self.question_lengths)),
            ("context length", _in_words(self.context_lengths)),
        ]
        if self.grouping is not None:
            rows.append(("groups", self.grouping.in_words()))
        rows.append(("faults", f"{len(self.faults):,}" if self.faults else "none"))
        rows += [("remark", f"{remark.text}: {remark.count:,}") for remark in self._all_remarks()]
        return rows + [
            (
                "character",
                f"{count.code}, {count.meaning}: {counted(count.count, 'time')}, seen in question"
                f"{'s' if len(count.guids) > 1 else ''} {', '.join(map(plain, count.guids))}",
            )
            for count in self.characters
        ]

    def as_dict(self) -> dict[str, object]:
        """For JSON, complete; guids are written so that any of them can be printed."""
        return {
            "path": str(self.path),
            "sha256": self.sha256,
            "format": self.format,
            "clean": self.clean,
            "questions": self.questions,
            "contexts": self.contexts,
            "answers": self.answers,
            "golds_per_question": round(self.golds_per_question, 4),
            "unanswerable": self.unanswerable,
            "withheld": self.withheld,
            "lengths": {
                "answers": self.answer_lengths.as_dict(),
                "questions": self.question_lengths.as_dict(),
                "contexts": self.context_lengths.as_dict(),
            },
            "mismatches": [asdict(mismatch) for mismatch in self.mismatches],
            "duplicates": list(self.duplicates),
            "empty_contexts": list(self.empty_contexts),
            "empty_questions": list(self.empty_questions),
            "characters": [
                {**asdict(count), "guids": [plain(guid) for guid in count.guids], "count": count.count}
                for count in self.characters
            ],
            "faults": [asdict(fault) for fault in self.faults],
            "remarks": [asdict(remark) for remark in self._all_remarks()],
            "groups": None if self.grouping is None else self.grouping.as_dict(),
        }


def check(path: Path | str) -> FileReport:
    """Read a data file and report what it holds and every rule it breaks.

    Mistakes of single questions do not stop the rest from being reported.  Raises DataError only
    where no questions can be told apart: a missing file, no JSON, an unknown layout.
    """
    raw = read(path)
    questions = [entry.question for entry in raw.questions if entry.question is not None]
    contexts = list(dict.fromkeys(question.context for question in questions))
    answers = [answer for entry in raw.questions for answer in entry.answers or ()]
    answered = sum(bool(entry.answers) for entry in raw.questions)
    faults = list(raw.faults)
    for entry in raw.questions:
        faults.extend(question_faults(entry))
    remarks = list(raw.remarks)
    if raw.questions and all(entry.answers == () for entry in raw.questions):
        remarks.append(Remark("no question has an answer, all are unanswerable", len(raw.questions)))
    texts = contexts + [question.text for question in questions]
    if undone := sum(not unicodedata.is_normalized("NFC", text) for text in texts):
        remarks.append(Remark("text not in Unicode's composed form (NFC)", undone))
    if markup := _html_remark(contexts):
        remarks.append(markup)
    return FileReport(
        path=raw.path,
        sha256=raw.sha256,
        format=raw.format,
        questions=len(raw.questions),
        contexts=len(contexts),
        answers=len(answers),
        golds_per_question=len(answers) / max(1, answered),
        unanswerable=sum(entry.answers == () and not entry.faults for entry in raw.questions),
        withheld=sum(entry.answers is None and not entry.faults for entry in raw.questions),
        context_lengths=_lengths([len(context) for context in contexts], _TEXT_POINTS),
        question_lengths=_lengths([len(question.text) for question in questions], _TEXT_POINTS),
        answer_lengths=_lengths([len(answer.text) for answer in answers], _ANSWER_POINTS),
        mismatches=tuple(
            Mismatch(plain(entry.guid), answer.text, answer.given, answer.found)
            for entry in raw.questions
            for answer in entry.answers or ()
            if not answer.matches
        ),
        duplicates=_guids(faults, FaultKind.DUPLICATE),
        empty_contexts=_guids(faults, FaultKind.CONTEXT_EMPTY),
        empty_questions=_guids(faults, FaultKind.QUESTION_EMPTY),
        characters=suspicious(questions),
        faults=tuple(faults),
        remarks=tuple(remarks),
        repairable=repairable(raw),
        grouping=Grouping(questions) if any(question.answers is not None for question in questions) else None,
    )


def _html_remark(contexts: Sequence[str]) -> Remark | None:
    """How many contexts are HTML, with their lengths in characters; None where none is."""
    lengths: list[int] = []
    texts: list[int] = []
    for context in contexts:
        tags = _TAG.findall(context) if "</" in context else []
        if len(tags) > 1:  # a tag alone may be what a text is about
            lengths.append(len(context))
            texts.append(len(context) - sum(map(len, tags)))
    if not lengths:
        return None
    return Remark(
        f"context is HTML (mean {fmean(lengths):,.0f} characters, {fmean(texts):,.0f} of them text, longest "
        f"{max(lengths):,}); it is read as it is, tags and all, and answers may hold tags",
        len(lengths),
    )


def _guids(faults: Sequence[Fault], kind: FaultKind) -> tuple[str, ...]:
    return tuple(Counter(fault.guid for fault in faults if fault.kind is kind))


def _lengths(values: Sequence[int], points: tuple[int, ...]) -> Lengths:
    if not values:
        return Lengths(0, 0.0, tuple((point, 0) for point in points), 0)
    array = np.array(values, dtype=np.int64)
    quantiles = np.quantile(array, [point / 100 for point in points], method="inverted_cdf")
    return Lengths(
        len(array),
        float(array.mean()),
        tuple((point, int(value)) for point, value in zip(points, quantiles, strict=True)),
        int(array.max()),
    )


def _in_words(lengths: Lengths) -> str:
    if not lengths.count:
        return "none"
    points = ", ".join(f"{percent} % up to {length}" for percent, length in lengths.quantiles)
    return f"mean {lengths.mean:.1f} characters; {points}; longest {lengths.longest}"
