"""Windows: what one tokenizer makes of questions and contexts, with a character range for every token.

A context is tokenised once, whole, without special tokens; its windows are cut from that and joined
with the question by index arithmetic.  Nothing here loops over tokens in Python.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from kit.data.records import Question
from kit.errors import ModelError
from kit.modeling.backbones import Backbone
from kit.modeling.tokens import Template, Texts, TokensOf, template_of, tokenize
from kit.spans.span_scores import offsets_of, ranges

MAX_QUESTION_TOKENS = 64
"""A longer question is cut, as in the usual SQuAD preparation (max_query_length)."""
_AT_ONCE = 1024
"""Windows put together at once: what that takes beside the windows themselves does not grow with them."""


@dataclass(frozen=True, slots=True)
class Windows:
    """W windows over the contexts of Q questions.

    question: int64 (W,), which question; windows of one question lie together, in text order
    ids: int32 (N,), flat input ids with special tokens; segments: int8 (N,) or None where the
        backbone knows none; offsets: int64 (W + 1,) into both
    context_at: int64 (W,), where in the window its context begins
    token_at: int64 (W,), which token of the context (of ``context.ids``) the window begins with
    tokens: int64 (W,), how many context tokens it has
    contexts: the distinct contexts' tokens; context: int64 (Q,), which of them each question has
    cls: where the CLS token stands in every window
    cut_questions: how many questions were longer than allowed
    """

    question: NDArray[np.int64]
    ids: NDArray[np.int32]
    segments: NDArray[np.int8] | None
    offsets: NDArray[np.int64]
    context_at: NDArray[np.int64]
    token_at: NDArray[np.int64]
    tokens: NDArray[np.int64]
    contexts: Texts
    context: NDArray[np.int64]
    cls: int
    cut_questions: int

    def __len__(self) -> int:
        return len(self.question)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each window, int64 (W,)."""
        return np.diff(self.offsets)


def make_windows(
    backbone: Backbone,
    questions: Sequence[Question],
    *,
    max_length: int,
    stride: int,
    tokens_of: TokensOf | None = None,
) -> Windows:
    """Question + sliding windows over its context.

    *max_length*: tokens a window, specials included; *stride*: tokens that neighbouring windows share;
    *tokens_of*: where the tokens of the texts come from, if not from the tokenizer itself.
    The last window holds what is left.  (Moved back to be full, so that it shares more with its
    neighbour, it made answers worse: Edit Score 2.58 against 2.50 on one checkpoint.)  An empty context
    gives one window without context tokens.  Raises ModelError where max_length leaves too little room.
    """
    template = template_of(backbone)
    number: dict[str, int] = {}
    context = np.array([number.setdefault(q.context, len(number)) for q in questions], dtype=np.int64)
    tokens_of = tokens_of or partial(tokenize, backbone)
    contexts = tokens_of(list(number))
    asked = tokens_of([question.text for question in questions])

    allowed = min(MAX_QUESTION_TOKENS, max((max_length - template.specials) // 2, 1))
    room_least = max_length - template.specials - allowed
    if room_least < 1:
        raise ModelError(
            f"max_length {max_length} leaves no room for a context; give at least {template.specials + 2}"
        )
    query = np.minimum(np.diff(asked.offsets), allowed)
    size = np.diff(contexts.offsets)[context]
    room = max_length - template.specials - query
    # Windows must advance: an overlap of the whole window would never end.
    step = room - np.minimum(stride, room // 2)
    count = 1 + np.maximum(-(-(size - room) // step), 0)
    question = np.repeat(np.arange(len(questions)), count)
    nth = np.arange(len(question)) - np.repeat(offsets_of(count)[:-1], count)
    token_at = nth * step[question]
    tokens = np.minimum(room[question], size[question] - token_at)
    query = query[question]
    offsets = offsets_of(template.specials + query + tokens)
    with_segments = backbone.limits.segments and "token_type_ids" in backbone.tokenizer.model_input_names
    windows = Windows(
        question=question,
        ids=np.empty(offsets[-1], dtype=np.int32),
        segments=np.empty(offsets[-1], dtype=np.int8) if with_segments else None,
        offsets=offsets,
        context_at=len(template.prefix) + query + len(template.middle),
        token_at=token_at,
        tokens=tokens,
        contexts=contexts,
        context=context,
        cls=template.cls,
        cut_questions=int((np.diff(asked.offsets) > allowed).sum()),
    )
    _fill(windows, template, asked, query)
    return windows


def _fill(windows: Windows, template: Template, asked: Texts, query: NDArray[np.int64]) -> None:
    """Put ids and segments together from template, question (*query* tokens of it) and context."""
    contexts = windows.contexts
    # A piece's source, and where in it each window's begins; the template's three are sources of their own.
    sources = (template.prefix, asked.ids, template.middle, contexts.ids, template.suffix)
    for first in range(0, len(windows), _AT_ONCE):
        part = slice(first, first + _AT_ONCE)
        own = windows.question[part]
        size = np.tile([len(source) for source in sources], (len(own), 1))
        size[:, 1], size[:, 3] = query[part], windows.tokens[part]
        places = windows.offsets[part][: len(own), None] + np.cumsum(size, axis=1) - size
        begins = np.zeros_like(size)
        begins[:, 1] = asked.offsets[own]
        begins[:, 3] = contexts.offsets[windows.context[own]] + windows.token_at[part]
        for column, source in enumerate(sources):
            begin, place, count = begins[:, column], places[:, column], size[:, column]
            windows.ids[ranges(place, place + count)] = source[ranges(begin, begin + count)]
        if windows.segments is not None:
            kinds = np.tile(np.array(template.segments, dtype=np.int8), len(own))
            windows.segments[places[0, 0] : places[0, 0] + size.sum()] = np.repeat(kinds, size.ravel())
