"""From scores or posteriors to answers: the chosen span, cut out of its context, then the rules."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kit.data.records import Question
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


def decoded(posterior: Posterior, questions: Sequence[Question], decoder: str) -> tuple[str, ...]:
    """One answer a question, in order, before the rules; "" for a question without a span.

    *decoder*: "argmax" for the likeliest span, "edit" for the text of least expected distance.
    """
    if decoder == "edit":
        return minimum_risk_answers(posterior, questions)
    best = posterior.likeliest(1)
    texts = [""] * len(questions)
    for number, begin, end in zip(
        best.question.tolist(), best.begin.tolist(), best.end.tolist(), strict=True
    ):
        texts[number] = questions[number].context[begin:end]
    return tuple(texts)
