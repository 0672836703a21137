"""Questions by the hundred thousand: words of the built-in corpus in a new order, none like another."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from kit.data import demo_corpus
from kit.modeling.tiny import Shape, make_backbone

CONTEXTS_A_QUESTION = 10_434 / 12_037
"""As in the competition's training file."""
NEWS = 200
"""Median words of a context that make it as long as the competition's, about 1,000 characters."""
SHORT = 60


def write(path: Path, questions: int, words: int = NEWS, seed: int = 0, *, answers: bool = True) -> Path:
    """A file of *questions* in the competition's layout; contexts have *words* words, log-normally spread."""
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
    """An encoder so small that the work around it is what takes the time."""
    corpus = demo_corpus.generate(train_contexts=300, test_contexts=1).train
    texts = [question.context for question in corpus]
    make_backbone(folder, texts, "wordpiece", Shape(4000, 16, 1, 1, 16, length), seed=1)
    return str(folder)
