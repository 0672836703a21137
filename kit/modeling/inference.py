"""Inference: from questions to span scores, in batches of similar length under a token budget."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from kit.data.records import Question
from kit.modeling.backbones import Backbone
from kit.modeling.batching import HARMLESS, Batching, budget_batches, pad_batch
from kit.modeling.devices import Device
from kit.modeling.joint_head import span_scores
from kit.modeling.probe import batching_of
from kit.modeling.span_pruning import Kept, in_order, kept_spans
from kit.modeling.tokens import TokensOf
from kit.modeling.windows import Windows, make_windows
from kit.spans.span_scores import JointScores, Provenance, SpanScores, offsets_of, ranges

_QUESTIONS_AT_ONCE = 1024
"""Questions whose windows are made, scored and dropped together: memory stays flat."""
_BUDGET = {"cpu": 4096, "mps": 8192, "cuda": 65536}
"""Padded tokens a batch may hold on each kind of device."""


@dataclass(frozen=True, slots=True)
class WindowScores:
    """What a model says about T context tokens of W windows, white space included.

    start, end: float32 (T,), raw logits; null: float32 (W,), the CLS token's; joint: of the spans kept, in
    context tokens of their window, or None without a joint head
    """

    start: NDArray[np.float32]
    end: NDArray[np.float32]
    null: NDArray[np.float32]
    joint: JointScores | None


class Whole:
    """Turns progress in parts (tokens) into progress in whole ones (questions), which it passes on."""

    def __init__(self, advance: Callable[[int], object], parts: int, whole: int) -> None:
        self._advance, self._parts, self._whole = advance, parts, whole
        self._done = self._told = 0

    def __call__(self, done: int) -> None:
        """*done* more parts."""
        self._done += done
        reached = self._whole * self._done // self._parts
        self._advance(reached - self._told)
        self._told = reached


def score_questions(
    model: torch.nn.Module,
    backbone: Backbone,
    questions: Sequence[Question],
    device: Device,
    *,
    max_length: int,
    stride: int,
    provenance: Provenance,
    tokens_of: TokensOf | None = None,
    advance: Callable[[int], object] = lambda done: None,
) -> Iterator[SpanScores]:
    """Span scores of *questions*, in order, a thousand or so at a time.

    *tokens_of*: where the texts' tokens come from, if not from the tokenizer.
    *advance* is called after each batch of windows with how many more questions that is.  The model must be
    on *device* and is left in evaluation mode.  Raises ModelError where no way to batch windows makes its
    scores repeatable.
    """
    batching = batching_of(model, backbone, max_length)
    for first in range(0, len(questions), _QUESTIONS_AT_ONCE):
        chunk = questions[first : first + _QUESTIONS_AT_ONCE]
        windows = make_windows(backbone, chunk, max_length=max_length, stride=stride, tokens_of=tokens_of)
        told = Whole(advance, int(windows.lengths.sum()), len(chunk))
        scored = score_windows(model, windows, backbone.pad_id, device, batching, told)
        yield _on_characters(windows, scored, chunk, provenance)


@torch.inference_mode()
def score_windows(
    model: torch.nn.Module,
    windows: Windows,
    pad_id: int,
    device: Device,
    batching: Batching = HARMLESS,
    advance: Callable[[int], object] = lambda done: None,
) -> WindowScores:
    """Scores of all context tokens of all windows, and of the likeliest spans under a joint head.

    *advance* is called after each batch with the number of its tokens.
    """
    model.eval()
    context_offsets = offsets_of(windows.tokens)
    start, end = np.empty((2, context_offsets[-1]), dtype=np.float32)
    null = np.empty(len(windows), dtype=np.float32)
    spoken: NDArray[np.bool_] | None = None
    kept: list[Kept] = []
    for batch in budget_batches(windows.lengths, _BUDGET[device.torch.type], batching):
        inputs = pad_batch(windows, batch, pad_id, batching.length)
        with device.autocast():
            output = model(**{name: tensor.to(device.torch) for name, tensor in inputs.items()})
        # One transfer a batch; of the padded logits only the context's part is kept.
        logits = torch.stack([output.start_logits, output.end_logits]).float().cpu().numpy()
        null[batch] = logits[:, :, windows.cls].sum(axis=0)
        rows = np.repeat(np.arange(len(batch)), windows.tokens[batch])
        at = windows.context_at[batch]
        columns = ranges(at, at + windows.tokens[batch])
        target = ranges(context_offsets[batch], context_offsets[batch + 1])
        start[target], end[target] = logits[:, rows, columns]
        if (joint := getattr(output, "joint", None)) is not None:
            # The CLS token alone is a span as any other: what the head adds to it is part of the null.
            null[batch] += joint[:, windows.cls, 0].float().cpu().numpy()
            valid = np.zeros(logits.shape[1:], dtype=np.bool_)
            spoken = _token_range(windows)[2] if spoken is None else spoken
            valid[rows, columns] = spoken[target]
            scores = span_scores(output.start_logits, output.end_logits, joint)
            row, first, last, score = kept_spans(scores, torch.from_numpy(valid).to(scores.device))
            shift = at[row].astype(np.int32)
            kept.append((batch[row], first - shift, last - shift, score))
        advance(int(windows.lengths[batch].sum()))
    return WindowScores(start, end, null, in_order(kept, len(windows)) if kept else None)


def _token_range(windows: Windows) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.bool_]]:
    """Where the text of each context token of each window begins and ends, int32 (T,), and whether it is more
    than white space, bool (T,)."""
    at = windows.contexts.offsets[windows.context[windows.question]] + windows.token_at
    token = ranges(at, at + windows.tokens)
    begin, end = windows.contexts.begin[token], windows.contexts.end[token]
    return begin, end, end > begin


def _on_characters(
    windows: Windows, scored: WindowScores, questions: Sequence[Question], provenance: Provenance
) -> SpanScores:
    """Put scores on characters; tokens of nothing but white space neither start nor end a span."""
    begin, stop, kept = _token_range(windows)
    before = offsets_of(kept.astype(np.int64))
    context_offsets = offsets_of(windows.tokens)
    tokens = before[context_offsets]
    joint = scored.joint
    if joint is not None:
        shift = np.repeat(context_offsets[:-1], np.diff(joint.offsets))
        own = np.repeat(tokens[:-1], np.diff(joint.offsets))
        first, last = ((before[one + shift] - own).astype(np.int32) for one in (joint.first, joint.last))
        joint = JointScores(joint.offsets, first, last, joint.score)
    return SpanScores(
        guids=tuple(question.guid for question in questions),
        windows=offsets_of(np.bincount(windows.question, minlength=len(questions)).astype(np.int64)),
        tokens=tokens,
        char_begin=begin[kept],
        char_end=stop[kept],
        start=scored.start[kept],
        end=scored.end[kept],
        null=scored.null,
        provenance=provenance,
        joint=joint,
    )
