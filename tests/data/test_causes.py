"""Starts that are wrong in one way throughout are explained, and put right exactly."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from kit.data import demo_corpus
from kit.data.checks import check
from kit.data.readers import FaultKind, load
from kit.data.repair import repair
from kit.errors import DataError
from tests.data.planting import PLANTS, Gold, planted

Write = Callable[..., Path]
Sound = tuple[str, str, str, int]


@pytest.fixture(scope="module")
def invented() -> list[Sound]:
    """Invented news whose answers stand several times in their contexts, with signs that HTML escapes."""
    questions = demo_corpus.generate(train_contexts=30, test_contexts=1).train
    made = []
    for question in questions:
        assert question.answers
        answer = question.answers[0]
        tail = f' 한편 {answer.text}, 곧 ‘그것’을 두고 "A&B" 말이 많다. 다시 말해 {answer.text}, 이것이다.'
        head = f"'{answer.text}' & 알림. "
        made.append((question.text, head + question.context + tail, answer.text, answer.start + len(head)))
    return made


def wrong_places(path: Path, golds: Sequence[Gold], tmp_path: Path) -> tuple[int, int]:
    """Repair *path*; how many answers have a wrong place or text, how many were chosen."""
    report = repair(path, tmp_path / "mended.json")
    found = {question.guid: question.answers for question in load(report.out)}
    wrong = 0
    for number, gold in enumerate(golds):
        answers = found.get(f"q{number}")
        wrong += not answers or (answers[0].start, answers[0].text) != (gold.begin, gold.own)
    return wrong, report.chosen


def explained(path: Path, cause: str) -> None:
    faults = check(path).faults
    assert [fault.kind for fault in faults] == [FaultKind.ANSWER_START]
    assert cause in faults[0].message
    assert "exactly (first: question q" in faults[0].message
    with pytest.raises(DataError, match=r"run: kit check .* --repair") as caught:
        load(path)
    assert faults[0].message in str(caught.value)


@pytest.mark.parametrize("name", PLANTS)
def test_a_cause_is_named_and_no_answer_misplaced(
    name: str, invented: list[Sound], write: Write, tmp_path: Path
) -> None:
    plant, cause = PLANTS[name]
    file, golds = planted(invented, plant)
    path = write(file)
    explained(path, cause)
    assert wrong_places(path, golds, tmp_path) == (0, 0)


@pytest.mark.slow
@pytest.mark.parametrize("name", PLANTS)
def test_on_real_questions(name: str, shared: Path, write: Write, tmp_path: Path) -> None:
    plant, cause = PLANTS[name]
    real = [
        (question.text, question.context, question.answers[0].text, question.answers[0].start)
        for question in load(shared / "data/goorm2-standin/train.json")
        if question.answers
    ]
    assert len(real) == 3326
    file, golds = planted(real[::9], plant)  # of every article
    path = write(file)
    [fault] = check(path).faults
    assert cause in fault.message
    assert wrong_places(path, golds, tmp_path) == (0, 0)


def test_a_file_of_two_parts_has_two_causes(invented: list[Sound], write: Write, tmp_path: Path) -> None:
    half = len(invented) // 2
    files = [
        planted(invented[:half], PLANTS["UTF-8 bytes"][0]),
        planted(invented[half:], PLANTS["one-based"][0]),
    ]
    documents: list[Any] = [document for file, _ in files for document in file["data"]]
    golds = [gold for _, part in files for gold in part]
    for number, document in enumerate(documents):
        document["paragraphs"][0]["qas"][0]["guid"] = f"q{number}"
    path = write({"data": documents})
    causes = {fault.message.split(":")[0] for fault in check(path).faults}
    assert causes == {"answer_start is counted in UTF-8 bytes", "answer_start is counted from one"}
    assert wrong_places(path, golds, tmp_path) == (0, 0)


def test_what_a_cause_does_not_explain_is_named_one_by_one(
    invented: list[Sound], write: Write, tmp_path: Path
) -> None:
    file, golds = planted(invented, PLANTS["UTF-8 bytes"][0])
    rows = [document["paragraphs"][0]["qas"][0] for document in file["data"]]
    rows[3]["answers"][0] = {"text": "어디에도 없는 말", "answer_start": 5}
    rows[4]["answers"][0]["answer_start"] = None
    path = write(file)
    messages = [fault.message for fault in check(path).faults]
    assert len(messages) == 3
    assert "counted in UTF-8 bytes: this explains" in messages[0]
    assert messages[1] == (
        'question q3: answer_start 5 does not begin "어디에도 없는 말" (not found in the context)'
    )
    assert messages[2].startswith("question q4: answer_start null does not begin ")
    report = repair(path, tmp_path / "mended.json")
    assert [change.guid for change in report.answers_left_out] == ["q3"]
    assert report.moved[0].why == "answer_start is counted in UTF-8 bytes"
    assert len(load(report.out)) == len(golds) - 1


def test_starts_without_a_system_get_no_cause(invented: list[Sound], write: Write) -> None:
    """Each start is wrong by another number; none of the causes may claim them."""
    file, _ = planted(invented, lambda c, t, s: Gold(c, t, s * 7 % 101 + 3, s, t))
    faults = check(write(file)).faults
    assert len(faults) > 0.9 * len(invented)
    assert all(fault.guid for fault in faults)
    assert not any("counted" in fault.message for fault in faults)


def test_one_wrong_start_is_no_system(invented: list[Sound], write: Write) -> None:
    file, _ = planted(invented, lambda c, t, s: Gold(c, t, s, s, t))
    file["data"][7]["paragraphs"][0]["qas"][0]["answers"][0]["answer_start"] += 1
    faults = check(write(json.loads(json.dumps(file)))).faults
    assert [fault.guid for fault in faults] == ["q7"]
    assert "counted" not in faults[0].message
