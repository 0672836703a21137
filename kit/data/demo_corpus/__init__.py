"""The built-in corpus: invented news passages and questions in the competition's layout.

Everything is drawn from templates and syllables by a seed, so that the demo needs no download.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from kit.data.demo_corpus.generator import articles
from kit.data.records import Question
from kit.files import write_text

SEED = 2022
# A tiny reader learns more from new passages than from further epochs on few.
TRAIN_CONTEXTS = 3000
TEST_CONTEXTS = 200


@dataclass(frozen=True, slots=True)
class Corpus:
    """Training and test questions, both with their answers; no context or title is in both."""

    train: tuple[Question, ...]
    test: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class CorpusFiles:
    """Where `write` put the corpus: test.json withholds the answers that test_answers.json has."""

    train: Path
    test: Path
    test_answers: Path
    sample_submission: Path


def generate(
    seed: int = SEED, train_contexts: int = TRAIN_CONTEXTS, test_contexts: int = TEST_CONTEXTS
) -> Corpus:
    """Draw a corpus: three or four questions a context, the same for the same arguments."""
    titles: set[str] = set()
    # The test part first: its passages do not depend on how many are drawn for training.
    test = articles(seed, "test", test_contexts, held_out=True, titles=titles)
    train = articles(seed, "train", train_contexts, held_out=False, titles=titles)
    return Corpus(tuple(train), tuple(test))


def write(
    folder: Path,
    seed: int = SEED,
    train_contexts: int = TRAIN_CONTEXTS,
    test_contexts: int = TEST_CONTEXTS,
) -> CorpusFiles:
    """Write a corpus as the competition's files into *folder* (made if need be); the same bytes for a seed.

    Raises WriteError where the folder cannot be written.
    """
    corpus = generate(seed, train_contexts, test_contexts)
    files = CorpusFiles(
        train=folder / "train.json",
        test=folder / "test.json",
        test_answers=folder / "test_answers.json",
        sample_submission=folder / "sample_submission.csv",
    )
    version = f"kit-sample-{seed}"
    write_text(files.train, _layout(corpus.train, version, answers=True))
    write_text(files.test, _layout(corpus.test, version, answers=False))
    write_text(files.test_answers, _layout(corpus.test, version, answers=True))
    write_text(files.sample_submission, _blank_submission(corpus.test))
    return files


def _layout(questions: Sequence[Question], version: str, *, answers: bool) -> str:
    data = [_article(list(group), answers) for _, group in groupby(questions, key=lambda q: q.context)]
    return json.dumps({"version": version, "data": data}, ensure_ascii=False, indent=1) + "\n"


def _article(questions: Sequence[Question], answers: bool) -> dict[str, object]:
    first = questions[0]
    asked = [
        {
            "guid": question.guid,
            "question": question.text,
            "answers": (
                [{"text": gold.text, "answer_start": gold.start} for gold in question.answers or ()]
                if answers
                else None
            ),
        }
        for question in questions
    ]
    return {
        "title": first.title,
        "news_category": first.category,
        "source": first.source,
        "paragraphs": [{"context": first.context, "qas": asked}],
    }


def _blank_submission(questions: Sequence[Question]) -> str:
    rows = io.StringIO()
    writer = csv.writer(rows, lineterminator="\n")
    writer.writerow(("Id", "Predicted"))
    writer.writerows((question.guid, "") for question in questions)
    return rows.getvalue()
