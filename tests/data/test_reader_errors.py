"""Each file that cannot be used says what is wrong, where, and what to do."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.data.checks import check
from kit.data.readers import load, read
from kit.errors import DataError
from kit.settings.paths import repaired_copy

Json = dict[str, Any]
Write = Callable[..., Path]
Result = TypeVar("Result")


def row(corpus: Json, document: int = 0, number: int = 0) -> Json:
    found: Json = corpus["data"][document]["paragraphs"][0]["qas"][number]
    return found


def complaint(path: Path | str, **options: bool) -> str:
    with pytest.raises(DataError) as caught:
        load(path, **options)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{path}: ")
    message.encode()  # nothing in it that a terminal could not show
    return message.removeprefix(f"{path}: ")


BAD_BYTES = {
    "empty": (b"", "is empty; download it again"),
    "blank": (b" \n\t ", "is empty; download it again"),
    "only a mark": (b"\xef\xbb\xbf", "is empty; download it again"),
    "csv": (
        b"Id,Predicted\nabc,\n",
        'looks like a CSV without columns question and context (its first line is "Id,Predicted"); name '
        "its columns id, context, question, answer_text and answer_start, or give the JSON file with the "
        "questions",
    ),
    "web page": (
        b"<!DOCTYPE html><html></html>",
        "is a web page, not JSON (a login or error page saved in its place?); download it again",
    ),
    "prose": (b"hello", 'is not JSON (it begins with "hello"); give the JSON file with the questions'),
    "utf-16": ('{"data": []}'.encode("utf-16"), "is UTF-16, not UTF-8; save it as UTF-8"),
    "cp949": (
        '{"data": "가나다"}'.encode("cp949"),
        "is not UTF-8 (byte 0xb0 at offset 10); it reads as CP949: convert it with iconv -f cp949 -t utf-8",
    ),
    "binary": (b'{"a": "\xff\xff"}', "is not UTF-8 (byte 0xff at offset 7); save it as UTF-8"),
    "gzip": (b"\x1f\x8b\x08\x00", "is gzip-compressed; unpack it with gunzip first"),
    "cut off": (
        '{"data": [\n {"title": "가'.encode(),
        "is not valid JSON: line 2 column 12: Unterminated string starting at "
        "(the file seems to be cut off); download it again or mend that place",
    ),
    "cut off after a comma": (
        b'{"data": [\n1,',
        "is not valid JSON: line 2 column 3: Expecting value (the file seems to be cut off); "
        "download it again or mend that place",
    ),
    "broken line": (
        b'{"guid": "a"}\n{"guid": }\n',
        "is not valid JSON: line 2 column 10: Expecting value; download it again or mend that place",
    ),
    "deep": (b"[" * 100_000, "is nested too deeply to be read; it is no question file of a known layout"),
    "no rows": (b'{"data": []}', "holds no question; give the file with the questions"),
    "no questions": (
        b'{"data": [{"paragraphs": []}]}',
        "holds no question; give the file with the questions",
    ),
}


@pytest.mark.parametrize("case", BAD_BYTES)
def test_bytes_that_are_no_question_file(case: str, write: Write) -> None:
    data, expected = BAD_BYTES[case]
    assert complaint(write(data)) == expected


def test_a_number_without_end(write: Write) -> None:
    message = complaint(write(b'{"data": [' + b"9" * 5000 + b"]}"))
    assert message.startswith("holds a number too long to be read (")
    assert message.endswith("; write it as text or remove it")


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        ({"rows": [], "features": {}}, "keys of its first row: features, rows"),
        ({"data": [{"a": 1, "b": 2}]}, "keys seen: data; keys of its first row: a, b"),
        ([1, 2], "no row is an object"),
        ({"data": {"0": {}}}, "data is no list (keys seen: data)"),
        ([{"context": "가", "question": "나"}], "no guid, id or question_id (keys seen: context, question)"),
    ],
)
def test_an_unknown_layout_names_the_keys_seen_and_those_accepted(
    value: object, seen: str, write: Write
) -> None:
    message = complaint(write(value))
    assert seen in message
    assert 'accepted are {"data": [{"paragraphs": [{"context": …, "qas": [{"guid" or "id"' in message


def test_paths_that_are_no_file(tmp_path: Path) -> None:
    missing = tmp_path / "none.json"
    assert complaint(missing) == "there is no such file; check the path"
    assert complaint(tmp_path) == "is a folder; give a file in it"
    (tmp_path / "train.json").write_text("{}")
    assert complaint(tmp_path) == f"is a folder; give a file in it, such as {tmp_path / 'train.json'}"
    with pytest.raises(DataError, match=r"a\\u0000b: is not a valid file name"):
        load("a\0b")


def test_a_wrong_start_is_refused_with_the_place_and_the_cure(corpus: Json, write: Write) -> None:
    """Pitfall 8: the example of the contract, whole."""
    answer = row(corpus)["answers"][0]
    place = answer["answer_start"]
    answer["answer_start"] = 41
    path = write(corpus)
    assert complaint(path) == (
        f'question g1: answer_start 41 does not begin "3월 2일" (found at {place}); '
        f"run: kit check {path} --repair {repaired_copy(path)}"
    )


@pytest.mark.parametrize(
    ("start", "shown"),
    [
        (None, "null"),
        ("x", '"x"'),
        (-1, "-1"),
        (10**30, str(10**30)),
        (True, "true"),
        (1.5, "1.5"),
        ([], "a list"),
    ],
)
def test_starts_that_are_no_place(start: object, shown: str, corpus: Json, write: Write) -> None:
    row(corpus)["answers"][0]["answer_start"] = start
    assert complaint(write(corpus)).startswith(
        f'question g1: answer_start {shown} does not begin "3월 2일" (found at '
    )


def test_a_missing_start_and_a_text_that_is_nowhere(corpus: Json, write: Write) -> None:
    del row(corpus)["answers"][0]["answer_start"]
    row(corpus, 1)["answers"][0]["text"] = "13억\n원"
    message = complaint(write(corpus))
    assert 'question g1: answer_start missing does not begin "3월 2일" (found at ' in message
    assert 'question g3: answer_start 40 does not begin "13억\\n원" (not found in the context)' in message


MISTAKES: dict[str, tuple[Callable[[Json], object], str]] = {
    "no question": (
        lambda c: row(c, 0, 1).pop("question"),
        "data[0].paragraphs[0].qas[1].question is missing; a text is wanted (question g2)",
    ),
    "a number for a question": (
        lambda c: row(c, 0, 1).update(question=5),
        "data[0].paragraphs[0].qas[1].question is a number (5); a text is wanted (question g2)",
    ),
    "null for a context": (
        lambda c: c["data"][1]["paragraphs"][0].update(context=None, qas=[row(c, 1)]),
        "data[1].paragraphs[0].context is null; a text is wanted (question g3)",
    ),
    "no guid": (
        lambda c: row(c).pop("guid"),
        "data[0].paragraphs[0].qas[0].guid is missing; a text or an integer is wanted",
    ),
    "an empty guid": (
        lambda c: row(c).update(guid=" "),
        "data[0].paragraphs[0].qas[0].guid is empty; every question needs its own",
    ),
    "a number with a point for a guid": (
        lambda c: row(c).update(guid=1.5),
        "data[0].paragraphs[0].qas[0].guid is a number (1.5); a text or an integer is wanted",
    ),
    "a guid twice": (
        lambda c: row(c, 1).update(guid="g1"),
        "question g1: guid stands twice (data[0].paragraphs[0].qas[0] and data[1].paragraphs[0].qas[0]); "
        "every question needs its own",
    ),
    "text for answers": (
        lambda c: row(c).update(answers="3월 2일"),
        'data[0].paragraphs[0].qas[0].answers is the text "3월 2일"; '
        "a list of objects is wanted (question g1)",
    ),
    "text for an answer": (
        lambda c: row(c)["answers"].append("3월"),
        'data[0].paragraphs[0].qas[0].answers[1] is the text "3월"; '
        "an object with text and answer_start is wanted (question g1)",
    ),
    "a number for an answer's text": (
        lambda c: row(c)["answers"][0].update(text=3),
        "data[0].paragraphs[0].qas[0].answers[0].text is a number (3); a text is wanted (question g1)",
    ),
    "an empty answer": (
        lambda c: row(c)["answers"][0].update(text=""),
        "question g1: answers[0].text is an empty text; remove it, "
        "or give answers: [] for an unanswerable question",
    ),
    "columns of two lengths": (
        lambda c: row(c).update(answers={"text": ["가", "나"], "answer_start": [1]}),
        "data[0].paragraphs[0].qas[0].answers.answer_start has 1 value; "
        "a list of 2, one a text, is wanted (question g1)",
    ),
    "a strange flag": (
        lambda c: row(c).update(is_impossible="maybe"),
        'data[0].paragraphs[0].qas[0].is_impossible is the text "maybe"; '
        "true or false is wanted (question g1)",
    ),
    "an object for qas": (
        lambda c: c["data"][0]["paragraphs"][0].update(qas={}),
        "data[0].paragraphs[0].qas is an object; a list is wanted",
    ),
    "no paragraphs": (
        lambda c: c["data"][0].pop("paragraphs"),
        "data[0].paragraphs is missing; a list is wanted",
    ),
    "a text for a document": (
        lambda c: c["data"].insert(0, "가"),
        'data[0] is the text "가"; an object is wanted',
    ),
    "a list for a title": (
        lambda c: c["data"][0].update(title=["가"]),
        "data[0].title is a list; a text or null is wanted",
    ),
    "half a character in a question": (
        lambda c: row(c).update(question="무엇\ud800?"),
        "question g1: question has a lone surrogate (U+D800 at 2), which is no character; mend the text",
    ),
    "half a character in a context": (
        lambda c: c["data"][1]["paragraphs"][0].update(
            context="12억 원 해오름다리 \udfff", qas=[row(c, 1, 0) | {"answers": []}]
        ),
        "question g3: context has a lone surrogate (U+DFFF at 12), which is no character; mend the text",
    ),
    "half a character in an answer": (
        lambda c: row(c)["answers"][0].update(text="\ud800"),
        "question g1: answers[0].text has a lone surrogate (U+D800 at 0), "
        "which is no character; mend the text",
    ),
    "half a character in a guid": (
        lambda c: row(c).update(guid="g\ud800"),
        "question g\\ud800: guid has a lone surrogate (U+D800 at 1), which is no character; mend the text",
    ),
    "half a character in a title": (
        lambda c: c["data"][0].update(title="가\ud800"),
        "data[0].title has a lone surrogate (U+D800 at 1), which is no character; mend the text",
    ),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_named_with_its_path(case: str, corpus: Json, write: Write) -> None:
    plant, expected = MISTAKES[case]
    plant(corpus)
    path = write(json.dumps(corpus).encode())
    assert complaint(path) == f"{expected}; run: kit check {path} --repair {repaired_copy(path)}"
    assert [fault.message for fault in read(path).all_faults()] == [expected]


def test_a_real_pair_of_surrogates_is_a_character(corpus: Json, write: Write) -> None:
    row(corpus)["question"] = "이 그림은 \U0001f600 인가?"
    path = write(json.dumps(corpus).encode())
    assert b"\\ud83d\\ude00" in path.read_bytes()
    assert load(path).questions[0].text == "이 그림은 😀 인가?"


def test_ids_equal_as_text_are_one_id(corpus: Json, write: Write) -> None:
    row(corpus)["guid"], row(corpus, 1)["guid"] = 7, "7"
    assert complaint(write(corpus)).startswith("question 7: guid stands twice")


def test_all_mistakes_come_at_once_the_first_ten_in_full(corpus: Json, write: Write) -> None:
    template = row(corpus)
    corpus["data"][0]["paragraphs"][0]["qas"] = [
        template | {"guid": f"n{number}", "answers": [{"text": "3월", "answer_start": 0}]}
        for number in range(25)
    ]
    message = complaint(write(corpus))
    assert re.findall(r"question (n\d+):", message) == [f"n{number}" for number in range(10)]
    assert "; and 15 more; run: kit check " in message


def test_a_test_file_is_no_training_file(corpus: Json, write: Write) -> None:
    rows = [row(corpus, document, number) for document in range(2) for number in range(2)]
    rows[2]["answers"] = None
    path = write(corpus, "test.json")
    assert len(load(path)) == 4
    assert complaint(path, answers_needed=True) == (
        "1 of 4 answers are null (first: question g3); give a file with all answers"
    )
    for each in rows:
        each["answers"] = None
    assert len(load(write(corpus, "test.json"))) == 4
    assert complaint(path, answers_needed=True) == (
        "all 4 answers are null: this is a test file; give a file with answers, such as the training file"
    )


QUESTION_KEYS = ["guid", "id", "question_id", "question", "answers", "text", "answer_start", "is_impossible"]
OTHER_KEYS = ["data", "paragraphs", "context", "qas", "title", "doc_title", "doc_class", "source", "\ud800\n"]
KEYS = st.sampled_from(QUESTION_KEYS) | st.sampled_from(OTHER_KEYS)
LEAVES = st.sampled_from(
    [None, True, 0, 3, -1, 2.5, float("nan"), "", " ", "가", "가나다", "\ud800", "3", 10**25]
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=30,
)


@given(value=VALUES, depth=st.integers(0, 4), data=st.data())
def test_whatever_the_file_holds_the_answer_is_a_dataset_or_one_line(
    value: object, depth: int, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Pitfall 8: any value at any depth of the usual shape."""
    row = {"guid": "a", "question": "무엇?", "answers": [{"text": "가", "answer_start": 0}]}
    if depth == 4:
        row[data.draw(KEYS)] = value  # type: ignore[assignment]
    qas = value if depth == 3 else [row, value]
    paragraph = {"context": "가나다", "qas": qas}
    document = {"title": "", "paragraphs": value if depth == 1 else [paragraph]}
    if depth == 2:
        paragraph[data.draw(KEYS)] = value
    path = tmp_path_factory.getbasetemp() / "fuzz.json"
    path.write_text(json.dumps(value if depth == 0 else {"data": [document, document]}), encoding="utf-8")
    if isinstance(report := outcome(check, path), str):
        assert is_one_line(report)
        return
    assert is_one_line(json.dumps(report.as_dict(), ensure_ascii=False))
    if isinstance(dataset := outcome(load, path), str):
        assert is_one_line(dataset)
        return
    assert len(dataset) > 0
    for question in dataset:
        for answer in question.answers or ():
            assert question.context[answer.start : answer.end] == answer.text != ""


def outcome(call: Callable[[Path], Result], path: Path) -> Result | str:
    """What the call returns, or the message of its DataError; any other exception is a bug."""
    try:
        return call(path)
    except DataError as error:
        return str(error)


def is_one_line(text: str) -> bool:
    return "\n" not in text and text.encode() != b""
