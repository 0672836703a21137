"""Scores of whole answer sets: their numbers, their signature, and what they refuse."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import kit
from kit.data.records import Answer, Dataset, Question
from kit.errors import ConfigError, DataError, SubmissionError
from kit.metrics.scores import Score, compare, score_answers

SHA = "0123456789abcdef" * 4


def question(guid: str, *golds: str, withheld: bool = False) -> Question:
    answers = None if withheld else tuple(Answer(text, 0) for text in golds)
    return Question(guid, "언제?", f"{guid} {' '.join(golds)}", answers)


def dataset(*questions: Question, sha256: str = SHA) -> Dataset:
    return Dataset(Path("dev.json"), sha256, "goorm", questions)


FOUR = dataset(
    question("a", "한 달가량", "한 달"), question("b", "서울"), question("c"), question("d", "1,004명")
)
ANSWERS = {"d": "1004명", "c": "", "b": "부산", "a": "한 달"}
GROUPS = np.array([0, 0, 1, 2])


def score(answers: dict[str, str] = ANSWERS, data: Dataset = FOUR, **options) -> Score:
    return score_answers(answers, data, groups=options.pop("groups", GROUPS), **options)


def test_numbers_by_hand() -> None:
    result = score(label="five")
    assert result.distances.tolist() == [2, 2, 0, 1]  # in file order, whatever the mapping's
    assert (result.label, result.questions, result.edit) == ("five", 4, 1.25)
    assert result.exact == 0.75  # "한 달" is a gold; the blank is right; a comma is punctuation
    assert result.f1 == 0.5  # official: a right blank has F1 0
    assert result.blanks == 0.25
    assert result.interval.known
    assert result.interval.low <= 1.25 <= result.interval.high


def test_a_score_prints_as_one_line() -> None:
    result = score(label="five")
    assert str(result) == (
        f"Edit Score 1.250 (95 %: {result.interval}), exact match 75.0 %, character F1 50.0 %, blank 25.0 %; "
        "4 questions, reference: first"
    )


def test_reference_changes_the_distance_only() -> None:
    least, mean = score(reference="min"), score(reference="mean")
    assert (least.edit, mean.edit) == (0.75, 1.0)
    assert least.exact == mean.exact == 0.75
    assert least.reference == "min"


def test_signature_says_what_was_scored() -> None:
    result = score()
    assert str(result.signature) == f"data:01234567|rows:4|reference:first|kit:{kit.__version__}"
    text = json.dumps(result.as_dict(), allow_nan=False)
    assert json.loads(text)["signature"] == {
        "data_sha256": SHA,
        "reference": "first",
        "rows": 4,
        "kit_version": kit.__version__,
    }
    assert set(json.loads(text)) == {
        *(
            "label",
            "questions",
            "edit",
            "interval",
            "exact",
            "f1",
            "blanks",
            "blank_edit",
            "reference",
            "signature",
        )
    }


def test_single_group_is_json_with_a_reason() -> None:
    content = json.loads(json.dumps(score(groups=np.zeros(4, int)).as_dict(), allow_nan=False))
    assert content["interval"]["low"] is None
    assert content["interval"]["reason"] == "no interval: all questions form one group"


def test_scores_are_frozen() -> None:
    result = score()
    with pytest.raises(AttributeError):
        result.edit = 0.0  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        result.distances[0] = 0
    groups = GROUPS.copy()
    score(groups=groups)
    groups[0] = 9  # the caller's array stays the caller's


def test_all_blank_costs_the_mean_gold_length() -> None:
    result = score(dict.fromkeys("abcd", ""))
    assert result.edit == (5 + 2 + 0 + 6) / 4
    assert result.blanks == 1.0


def test_distances_alone() -> None:
    assert score_answers(ANSWERS, FOUR, reference="min").distances.tolist() == [0, 2, 0, 1]


def test_groups_come_from_the_splits() -> None:
    splits = pytest.importorskip("kit.data.folds")
    result = score_answers(ANSWERS, FOUR)
    assert result.groups.tolist() == splits.groups(FOUR.questions).tolist()


def test_missing_and_unknown_guids_are_named_at_once() -> None:
    with pytest.raises(SubmissionError) as caught:
        score({"a": "", "x": "", "y": ""}, label="five.csv")
    assert str(caught.value) == (
        "five.csv: lacks 3 guids (b, c, d) of dev.json and has 2 guids (x, y) unknown to dev.json; "
        "give one answer a question of that file, or score against the file it was made for"
    )


def test_ten_guids_are_named_and_all_are_counted() -> None:
    many = dataset(*(question(f"g{number:02}", "답") for number in range(25)))
    with pytest.raises(SubmissionError) as caught:
        score_answers({}, many)
    message = str(caught.value)
    assert "lacks 25 guids (g00, " in message
    assert "g09, …)" in message
    assert "g10" not in message


@pytest.mark.parametrize(
    ("questions", "which"),
    [
        ([question("a", withheld=True), question("b", withheld=True)], "all answers are"),
        ([question("a", withheld=True), question("b", "답")], "the answers of 1 guid (a) are"),
    ],
)
def test_withheld_answers_are_not_scored(questions: list[Question], which: str) -> None:
    with pytest.raises(DataError) as caught:
        score_answers({"a": "", "b": ""}, dataset(*questions))
    assert str(caught.value) == (
        f"dev.json: {which} withheld (null), so nothing can be scored; give a file with answers"
    )


def test_no_questions_no_score() -> None:
    with pytest.raises(DataError, match="has no questions"):
        score_answers({}, dataset())


def test_unknown_reference() -> None:
    with pytest.raises(ConfigError, match="known: first, min, mean"):
        score(reference="last")


def test_comparison_is_paired() -> None:
    better = score({**ANSWERS, "a": "한 달가량", "b": "서울"})
    difference = compare(score(), better)
    assert difference.mean == -1.0
    assert difference.p_value == 1.0  # both changes lie in one group
    assert compare(better, better).mean == 0.0


def test_scores_of_other_data_or_reference_are_not_compared() -> None:
    other = score(data=dataset(*FOUR.questions, sha256="f" * 64), reference="min", label="b.csv")
    with pytest.raises(DataError) as caught:
        compare(score(label="a.csv"), other)
    assert str(caught.value) == (
        "a.csv and b.csv cannot be compared: they were scored with data 01234567 and ffffffff and references "
        "first and min; score both on the same file with the same reference"
    )
    with pytest.raises(DataError, match="different groups"):
        compare(score(), score(groups=np.arange(4)))


def test_every_row_counts_in_odd_sized_sets() -> None:
    for size in (1, 3, 7):
        data = dataset(*(question(str(row), "답") for row in range(size)))
        result = score_answers({str(row): "" for row in range(size)}, data, groups=np.arange(size))
        assert (result.questions, result.edit) == (size, 1.0)
