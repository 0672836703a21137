"""Folders in which commands are disturbed: tiny inputs, and the results of earlier commands."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import numpy as np

import kit
from kit.data import demo_corpus
from kit.modeling.tiny import Shape, make_backbone
from tests.spans.made import make_run, scores_of, words
from tools.chaos.processes import ForkServer

SLUG = "k-digital-goorm-2-korean-mrc"
TRAINING = (
    "--epochs", "1", "--evaluations", "2", "--batch-size", "8", "--micro-batch-size", "4", "--lr", "1e-3",
    "--max-length", "128", "--stride", "40", "--limit", "30",
)  # fmt: skip
_PEOPLE = ("박하린", "김도윤", "이서준", "최지우", "정민서")
_ASKED = ("누가 밝혔나?", "언제 밝혔나?")
_QUESTIONS = 24


def prepare_road(folder: Path, server: ForkServer) -> None:
    """A corpus, a tiny backbone with dropout, two runs of two folds with their scores, a recipe, a report."""
    files = demo_corpus.write(folder / "data", train_contexts=14, test_contexts=5)
    texts = [text for question in kit.load(files.train) for text in (question.context, question.text)]
    make_backbone(folder / "tiny", texts, "wordpiece", Shape(400, 16, 1, 2, 32, 128, dropout=0.1), seed=1)
    for name, seed in (("a", "42"), ("b", "3")):
        words = ("train", "tiny", "--data", "data/train.json", "--run", f"runs/{name}", "--folds", "2")
        must(server, *words, "--seed", seed, *TRAINING, folder=folder)
        must(server, "predict", f"runs/{name}", "--data", "data/test.json", folder=folder)
    (folder / "two.yaml").write_text("members: [{run: runs/a}, {run: runs/b}]\n", encoding="utf-8")
    must(
        server, "ensemble", "runs/b", "--data", "data/test.json", "--out", "submissions/x.csv", folder=folder
    )
    must(server, "report", "runs/b", "--data", "data/train.json", "--out", "reports/x.html", folder=folder)


def prepare_tuning(folder: Path, seed: int = 1) -> None:
    """A recipe of one made-up run that a second stage improves: its scores do not tell names from dates."""
    generator = np.random.default_rng(3)
    rows = []
    for number in range(_QUESTIONS):
        who, when = str(generator.choice(_PEOPLE)), f"{int(generator.integers(2, 29))}일"
        gold = (who, when)[number % 2]
        context = f"{number}호 {who} {when} 밝혔다."
        answers = [{"text": gold, "answer_start": context.index(gold)}]
        qas = [{"id": f"q{number}", "question": _ASKED[number % 2], "answers": answers}]
        rows.append({"title": f"t{number}", "paragraphs": [{"context": context, "qas": qas}]})
    (folder / "data").mkdir(exist_ok=True)
    text = json.dumps({"data": rows}, ensure_ascii=False)
    (folder / "data/train.json").write_text(text, encoding="utf-8")
    made_up_run(folder, seed)
    (folder / "one.yaml").write_text("members: [{run: runs/a}]\n", encoding="utf-8")


def made_up_run(folder: Path, seed: int) -> None:
    """Out-of-fold scores that are hardly better than chance, drawn by *seed*, without any model."""
    data = kit.load(folder / "data/train.json")
    with contextlib.chdir(folder):
        make_run(data, "a", scores_of(data, words, seed, 0.3))


def competition_files(folder: Path) -> dict[str, bytes]:
    """The files that a competition offers: a small corpus, written into *folder*."""
    made = demo_corpus.write(folder, train_contexts=10, test_contexts=4)
    return {path.name: path.read_bytes() for path in (made.train, made.test, made.sample_submission)}


def must(server: ForkServer, *command: str, folder: Path, environment: dict[str, str] | None = None) -> None:
    """Run a command that prepares something; it must succeed."""
    done = server.run(command, folder, environment=environment)
    assert done.code == 0, done.err
