"""`kit report` as a user starts it: the page, the tables, and every wrong turn."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import kit
from kit import terminal
from kit.data import demo_corpus
from kit.text_rules.particles import INSTALL
from tests.commands import run_kit
from tests.reports.conftest import Place, place
from tests.screens import in_pipe, on_terminal

__all__ = ["place"]


def report(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run_kit("report", *arguments, cwd=folder)


def test_a_run_is_reported_out_of_fold_on_its_own_training_file(place: Place) -> None:
    done = report(place.folder, "runs/words", "--out", "words.html")
    assert done.returncode == 0, done.stderr
    score = kit.score(place.folder / "words.csv", place.folder / "data" / "train.json")
    assert f"{score.edit:.3f}" in done.stdout
    assert "course-2022 on words" in done.stdout
    assert "out of fold" in done.stderr
    assert "words.html: the report, one file of" in done.stderr
    said = " ".join(done.stderr.split())
    assert "decoded by edit with length_prior 0.5, cap 30 (kit report --plain: plain argmax)" in said
    assert (place.folder / "words.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_run_is_reported_by_plain_argmax(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place.folder)
    done = report(place.folder, "runs/words", "--plain", "--text")
    assert done.returncode == 0, done.stderr
    assert "decoded by argmax with no length prior, cap 60" in done.stderr
    data = kit.load("data/train.json")
    plain, own = (kit.score(kit.decode("runs/words", data, plain=how), data).edit for how in (True, False))
    assert f"{plain:.3f}" in done.stdout
    assert plain != own
    refused = report(place.folder, "two.yaml", "--plain", "--text")
    assert refused.returncode == 1
    assert "--plain is for runs" in refused.stderr


def test_every_question_is_counted_for_the_time_left(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(place.folder)
    told: list[str] = []

    @contextlib.contextmanager
    def progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
        done: list[int] = []
        yield done.append
        assert sum(done) == total > 0
        told.append(what)

    monkeypatch.setattr(terminal, "progress", progress)
    kit.report("two.yaml", "data/train.json", out=tmp_path / "two.html")
    assert told == ["decoding", "answers of each member", "comparing with the gold answers"]
    told.clear()
    kit.ensemble("runs/words", "data/train.json", out=tmp_path / "words.csv")
    assert set(told) == {"decoding"}


def test_on_a_terminal_a_bar_shows_the_time_left_and_disappears(place: Place, tmp_path: Path) -> None:
    out = tmp_path / "two.html"
    words = ["report", "two.yaml", "--data", "data/train.json", "--out", out]
    code, said = on_terminal(words, place.folder, columns=160, NO_COLOR="1")
    assert code == 0
    assert "comparing with the gold answers" in said
    assert re.search(r"100% \d:\d\d:\d\d", said)
    code, piped = in_pipe(words, place.folder)
    assert code == 0
    assert "comparing with" not in piped


def test_text_prints_tables_and_writes_nothing(place: Place, tmp_path: Path) -> None:
    before = sorted(place.folder.rglob("*.html"))
    done = report(place.folder, "two.yaml", "--data", "data/train.json", "--versus", "words.csv", "--text")
    assert done.returncode == 0, done.stderr
    assert sorted(place.folder.rglob("*.html")) == before
    overview = place.report.contents.overview
    for facet in overview.facets:
        if facet.reason:
            assert f"{facet.title}: unknown, {facet.reason}" in done.stderr
        else:
            assert facet.title in done.stdout
            for label in facet.labels:
                assert label in done.stdout
    assert "furthest off" in done.stdout
    lines = [line for line in done.stdout.splitlines() if line.startswith("wrong place")]
    assert lines
    assert f"{overview.error_types.count(4):,}" in lines[0]
    assert "\x1b" not in done.stdout + done.stderr
    assert "\u202e" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing.csv"], "error: nothing.csv: has no card that names its data; name them with --data"),
        (["nothing.csv", "--data", "data/train.json"], "error: nothing.csv: there is no such file"),
        (["nowhere"], "error: nowhere: does not exist"),
        (["words.csv", "--data", "data/test.json"], "withholds 11 of 11 answers"),
        (["words.csv", "--data", "data/train.json", "--versus", "blank.csv"], "error: blank.csv: lacks"),
        (["runs/words", "--data", "data/test_answers.json"], "no span scores for data/test_answers.json"),
    ],
)
def test_wrong_turns_are_one_line(place: Place, arguments: list[str], message: str) -> None:
    test = kit.load(place.folder / "data" / "test.json")
    kit.write_submission(place.folder / "blank.csv", test, dict.fromkeys((q.guid for q in test), ""))
    done = report(place.folder, *arguments)
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.strip().splitlines()
    assert message in line


def test_a_card_names_the_data(tmp_path: Path, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place.folder)
    kit.ensemble("runs/letters", place.data, out="letters.csv")
    done = report(place.folder, "letters.csv", "--text")
    assert done.returncode == 0, done.stderr
    Path("letters.json").unlink()
    assert "has no card" in report(place.folder, "letters.csv", "--text").stderr


def test_data_without_a_single_error_can_be_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    files = demo_corpus.write(Path("data"), train_contexts=3, test_contexts=2)
    data = kit.load(files.train)
    kit.write_submission("right.csv", data, {question.guid: question.golds[0] for question in data})
    done = report(tmp_path, "right.csv", "--data", str(files.train), "--text")
    assert done.returncode == 0, done.stderr
    assert "0.000" in done.stdout


def test_tables_name_next_steps_with_commands_to_copy(place: Place) -> None:
    done = report(place.folder, "two.yaml", "--data", "data/train.json", "--text")
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    for number, step in enumerate(place.report.contents.suggestions, 1):
        at = next(index for index, line in enumerate(lines) if line.startswith(f"{number}. {step.finding}"))
        assert f"at most −{step.gain:.3f} characters, {step.condition}" in lines[at + 1]
        # the package of the rule strip_particles may be missing in one of the two processes
        assert lines[at + 2].strip().removeprefix(f"{INSTALL} && ") == step.command.removeprefix(
            f"{INSTALL} && "
        )


def test_tables_in_korean(place: Place) -> None:
    done = report(
        place.folder,
        "two.yaml",
        "--data",
        "data/train.json",
        "--versus",
        "words.csv",
        "--text",
        "--lang",
        "ko",
    )
    assert done.returncode == 0, done.stderr
    for text in (
        "train.json에서 two의 점수",
        "모두 빈 답",
        "위치가 틀림",
        "words의 오류 유형",
        "가장 많이 틀린 답",
    ):
        assert text in done.stdout
    assert "폴드 밖 점수입니다" in done.stderr
    assert "최대 −" in done.stderr
    for english in ("error type", "wrong place", "characters", "questions", "out of fold", "at most", " to "):
        assert english not in done.stdout + done.stderr


def test_an_unknown_language_is_one_line(place: Place) -> None:
    done = report(place.folder, "two.yaml", "--data", "data/train.json", "--lang", "kr")
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("error: ")
    assert "kr" in line
    assert "en, ko" in line


def test_a_default_page_replaces_only_one_of_the_same_subject(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(place.folder, tmp_path / "work")
    monkeypatch.chdir(tmp_path / "work")
    shutil.rmtree("reports", ignore_errors=True)
    shutil.copy("two.yaml", "words.yaml")
    said: list[str] = []
    pages = [
        kit.report(subject, "data/train.json", say=said.append).path.name
        for subject in ("runs/words", "words.csv", "words.yaml", "words.csv", "runs/words")
    ]
    assert pages == ["words.html", "words-2.html", "words-3.html", "words-2.html", "words.html"]
    assert said[0] == (
        "reports/words.html was made from something else and stays; this one is reports/words-2.html"
    )
