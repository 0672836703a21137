"""The field's own files, where they lie beside the repository."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kit.data import folds as data_folds
from kit.data.checks import check, repair
from kit.data.leaks import find_leaks
from kit.data.readers import load

STANDIN = Path("data/goorm2-standin")


@pytest.mark.parametrize(
    ("file", "name", "questions", "withheld"),
    [
        ("data/goorm2-standin/train.json", "competition", 3326, 0),
        ("data/goorm2-standin/test.json", "competition", 947, 947),
        ("data/goorm2-standin/test_answers.json", "competition", 947, 0),
        ("data/korquad/KorQuAD_v1.0_part-train.json", "korquad", 3326, 0),
        ("data/korquad/KorQuAD_v1.0_part-dev.json", "korquad", 947, 0),
        ("data/klue-mrc-excerpt.json", "klue", 3, 0),
    ],
)
def test_real_files_are_clean(shared: Path, file: str, name: str, questions: int, withheld: int) -> None:
    report = check(shared / file)
    assert [fault.message for fault in report.faults] == []
    assert (report.format, report.questions, report.withheld) == (name, questions, withheld)
    dataset = load(shared / file, answers_needed=not withheld)
    assert len(dataset) == questions
    for question in dataset:
        for answer in question.answers or ():
            assert question.context[answer.start : answer.end] == answer.text


def test_both_layouts_hold_the_same_questions(shared: Path) -> None:
    one = load(shared / STANDIN / "train.json")
    other = load(shared / "data/korquad/KorQuAD_v1.0_part-train.json")
    assert [(q.text, q.context, q.answers) for q in one] == [(q.text, q.context, q.answers) for q in other]


def test_the_klue_excerpt_has_an_unanswerable_question(shared: Path) -> None:
    questions = load(shared / "data/klue-mrc-excerpt.json").questions
    assert [len(question.answers or ()) for question in questions] == [0, 1, 1]
    assert questions[0].golds == ("",)
    assert questions[0].category and questions[0].source == "hankyung"  # noqa: PT018


def test_train_and_test_do_not_leak_but_the_answers_would(shared: Path) -> None:
    train, test = load(shared / STANDIN / "train.json"), load(shared / STANDIN / "test.json")
    report = find_leaks([train], test)
    assert not report.leaking
    assert report.contexts == ()
    leak = find_leaks([train, load(shared / STANDIN / "test_answers.json")], test)
    assert leak.leaking
    assert len(leak.test_guids) == len(leak.train_guids) == 947
    assert {found.train.name for found in leak.contexts} == {"test_answers.json"}


def test_articles_are_groups(shared: Path) -> None:
    train = load(shared / STANDIN / "train.json")
    labels = data_folds.groups(train.questions)
    titles = {question.title for question in train}
    assert labels.max() + 1 <= len(titles) == 85
    folds = data_folds.folds(train.questions, 5, labels=labels)
    sizes = np.bincount(folds)
    assert sizes.max() - sizes.min() <= 20
    held = data_folds.holdout(train.questions, labels=labels)
    assert held.mean() == pytest.approx(0.1, abs=0.01)


def test_a_repaired_copy_of_a_sound_file_is_equal(shared: Path, tmp_path: Path) -> None:
    path = shared / STANDIN / "train.json"
    report = repair(path, tmp_path / "copy.json")
    assert report.lines() == []
    assert load(report.out).questions == load(path).questions
