"""Any layout, and any way in which golds are written, gives the same questions."""

from __future__ import annotations

import csv
import io
import json
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas
import pyarrow
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pyarrow import parquet

from kit.data.checks import check
from kit.data.readers import load, read
from kit.data.readers.tables import _literal
from kit.data.records import Answer
from kit.data.repair import repair
from kit.errors import DataError
from tests.examples import examples
from tests.hostile.texts import names, texts

Json = dict[str, Any]
Write = Callable[..., Path]
Golds = list[tuple[str, int]]
SEVERAL = examples(25)

# Ways in which a row gives its golds.


def listed(golds: Golds) -> Json:
    return {"answers": [{"text": text, "answer_start": start} for text, start in golds]}


def by_columns(golds: Golds) -> Json:
    return {"answers": {"text": [text for text, _ in golds], "answer_start": [at for _, at in golds]}}


def singular(golds: Golds) -> Json:
    return {"answer": by_columns(golds)["answers"]}


def flat_lists(golds: Golds) -> Json:
    return {
        "answer_text": by_columns(golds)["answers"]["text"],
        "answer_start": [start for _, start in golds],
    }


def one_object(golds: Golds) -> Json:
    return {"answers": listed(golds)["answers"][0]}


def one_answer(golds: Golds) -> Json:
    return {"answer": listed(golds)["answers"][0]}


def text_and_start(golds: Golds) -> Json:
    return {"answer": golds[0][0], "answer_start": golds[0][1]}


def flat(golds: Golds) -> Json:
    return {"answer_text": golds[0][0], "answer_start": golds[0][1]}


SEVERAL_GOLDS = (listed, by_columns, singular, flat_lists)
ONE_GOLD = (one_object, one_answer, text_and_start, flat)

# Layouts, from flat rows of guid, question, context and the keys of the golds.


def _qa(row: Json) -> Json:
    return {key: value for key, value in row.items() if key not in ("context", "title")}


def nested(rows: list[Json]) -> Json:
    return {"version": "1", "data": [
        {"title": "제목", "paragraphs": [{"context": row["context"], "qas": [_qa(row)]}]} for row in rows
    ]}  # fmt: skip


def without_paragraphs(rows: list[Json]) -> Json:
    return {"data": [{"title": "제목", "context": row["context"], "qas": [_qa(row)]} for row in rows]}


def by_key(rows: list[Json]) -> Json:
    return {key: [row[key] for row in rows] for key in rows[0]}


def lines(values: Sequence[object]) -> bytes:
    return "\n".join(json.dumps(value, ensure_ascii=False) for value in values).encode()


def delimited(rows: list[Json], delimiter: str, written: Callable[[object], str] = json.dumps) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(rows[0])
    for row in rows:
        writer.writerow(
            [written(value) if isinstance(value, list | dict) else value for value in row.values()]
        )
    return text.getvalue().encode()


def zipped(name: str, content: bytes) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr(name, content)
    return data.getvalue()


def as_parquet(rows: list[Json]) -> bytes:
    data = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(rows), data)
    return data.getvalue()


def as_arrow(rows: list[Json], opened: Callable[..., Any]) -> bytes:
    table = pyarrow.Table.from_pylist(rows)
    data = pyarrow.BufferOutputStream()
    with opened(data, table.schema) as writer:
        writer.write_table(table, max_chunksize=2)
    return bytes(data.getvalue().to_pybytes())


def frame(rows: list[Json], orient: Any) -> bytes:
    return str(pandas.DataFrame(rows).to_json(orient=orient, force_ascii=False)).encode()


LAYOUTS: dict[str, Callable[[list[Json]], object]] = {
    "nested": nested,
    "documents": lambda rows: nested(rows)["data"],
    "documents as lines": lambda rows: lines(nested(rows)["data"]),
    "one document a line, whole": lambda rows: lines([nested([row]) for row in rows]),
    "a list of files": lambda rows: [nested([row]) for row in rows],
    "without paragraphs": without_paragraphs,
    "contexts and qas": lambda rows: [{"context": row["context"], "qas": [_qa(row)]} for row in rows],
    "contexts and qas as lines": lambda rows: lines(without_paragraphs(rows)["data"]),
    "rows": lambda rows: rows,
    "rows in data": lambda rows: {"data": rows},
    "rows as lines": lines,
    "pandas columns": lambda rows: frame(rows, "columns"),
    "pandas index": lambda rows: frame(rows, "index"),
    "pandas split": lambda rows: frame(rows, "split"),
    "pandas records": lambda rows: frame(rows, "records"),
    "pandas table": lambda rows: frame(rows, "table"),
    "columns as lists": by_key,
    "columns in data": lambda rows: {"data": by_key(rows)},
    "documents by columns": lambda rows: by_key(nested(rows)["data"]),
    "csv": lambda rows: delimited(rows, ","),
    "csv as Python prints": lambda rows: delimited(rows, ",", repr),
    "csv with a mark": lambda rows: b"\xef\xbb\xbf" + delimited(rows, ","),
    "csv by semicolons": lambda rows: delimited(rows, ";"),
    "csv for Excel": lambda rows: b"sep=;\r\n" + delimited(rows, ";"),
    "tsv": lambda rows: delimited(rows, "\t"),
    "csv in a zip": lambda rows: zipped("train.csv", delimited(rows, ",")),
    "json in a zip": lambda rows: zipped("train.json", json.dumps(nested(rows)).encode()),
    "parquet": as_parquet,
    "parquet in a zip": lambda rows: zipped("a.parquet", as_parquet(rows)),
    "arrow": lambda rows: as_arrow(rows, pyarrow.ipc.new_file),
    "arrow stream": lambda rows: as_arrow(rows, pyarrow.ipc.new_stream),
}  # fmt: skip


@st.composite
def sound(draw: st.DrawFn, most: int) -> list[tuple[str, str, str, Golds]]:
    """(guid, question, context, golds) of some questions."""
    made = []
    for guid in draw(st.lists(names(), min_size=1, max_size=3, unique=True)):
        context = draw(texts(1, 10).filter(bool))
        golds = []
        for _ in range(draw(st.integers(1, most))):
            begin = draw(st.integers(0, len(context) - 1))
            golds.append((context[begin : draw(st.integers(begin + 1, len(context)))], begin))
        made.append((guid, draw(names()), context, golds))
    return made


@pytest.mark.parametrize("layout", LAYOUTS)
@SEVERAL
@given(data=st.data())
def test_the_same_questions(
    layout: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    form = data.draw(st.sampled_from((*SEVERAL_GOLDS, *ONE_GOLD)))
    questions = data.draw(sound(1 if form in ONE_GOLD else 3))
    rows = [
        {"id": guid, "context": context, "question": question, **form(golds)}
        for guid, question, context, golds in questions
    ]
    value = LAYOUTS[layout](rows)
    path = tmp_path_factory.getbasetemp() / "layout.bin"
    path.write_bytes(value if isinstance(value, bytes) else json.dumps(value).encode())
    expected = [
        (guid, question, context, tuple(Answer(*gold) for gold in golds))
        for guid, question, context, golds in questions
    ]
    assert [(q.guid, q.text, q.context, q.answers) for q in load(path, answers_needed=True)] == expected


@pytest.mark.parametrize("layout", ["a list", "csv", "csv as Python prints"])
@pytest.mark.parametrize(("bad", "said"), [(5, "is a number (5)"), (None, "is null")])
def test_a_bad_value_among_gold_texts_is_the_only_mistake(
    layout: str, bad: object, said: str, tmp_path: Path
) -> None:
    rows = [
        {"id": "1", "context": "나 다", "question": "누구", "answer_text": ["나"], "answer_start": [0]},
        {
            "id": "2",
            "context": "나 다",
            "question": "언제",
            "answer_text": [bad, "다"],
            "answer_start": [0, 2],
        },
    ]
    value = rows if layout == "a list" else LAYOUTS[layout](rows)
    path = tmp_path / "rows.bin"
    path.write_bytes(value if isinstance(value, bytes) else json.dumps(value).encode())
    assert [fault.message for fault in check(path).faults] == [
        f"[1].answer_text[0] {said}; a text is wanted (question 2)"
    ]
    (lost,) = repair(path, tmp_path / "mended.json").questions_left_out
    assert lost.golds == ("다",)


@SEVERAL
@example(
    questions=[("1", "누구", "가", [("가", 0)]), ("2", "언제", "나 다", [("나", 0), ("다", 2)])],
    form=flat_lists,
    layout="csv",
    mistakes=["start", "number"],
    strict=False,
)
@given(
    questions=sound(3),
    form=st.sampled_from(SEVERAL_GOLDS),
    layout=st.sampled_from(sorted(LAYOUTS)),
    mistakes=st.lists(st.sampled_from(["start", "text", "null", "empty", "number", "guid", "question"])),
    strict=st.booleans(),
)
def test_a_repair_loses_no_gold_unsaid(
    questions: list[tuple[str, str, str, Golds]],
    form: Callable[[Golds], Json],
    layout: str,
    mistakes: list[str],
    strict: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Every gold of the file is in the copy, or in the report by name."""
    if "parquet" in layout or "arrow" in layout:
        mistakes = [mistake for mistake in mistakes if mistake not in ("number", "null", "question")]
    rows = []
    given_golds: list[str] = []
    for number, (guid, question, context, golds) in enumerate(questions):
        mistake = mistakes[number] if number < len(mistakes) else ""
        changed: list[Any] = [list(gold) for gold in golds]
        first = changed[0]
        if mistake == "start":
            first[1] += 2
        elif mistake == "null":
            first[1] = None
        elif mistake == "text":
            first[0] = "어디에도 없는 말 " + first[0]
        elif mistake == "empty":
            first[0] = ""
        elif mistake == "number":
            first[0] = 5
        given_golds += [text for text, _ in changed if isinstance(text, str) and text]
        row = {"id": guid, "context": context, "question": question, **form(changed)}
        if mistake == "guid":
            row["id"] = " "
        if mistake == "question":
            row["question"] = None
        rows.append(row)
    value = LAYOUTS[layout](rows)
    path = tmp_path_factory.getbasetemp() / "losses.bin"
    path.write_bytes(value if isinstance(value, bytes) else json.dumps(value).encode())
    try:
        report = repair(path, path.with_suffix(".mended"), strict=strict)
    except DataError:
        return  # nothing was written
    kept = {gold for question in load(report.out) for gold in question.golds}
    named = {change.text for change in (*report.moved, *report.answers_left_out, *report.unread)}
    named |= {gold for loss in report.questions_left_out for gold in loss.golds}
    assert set(given_golds) <= kept | named


LEAVES = st.none() | st.integers() | st.text()
NESTED = st.recursive(LEAVES, lambda each: st.lists(each) | st.dictionaries(st.text(), each), max_leaves=8)


@given(value=NESTED)
@example(value={"text": ["한 \\d 달"], "answer_start": [-3]})
def test_what_python_prints_is_read_back(value: object) -> None:
    assert _literal(repr(value)) in (value, repr(value))
    if isinstance(value, list | dict):
        assert _literal(repr(value)) == value


def test_arrays_of_numpy_are_read_and_nothing_is_called() -> None:
    assert _literal("{'text': array(['한 달'], dtype=object), 'answer_start': array([3])}") == {
        "text": ["한 달"],
        "answer_start": [3],
    }
    for cell in ("[__import__('os')]", "[open('x')]", "[x for x in y]", "[1", "[" * 5000, "[f'{1}']"):
        assert _literal(cell) == cell


# Single layouts, with what they are called.

CONTEXT = "가람시는 3월 2일 새 도서관을 열었다.\n도서관의 책은 5만 권이다."
START = CONTEXT.index("3월 2일")
ROW = {"id": "a", "context": CONTEXT, "question": "언제?", "answer_text": "3월 2일", "answer_start": START}


@pytest.mark.parametrize(
    ("layout", "name"),
    [("csv", "csv"), ("tsv", "tsv"), ("csv for Excel", "csv"), ("parquet", "parquet"), ("arrow", "arrow"),
     ("arrow stream", "arrow"), ("pandas split", "klue-flat"), ("without paragraphs", "korquad")],
)  # fmt: skip
def test_a_layout_has_a_name(layout: str, name: str, write: Write) -> None:
    value = LAYOUTS[layout]([ROW])
    assert load(write(value)).format == name


def test_korquad_2_is_read_with_its_html(write: Write) -> None:
    html = "<html><body><h1>가람시</h1><p>가람시는 <b>3월 2일</b> 도서관을 열었다.</p></body></html>"
    answer = {"text": "<b>3월 2일</b>", "answer_start": html.index("<b>"), "html_answer_text": "x",
              "html_answer_start": 3}  # fmt: skip
    question = {"id": "9_f1_1", "question": "언제?", "answer": answer}
    document = {"title": "가람시", "url": "u", "context": html, "raw_html": "", "qas": [question]}
    path = write({"version": "KorQuAD_v2.1", "data": [document]})
    dataset = load(path)
    assert dataset.questions[0].answers == (Answer("<b>3월 2일</b>", html.index("<b>")),)
    assert (dataset.questions[0].context, dataset.questions[0].title) == (html, "가람시")
    text = len("가람시가람시는 3월 2일 도서관을 열었다.")
    assert [(remark.text, remark.count) for remark in check(path).remarks] == [
        (f"context is HTML (mean {len(html)} characters, {text} of them text, longest {len(html)}); it is "
         "read as it is, tags and all, and answers may hold tags", 1)
    ]  # fmt: skip


@pytest.mark.parametrize("context", ["a < b 이고 c > d이다 </3", "줄은 <br>로 바꾼다", "<제목> 가 </제목>"])
def test_signs_alone_are_no_html(context: str, write: Write) -> None:
    row = {"id": "a", "context": context, "question": "무엇?", "answers": None}
    assert check(write([row])).remarks == ()


def test_a_csv_of_the_usual_columns(write: Write) -> None:
    """The columns of chaii and of many Korean contests; pandas writes starts beside blanks as 3.0."""
    text = (
        "id,context,question,answer_text,answer_start,language\r\n"
        '"a","첫 줄, ""말""\r\n둘째 줄","무엇?",둘째,10.0,korean\r\n'
        '\r\nb,"[속보] 서울",어디?,서울,5,korean\r\n'
        "c,아무 말,무엇?,,,korean\r\n"
        "d,아무 말,무엇?,[1],,korean\r\n"
    )
    path = write(text.encode(), "train.csv")
    raw = read(path)
    assert [fault.message for fault in raw.all_faults()] == [
        'question d: answer_start null does not begin "[1]" (not found in the context)'
    ]
    [a, b, c, _] = [entry.question for entry in raw.questions]
    assert a
    assert b
    assert c
    assert (a.context, a.answers) == ('첫 줄, "말"\r\n둘째 줄', (Answer("둘째", 10),))
    assert (b.context, b.answers) == ("[속보] 서울", (Answer("서울", 5),))
    assert c.answers == ()
    assert [remark.text for remark in raw.remarks] == [
        "empty answer without a place, read as an unanswerable question"
    ]


def test_a_csv_without_golds_is_a_test_file(write: Write) -> None:
    keyless = write("id,context,question\na,아무 말,무엇?\n".encode())
    assert load(keyless).questions[0].answers is None
    blank = write("id,context,question,answer_text,answer_start\na,아무 말,무엇?,,\n".encode())
    assert load(blank).questions[0].answers is None
    assert read(blank).remarks == ()


def test_tabs_without_quoting(write: Write) -> None:
    text = "id\tcontext\tquestion\tanswer_text\tanswer_start\n"
    text += 'a\t"봄"은 책이다\t"봄"은?\t책\t5\nb\t그"\t?\t그\t0\n'
    assert [(q.context, q.text, q.golds) for q in load(write(text.encode()))] == [
        ('"봄"은 책이다', '"봄"은?', ("책",)),
        ('그"', "?", ("그",)),
    ]


def complaint(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        load(path)
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(f"{path}: ")


BROKEN: dict[str, tuple[object, str]] = {
    "a row too short": (
        "id,context,question\na,아무 말,무엇?\nb,아무 말\n".encode(),
        "[1] (line 3) has 2 cells and the header 3; put texts with a delimiter or a line end between double "
        'quotes, and write a quote in them as ""',
    ),
    "an open quote": (
        'id,context,question\na,아무 말,무엇?\nb,"아무 말,무엇?\n'.encode(),
        "is no sound CSV: line 3: unexpected end of data; write it with a CSV library, which quotes texts "
        "that hold quotes, delimiters or line ends",
    ),
    "a column twice": (
        "id,context,question,Context\na,가,나,다\n".encode(),
        "its column context stands twice; remove one of them",
    ),
    "no id": (
        "context,question\n가,나\n".encode(),
        "no guid, id or question_id (keys seen: context, question)",
    ),
    "no context": (
        "id,question\n가,나\n".encode(),
        "its rows have no context (keys of its first row: id, question)",
    ),
    "no question": (
        [{"id": "a", "context": "가"}],
        "its rows have no question (keys of its first row: context, id)",
    ),
    "unequal columns": (
        {"context": ["가", "나"], "question": ["다"]},
        "its columns are not equally long (context 2, question 1); write the table again",
    ),
    "an unequal row": (
        {"columns": ["context", "question"], "data": [["가"]]},
        "data[0] has 1 values and columns 2; write the table again",
    ),
    "other paragraphs": (
        {"data": [{"paragraphs": [{"context": "가", "questions": []}]}]},
        "data[0].paragraphs[0] has no list of qas (keys seen: context, questions); accepted are",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_the_level_at_which_a_layout_departs(case: str, write: Write) -> None:
    value, expected = BROKEN[case]
    assert expected in complaint(write(value))


def test_a_damaged_parquet_file(write: Write) -> None:
    whole = as_parquet([ROW])
    assert complaint(write(whole[:-9])).startswith("is a Parquet file that cannot be read (")
    assert complaint(write(b"ARROW1\0\0" + b"x" * 40)).startswith("is an Arrow file that cannot be read (")
    assert complaint(write(b"\xff\xff\xff\xff" + b"\x10\0\0\0" * 9)).startswith(
        "is an Arrow file that cannot"
    )


def test_without_pyarrow_its_install_command_is_given(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert complaint(write(as_parquet([ROW]))) == (
        "is a Parquet file; reading it needs pyarrow, which is not installed: pip install "
        "'korean-mrc-kit[parquet]' (or write it as JSON lines with datasets' to_json)"
    )
