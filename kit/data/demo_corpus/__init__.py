"""The built-in corpus: invented news passages and questions in the competition's layout.

Everything is drawn from templates and syllables by a seed, so that the demo needs no download.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from kit.data.competition_json import competition_json
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
    withheld = [replace(question, answers=None) for question in corpus.test]
    for path, questions in (
        (files.train, corpus.train), (files.test, withheld), (files.test_answers, corpus.test),
    ):  # fmt: skip
        write_text(path, competition_json(questions, f"kit-sample-{seed}"))
    rows = ["Id,Predicted", *(f"{question.guid}," for question in corpus.test)]
    write_text(files.sample_submission, "\n".join(rows) + "\n")
    return files
