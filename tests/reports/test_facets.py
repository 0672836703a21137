"""Facets: one value a question, nothing lost, question words as Korean asks them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer
from tokenizers.models import Unigram, WordPiece
from tokenizers.pre_tokenizers import WhitespaceSplit

from kit.data.records import Answer, Dataset, Question
from kit.reports import facets
from kit.reports.facets import NO_QUESTION_WORD, binned, of_answers, of_questions, question_word
from tests.reports.conftest import Place


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("회사를 세운 사람은 누구인가?", "누가"),
        ("누가 언제 왔는가?", "언제"),
        ("언제 어디에서 열렸나?", "어디"),
        ("어느 나라에서 왔나?", "어디"),
        ("무슨 일이 있었나?", "무엇"),
        ("가격은 얼마인가?", "몇"),
        ("몇 명이 왔나?", "몇"),
        ("왜 떠났나?", "왜"),
        ("왜구는 무엇인가?", "무엇"),
        ("어떻게 만들었나?", "어떻게"),
        ("왜구가 온 해는?", NO_QUESTION_WORD),
        ("", NO_QUESTION_WORD),
    ],
)
def test_question_words(text: str, word: str) -> None:
    assert question_word(text) == word


@given(st.lists(st.integers(0, 99), min_size=1))
def test_bins_hold_every_number(numbers: list[int]) -> None:
    facet = binned("k", "t", "characters", numbers, (0, 1, 2, 5, 30))
    for number, value in zip(numbers, facet.values, strict=True):
        label = facet.labels[value]
        low, _, high = label.partition("-")
        if label.endswith("+"):
            assert number >= int(label[:-1])
        else:
            assert int(low) <= number <= int(high or low)
    assert set(facet.values) == set(range(len(facet.labels)))


def test_what_the_data_do_not_name_is_missing_with_a_reason() -> None:
    questions = [Question("a", "누가?", "가나", (Answer("가", 0),), category="정치")]
    by_key = {facet.key: facet for facet in of_questions(questions)}
    assert by_key["category"].labels == ("정치",)
    assert by_key["source"].reason == "the data have none"
    assert by_key["source"].values == ()


def test_many_names_are_put_together() -> None:
    questions = [Question(str(n), "?", "가", (), category=f"c{min(n, 20)}") for n in range(40)]
    (facet,) = [facet for facet in of_questions(questions) if facet.key == "category"]
    assert len(facet.labels) == 13
    assert facet.labels[0] == "c20"
    assert facet.labels[-1] == "(other)"
    assert len(facet.values) == 40


def test_a_blank_is_nearer_only_where_it_is() -> None:
    facet = of_answers(np.array([3.0, 2.0, 1.0]), ["가나", "가나", ""])[1]
    assert [facet.labels[value] for value in facet.values] == [
        "a blank is nearer", "the answer is as near", "a blank is nearer",
    ]  # fmt: skip


def test_unknown_pieces_are_looked_for_where_the_answer_stands(tmp_path: Path) -> None:
    context = "서울 갊 부산 서울"
    answers = {"서울": 0, "갊": 3, "갊 부산": 3, "부산": 5}
    questions = [Question(text, "?", context, (Answer(text, at),)) for text, at in answers.items()]
    pieces = {"[UNK]": 0, "서울": 1, "부산": 2}
    word_piece = Tokenizer(WordPiece(pieces, unk_token="[UNK]"))
    unigram = Tokenizer(Unigram([("[UNK]", 0.0), ("서울", -1.0), ("부산", -1.0)], unk_id=0))
    for number, tokenizer in enumerate((word_piece, unigram)):
        tokenizer.pre_tokenizer = WhitespaceSplit()
        tokenizer.enable_truncation(
            2
        )  # as a saved tokenizer may have it: the whole context counts all the same
        tokenizer.save(str(tmp_path / f"{number}.json"))
        found = facets.has_unk_token(tmp_path / f"{number}.json", questions)
        assert found == [False, True, True, False]


def test_the_facet_reads_the_members_own_tokenizers(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place.folder)
    data: Dataset = place.data
    report = place.report.contents.overview.source
    tokenizer = Tokenizer(WordPiece({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    folder = Path("runs/words/fold-0")
    folder.mkdir()
    tokenizer.save(str(folder / "tokenizer.json"))
    try:
        facet = facets.unk_tokens(report)
    finally:
        (folder / "tokenizer.json").unlink()
        folder.rmdir()
    assert facet.labels == ("yes",)
    assert np.array_equal(facet.values, np.zeros(len(data)))
