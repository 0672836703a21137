"""From scores to answers: decode each question, cut the answer out of its context, apply the rules."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kit.answers.rules import Rule, apply_rules
from kit.config.recipe import DEFAULT_LENGTH_CAP
from kit.data.records import Question
from kit.spans.candidates import best_spans
from kit.spans.scores import SpanScores, aligned


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
