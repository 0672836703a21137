"""Span scores made by hand or at random, for the tests of this room."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from kit.data.records import Dataset
from kit.settings.folds import FileFolds, FoldPlan, write_plan
from kit.settings.runs import DataFile, FoldRecord, RunRecord, write_run
from kit.settings.training import TrainingSettings
from kit.spans.out_of_fold import oof_digest, oof_file
from kit.spans.span_scores import JointScores, Provenance, SpanScores, offsets_of
from kit.spans.store import write_spans

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


Kept = list[tuple[int, int, float]]
"""The kept spans of a window: first and last token, counted from its first, and their joint score."""


def with_joint(plain: SpanScores, kept: list[Kept]) -> SpanScores:
    """*plain* with the kept spans of each of its windows."""
    spans = [span for own in kept for span in own]
    columns = np.array(spans, dtype=np.float64).reshape(-1, 3)
    joint = JointScores(
        offsets_of(np.array([len(own) for own in kept], dtype=np.int64)),
        columns[:, 0].astype(np.int32),
        columns[:, 1].astype(np.int32),
        columns[:, 2].astype(np.float32),
    )
    return replace(plain, joint=joint)


@st.composite
def joint_scores(draw: st.DrawFn) -> SpanScores:
    """Scores of one to six questions with some of each window's spans kept, often none or with ties."""
    plain = scores(draw(questions))
    value = st.integers(-6, 6).map(lambda number: number / 2)
    kept = []
    for size in np.diff(plain.tokens).tolist():
        pairs = [(first, last) for first in range(size) for last in range(first, size)]
        chosen = draw(st.sets(st.sampled_from(pairs), max_size=12)) if pairs else set()
        kept.append([(*pair, draw(value)) for pair in sorted(chosen)])
    return with_joint(plain, kept)


def words(context: str) -> list[tuple[int, int]]:
    found, at = [], 0
    for word in context.split(" "):
        if word:
            found.append((at, at + len(word)))
        at += len(word) + 1
    return found


def letters(context: str) -> list[tuple[int, int]]:
    return [(at, at + 1) for at, character in enumerate(context) if character != " "]


def scores_of(
    data: Dataset, pieces: Callable[[str], list[tuple[int, int]]], seed: int, sharp: float, scale: float = 1.0
) -> SpanScores:
    """Noise, and *sharp* more where the gold begins and ends; all logits times *scale*."""
    generator = np.random.default_rng(seed)
    begin, end, start, stop, counts = [], [], [], [], []
    for question in data:
        assert question.answers
        gold = question.answers[0]
        tokens = pieces(question.context)
        counts.append(len(tokens))
        for first, last in tokens:
            begin.append(first)
            end.append(last)
            start.append(scale * (generator.normal() + sharp * (first <= gold.start < last)))
            stop.append(scale * (generator.normal() + sharp * (first < gold.end <= last)))
    return SpanScores(
        guids=tuple(question.guid for question in data),
        windows=np.arange(len(data) + 1),
        tokens=offsets_of(np.array(counts, dtype=np.int64)),
        char_begin=np.array(begin, dtype=np.int32),
        char_end=np.array(end, dtype=np.int32),
        start=np.array(start, dtype=np.float32),
        end=np.array(stop, dtype=np.float32),
        null=np.zeros(len(data), dtype=np.float32),
        provenance=Provenance(data.sha256, "run", "oof", "0" * 64, 384, 128, "0.1.0"),
    )


def make_run(data: Dataset, name: str, scores: SpanScores, seed: int = 0) -> str:
    """A run of three folds below ``runs/`` with *scores* out of fold on *data*; its path."""
    folder = Path("runs") / name
    fold = FoldRecord(held_out=1, steps=1, seconds=1.0, windows=1, weights_sha256="0" * 64, metrics={})
    record = RunRecord(
        backbone="b",
        settings=TrainingSettings(folds=3),
        data=(DataFile(name="train.json", sha256=data.sha256, questions=len(data)),),
        answer_lengths={"2": 10, "3": 30, "4": 20},
        folds=dict.fromkeys(("0", "1", "2"), fold),
    )
    write_run(folder, record)
    fold_of = tuple((number + seed) % 3 for number in range(len(data)))
    folds = FileFolds(name="train.json", sha256=data.sha256, fold_of=fold_of)
    write_plan(folder, FoldPlan(folds=3, split_seed=42, files=(folds,)))
    provenance = Provenance(data.sha256, name, "oof", oof_digest(record), 384, 128, "0.1.0")
    write_spans(oof_file(folder, data.sha256), provenance, [scores])
    return str(folder)
