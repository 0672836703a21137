"""The usual way of each task, in plain code: the baselines of the kit's speed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kit.data.records import Question
from kit.spans.span_scores import SpanScores


def usual_preparation(
    tokenizer: Any, questions: Sequence[Question], max_length: int, stride: int
) -> list[dict[str, Any]]:
    """One tokenizer call a question with overflow, and Python loops over offsets for the labels."""
    features = []
    for question in questions:
        encoded = tokenizer(
            question.text, question.context, truncation="only_second", max_length=max_length, stride=stride,
            return_overflowing_tokens=True, return_offsets_mapping=True, padding="max_length",
        )  # fmt: skip
        answer = question.answers[0] if question.answers else None
        for number, ids in enumerate(encoded["input_ids"]):
            sequence = encoded.sequence_ids(number)
            offsets = encoded["offset_mapping"][number]
            start = end = 0
            if answer is not None:
                first = sequence.index(1) if 1 in sequence else 0
                last = len(sequence) - 1 - sequence[::-1].index(1) if 1 in sequence else 0
                if offsets[first][0] <= answer.start and offsets[last][1] >= answer.end:
                    while first <= last and offsets[first][0] <= answer.start:
                        first += 1
                    start = first - 1
                    while last >= 0 and offsets[last][1] >= answer.end:
                        last -= 1
                    end = last + 1
            features.append(
                {
                    "input_ids": ids,
                    "attention_mask": encoded["attention_mask"][number],
                    "offset_mapping": [
                        pair if owner == 1 else None for pair, owner in zip(offsets, sequence, strict=True)
                    ],
                    "start_positions": start,
                    "end_positions": end,
                }
            )
    return features


def usual_decoding(scores: SpanScores, length_cap: int, best: int = 20) -> list[tuple[int, int]]:
    """The top 20 starts against the top 20 ends of every window, in Python loops."""
    found = []
    for question in range(len(scores)):
        top, span = -np.inf, (0, 0)
        for window in range(scores.windows[question], scores.windows[question + 1]):
            low, high = scores.tokens[window], scores.tokens[window + 1]
            start, end = scores.start[low:high], scores.end[low:high]
            for first in np.argsort(start)[-1 : -best - 1 : -1].tolist():
                for last in np.argsort(end)[-1 : -best - 1 : -1].tolist():
                    if last < first:
                        continue
                    begin, stop = int(scores.char_begin[low + first]), int(scores.char_end[low + last])
                    if stop - begin > length_cap:
                        continue
                    value = float(start[first]) + float(end[last]) - float(scores.null[window])
                    if value > top:
                        top, span = value, (begin, stop)
        found.append(span)
    return found


def usual_distance(one: str, other: str) -> int:
    """Levenshtein distance by the textbook's two rows (Wagner and Fischer 1974)."""
    row = list(range(len(other) + 1))
    for number, left in enumerate(one, 1):
        above, row = row, [number]
        for place, right in enumerate(other, 1):
            row.append(min(above[place] + 1, row[place - 1] + 1, above[place - 1] + (left != right)))
    return row[-1]
