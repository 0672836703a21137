"""Every layout of the field gives the same questions; contexts come through untouched."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.data.readers import load, read
from kit.data.records import Answer, Dataset

Json = dict[str, Any]
Write = Callable[..., Path]


def questions(corpus: Json) -> list[tuple[Json, Json, Json]]:
    return [(d, p, q) for d in corpus["data"] for p in d["paragraphs"] for q in p["qas"]]


def as_korquad(corpus: Json) -> Json:
    for _, _, row in questions(corpus):
        row["id"] = row.pop("guid")
    for document in corpus["data"]:
        document.pop("source"), document.pop("news_category")
    return corpus


def as_klue(corpus: Json) -> Json:
    for _, _, row in questions(corpus):
        row |= {"question_type": 1, "is_impossible": False}
    return corpus


def flat_rows(corpus: Json) -> list[Json]:
    return [
        {
            "title": document["title"],
            "context": paragraph["context"],
            "news_category": document["news_category"],
            "source": document["source"],
            "guid": row["guid"],
            "is_impossible": False,
            "question_type": 1,
            "question": row["question"],
            "answers": {
                "text": [answer["text"] for answer in row["answers"]],
                "answer_start": [answer["answer_start"] for answer in row["answers"]],
            },
        }
        for document, paragraph, row in questions(corpus)
    ]


def as_aihub_squad(corpus: Json) -> Json:
    as_korquad(corpus)
    corpus["creator"] = "아무개"
    for _, _, row in questions(corpus):
        row["classtype"] = "work_who"
    return corpus


def as_aihub_span(corpus: Json) -> Json:
    for number, (_, _, row) in enumerate(questions(corpus)):
        row["question_id"] = 4559297 + number
        del row["guid"]
        row["is_impossible"] = False
        row["answers"] = row["answers"][0] | {"clue_text": None, "clue_start": None, "options": None}
    for number, document in enumerate(corpus["data"]):
        document["doc_id"] = number
        document["doc_title"] = document.pop("title")
        document["doc_source"] = document.pop("source")
        document["doc_class"] = {"class": document.pop("news_category"), "code": "c"}
        for paragraph in document["paragraphs"]:
            paragraph["context_id"] = number
    return corpus


def lines(rows: list[Json]) -> bytes:
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode() + b"\n"


LAYOUTS: dict[str, tuple[str, Callable[[Json], object]]] = {
    "competition": ("competition", lambda corpus: corpus),
    "documents only": ("competition", lambda corpus: corpus["data"]),
    "documents as lines": ("competition", lambda corpus: lines(corpus["data"])),
    "korquad": ("korquad", as_korquad),
    "klue": ("klue", as_klue),
    "flat list": ("klue-flat", flat_rows),
    "flat in data": ("klue-flat", lambda corpus: {"data": flat_rows(corpus)}),
    "flat lines": ("klue-flat", lambda corpus: lines(flat_rows(corpus))),
    "aihub squad": ("aihub-squad", as_aihub_squad),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_questions(layout: str, corpus: Json, write: Write) -> None:
    name, convert = LAYOUTS[layout]
    expected = load(write(copy.deepcopy(corpus), "expected.txt"))
    loaded = load(write(convert(corpus), "test.csv"))  # the name says nothing
    assert loaded.format == name
    assert [(q.guid, q.text, q.context, q.answers, q.title) for q in loaded] == [
        (q.guid, q.text, q.context, q.answers, q.title) for q in expected
    ]
    assert loaded.questions[0].context is loaded.questions[1].context


def test_competition_records(corpus: Json, write: Write) -> None:
    path = write(corpus)
    dataset = load(str(path))
    context = corpus["data"][0]["paragraphs"][0]["context"]
    second = dataset.questions[1]
    assert second.guid == "g2"
    assert second.answers == (
        Answer("5만 권이다", context.index("5만 권이다")),
        Answer("5만 권", context.index("5만 권이다")),
    )
    assert (second.category, second.source, second.title) == ("사회", "가람일보", "가람시 도서관 개관")
    assert dataset.questions[2].category == ""  # null
    assert (dataset.path, dataset.format, len(dataset)) == (path, "competition", 4)
    assert dataset.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_aihub_span_has_one_answer_integer_ids_and_a_class(corpus: Json, write: Write) -> None:
    raw = read(write(as_aihub_span(corpus)))
    dataset = load(raw.path)
    assert dataset.format == "aihub-span"
    assert [question.guid for question in dataset] == ["4559297", "4559298", "4559299", "4559300"]
    assert [question.golds for question in dataset][1] == ("5만 권이다",)
    assert (dataset.questions[0].category, dataset.questions[0].source) == ("사회", "가람일보")
    assert {remark.text: remark.count for remark in raw.remarks} == {"ids given as integers": 4}


@pytest.mark.parametrize("start", ["{}", " {} ", "+{}"])
def test_a_start_written_as_text_is_read_and_remarked(start: str, corpus: Json, write: Write) -> None:
    answer = corpus["data"][0]["paragraphs"][0]["qas"][0]["answers"][0]
    answer["answer_start"] = start.format(answer["answer_start"])
    raw = read(write(corpus))
    assert load(raw.path).questions[0].golds == ("3월 2일",)
    assert [(remark.text, remark.count) for remark in raw.remarks] == [
        ("answer_start given as text or as a decimal number", 1)
    ]


def test_withheld_and_unanswerable_are_told_apart(corpus: Json, write: Write) -> None:
    rows = [row for _, _, row in questions(corpus)]
    rows[0]["answers"] = None
    del rows[1]["answers"]
    rows[2]["answers"] = []
    rows[3] |= {"is_impossible": True}  # its listed answers answer nothing
    dataset = load(write(corpus))
    assert [question.answers for question in dataset] == [None, None, (), ()]
    assert [question.golds for question in dataset] == [(), (), ("",), ("",)]


def test_plausible_answers_are_no_gold(corpus: Json, write: Write) -> None:
    nested = as_klue(copy.deepcopy(corpus))
    row = nested["data"][0]["paragraphs"][0]["qas"][0]
    row |= {"is_impossible": True, "plausible_answers": row["answers"], "answers": []}
    raw = read(write(nested))
    assert load(raw.path).questions[0].answers == ()
    assert [remark.text for remark in raw.remarks] == [
        "unanswerable question whose plausible answers are ignored"
    ]
    flat = flat_rows(corpus)
    flat[0]["is_impossible"] = True  # flat files list the plausible ones as answers
    assert load(write(flat)).questions[0].answers == ()


def test_flat_rows_without_answers_are_unanswerable(corpus: Json, write: Write) -> None:
    flat = flat_rows(corpus)
    flat[0]["answers"] = {"text": [], "answer_start": []}
    assert load(write(flat)).questions[0].answers == ()


def test_one_flat_row_alone_is_a_file(corpus: Json, write: Write) -> None:
    assert [question.guid for question in load(write(flat_rows(corpus)[0]))] == ["g1"]


def test_a_byte_order_mark_is_read_and_remarked(corpus: Json, write: Write) -> None:
    raw = read(write(b"\xef\xbb\xbf" + json.dumps(corpus).encode()))
    assert [question.guid for question in load(raw.path)] == ["g1", "g2", "g3", "g4"]
    assert [(remark.text, remark.count) for remark in raw.remarks] == [
        ("byte-order mark at the beginning", 1)
    ]


def test_an_answer_may_be_the_string_na(corpus: Json, write: Write) -> None:
    """Pitfall 23: none of these is a missing value."""
    words = ["NA", "None", "null", "nan", "N/A"]
    context = " ".join(words)
    corpus["data"][0]["paragraphs"][0] = {
        "context": context,
        "qas": [
            {"guid": word, "question": word, "answers": [{"text": word, "answer_start": context.index(word)}]}
            for word in words
        ],
    }
    assert [question.golds for question in load(write(corpus))][:5] == [(word,) for word in words]


def test_an_empty_context_can_be_loaded(corpus: Json, write: Write) -> None:
    corpus["data"][0]["paragraphs"][0] = {
        "context": "",
        "qas": [{"guid": "blank", "question": "무엇인가?", "answers": None}],
    }
    assert load(write(corpus)).questions[0].context == ""


# Hangul syllables, conjoining jamo, Hanja, emoji, and what the field's contexts really contain.
PIECES = st.sampled_from(
    [
        "가",
        "힣",
        "도서관",
        "\u1100\u1161",
        "漢字",
        "😀",
        "👨‍👩‍👧",
        "\xa0",
        "\u200b",
        "\xad",
        "\n",
        " ",
        "  ",
        "“",
        "’",
        "…",
        "㎜",
        "①",
        "é",
        "\\",
        '"',
        "\t",
    ]
)
TEXTS = st.lists(PIECES, min_size=1, max_size=30).map("".join)


@given(contexts=st.lists(TEXTS, min_size=1, max_size=3), data=st.data(), escaped=st.booleans())
def test_contexts_and_answers_round_trip(
    contexts: list[str], data: st.DataObject, escaped: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Pitfalls 7 and 8: nothing shifts, nothing is rewritten, nothing is dropped."""
    documents = []
    expected = []
    for number, context in enumerate(contexts):
        begin = data.draw(st.integers(0, len(context) - 1))
        end = data.draw(st.integers(begin + 1, len(context)))
        text = data.draw(TEXTS)
        answer = {"text": context[begin:end], "answer_start": begin}
        expected.append((str(number), text, context, (Answer(context[begin:end], begin),)))
        row = {"guid": str(number), "question": text, "answers": [answer]}
        documents.append({"title": "", "paragraphs": [{"context": context, "qas": [row]}]})
    path = tmp_path_factory.getbasetemp() / "round-trip.json"
    path.write_text(json.dumps({"data": documents}, ensure_ascii=escaped), encoding="utf-8", newline="")
    dataset: Dataset = load(path)
    assert [(q.guid, q.text, q.context, q.answers) for q in dataset] == expected
    for question in dataset:
        for answer_ in question.answers or ():
            assert question.context[answer_.start : answer_.end] == answer_.text
