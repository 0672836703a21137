"""The demo is the main job: it must run, learn, and leave a submission."""

from __future__ import annotations

import importlib
import json
import shlex
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

import kit
from kit.cli import app
from kit.data import demo_corpus
from kit.data.records import Dataset
from kit.submission.csv import check_submission, read_submission
from tests.commands import commands_in, run_kit, run_python


def checked(folder: Path, questions: int) -> tuple[Dataset, dict[str, str]]:
    """The test questions with their golds, and the submission's answers to all of them."""
    truth = kit.load(folder / "data" / "demo" / "test_answers.json")
    assert len(truth) >= questions
    answers = read_submission(folder / "submissions" / "demo.csv")
    check_submission(answers, [question.guid for question in truth])
    return truth, answers


def looked_through(folder: Path, out: str, err: str, *, articles: int, estimate: str, questions: int) -> None:
    """Every way to answer is in the table, and what the demo says is true and can be typed."""
    truth, answers = checked(folder, questions)
    first, *_ = err.splitlines()
    assert first == (
        f"kit demo: trains two tiny models on {articles:,} made-up articles; about {estimate} on two cores"
    )
    table = {line.rsplit("  ", 6)[0].strip(): line for line in out.splitlines()}
    for label in (
        "all blank",
        "demo-unigram, course-2022",
        "demo-wordpiece, plain argmax",
        "demo-wordpiece, length prior",
        "demo-wordpiece, default",
        "both, vote, argmax",
        "both, mean, edit",
    ):
        assert label in out
    row = next(line for line in table.values() if line.startswith("both, mean, edit"))
    assert f"{kit.score(answers, truth).edit:.3f}" in row
    card = json.loads((folder / "submissions" / "demo.json").read_text(encoding="utf-8"))
    recipe = card["recipe"]
    assert (recipe["decoder"], recipe["length_prior"], recipe["length_cap"]) == ("edit", 0.5, 30)
    assert len(card["members"]) == 2
    assert "lower is better; all blank would score " in out
    assert (folder / "reports" / "demo.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    hints = list(commands_in(err))
    assert hints[1:] == ["kit runs runs", "kit download goorm-2"]
    assert hints[0].startswith("kit ensemble submissions/demo.yaml --data data/demo/test.json --explain ")
    for hint in hints[:2]:
        tried = run_kit(*shlex.split(hint)[1:], cwd=folder)
        assert tried.returncode == 0, tried.stderr


def test_the_demo_scores_every_way_to_answer_and_trains_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With few articles to answer, and fewer to learn from; with one core, in this process."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(importlib.import_module("kit.api.demo"), "usable_cores", lambda: 1)
    small = partial(demo_corpus.write, test_contexts=15)
    monkeypatch.setattr(demo_corpus, "write", lambda folder, seed, articles: small(folder, seed, 16))
    result, again = (CliRunner().invoke(app, ["demo", "--articles", "100"]) for _ in range(2))
    assert result.exit_code == 0, result.output
    looked_through(tmp_path, result.stdout, result.stderr, articles=100, estimate="42 s", questions=40)
    assert again.stderr.count("already trained with these settings") == 2
    assert again.stdout == result.stdout


@pytest.mark.slow
@pytest.mark.timeout(600)  # two trainings at once, of 80 s on a quiet machine
def test_the_demo_as_it_is_learns(tmp_path: Path) -> None:
    """With its default number of articles, in a process of its own.

    Tiny models of so few articles end up to 0.7 characters apart on different processors, so each must be a
    quarter better than blank answers, and the two together a third.
    """
    result = run_python("-m", "kit", "demo", cwd=tmp_path, limit=500)
    assert result.returncode == 0, result.stderr
    looked_through(tmp_path, result.stdout, result.stderr, articles=1200, estimate="2 min", questions=600)
    truth, answers = checked(tmp_path, 600)
    blank = kit.score(dict.fromkeys(answers, ""), truth).edit
    assert kit.score(answers, truth).edit < blank * 2 / 3
    for name in ("unigram", "wordpiece"):
        read = kit.decode(tmp_path / "runs" / f"demo-{name}", tmp_path / "data/demo/test.json")
        assert kit.score(read, truth).edit < blank * 3 / 4
