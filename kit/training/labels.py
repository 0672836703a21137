"""Labels: where the gold answers stand in the windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kit.data.records import Answer, Question
from kit.modeling.windows import Windows
from kit.spans.span_scores import offsets_of, ranges

_AT_ONCE = 4096
"""Golds placed at once: the memory that takes does not grow with the data."""


@dataclass(frozen=True, slots=True)
class Labels:
    """Where the gold answers stand in the windows.

    window: int64 (L,), sorted; start, end: int64 (L,), positions in the window, end inclusive.  A
    window with several golds stands here several times, one without any points to CLS once.
    unplaced: golds no token covers (they contain nothing but white space)
    """

    window: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    unplaced: int


def label_windows(windows: Windows, questions: Sequence[Question], targets: str = "all") -> Labels:
    """Labels for every gold answer in every window; CLS where the window lacks all of them.

    *targets*: "all" golds, or only the "first", "shortest" or "longest" of each question.
    A gold that begins or ends inside a token takes that token whole.
    """
    golds = [
        (
            number,
            answer.start + len(answer.text) - len(answer.text.lstrip()),
            answer.start + len(answer.text.rstrip()),
        )
        for number, question in enumerate(questions)
        for answer in _chosen(question, targets)
    ]
    gold = np.array(golds, dtype=np.int64).reshape(-1, 3)
    spoken = gold[:, 2] > gold[:, 1]
    gold = gold[spoken]
    first, last = _covering(windows, gold)
    covered = last >= first
    gold, first, last = gold[covered], first[covered], last[covered]

    # every gold against every window of its question
    counts = np.bincount(windows.question, minlength=len(questions)).astype(np.int64)
    window_offsets = offsets_of(counts)
    pairs = counts[gold[:, 0]]
    window = ranges(window_offsets[gold[:, 0]], window_offsets[gold[:, 0] + 1])
    first, last = np.repeat(first, pairs), np.repeat(last, pairs)
    inside = (first >= windows.token_at[window]) & (last < (windows.token_at + windows.tokens)[window])
    window, first, last = window[inside], first[inside], last[inside]
    shift = (windows.context_at - windows.token_at)[window]

    without = np.setdiff1d(np.arange(len(windows)), window)
    all_windows = np.concatenate([window, without])
    start = np.concatenate([first + shift, np.full(len(without), windows.cls)])
    end = np.concatenate([last + shift, np.full(len(without), windows.cls)])
    order = np.argsort(all_windows, kind="stable")
    return Labels(
        all_windows[order], start[order], end[order], len(golds) - int(spoken.sum()) + int((~covered).sum())
    )


def _covering(windows: Windows, gold: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last token (numbered within the context) that overlap each gold's characters."""
    texts = windows.contexts
    context = windows.context[gold[:, 0]]
    order = np.argsort(context, kind="stable")
    first, last = np.empty((2, len(gold)), dtype=np.int64)
    # Ends and begins grow within a context, so one sorted key finds a place in many contexts at once.
    width = int(max(texts.end.max(initial=0), gold[:, 2].max(initial=0))) + 1
    for begin in range(0, len(order), _AT_ONCE):
        rows = order[begin : begin + _AT_ONCE]
        own, of_row = np.unique(context[rows], return_inverse=True)
        part = texts.select(own)
        owner = np.repeat(np.arange(len(own)), np.diff(part.offsets))
        base = part.offsets[of_row]
        key = of_row * width + gold[rows, 1]
        first[rows] = np.searchsorted(owner * width + part.end, key, side="right") - base
        key = of_row * width + gold[rows, 2]
        last[rows] = np.searchsorted(owner * width + part.begin, key, side="left") - 1 - base
    return first, last


def _chosen(question: Question, targets: str) -> tuple[Answer, ...]:
    answers = question.answers or ()
    if targets == "all" or len(answers) <= 1:
        return tuple(dict.fromkeys(answers))
    if targets == "first":
        return answers[:1]
    pick = min if targets == "shortest" else max
    return (pick(answers, key=lambda answer: len(answer.text)),)
