"""Windows of given lengths without any data: what a model is tried with before it meets a question."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kit.data.records import Answer, Question
from kit.modeling.backbones import Backbone
from kit.modeling.tokens import Texts, template_of
from kit.modeling.windows import Windows, make_windows
from kit.spans.span_scores import offsets_of

_ASKED = 3
"""Tokens of every synthetic question."""
_FIRST_SYLLABLE = 0xAC00


def synthetic_windows(backbone: Backbone, lengths: Sequence[int]) -> tuple[Windows, list[Question]]:
    """One window for each of *lengths* (tokens, special ones included), and its question with an answer.

    Every character is one token, drawn from the vocabulary without its special tokens; the same call gives
    the same windows.  Windows of equal length have different tokens.  Raises ModelError for a length that
    leaves no room for a context, or a tokenizer whose pairs are not supported.
    """
    around = template_of(backbone).specials + _ASKED
    questions = []
    for number, length in enumerate(lengths):
        syllable = chr(_FIRST_SYLLABLE + number)
        context = syllable * max(length - around, 1)
        questions.append(Question(f"synthetic-{number}", "?" * _ASKED, context, (Answer(syllable, 0),)))
    special = {backbone.pad_id, *backbone.tokenizer.all_special_ids}
    vocabulary = np.setdiff1d(np.arange(backbone.engine.get_vocab_size()), sorted(special))

    def tokens_of(texts: Sequence[str]) -> Texts:
        counts = np.array([len(text) for text in texts], dtype=np.int64)
        ids = [np.random.default_rng([ord(text[0]), 0]).choice(vocabulary, len(text)) for text in texts]
        begin = np.concatenate([np.arange(count) for count in counts]).astype(np.int32)
        return Texts(np.concatenate(ids).astype(np.int32), begin, begin + 1, offsets_of(counts))

    least = around + _ASKED  # below it, the question itself would be cut
    windows = make_windows(
        backbone, questions, max_length=max(*lengths, least), stride=0, tokens_of=tokens_of
    )
    return windows, questions
