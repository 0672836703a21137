"""Where the answers are that their file misplaces: by the cause of the whole file, else one by one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from kit.data.formats.causes import Cause, Finding, Start, difference, findings, places
from kit.data.formats.gathering import Gathering, Unsettled, fault_of, matching
from kit.data.formats.mistakes import Mistake
from kit.data.formats.raw import Fault, FaultKind, RawAnswer, RawQuestion
from kit.data.formats.spelling import EQUIVALENCES, LOOSE
from kit.data.formats.wording import plain, quoted
from kit.errors import SHOWN

LOCATED = "answer given as a text alone, located in its context"
CHOSEN = "answer whose text stands several times in its context, placed by the question's words"

# A start this near to a place means it, whatever the question's words are.
_NEAR = 3
_HALF = 10
"""At this distance, in characters, a word of the question counts half."""
_WORD = re.compile(r"\w+")
_SENTENCE_END = re.compile(r"[.!?。]\s|\n")


def settle(gathering: Gathering) -> None:
    """Place the answers that do not stand where the file says, and record their faults.

    One fault stands for all answers that one cause explains, where they are many.  Nothing happens,
    and no time is lost, where every answer is at its place.
    """
    if not gathering.unsettled:
        return
    unsettled = {each.index: each for each in gathering.unsettled}
    found = findings(list(_starts(gathering, unsettled)))
    faulty: list[tuple[RawQuestion, Unsettled, int, RawAnswer]] = []
    for index, entry in enumerate(gathering.questions):
        place = unsettled.get(index)
        if place is None:
            if not (entry.answers and entry.question is not None and found and found[0].whole):
                continue
            place = Unsettled(index, entry.question.context, entry.question.text, ())
        answers = tuple(_settled(answer, place, found) for answer in entry.answers or ())
        if answers == entry.answers and index not in unsettled:
            continue
        question = entry.question
        if question is not None:
            question = replace(question, answers=matching(answers))
        gathering.questions[index] = entry = replace(entry, answers=answers, question=question)
        for number, answer in enumerate(answers):
            if answer.alone and answer.matches:
                gathering.remark(LOCATED)
            if answer.places > 1:
                gathering.remark(CHOSEN)
            if not answer.matches:
                faulty.append((entry, place, number, answer))
    _record(gathering, faulty)


def _starts(gathering: Gathering, unsettled: dict[int, Unsettled]) -> Iterator[Start]:
    for index, entry in enumerate(gathering.questions):
        context = unsettled[index].context if index in unsettled else ""
        if entry.question is not None:
            context = entry.question.context
        for answer in entry.answers or ():
            if context and answer.start is not None:
                yield Start(context, answer.text, answer.start, answer.matches)


def _settled(answer: RawAnswer, place: Unsettled, found: Sequence[Finding]) -> RawAnswer:
    """The answer with its place, and with the reason where that is not what the file says."""
    context, start = place.context, answer.start
    for finding in found:
        if start is None or (answer.matches and not finding.whole):
            continue
        span = finding.cause.span(context, answer.text, start)
        if span is not None:
            return _at(answer, context, span, why="" if finding.cause.in_place else finding.cause.name)
    if answer.matches and not answer.alone:
        return answer
    if start is not None:
        for form in EQUIVALENCES:
            span = Cause(form=form, in_place=True).span(context, answer.text, start)
            if span is not None:
                return _at(answer, context, span)
    spans = _occurrences(context, answer.text)
    if not spans:
        return replace(answer, found=None)
    span = _nearest_to_words(context, spans, place.question, start) if len(spans) > 1 else spans[0]
    return _at(answer, context, span, places=len(spans))


def _at(answer: RawAnswer, context: str, span: tuple[int, int], why: str = "", places: int = 1) -> RawAnswer:
    begin, end = span
    own = context[begin:end]
    if own == answer.text:
        return replace(answer, found=begin, why="" if answer.start == begin else why, places=places)
    equal = [form for form in EQUIVALENCES if form.of(own) == form.of(answer.text)]
    differs = difference(equal[0] if equal else LOOSE)
    return replace(answer, found=begin, own=own, why=why, differs=differs, places=places)


def _occurrences(context: str, text: str) -> list[tuple[int, int]]:
    """Every slice of *context* that is *text*, or equal to it in the closest form that has any."""
    spans = [(place, place + len(text)) for place in places(context, text)]
    if spans:
        return spans
    for form in EQUIVALENCES:
        spelled, wanted = form.spell(context), form.of(text)
        for place in places(spelled.text, wanted) if wanted else ():
            begin, end = spelled.begin(place), spelled.end(place + len(wanted))
            if begin is not None and end is not None and begin < end:
                spans.append((begin, end))
        if spans:
            return spans
    return []


def _nearest_to_words(
    context: str, spans: Sequence[tuple[int, int]], question: str, start: int | None
) -> tuple[int, int]:
    """The slice whose sentence has most of the question's words near it; the start decides a draw.

    Words are compared by pairs of letters, since particles change their ends; a pair that stands
    everywhere in the context counts little.
    """
    given = 0 if start is None else min(max(start, 0), len(context))
    if start is not None:
        near = min(spans, key=lambda span: abs(span[0] - given))
        if abs(near[0] - start) <= _NEAR:
            return near
    standing_at = {pair: list(places(context, pair)) for pair in _pairs(question)}
    ends = [found.start() for found in _SENTENCE_END.finditer(context)]
    best = (-1.0, 0)
    chosen = spans[0]
    for begin, end in spans:
        first = max((place for place in ends if place < begin), default=0)
        last = min((place for place in ends if place >= end), default=len(context))
        words = 0.0
        for pair, standing in standing_at.items():
            gaps = [
                begin - place - len(pair) if place < begin else place - end
                for place in standing
                if first <= place and place + len(pair) <= last and not begin - len(pair) < place < end
            ]
            if gaps:
                words += 1 / len(standing) / (1 + min(gaps) / _HALF)
        # Rounded, since the same words at the same distances must weigh the same.
        score = (round(words, 9), -abs(begin - given))
        if score > best:
            best, chosen = score, (begin, end)
    return chosen


def _pairs(question: str) -> dict[str, None]:
    """The pairs of letters of the question's words, and its words of one letter."""
    return dict.fromkeys(
        word[place : place + 2] for word in _WORD.findall(question) for place in range(max(1, len(word) - 1))
    )


def _record(gathering: Gathering, faulty: Sequence[tuple[RawQuestion, Unsettled, int, RawAnswer]]) -> None:
    """A fault for each answer; one for all of a cause where they are more than a message shows."""
    by_cause: dict[str, list[tuple[RawQuestion, RawAnswer]]] = {}
    for entry, _, _, answer in faulty:
        if answer.reason and answer.places == 1:
            by_cause.setdefault(answer.why or answer.differs, []).append((entry, answer))
    together = {why: listed for why, listed in by_cause.items() if len(listed) > SHOWN}
    total = sum(len(entry.answers or ()) for entry in gathering.questions)
    for why, listed in together.items():
        entry, answer = listed[0]
        right = f"{answer.found} for {quoted(answer.slice)}"
        message = (
            f"{why}: this explains {len(listed):,} wrong ones of {total:,} exactly (first: question "
            f"{plain(entry.guid)}: {answer.given} for {quoted(answer.text)} is {right})"
        )
        gathering.faults.append(Fault(FaultKind.ANSWER_START, "", "", message))
    for entry, place, number, answer in faulty:
        if answer.places > 1 or (answer.why or answer.differs) not in together:
            field = place.fields[number] if place.fields else f"answers[{number}]"
            mistake = Mistake(FaultKind.ANSWER_START, field, answer.complaint)
            gathering.questions[place.index] = replace(
                gathering.questions[place.index],
                faults=(*gathering.questions[place.index].faults, fault_of(mistake, entry.where, entry.guid)),
            )
