"""Synthetic data: many questions, a tiny encoder, and scores shaped like a trained model's."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import kit
from kit.data import demo_corpus
from kit.data.records import Question
from kit.modeling.tiny import Shape, make_backbone
from kit.spans.span_scores import Provenance, SpanScores, offsets_of

CONTEXTS_A_QUESTION = 10_434 / 12_037
"""As in the competition's training file."""
NEWS = 200
"""Median words of a context that make it as long as the competition's, about 1,000 characters."""
SHORT = 60


def write(path: Path, questions: int, words: int = NEWS, seed: int = 0, *, answers: bool = True) -> Path:
    """A file of *questions* in the competition's layout, words of the built-in corpus in random order.

    Contexts have *words* words in the median, log-normally distributed; all differ.
    """
    corpus = demo_corpus.generate(train_contexts=300, test_contexts=1).train
    known = np.array([word for question in corpus for word in question.context.split()], dtype=object)
    generator = np.random.default_rng(seed)
    contexts = max(round(questions * CONTEXTS_A_QUESTION), 1)
    owners = generator.integers(0, contexts, questions - contexts)
    asked = np.bincount(owners, minlength=contexts) + 1
    lengths = np.clip(generator.lognormal(np.log(words), 0.5, contexts), 12, 4 * words).astype(int)
    data = []
    number = 0
    for count, length in zip(asked.tolist(), lengths.tolist(), strict=True):
        chosen = known[generator.integers(0, len(known), length)].tolist()
        qas = []
        for first in generator.integers(0, length - 3, count).tolist():
            text = " ".join(chosen[first : first + 1 + number % 3])
            start = sum(map(len, chosen[:first])) + first
            gold = [{"text": text, "answer_start": start}] if answers else None
            question = corpus[number % len(corpus)].text
            qas.append({"guid": f"{seed}-{number}", "question": question, "answers": gold})
            number += 1
        paragraph = {"context": " ".join(chosen), "qas": qas}
        data.append({"title": f"{seed}-{len(data)}", "paragraphs": [paragraph]})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"data": data}, ensure_ascii=False), encoding="utf-8")
    return path


def tiny_backbone(folder: Path, length: int = 512) -> str:
    """An encoder so small that the work around it takes most of the time."""
    corpus = demo_corpus.generate(train_contexts=300, test_contexts=1).train
    texts = [question.context for question in corpus]
    make_backbone(folder, texts, "wordpiece", Shape(4000, 16, 1, 1, 16, length), seed=1)
    return str(folder)


def scores_of(questions: int) -> SpanScores:
    """One to three windows of 150 to 400 tokens for each question; a token is two characters."""
    generator = np.random.default_rng(7)
    windows = generator.integers(1, 4, questions)
    return with_peaks(background(windows, generator.integers(150, 400, windows.sum()), generator), generator)


def scores_for(questions: Sequence[Question]) -> SpanScores:
    """One window a question: its context in tokens of two characters."""
    generator = np.random.default_rng(7)
    return with_peaks(background(np.ones(len(questions), int), tokens_of(questions), generator), generator)


def tokens_of(questions: Sequence[Question]) -> NDArray[np.int64]:
    """How many tokens of two characters each context has, int64 (Q,)."""
    return np.array([max(len(question.context) // 2, 1) for question in questions])


def background(
    windows: NDArray[np.int64], tokens: NDArray[np.int64], generator: np.random.Generator
) -> SpanScores:
    """Scores without an answer, int64 *windows* (Q,) a question and *tokens* (W,) a window; null is 0."""
    total = int(tokens.sum())
    place = np.arange(total) - np.repeat(offsets_of(tokens)[:-1], tokens)
    start, end = generator.normal(-6, 1.5, (2, total)).astype(np.float32)
    return SpanScores(
        guids=tuple(map(str, range(len(windows)))),
        windows=offsets_of(windows),
        tokens=offsets_of(tokens),
        char_begin=(place * 2).astype(np.int32),
        char_end=(place * 2 + 2).astype(np.int32),
        start=start,
        end=end,
        null=np.zeros(len(tokens), np.float32),
        provenance=Provenance("", "", "", "", 0, 0, kit.__version__),
    )


def with_peaks(scores: SpanScores, generator: np.random.Generator) -> SpanScores:
    """*scores* with one likely span in each window."""
    begin, stop = scores.tokens[:-1], scores.tokens[1:]
    peaks = begin + generator.integers(0, stop - begin)
    scores.start[peaks] += 12
    scores.end[np.minimum(peaks + generator.integers(0, 6, len(peaks)), stop - 1)] += 12
    return replace(scores, null=generator.normal(0, 2, len(peaks)).astype(np.float32))
