"""Answers that no cause places: equal in other code points, or one of several places."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.cli.check import check as kit_check
from kit.data.checks import check
from kit.data.readers import load, read
from kit.data.readers.spelling import COUNTED, EQUIVALENCES, NFC, NFD, NFKC, Form
from kit.data.records import Answer
from kit.data.repair import repair
from kit.errors import ConfigError
from tests.examples import examples
from tests.hostile.texts import texts

Json = dict[str, Any]
Write = Callable[..., Path]


def file(context: str, text: str, start: object, question: str = "무엇인가?") -> Json:
    row = {"guid": "a", "question": question, "answers": [{"text": text, "answer_start": start}]}
    return {"data": [{"title": "", "paragraphs": [{"context": context, "qas": [row]}]}]}


def nfd(text: str) -> str:
    return unicodedata.normalize("NFD", text)


EQUAL: dict[str, tuple[str, str, str, str]] = {
    # name: (context, answer as written, the context's own slice, how they differ)
    "NFD context": (nfd("수도는 서울이다."), "서울", nfd("서울"), "Unicode normal form"),
    "NFD answer": ("수도는 서울이다.", nfd("서울"), "서울", "Unicode normal form"),
    "composed accent": ("카페 cafe\u0301 앞", "caf\xe9", "cafe\u0301", "Unicode normal form"),
    "unified Hanja": ("성은 \uf9e1 씨", "\u674e 씨", "\uf9e1 씨", "Unicode normal form"),
    "no-break space": ("예산 12억\xa0원이다", "12억 원", "12억\xa0원", "kinds of white space"),
    "no-break space in the answer": ("예산 12억 원이다", "12억\xa0원", "12억 원", "kinds of white space"),
    "ideographic space": ("이름은 홍\u3000길동", "홍 길동", "홍\u3000길동", "kinds of white space"),
    "line end": ("이름은 홍\n길동", "홍 길동", "홍\n길동", "kinds of white space"),
    "zero-width space": ("새 다\u200b리가", "다리", "다\u200b리", "invisible characters"),
    "zero-width space around": ("새 \u200b다리\u200b가", "\ufeff다리", "다리", "invisible characters"),
    "soft hyphen": ("긴 도서\xad관은", "도서관", "도서\xad관", "invisible characters"),
    "two spaces": ("예산 12억  원이다", "12억 원", "12억  원", "runs of white space"),
    "two spaces in the answer": ("예산 12억 원이다", "12억  원", "12억 원", "runs of white space"),
    "entity in the context": ("회사 A&amp;B는", "A&B", "A&amp;B", "HTML entities"),
    "entity in the answer": ("회사 A&B는", "A&amp;B", "A&B", "HTML entities"),
    "numeric entity": ("책 &#8216;봄&#x2019; 읽기", "‘봄’", "&#8216;봄&#x2019;", "HTML entities"),
    "upper case": ("여기는 seoul이다", "Seoul", "seoul", "letter case"),
    "quotation marks": ("그는 “봄”을 썼다", '"봄"', "“봄”", "quotation marks, dashes or dots"),
    "dash": ("기간은 3–5월", "3-5월", "3–5월", "quotation marks, dashes or dots"),
    "middle dot": ("한‧중 회담", "한·중", "한‧중", "quotation marks, dashes or dots"),
    "compatibility": ("길이 3㎜이다", "3mm", "3㎜", "compatibility characters"),
    "full width": ("회사 ＬＧ다", "LG", "ＬＧ", "compatibility characters"),
    "missing space": ("예산 12억 원이다", "12억원", "12억 원", "white space"),
    "several": ("회사 “A &amp; b”다", '"a&B"', "“A &amp; b”", "several of these ways at once"),
}


@pytest.mark.parametrize("name", EQUAL)
@pytest.mark.parametrize("shift", [0, 2, None], ids=["right start", "wrong start", "null start"])
def test_a_text_in_other_code_points_is_found(
    name: str, shift: int | None, write: Write, tmp_path: Path
) -> None:
    context, text, own, differs = EQUAL[name]
    begin = context.index(own)
    path = write(file(context, text, None if shift is None else begin + shift))
    report = check(path)
    assert len(report.faults) == 1
    message = report.faults[0].message
    assert message.startswith("question a: answer_start ")
    assert f"found at {begin} as " in message
    assert f"the answer differs from its context in {differs})" in message
    mended = repair(path, tmp_path / "mended.json")
    [question] = load(mended.out).questions
    assert (question.context, question.answers) == (context, (Answer(own, begin),))
    assert [(change.own, change.start) for change in mended.moved] == [(own, begin)]
    assert "written as in the context: " in mended.lines()[0]


def test_an_equal_text_at_the_start_is_nearer_than_the_same_text_elsewhere(write: Write) -> None:
    context = "서울은 수도다. " + nfd("서울") + "은 크다."
    begin = context.index(nfd("서울"))
    [answer] = read(write(file(context, "서울", begin))).questions[0].answers or ()
    assert (answer.found, answer.slice, answer.places) == (begin, nfd("서울"), 1)


def test_a_negative_start_is_not_counted_from_the_end(write: Write, tmp_path: Path) -> None:
    """Python's slices would find the text there."""
    context = "수도는 서울"
    path = write(file(context, "서울", -2))
    assert [fault.message for fault in check(path).faults] == [
        'question a: answer_start -2 does not begin "서울" (found at 4)'
    ]
    [question] = load(repair(path, tmp_path / "mended.json").out).questions
    assert question.answers == (Answer("서울", 4),)


def test_half_a_character_is_no_answer(write: Write) -> None:
    """An answer cannot begin or end inside one character of its context."""
    [answer] = read(write(file("길이 3㎜이다", "3m", 3))).questions[0].answers or ()
    assert answer.found is None
    [answer] = read(write(file(nfd("수도는 강이다"), "가", 4))).questions[0].answers or ()
    assert answer.found is None


SHOP = "봄가게는 1990년 문을 열었다. 여름가게는 2001년 문을 열었다. 가을가게는 1990년 문을 닫았다."


def test_several_places_are_counted_and_chosen_by_the_questions_words(write: Write, tmp_path: Path) -> None:
    last = SHOP.rindex("1990년")
    path = write(file(SHOP, "1990년", None, "가을가게가 문을 닫은 해는?"))
    report = check(path)
    assert [(remark.text, remark.count) for remark in report.remarks] == [
        ("answer whose text stands several times in its context, placed by the question's words", 1)
    ]
    assert report.faults[0].message == (
        f'question a: answer_start null does not begin "1990년" (found at {last}, one of 2 places, '
        "chosen by the question's words)"
    )
    mended = repair(path, tmp_path / "mended.json")
    assert load(mended.out).questions[0].answers == (Answer("1990년", last),)
    assert mended.chosen == 1
    assert mended.lines() == [f'question a: "1990년" moved from null to {last}, one of 2 places']
    first = write(file(SHOP, "1990년", 40, "봄가게가 문을 연 해는?"))
    assert [answer.found for answer in read(first).questions[0].answers or ()] == [SHOP.index("1990년")]


@pytest.mark.parametrize(
    ("start", "given"),
    [(None, "null"), ("missing", "missing"), ("없음", '"없음"')],
    ids=["null", "missing", "text"],
)
def test_starts_that_all_name_no_place_are_one_fault(
    start: object, given: str, write: Write, tmp_path: Path
) -> None:
    documents = [file(f"{SHOP} {number}호점.", f"{number}호점", start) for number in range(20)]
    documents += [file(SHOP, "1990년", start), file(SHOP, "없는 말", start)]
    value: Json = {"data": []}
    for number, document in enumerate(documents):
        row = document["data"][0]["paragraphs"][0]["qas"][0]
        row["guid"] = f"q{number}"
        if start == "missing":
            del row["answers"][0]["answer_start"]
        value["data"] += document["data"]
    path = write(value)
    assert [fault.message for fault in check(path).faults] == [
        f"answer_start is {given} for 21 of 22 answers; their texts are located (first: question q0: {given} "
        f'for "0호점" is {len(SHOP) + 1} for "0호점"); '
        "the question's words chose among several places for 1",
        f'question q21: answer_start {given} does not begin "없는 말" (not found in the context)',
    ]
    mended = repair(path, tmp_path / "mended.json")
    assert mended.questions == 21
    for number, question in enumerate(load(mended.out).questions[:20]):
        assert question.answers == (Answer(f"{number}호점", len(SHOP) + 1),)


def test_strict_leaves_out_what_was_chosen(write: Write, tmp_path: Path) -> None:
    value = file(SHOP, "1990년", None)
    rows = value["data"][0]["paragraphs"][0]["qas"]
    rows[0]["answers"].append({"text": "2001년", "answer_start": 0})
    rows.append({"guid": "b", "question": "언제?", "answers": [{"text": "1990년", "answer_start": 20}]})
    report = repair(write(value), tmp_path / "mended.json", strict=True)
    assert [(q.guid, q.golds) for q in load(report.out)] == [("a", ("2001년",))]
    assert report.chosen == 0
    assert report.lines()[:3] == [
        'question a: answer "1990년" left out, its context has it 2 times',
        'question b: answer "1990년" left out, its context has it 2 times',
        'left out: question b: its context has none of its answers in one place only; with it: "1990년"',
    ]


def test_the_command_says_what_was_chosen(
    write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "mended.json"
    value = file(SHOP, "1990년", None)
    value["data"] += file(SHOP, "2001년", 3)["data"]
    value["data"][1]["paragraphs"][0]["qas"][0]["guid"] = "b"
    path = write(value)
    kit_check([path], None, out)
    said = " ".join(capsys.readouterr().err.split())
    assert (
        "1 answer placed by the question's words, where the context has the text several times; --strict"
        in said
    )
    assert f"{out}: 2 questions written, 2 changes" in said
    kit_check([path], None, out, strict=True)
    said = " ".join(capsys.readouterr().err.split())
    assert f"{out}: 1 question written, 3 changes" in said
    assert "placed by the question's words, where" not in said
    with pytest.raises(
        ConfigError, match=r"--strict: says what a repair leaves out; give --repair OUT\.json"
    ):
        kit_check([path], strict=True)


# A line end's form depends on what stands before it, and white space only counts where a context begins.
ALONE = [form for form in (*EQUIVALENCES, *COUNTED) if not form.whole and "before every" not in form.counted]


@pytest.mark.parametrize("form", ALONE, ids=lambda form: form.counted or form.differs)
@examples(100)
@given(text=texts(max_size=20), data=st.data())
def test_a_slice_of_the_spelled_text_is_the_original_slice_spelled(
    form: Form, text: str, data: st.DataObject
) -> None:
    spelled = form.spell(text)
    begin = data.draw(st.integers(0, len(spelled.text)))
    end = data.draw(st.integers(begin, len(spelled.text)))
    one, other = spelled.begin(begin), spelled.end(end)
    if begin == end or one is None or other is None:
        return
    assert 0 <= one < other <= len(text)
    assert form.of(text[one:other]) == spelled.text[begin:end]
    place = spelled.place(one)
    assert place == begin


@examples(100)
@given(text=texts(max_size=20))
def test_normal_forms_are_unicodes(text: str) -> None:
    composed = NFC.spell(text).text
    assert unicodedata.normalize("NFC", composed) == unicodedata.normalize("NFC", text)
    assert unicodedata.normalize("NFKC", NFKC.spell(text).text) == unicodedata.normalize("NFKC", text)


@pytest.mark.parametrize("name", ["NFC", "NFKC", "NFD"])
def test_every_character_that_a_normal_form_changes_is_known(name: str) -> None:
    form = {"NFC": NFC, "NFKC": NFKC, "NFD": NFD}[name]
    wrong = [
        hex(code)
        for code in range(0x110000)
        if not 0xD800 <= code <= 0xDFFF
        and (normal := unicodedata.normalize(name, chr(code))) != chr(code)  # type: ignore[arg-type]
        and form.respell(chr(code)) == normal
        and not form.pattern().search(chr(code))
    ]
    assert wrong == []
