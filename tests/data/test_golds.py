"""Golds in every form in use; a key that is not read is never taken for "no answer"."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kit.data.checks import check
from kit.data.readers import load, read
from kit.data.records import Answer
from kit.data.repair import repair
from kit.errors import DataError

Json = dict[str, Any]
Write = Callable[..., Path]

CONTEXT = "별빛역은 1974년 열었다. 역장은 세 번 바뀌었다. 별빛역은 2020년 새로 지었다."
YEAR, ROW = CONTEXT.index("1974년"), {"id": "a", "question": "언제?", "context": CONTEXT}
LOCATED = "answer given as a text alone, located in its context"
ONE = {"text": "1974년", "answer_start": YEAR}
TWO = (Answer("1974년", YEAR), Answer("1974", YEAR))

FORMS: dict[str, tuple[Json, tuple[Answer, ...], list[str]]] = {
    # name: (the row's keys, its golds, what is remarked)
    "answers, list": ({"answers": [ONE, {"text": "1974", "answer_start": YEAR}]}, TWO, []),
    "answers, object": ({"answers": ONE}, TWO[:1], ["answers given as one object instead of a list"]),
    "answers, dict of lists": (
        {"answers": {"text": ["1974년", "1974"], "answer_start": [YEAR, YEAR]}}, TWO, []),
    "answers, texts alone": ({"answers": ["1974년", "1974"]}, TWO, [LOCATED]),
    "answers, texts beside starts": ({"answers": ["1974년", "1974"], "answer_start": [YEAR, YEAR]}, TWO, []),
    "answer, object": ({"answer": ONE}, TWO[:1], []),
    "answer, object with HTML": (
        {"answer": ONE | {"html_answer_text": "<b>1974년</b>", "html_answer_start": 3}}, TWO[:1], []),
    "answer, dict of lists": ({"answer": {"text": ["1974년"], "answer_start": [YEAR]}}, TWO[:1], []),
    "answer, list of objects": ({"answer": [ONE]}, TWO[:1], []),
    "answer, text": ({"answer": "1974년"}, TWO[:1], [LOCATED]),
    "answer, text with start": ({"answer": "1974년", "answer_start": YEAR}, TWO[:1], []),
    "answer_text and answer_start": ({"answer_text": "1974년", "answer_start": YEAR}, TWO[:1], []),
    "answer_text, start null": ({"answer_text": "1974년", "answer_start": None}, TWO[:1], [LOCATED]),
    "answer_text, start NaN": ({"answer_text": "1974년", "answer_start": float("nan")}, TWO[:1], [LOCATED]),
    "answer_text alone": ({"answer_text": "1974년"}, TWO[:1], [LOCATED]),
    "lists of both": ({"answer_text": ["1974년", "1974"], "answer_start": [YEAR, YEAR]}, TWO, []),
    "text and answer_start": ({"text": "1974년", "answer_start": YEAR}, TWO[:1], []),
    "start as a list of one": ({"answers": {"text": ["1974년"], "answer_start": YEAR}}, TWO[:1], []),
    "names inside": ({"answers": [{"answer_text": "1974년", "start": YEAR}]}, TWO[:1], []),
    "answers null, answer_text given": (
        {"answers": None, "answer_text": "1974년", "answer_start": YEAR}, TWO[:1], []),
    "answers empty, answer given": ({"answers": [], "answer": ONE}, TWO[:1], []),
    "empty list": ({"answers": []}, (), []),
    "empty text without a place": (
        {"answers": [{"text": "", "answer_start": -1}]}, (),
        ["empty answer without a place, read as an unanswerable question"]),
    "empty answer_text": (
        {"answer_text": "", "answer_start": None}, (),
        ["empty answer without a place, read as an unanswerable question"]),
    "is_impossible": ({"answers": [], "is_impossible": True}, (), []),
}  # fmt: skip


@pytest.mark.parametrize("nested", [False, True], ids=["flat", "nested"])
@pytest.mark.parametrize("name", FORMS)
def test_every_form_gives_the_golds(name: str, nested: bool, write: Write, tmp_path: Path) -> None:
    keys, golds, remarks = FORMS[name]
    row = ROW | keys
    if nested:
        context = row.pop("context")
        value: object = {"data": [{"title": "", "paragraphs": [{"context": context, "qas": [row]}]}]}
    else:
        value = [row]
    path = write(json.dumps(value).encode())
    report = check(path)
    assert [fault.message for fault in report.faults] == []
    assert load(path, answers_needed=True).questions[0].answers == golds
    # Its only question has no answer, which is remarked whatever the form.
    everything = remarks if golds else [*remarks, "no question has an answer, all are unanswerable"]
    assert [remark.text for remark in report.remarks] == everything
    assert (report.withheld, report.unanswerable) == (0, int(not golds))
    assert load(repair(path, tmp_path / "out.json").out).questions[0].answers == golds


def by_columns(rows: list[Json]) -> bytes:
    return json.dumps({key: [row[key] for row in rows] for key in rows[0]}).encode()


def json_lines(rows: list[Json]) -> bytes:
    return "\n".join(json.dumps(row) for row in rows).encode()


def delimited(rows: list[Json], delimiter: str) -> bytes:
    cells = [list(rows[0]), *([str(value) for value in row.values()] for row in rows)]
    return "\n".join(delimiter.join(row) for row in cells).encode()


AS_ROWS: list[Callable[[list[Json]], bytes]] = [
    lambda rows: delimited(rows, ","), lambda rows: delimited(rows, "\t"), by_columns, json_lines
]  # fmt: skip
ANOTHER = "row that gives one more gold of a question above it"


def row_of(guid: str, text: str, start: int, **other: str) -> Json:
    return ROW | {"id": guid, "answer_text": text, "answer_start": start} | other


@pytest.mark.parametrize("written", AS_ROWS, ids=["csv", "tsv", "columns", "lines"])
def test_rows_of_one_question_are_its_golds(
    written: Callable[[list[Json]], bytes], write: Write, tmp_path: Path
) -> None:
    later = CONTEXT.index("2020년")
    rows = [row_of("a", "1974년", YEAR), row_of("b", "2020년", later), row_of("a", "1974", YEAR),
            row_of("a", "2020년", later)]  # fmt: skip
    path = write(written(rows))
    report = check(path)
    assert [fault.message for fault in report.faults] == []
    assert (report.questions, report.answers, report.duplicates) == (2, 4, ())
    assert [(remark.text, remark.count) for remark in report.remarks] == [(ANOTHER, 2)]
    first, second = load(path)
    assert first.answers == (*TWO, Answer("2020년", later))
    assert second.answers == (Answer("2020년", later),)
    assert load(repair(path, tmp_path / "out.json").out).questions == load(path).questions


def test_a_wrong_start_among_such_rows_is_placed(write: Write, tmp_path: Path) -> None:
    later = CONTEXT.index("2020년")
    rows = [row_of("a", "1974년", YEAR), row_of("a", "2020년", 2), row_of("a", "없는 말", 0)]
    path = write(json_lines(rows))
    faults = check(path).faults
    assert [(fault.where, fault.message) for fault in faults] == [
        ("[1].answer_text", f'question a: answer_start 2 does not begin "2020년" (found at {later})'),
        ("[2].answer_text", 'question a: answer_start 0 does not begin "없는 말" (not found in the context)'),
    ]
    mended = repair(path, tmp_path / "out.json")
    assert load(mended.out).questions[0].answers == (TWO[0], Answer("2020년", later))
    assert mended.lines() == [
        'question a: answer "없는 말" left out, its context does not have it',
        f'question a: "2020년" moved from 2 to {later}',
    ]


@pytest.mark.parametrize(
    "again",
    [
        row_of("a", "1974", YEAR, question="무엇?"),
        row_of("a", "1974", YEAR, context=CONTEXT + " 끝."),
        ROW | {"id": "a", "answer_text": None, "answer_start": None},
        ROW | {"id": "a", "answers": [ONE]},
    ],
    ids=["another question", "another context", "without a gold", "with a list of golds"],
)
def test_other_rows_of_one_id_stand_twice(again: Json, write: Write) -> None:
    report = check(write([row_of("a", "1974년", YEAR), again]))
    assert [fault.message for fault in report.faults] == [
        "question a: id stands twice ([0] and [1]); every question needs its own"
    ]
    assert ANOTHER not in [remark.text for remark in report.remarks]


@pytest.mark.parametrize(
    ("key", "value", "described"),
    [
        ("gold", "1974년", 'the text "1974년"'),
        ("gold_answers", ["1974년"], "a list"),
        ("Answer", ONE, "an object"),
        ("detected_answers", [{"text": "1974년", "char_spans": [[5, 9]]}], "a list"),
        ("short_answer", {"value": "1974년"}, "an object"),
        ("정답", 1974, "a number (1974)"),
    ],
)
def test_an_unread_key_that_looks_like_a_gold_is_a_fault(
    key: str, value: object, described: str, write: Write, tmp_path: Path
) -> None:
    sound = ROW | {"id": "b", "answers": [ONE]}
    path = write([ROW | {key: value}, sound])
    report = check(path)
    assert report.withheld == 0
    assert [fault.message for fault in report.faults] == [
        f"[0].{key} is {described} and looks like an answer, but this key is not read; write it as answers: "
        "a list of objects with text and answer_start (question a)"
    ]
    mended = repair(path, tmp_path / "out.json")
    assert [question.guid for question in load(mended.out, answers_needed=True)] == ["b"]
    assert mended.lines() == [f"left out: {report.faults[0].message}"]


@pytest.mark.parametrize(
    "about",
    [
        {"answer_type": "short"},
        {"is_answerable": True},
        {"has_answer": "yes"},
        {"plausible_answers": []},
        {"answer_id": "a-1"},
        {"gold": None},
        {"gold": ""},
        {"gold": [""]},
        {"answer_count": 2},
    ],
)
def test_what_a_row_tells_about_its_answers_is_no_gold(about: Json, write: Write) -> None:
    path = write([ROW | {"answers": None} | about])
    assert [fault.message for fault in check(path).faults] == []
    assert load(path).questions[0].answers is None


def test_a_start_without_a_text_is_a_fault(write: Write) -> None:
    path = write([ROW | {"answer_start": 5}])
    assert [fault.message for fault in check(path).faults] == [
        "[0].answer_start is a number (5), but there is no text; answer_text is wanted (question a)"
    ]


def test_a_missing_key_and_null_are_two_things(write: Write) -> None:
    path = write([ROW, ROW | {"id": "b", "answers": None}, ROW | {"id": "c", "answers": [ONE]}])
    report = check(path)
    assert (report.withheld, report.clean) == (2, True)
    assert [(remark.text, remark.count) for remark in report.remarks] == [
        ("question without any key for answers, read like answers that are withheld", 1)
    ]
    with pytest.raises(DataError, match=r"2 of 3 answers are null \(first: question a\)"):
        load(path, answers_needed=True)
    path = write([ROW, ROW | {"id": "c", "answers": [ONE]}])
    with pytest.raises(DataError, match=r"1 of 2 questions have no key for answers \(first: question a\)"):
        load(path, answers_needed=True)
    with pytest.raises(DataError, match="its only question has no key for answers: this is"):
        load(write([ROW]), answers_needed=True)


def test_golds_under_a_second_key_are_said(write: Write, tmp_path: Path) -> None:
    path = write([ROW | {"answers": [ONE], "answer_text": "2020년", "gold": "2020년"}])
    report = check(path)
    assert report.clean
    assert [(remark.text, remark.count) for remark in report.remarks] == [
        ("answer_text with other answers than answers, which alone is read", 1),
        ("gold is not read, since the answers are in answers", 1),
    ]
    mended = repair(path, tmp_path / "out.json")
    assert mended.lines() == ['question a: "2020년" left out, it stands under a key that is not read']


def test_a_text_alone_that_stands_twice_is_counted(write: Write) -> None:
    path = write([ROW | {"question": "새로 지은 역은?", "answer": "별빛역"}])
    assert load(path).questions[0].answers == (Answer("별빛역", CONTEXT.rindex("별빛역")),)
    assert [remark.text for remark in read(path).remarks] == [
        LOCATED,
        "answer whose text stands several times in its context, placed by the question's words",
    ]


def test_a_text_alone_that_is_nowhere_is_a_fault(write: Write) -> None:
    assert [fault.message for fault in check(write([ROW | {"answer": "3021년"}])).faults] == [
        'question a: answer_start missing does not begin "3021년" (not found in the context)'
    ]


LOSSES: dict[str, tuple[Json, list[str]]] = {
    "nowhere": ({"answers": [ONE, {"text": "없는 말", "answer_start": 1}]}, ["없는 말"]),
    "an empty one beside": ({"answers": [ONE, {"text": "", "answer_start": 0}]}, ["1974년"]),
    "a number beside": ({"answers": [ONE, {"text": 1974, "answer_start": 5}]}, ["1974년", "1974"]),
    "texts and objects": ({"answers": [ONE, "2020년"]}, ["1974년", "2020년"]),
    "two lengths": ({"answers": {"text": ["1974년", "2020년"], "answer_start": [5]}}, ["1974년", "2020년"]),
    "impossible": ({"answers": [ONE], "is_impossible": True}, ["1974년"]),
    "a strange flag": ({"answers": [ONE], "is_impossible": "maybe"}, ["1974년"]),
    "no question": ({"answers": [ONE], "question": None}, ["1974년"]),
    "no context": ({"answers": [ONE], "context": 5}, ["1974년"]),
    "the same guid": ({"answers": [ONE], "id": "sound"}, ["1974년"]),
    "a text for answers": ({"answers": "1974년"}, ["1974년"]),
}


@pytest.mark.parametrize("name", LOSSES)
def test_no_gold_is_lost_unsaid(name: str, write: Write, tmp_path: Path) -> None:
    keys, lost = LOSSES[name]
    path = write([ROW | {"id": "sound", "answers": [ONE]}, ROW | keys])
    report = repair(path, tmp_path / "out.json")
    said = "\n".join(report.lines())
    for text in lost:
        assert text in said
    assert json.dumps(report.as_dict(), ensure_ascii=False)
