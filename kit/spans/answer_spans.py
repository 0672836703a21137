"""Answers from elsewhere as span scores: each text stands for the places in the context where it occurs."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np

from kit.data.records import Dataset, Question
from kit.errors import SubmissionError, listed
from kit.spans.span_scores import JointScores, Provenance, SpanScores, offsets_of
from kit.version import __version__

Weighed = tuple[tuple[str, float], ...]
"""Texts with their probabilities, the likeliest first."""
Odds = dict[tuple[int, int], float]
"""Log odds of spans, by begin and end."""
REACH = 4
"""Ends of a text are moved by so many code points at most: a text that is nearly right gives the right one a
chance."""
STEP = 3.0
"""Log odds that one code point of a moved end costs, before the temperature."""
_LEAST = 1e-4
"""A probability counts as at least this."""
_PLACES = 8
"""A text that occurs more often in a context stands for its first places."""


@dataclass(frozen=True, slots=True)
class AnswerFile:
    """Answers that another program gave: for each guid some texts with probabilities, "" for a blank."""

    path: Path
    sha256: str
    answers: Mapping[str, Weighed]

    def covers(self, questions: Iterable[Question]) -> bool:
        """Whether it has answers to all of *questions*."""
        return all(question.guid in self.answers for question in questions)

    def texts(self, questions: Sequence[Question]) -> list[str]:
        """The likeliest answer to each question.  Raises SubmissionError where one is missing."""
        self._check(questions)
        return [self.answers[question.guid][0][0] for question in questions]

    def scores(self, dataset: Dataset) -> SpanScores:
        """Scores of spans of the contexts of *dataset*, which `with_free_texts` gave.

        A text counts log p at each of its places, its probability divided among them.  Spans whose ends are
        moved by up to `REACH` code points count `STEP` less for each.  Raises SubmissionError where an answer
        is missing.
        """
        self._check(dataset.questions)
        spans = [_scored(question, self.answers[question.guid]) for question in dataset]
        return _joint(dataset, spans, self)

    def _check(self, questions: Sequence[Question]) -> None:
        if missing := [question.guid for question in questions if question.guid not in self.answers]:
            raise SubmissionError(
                f"{self.path}: has no answer to question {listed(missing, 1)}; a member must answer every "
                "question"
            )


def with_free_texts(dataset: Dataset, files: Sequence[AnswerFile]) -> Dataset:
    """*dataset* whose contexts are followed by the texts of *files* that do not occur in them, one a line.

    Then every text is a span, and a free text is blended and decoded as the others are.  Positions in the
    original context stay as they are.
    """
    if not files:
        return dataset
    questions = []
    for question in dataset:
        texts = (text for file in files for text, _ in file.answers.get(question.guid, ()))
        free = [text for text in dict.fromkeys(texts) if text.strip() and not places(text, question.context)]
        context = "\n".join([question.context, *free])
        questions.append(replace(question, context=context) if free else question)
    return replace(dataset, questions=tuple(questions))


def places(text: str, context: str) -> list[tuple[int, int]]:
    """Where *text* stands in *context*, begin and end in code points: exactly, or else in another spelling.

    Two spellings are the same if they are equal in Unicode's form NFKC, without white space.
    """
    found = [(place, place + len(text)) for place in _begins(text, context)]
    return list(islice(found or _respelt(text, context), _PLACES))


def _begins(text: str, context: str) -> Iterator[int]:
    """Every place at which *text* begins in *context*; none for ""."""
    place = context.find(text) if text else -1
    while place >= 0:
        yield place
        place = context.find(text, place + 1)


def _respelt(text: str, context: str) -> Iterator[tuple[int, int]]:
    wanted, _ = _compared(text)
    plain, origin = _compared(context)
    for place in _begins(wanted, plain):
        last = place + len(wanted)
        # Not a part of a letter with its marks, nor of what NFKC takes apart, such as ㎏.
        if origin[place - 1 : place] != [origin[place]] and origin[last : last + 1] != [origin[last - 1]]:
            yield origin[place][0], origin[last - 1][1]


def _compared(text: str) -> tuple[str, list[tuple[int, int]]]:
    """*text* in NFKC without white space, and of each of its code points begin and end in *text*."""
    letters: list[str] = []
    origin: list[tuple[int, int]] = []
    begin = 0
    while begin < len(text):
        end = begin + 1
        while end < len(text) and _continues(text[end]):
            end += 1
        for letter in unicodedata.normalize("NFKC", text[begin:end]):
            if not letter.isspace():
                letters.append(letter)
                origin.append((begin, end))
        begin = end
    return "".join(letters), origin


def _continues(letter: str) -> bool:
    """Whether *letter* is composed with what is before it: a mark, or a vowel or final of Hangul."""
    return unicodedata.combining(letter) > 0 or "\u1160" <= letter <= "\u11ff"


def _scored(question: Question, answers: Weighed) -> Odds:
    """Log odds of spans of the question's context."""
    found: Odds = {}
    context = question.context
    for text, p in answers:
        own = places(text, context)
        for begin, end in own:
            top = float(np.log(max(p / len(own), _LEAST)))
            first = context.rfind("\n", max(begin - REACH, 0), begin) + 1 or max(begin - REACH, 0)
            last = context.find("\n", end, end + REACH)
            last = min(end + REACH, len(context)) if last < 0 else last
            for left in range(first, min(begin + REACH + 1, len(context))):
                for right in range(max(end - REACH, left + 1), last + 1):
                    if context[left].isspace() or context[right - 1].isspace():
                        continue
                    score = top - STEP * (abs(left - begin) + abs(right - end))
                    found[left, right] = max(score, found.get((left, right), -np.inf))
    return found


def _joint(dataset: Dataset, spans: Sequence[Odds], file: AnswerFile) -> SpanScores:
    """One window a question, whose tokens are the code points at which a span begins or ends."""
    nothing = np.zeros(0, np.int64)
    tokens_of, firsts, lasts = [nothing], [nothing], [nothing]
    for own in spans:
        edges = np.array([(begin, end - 1) for begin, end in sorted(own)], np.int64).reshape(-1, 2)
        tokens = np.unique(edges)
        tokens_of.append(tokens)
        firsts.append(np.searchsorted(tokens, edges[:, 0]))
        lasts.append(np.searchsorted(tokens, edges[:, 1]))
    begin, first, last = (np.concatenate(parts).astype(np.int32) for parts in (tokens_of, firsts, lasts))
    scores = np.array([own[span] for own in spans for span in sorted(own)], np.float32)
    joint = JointScores(offsets_of(list(map(len, spans))), first, last, scores)
    zeros = np.zeros(len(begin), np.float32)
    return SpanScores(
        guids=tuple(question.guid for question in dataset),
        windows=np.arange(len(spans) + 1),
        tokens=offsets_of(list(map(len, tokens_of[1:]))),
        char_begin=begin,
        char_end=begin + np.int32(1),
        start=zeros,
        end=zeros,
        null=np.zeros(len(spans), np.float32),
        provenance=Provenance(dataset.sha256, file.path.stem, "", file.sha256, 0, 0, __version__),
        joint=joint,
    )
