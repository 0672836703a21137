"""Questions and data sets as Python and a notebook have them."""

from __future__ import annotations

from pathlib import Path

import pytest

import kit
from kit.data import demo_corpus
from kit.data.records import Answer, Dataset, Question


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    files = demo_corpus.write(tmp_path_factory.mktemp("records"), train_contexts=20, test_contexts=3)
    return kit.load(files.train)


def test_questions_by_place_slice_and_guid(data: Dataset) -> None:
    first, *_, last = data
    assert (data[0], data[-1]) == (first, last)
    assert data[1:3] == data.questions[1:3]
    assert isinstance(data[:2], tuple)
    assert data[last.guid] is last
    assert (len(list(data)), len(data[5:])) == (len(data), len(data) - 5)
    with pytest.raises(
        IndexError, match=rf"train.*json: has no question number {len(data)}; it has {len(data)}, from 0"
    ):
        data[len(data)]
    with pytest.raises(KeyError, match="has no question nowhere; check the guid"):
        data["nowhere"]
    with pytest.raises(KeyError, match=f"did you mean {last.guid}"):
        data[last.guid[:-1]]


def test_their_reprs_are_short(data: Dataset) -> None:
    assert len(repr(data)) < 260
    assert f"{len(data)} questions with answers on 20 contexts" in repr(data)
    assert len(repr(data[0])) < 260
    assert data[0].guid in repr(data[0])
    assert data[0].golds[0] in repr(data[0])
    long = Question("q", "가" * 999, "나" * 9999, (Answer("다" * 500, 0),))
    assert len(repr(long)) < 260
    assert repr(Question("q", "왜?", "글", None)) == "<Question: q: 왜? → withheld>"
    assert repr(Question("q", "왜?", "글", ())) == "<Question: q: 왜? → (blank)>"


def test_a_notebook_shows_the_first_questions(data: Dataset) -> None:
    shown = data._repr_html_()
    assert shown.count("<tr>") == 11
    assert "the first 10" in shown
    assert len(shown) < 20_000
    hostile = Dataset(
        Path("<b>.json"), "0" * 64, "x", (Question("<i>", "<script>", "<img src=x>", (Answer("<", 0),)),)
    )
    assert not any(tag in hostile._repr_html_() for tag in ("<script", "<i>", "<img", "<b>.json"))
    assert "&lt;script&gt;" in hostile._repr_html_()
    assert "&lt;img src=x&gt;" in hostile[0]._repr_html_()
    assert "context" in str(hostile[0])
