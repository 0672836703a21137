"""A report of everything a file holds, and of everything planted in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kit.data.checks import FileReport, check
from kit.data.readers import FaultKind, load
from kit.errors import DataError

Json = dict[str, Any]
Write = Callable[..., Path]

CONTEXT = "바람마을 축제는 10월 9일 시작한다. 축제에는 연날리기와 떡메치기가 있다. 축제의 입장료는 없다."


def planted() -> Json:
    """Ten questions with a fault each, f0 … f9, among three sound ones."""

    def row(
        guid: str, text: str = "축제가 시작하는 날은?", gold: str = "10월 9일", start: object = None
    ) -> Json:
        place = CONTEXT.find(gold) if start is None else start
        return {"guid": guid, "question": text, "answers": [{"text": gold, "answer_start": place}]}

    missing_key = row("f9")
    del missing_key["question"]
    sound = [row("s0"), row("s1", gold="연날리기"), row("s2", gold="축제", start=str(CONTEXT.rfind("축제")))]
    first = [
        row("f0", start=3),
        row("f1", gold="11월 9일", start=9),
        row("s0") | {"question": "겹친 guid"},  # f2: the guid stands twice
        row("f4", text=" "),
        row("f5", start="3"),
        row("f6", text="언제\ud800?"),
        row("f8", gold="", start=0),
        missing_key,
    ]
    empty = {"guid": "f3", "question": "빈 문맥의 답은?", "answers": []}
    nul = {"guid": "f7", "question": "무엇이 남았나?", "answers": [{"text": "표", "answer_start": 3}]}
    return {
        "data": [
            {"title": "축제", "paragraphs": [{"context": CONTEXT, "qas": sound + first}]},
            {"title": "", "paragraphs": [{"context": "", "qas": [empty]}]},
            {"title": "", "paragraphs": [{"context": "기차\0표", "qas": [nul]}]},
        ]
    }


def test_ten_planted_faults_are_all_named(write: Write) -> None:
    path = write(json.dumps(planted()).encode())
    report = check(path)
    assert not report.clean
    found = {(fault.guid, fault.kind) for fault in report.faults}
    assert found == {
        ("f0", FaultKind.ANSWER_START),
        ("f1", FaultKind.ANSWER_START),
        ("s0", FaultKind.DUPLICATE),
        ("f3", FaultKind.CONTEXT_EMPTY),
        ("f4", FaultKind.QUESTION_EMPTY),
        ("f5", FaultKind.ANSWER_START),
        ("f6", FaultKind.SURROGATE),
        ("f7", FaultKind.CHARACTER),
        ("f8", FaultKind.ANSWER_EMPTY),
        ("f9", FaultKind.STRUCTURE),
    }
    assert len(report.faults) == 10
    for fault in report.faults:
        assert fault.guid in fault.message
        assert "\n" not in fault.message
        fault.message.encode()
    assert [(m.guid, m.given, m.found) for m in report.mismatches] == [
        ("f0", "3", 9),
        ("f1", "9", None),
        ("f5", '"3"', 9),
    ]
    assert report.duplicates == ("s0",)
    assert report.empty_contexts == ("f3",)
    assert report.empty_questions == ("f4",)
    assert report.questions == 13
    # A start written as text that is right is a remark, not a fault.
    assert ("answer_start given as text or as a decimal number", 1) in [
        (remark.text, remark.count) for remark in report.remarks
    ]
    with pytest.raises(DataError):
        load(path)


def test_a_sound_file_is_clean_and_described(corpus: Json, write: Write) -> None:
    path = write(corpus)
    report = check(path)
    assert report.clean
    assert (report.format, report.questions, report.contexts) == ("competition", 4, 2)
    assert (report.answers, report.golds_per_question) == (5, 1.25)
    assert (report.unanswerable, report.withheld) == (0, 0)
    assert report.sha256 == load(path).sha256
    assert report.mismatches == report.duplicates == report.empty_contexts == ()


def test_withheld_and_unanswerable_are_counted(corpus: Json, write: Write) -> None:
    rows = [row for d in corpus["data"] for p in d["paragraphs"] for row in p["qas"]]
    rows[0]["answers"], rows[1]["answers"] = None, []
    report = check(write(corpus))
    assert (report.withheld, report.unanswerable, report.answers, report.golds_per_question) == (1, 1, 2, 1.0)
    assert report.clean


def test_lengths_are_code_points_and_quantiles_were_observed(write: Write) -> None:
    golds = ["가" * length for length in (1, 2, 2, 3, 5, 8, 13, 21, 34, 50)]
    context = "😀" + "가" * 60
    rows = [
        {"guid": str(n), "question": "얼마나 긴가?", "answers": [{"text": gold, "answer_start": 1}]}
        for n, gold in enumerate(golds)
    ]
    report = check(write({"data": [{"title": "", "paragraphs": [{"context": context, "qas": rows}]}]}))
    lengths = report.answer_lengths
    assert (lengths.count, lengths.mean, lengths.longest) == (10, 13.9, 50)
    assert lengths.quantiles == ((50, 5), (75, 21), (90, 34), (95, 50), (97, 50), (98, 50), (99, 50))
    assert report.context_lengths.quantiles == ((50, 61), (90, 61))
    assert report.question_lengths.mean == 7
    observed = np.array([len(gold) for gold in golds])
    for percent, length in lengths.quantiles:  # the definition, slowly
        assert np.mean(observed <= length) >= percent / 100
        assert np.mean(observed < length) < percent / 100


def test_a_file_of_none_but_structural_mistakes_is_reported(write: Write) -> None:
    report = check(write({"data": [{"paragraphs": [{"context": 5, "qas": [{"guid": "a"}]}]}]}))
    assert [fault.message for fault in report.faults] == [
        "data[0].paragraphs[0].context is a number (5); a text is wanted (question a)",
        "data[0].paragraphs[0].qas[0].question is missing; a text is wanted (question a)",
    ]
    assert (report.contexts, report.answer_lengths.count) == (0, 0)
    assert json.dumps(report.as_dict())


def test_the_report_as_json_is_complete_and_printable(write: Write) -> None:
    report: FileReport = check(write(json.dumps(planted()).encode()))
    text = json.dumps(report.as_dict(), ensure_ascii=False)
    text.encode()
    again = json.loads(text)
    assert again["clean"] is False
    assert again["lengths"]["answers"]["p50"] == 6
    assert len(again["faults"]) == 10
    assert again["faults"][0]["kind"] == "answer-start"
    assert again["mismatches"][1] == {"guid": "f1", "text": "11월 9일", "given": "9", "found": None}
    assert all(isinstance(label, str) and isinstance(value, str) for label, value in report.rows())


def test_a_file_that_is_no_data_is_an_error(write: Write) -> None:
    with pytest.raises(DataError, match="looks like a CSV"):
        check(write(b"Id,Predicted\n"))
