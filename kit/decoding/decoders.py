"""The decoders, from a posterior to one answer a question, and the table of them that all else reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kit.data.records import Question
from kit.decoding.candidate_list import Candidate, CandidateList, quoted
from kit.decoding.form_table import Forms, likeliest_forms, minimum_risk_forms
from kit.errors import ConfigError, entry_of
from kit.phrase import Phrase, joined
from kit.ranking.stage import ranked_texts
from kit.settings.recipe import DEFAULT_LENGTH_CAP
from kit.spans.candidates import best_spans
from kit.spans.minimum_risk import minimum_risk_answers
from kit.spans.posteriors import Posterior
from kit.spans.span_scores import SpanScores, aligned
from kit.text_rules.rules import Rule, apply_rules


def argmax_answers(
    scores: SpanScores,
    questions: Sequence[Question],
    *,
    length_cap: int = DEFAULT_LENGTH_CAP,
    temperature: float = 1.0,
    bonus: NDArray[np.float64] | None = None,
    rules: Sequence[Rule] = (),
    label: str = "member",
) -> tuple[str, ...]:
    """One answer a question, in order: the slice of its context under the best span, then the rules.

    The short way for one member: the same answers as `decoded` gives by "argmax" from its posterior.
    *temperature* and *bonus* as in `best_spans`.

    A question without a valid span (an empty context) gets "".  Raises SpanFileError where *scores*
    misses a question; *label* is how that message calls the member.
    """
    matched = aligned(scores, tuple(question.guid for question in questions), label)
    best = best_spans(matched, length_cap, temperature=temperature, bonus=bonus)
    return tuple(
        apply_rules(question.context[begin:end], rules)
        for question, begin, end in zip(questions, best.begin.tolist(), best.end.tolist(), strict=True)
    )


def argmax_texts(posterior: Posterior, questions: Sequence[Question]) -> tuple[str, ...]:
    """The slice of each question's context under its likeliest span."""
    best = posterior.likeliest(1)
    texts = [""] * len(questions)
    for number, question in enumerate(questions):
        for begin, end, _ in best.spans(number):
            texts[number] = question.context[begin:end]
    return tuple(texts)


def _why_argmax(choice: CandidateList, chosen: Candidate) -> str:
    best = choice.candidates[0]
    text = "argmax takes the likeliest span; {text} has a probability of {p}."
    why = [Phrase(text, text=quoted(chosen.text), p=f"{chosen.p:.1%}")]
    if best.text != chosen.text:
        text = "{text} has a lower expected distance: {risk} characters, not {own}."
        risks = {"risk": f"{best.risk:.2f}", "own": f"{chosen.risk:.2f}"}
        why.append(Phrase(text, text=quoted(best.text), **risks))
    return joined(why)


def _why_edit(choice: CandidateList, chosen: Candidate) -> str:
    text = "edit takes the text of least expected distance: {text}, {risk} characters."
    why = [Phrase(text, text=quoted(chosen.text), risk=f"{chosen.risk:.2f}")]
    likeliest, blank = choice.of(choice.likeliest), choice.of("")
    if likeliest is not None and likeliest != chosen:
        text = "The likeliest text {text} ({p}) has an expected distance of {risk}."
        values = {"p": f"{likeliest.p:.1%}", "risk": f"{likeliest.risk:.2f}"}
        why.append(Phrase(text, text=quoted(likeliest.text), **values))
    if blank is not None and chosen.text:
        why.append(Phrase("A blank has {risk}.", risk=f"{blank.risk:.2f}"))
    return joined(why)


def _why_ranked(choice: CandidateList, chosen: Candidate) -> str:
    return Phrase(
        "The second stage scores {text} lowest; by expected distance it is number {rank} ({risk} "
        "characters).",
        text=quoted(chosen.text), rank=str(chosen.rank), risk=f"{chosen.risk:.2f}",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Decoder:
    """One way from a posterior to answers.

    about: what it takes, as explanations and documents say it
    texts: a posterior and its questions → one answer a question, before the rules; "" without a span
    why: a question's choice and the candidate taken → one or two sentences
    forms: *texts* on a table, fast enough for hundreds of weights; kit tune neither tries nor takes a decoder
        without it
    from_scores: `argmax_texts` without a posterior, for one member: faster
    ensemble: answers from the members' posteriors beside their blend; *texts* and *forms* then answer for one
        member alone, and while weights are fitted
    needs_ranker: whether a recipe names a ranker with it
    """

    about: str
    texts: Callable[[Posterior, Sequence[Question]], tuple[str, ...]]
    why: Callable[[CandidateList, Candidate], str] | None = None
    forms: Forms | None = None
    from_scores: Callable[..., tuple[str, ...]] | None = None
    ensemble: Callable[..., tuple[str, ...]] | None = None
    needs_ranker: bool = False

    def reason(self, choice: CandidateList, text: str) -> str:
        """Why *text* is the decoded answer, in words."""
        chosen = choice.of(text)
        if chosen is None:
            return Phrase("There is no span to choose from.")
        if self.why is not None:
            return self.why(choice, chosen)
        return Phrase(
            "The decoder takes {about}: {text}, {p} of the probability, expected distance {risk} characters.",
            about=Phrase(self.about), text=quoted(text), p=f"{chosen.p:.1%}", risk=f"{chosen.risk:.2f}",
        )  # fmt: skip


DECODERS: dict[str, Decoder] = {
    "argmax": Decoder(
        "the likeliest span", argmax_texts, _why_argmax, likeliest_forms, from_scores=argmax_answers
    ),
    "edit": Decoder(
        "the text of least expected edit distance", minimum_risk_answers, _why_edit, minimum_risk_forms
    ),
    "ranked": Decoder(
        "the candidate that the second stage of kit tune scores lowest", minimum_risk_answers, _why_ranked,
        minimum_risk_forms, ensemble=ranked_texts, needs_ranker=True,
    ),
}  # fmt: skip
"""Every decoder by the name that recipes use; a new one is a function and an entry here."""


def decoder_of(name: str) -> Decoder:
    """The decoder of that name.  Raises ConfigError with the known ones where there is none."""
    return entry_of(DECODERS, name, "decoder")


def forms_of(name: str) -> Forms:
    """The decoder of that name on a table.  Raises ConfigError where it has no such form."""
    if (forms := decoder_of(name).forms) is None:
        able = ", ".join(other for other, one in DECODERS.items() if one.forms is not None)
        raise ConfigError(f"decoder {name} cannot be evaluated for many weights; use one of {able}")
    return forms


def decoded(posterior: Posterior, questions: Sequence[Question], decoder: str) -> tuple[str, ...]:
    """One answer a question by the decoder of that name, in order, before the rules."""
    return decoder_of(decoder).texts(posterior, questions)
