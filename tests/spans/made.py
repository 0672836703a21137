"""Span scores made by hand or at random, for the tests of this room."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from kit.spans.scores import Provenance, SpanScores, offsets_of

PROVENANCE = Provenance("a" * 64, "run", "full", "b" * 64, 384, 128, "0.1.0")
Token = tuple[int, int, float, float]
"""char_begin, char_end, start logit, end logit"""


def scores(questions: list[list[tuple[float, list[Token]]]], guids: list[str] | None = None) -> SpanScores:
    """Scores of questions, each a list of windows, each its null and its tokens."""
    windows = [window for question in questions for window in question]
    tokens = [token for _, content in windows for token in content]
    columns = np.array(tokens, dtype=np.float64).reshape(-1, 4)
    return SpanScores(
        guids=tuple(guids or [f"q{number}" for number in range(len(questions))]),
        windows=offsets_of(np.array([len(question) for question in questions], dtype=np.int64)),
        tokens=offsets_of(np.array([len(content) for _, content in windows], dtype=np.int64)),
        char_begin=columns[:, 0].astype(np.int32),
        char_end=columns[:, 1].astype(np.int32),
        start=columns[:, 2].astype(np.float32),
        end=columns[:, 3].astype(np.float32),
        null=np.array([null for null, _ in windows], dtype=np.float32),
        provenance=PROVENANCE,
    )


@st.composite
def windows(draw: st.DrawFn) -> tuple[float, list[Token]]:
    """One window: few distinct logits, so that ties happen; byte-level tokens may share their characters."""
    logit = st.integers(-4, 4).map(lambda value: value / 2)
    tokens: list[Token] = []
    begin = draw(st.integers(0, 5))
    for _ in range(draw(st.integers(0, 8))):
        end = begin + draw(st.integers(1, 4))
        tokens.append((begin, end, draw(logit), draw(logit)))
        begin = draw(st.sampled_from([begin, end, end + 1]))
    ordered = []
    last_end = 0
    for first, last, start, end_logit in tokens:
        last_end = max(last_end, last)
        ordered.append((first, last_end, start, end_logit))
    return draw(logit), ordered


questions = st.lists(st.lists(windows(), min_size=1, max_size=3), min_size=1, max_size=6)
"""Windows of one to six questions."""
