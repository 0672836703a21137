"""A repaired copy loads, keeps what was sound, and says everything it changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.data.checks import check, repair
from kit.data.readers import load
from kit.data.readers.answer_places import place_answers
from kit.data.readers.builder import QuestionBuilder
from kit.data.records import Answer
from kit.errors import DataError, WriteError

Json = dict[str, Any]
Write = Callable[..., Path]

CONTEXT = "별빛역은 1974년 열었다. 별빛역은 2020년 새로 지었다. 역장은 이름을 별빛역 그대로 두었다."


def file(*rows: Json, context: str = CONTEXT) -> Json:
    return {"data": [{"title": "역", "paragraphs": [{"context": context, "qas": list(rows)}]}]}


def row(guid: str, *golds: tuple[str, object], text: str = "언제인가?") -> Json:
    return {
        "guid": guid,
        "question": text,
        "answers": [{"text": gold, "answer_start": start} for gold, start in golds],
    }


def test_answers_move_to_the_nearest_place_or_go(write: Write, tmp_path: Path) -> None:
    last = CONTEXT.rfind("별빛역")
    path = write(
        file(
            row("sound", ("1974년", 5)),
            row("moved", ("별빛역", last - 3)),
            row("moved from null", ("2020년", None)),
            row("one goes", ("없는 말", 0), ("2020년", CONTEXT.index("2020년"))),
            row("all go", ("없는 말", 0)),
            row("sound", ("1974년", 5), text="겹친 물음"),
            row("empty", ("", 0)),
            row("blank", ("1974년", 5), text=" "),
            {"guid": "unanswerable", "question": "모르는 것은?", "answers": []},
        )
    )
    out = tmp_path / "out" / "mended.json"
    report = repair(path, out)
    dataset = load(out)
    assert [question.guid for question in dataset] == [
        "sound",
        "moved",
        "moved from null",
        "one goes",
        "unanswerable",
    ]
    assert [question.golds for question in dataset] == [
        ("1974년",),
        ("별빛역",),
        ("2020년",),
        ("2020년",),
        ("",),
    ]
    assert dataset.questions[1].answers == (Answer("별빛역", last),)
    assert (dataset.format, dataset.sha256, len(dataset)) == ("competition", report.sha256, report.questions)
    assert check(out).clean
    assert [(a.guid, a.given, a.start) for a in report.moved] == [
        ("moved", str(last - 3), last),
        ("moved from null", "null", CONTEXT.index("2020년")),
    ]
    assert [a.guid for a in report.answers_left_out] == ["one goes", "all go"]
    assert [q.guid for q in report.questions_left_out] == ["all go", "sound", "empty", "blank"]
    assert len(report.lines()) == 8
    assert json.dumps(report.as_dict())


def test_a_sound_file_keeps_everything(corpus: Json, write: Write, tmp_path: Path) -> None:
    path = write(corpus)
    report = repair(path, tmp_path / "mended.json")
    assert report.lines() == []
    assert load(report.out).questions == load(path).questions
    first = report.out.read_bytes()
    repair(path, report.out)
    assert report.out.read_bytes() == first
    repair(report.out, tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == first


def test_a_test_file_keeps_its_rows(write: Write, tmp_path: Path) -> None:
    """A submission needs a row for every question, so what can be loaded stays."""
    rows = [
        {"guid": str(n), "question": text, "answers": None} for n, text in enumerate(["", "무엇?", "\ud800"])
    ]
    path = write(json.dumps(file(*rows, context="\ufffd")).encode())
    report = repair(path, tmp_path / "mended.json")
    assert [question.guid for question in load(report.out)] == ["0", "1"]
    assert [question.answers for question in load(report.out)] == [None, None]
    assert [question.guid for question in report.questions_left_out] == ["2"]


def test_the_input_is_never_overwritten(corpus: Json, write: Write, tmp_path: Path) -> None:
    path = write(corpus)
    before = path.read_bytes()
    link = tmp_path / "link.json"
    link.symlink_to(path)
    for out in (path, tmp_path / "." / "train.json", link):
        with pytest.raises(DataError, match="is the file to be repaired; give another name to --repair"):
            repair(path, out)
    assert path.read_bytes() == before


def test_nothing_is_written_where_nothing_would_be_left(write: Write, tmp_path: Path) -> None:
    path = write(file(row("a", ("없는 말", 0))))
    out = tmp_path / "mended.json"
    with pytest.raises(DataError, match="no sound question would be left of 1"):
        repair(path, out)
    assert not out.exists()


def test_a_folder_that_cannot_be_made(corpus: Json, write: Write) -> None:
    path = write(corpus)
    with pytest.raises(WriteError):
        repair(path, path / "inside" / "out.json")


@given(
    context=st.text("가나", max_size=30),
    text=st.text("가나", min_size=1, max_size=3),
    start=st.none() | st.integers(-5, 40),
)
def test_without_a_word_of_the_question_the_nearest_place_is_that_of_the_slow_search(
    context: str, text: str, start: int | None
) -> None:
    places = [place for place in range(len(context)) if context.startswith(text, place)]
    expected = min(places, key=lambda place: (abs(place - (start or 0)), place)) if places else None
    builder = QuestionBuilder()
    # A sound answer beside it, so that no cause explains all starts of the file.
    for guid, passage, gold, given_start in (("a", context, text, start), ("b", CONTEXT, "1974년", 5)):
        row = {"guid": guid, "question": "?", "answers": [{"text": gold, "answer_start": given_start}]}
        builder.question(row, guid, "guid", builder.passage({"context": passage}, guid, "", "", ""))
    place_answers(builder)
    [answer] = builder.questions[0].answers or ()
    assert answer.found == expected
