"""Inference: from questions to span scores, in batches of like length under a token budget."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from kit.data.records import Question
from kit.models.backbones import Backbone
from kit.models.devices import Device
from kit.models.tokens import TokensOf
from kit.models.windows import Windows, make_windows
from kit.spans.scores import Provenance, SpanScores, offsets_of, ranges

_QUESTIONS_AT_ONCE = 1024
"""Windows are made, scored and dropped for so many questions at a time: memory stays flat."""
_BUDGET = {"cpu": 4096, "mps": 8192, "cuda": 65536}


def token_budget(device: Device) -> int:
    """Padded tokens a batch may hold on this kind of device."""
    return _BUDGET.get(device.torch.type, 4096)


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
    *advance* hears how many questions each piece has.  The model must be on *device* already and is
    left in evaluation mode.
    """
    for first in range(0, len(questions), _QUESTIONS_AT_ONCE):
        chunk = questions[first : first + _QUESTIONS_AT_ONCE]
        windows = make_windows(backbone, chunk, max_length=max_length, stride=stride, tokens_of=tokens_of)
        start, end, null = score_windows(model, windows, backbone.pad_id, device)
        yield _on_characters(windows, start, end, null, chunk, provenance)
        advance(len(chunk))


@torch.inference_mode()
def score_windows(
    model: torch.nn.Module, windows: Windows, pad_id: int, device: Device
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Start and end logits of all context tokens, float32 (T,), and each window's null, float32 (W,)."""
    model.eval()
    context_offsets = offsets_of(windows.tokens)
    start = np.empty(context_offsets[-1], dtype=np.float32)
    end = np.empty(context_offsets[-1], dtype=np.float32)
    null = np.empty(len(windows), dtype=np.float32)
    for batch in budget_batches(windows.lengths, token_budget(device)):
        inputs = pad_batch(windows, batch, pad_id)
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
    return start, end, null


def budget_batches(lengths: NDArray[np.int64], budget: int) -> Iterator[NDArray[np.int64]]:
    """Indices of windows, longest first, in batches of at most *budget* padded tokens (or one window)."""
    order = np.argsort(-lengths, kind="stable")
    first = 0
    while first < len(order):
        size = max(int(budget // max(lengths[order[first]], 1)), 1)
        yield order[first : first + size]
        first += size


def pad_batch(windows: Windows, chosen: NDArray[np.int64], pad_id: int) -> dict[str, torch.Tensor]:
    """Model inputs of the windows *chosen*, padded to the longest: int64 (batch, tokens).

    The attention mask comes from the lengths, never from the pad id: some vocabularies use that id
    for a token of their own.
    """
    lengths = windows.lengths[chosen]
    shape = (len(chosen), int(lengths.max(initial=1)))
    rows = np.repeat(np.arange(len(chosen)), lengths)
    columns = ranges(np.zeros_like(lengths), lengths)
    source = ranges(windows.offsets[chosen], windows.offsets[chosen + 1])
    ids = np.full(shape, pad_id, dtype=np.int64)
    ids[rows, columns] = windows.ids[source]
    mask = np.zeros(shape, dtype=np.int64)
    mask[rows, columns] = 1
    inputs = {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask)}
    if windows.segments is not None:
        segments = np.zeros(shape, dtype=np.int64)
        segments[rows, columns] = windows.segments[source]
        inputs["token_type_ids"] = torch.from_numpy(segments)
    return inputs


def _on_characters(
    windows: Windows,
    start: NDArray[np.float32],
    end: NDArray[np.float32],
    null: NDArray[np.float32],
    questions: Sequence[Question],
    provenance: Provenance,
) -> SpanScores:
    """Put scores on characters; tokens of nothing but white space neither start nor end a span."""
    at = windows.contexts.offsets[windows.context[windows.question]] + windows.token_at
    token = ranges(at, at + windows.tokens)
    begin, stop = windows.contexts.begin[token], windows.contexts.end[token]
    kept = stop > begin
    counts = np.add.reduceat(np.r_[kept, False].astype(np.int64), offsets_of(windows.tokens)[:-1])
    counts = np.where(windows.tokens > 0, counts, 0)
    return SpanScores(
        guids=tuple(question.guid for question in questions),
        windows=offsets_of(np.bincount(windows.question, minlength=len(questions)).astype(np.int64)),
        tokens=offsets_of(counts),
        char_begin=begin[kept],
        char_end=stop[kept],
        start=start[kept],
        end=end[kept],
        null=null,
        provenance=provenance,
    )
