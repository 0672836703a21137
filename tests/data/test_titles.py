"""Titles: only those that name an article join its contexts."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kit.data import folds as data_folds
from kit.data import titles
from kit.data.checks import check
from kit.data.grouping import Grouping
from kit.data.readers import load
from kit.data.records import Question

Write = Callable[..., Path]
PLACEHOLDERS = ["nan", "NaN", "None", "null", " ", "\u3000", "0", "0.0", "-1", "-", "…", "N/A", "<NA>", "NaT"]
PLACEHOLDERS += [
    "Untitled",
    "제목 없음",
    "[제목 없음]",
    "(제목없음)",
    "무제",
    "없음",
    "\uff10",
    "unknown",
    "Title",
]
TITLES = ["1984", "2", "나", "무령시 축제", "0시의 이별", "없음의 미학", "NaN 처리법", "None of us", "G20"]


def question(guid: str, context: str, title: str) -> Question:
    return Question(guid, "무엇인가?", context, (), title)


def unlike(seed: int) -> str:
    """A text that shares no word with those of other seeds."""
    rng = random.Random(seed)
    return " ".join("".join(chr(0xAC00 + rng.randrange(11172)) for _ in range(3)) for _ in range(60))


def paragraph(topic: str, seed: int) -> str:
    return f"{unlike(seed)} {topic}의 뜻은 {unlike(seed + 10_000)}"


@pytest.mark.parametrize("title", PLACEHOLDERS)
def test_a_placeholder_joins_nothing(title: str) -> None:
    questions = [question(str(n), unlike(n), title) for n in range(3)]
    assert data_folds.groups(questions).tolist() == [0, 1, 2]
    (remark,) = titles.remarks(questions)
    assert remark.count == 3
    assert "is a placeholder and joins no articles" in remark.text


@pytest.mark.parametrize("title", TITLES)
def test_a_title_joins_its_contexts(title: str) -> None:
    questions = [question(str(n), unlike(n), title) for n in range(titles.MANY - 1)]
    assert set(data_folds.groups(questions).tolist()) == {0}
    assert titles.remarks(questions) == []


def test_a_title_is_the_same_in_any_composition_and_spacing() -> None:
    spelled = ["각하의 서울", "\u1100\u1161\u11a8하의 서울", " 각하의  서울\n"]
    questions = [question(str(n), unlike(n), title) for n, title in enumerate(spelled)]
    assert data_folds.groups(questions).tolist() == [0, 0, 0]


@pytest.mark.parametrize("count", [titles.MANY, 20, 200])
@pytest.mark.parametrize("others", [0, 60])
def test_one_title_over_many_unlike_contexts_joins_nothing(count: int, others: int) -> None:
    questions = [question(f"a{n}", unlike(n), "한빛일보") for n in range(count)]
    questions += [question(f"b{n}", unlike(1000 + n), "") for n in range(others)]
    assert data_folds.groups(questions).tolist() == list(range(count + others))
    (remark,) = titles.remarks(questions)
    assert remark.text == f'title "한빛일보" stands over {count} unlike contexts and joins none of them'
    assert remark.count == count


@pytest.mark.parametrize("count", [titles.MANY, 20, 200])
@pytest.mark.parametrize("others", [0, 60])
def test_one_title_over_many_contexts_of_one_topic_joins_them(count: int, others: int) -> None:
    questions = [question(f"a{n}", paragraph("바람마을", n), "바람마을_(축제)") for n in range(count)]
    questions += [question(f"b{n}", unlike(1000 + n), f"t{n}") for n in range(others)]
    assert data_folds.groups(questions).tolist() == [0] * count + list(range(1, others + 1))
    assert titles.remarks(questions) == []


def test_a_word_that_all_articles_have_makes_no_topic() -> None:
    questions = [question(f"a{n}", paragraph("기자", n), "한빛일보") for n in range(30)]
    questions += [question(f"b{n}", paragraph("기자", 1000 + n), f"t{n}") for n in range(60)]
    assert len(set(data_folds.groups(questions).tolist())) == 90


def test_articles_of_real_data_stay_together_and_labels_over_them_do_not(shared: Path) -> None:
    questions = load(shared / "data" / "goorm2-standin" / "train.json").questions
    assert titles.remarks(questions) == []
    assert len(set(data_folds.groups(questions).tolist())) == 85  # of 85 titles
    labelled = [question(q.guid, q.context, "경제" if n % 2 else "정치") for n, q in enumerate(questions)]
    assert {remark.text.split('"')[1] for remark in titles.remarks(labelled)} == {"경제", "정치"}
    assert len(set(data_folds.groups(labelled).tolist())) > 500


def nested(titled: list[object]) -> dict[str, Any]:
    return {
        "data": [
            {
                "title": title,
                "paragraphs": [
                    {
                        "context": unlike(n),
                        "qas": [
                            {
                                "guid": f"g{n}",
                                "question": "무엇?",
                                "answers": [{"text": unlike(n)[:3], "answer_start": 0}],
                            }
                        ],
                    }
                ],
            }
            for n, title in enumerate(titled)
        ]
    }


def test_nan_is_no_title(write: Write) -> None:
    path = write(json.dumps(nested([float("nan"), float("nan"), None, "", 7])).encode())
    dataset = load(path)
    assert [question.title for question in dataset] == ["", "", "", "", "7"]
    assert data_folds.groups(dataset).tolist() == [0, 1, 2, 3, 4]
    assert data_folds.folds(dataset.questions, 5).tolist() != [0] * 5
    remarks = {remark.text: remark.count for remark in check(path).remarks}
    assert remarks == {"title, category or source given as NaN and read as none": 2}


def test_a_check_names_placeholders_and_labels(write: Write) -> None:
    report = check(write(nested(["제목 없음"] * 3 + ["한빛일보"] * 12 + ["바람마을"])))
    shown = [value for label, value in report.rows() if label == "remark"]
    assert 'title "제목 없음" is a placeholder and joins no articles: 3' in shown
    assert 'title "한빛일보" stands over 12 unlike contexts and joins none of them: 12' in shown


def test_a_check_shows_the_groups_and_the_largest(write: Write) -> None:
    report = check(write(nested([f"t{n}" for n in range(9)] + ["누리", "누리"])))
    rows = dict(report.rows())
    assert rows["groups"] == (
        "10 (same or nearly the same article, or same title); the largest has 2 questions"
    )
    assert not [label for label, _ in report.rows() if label == "remark"]
    assert report.as_dict()["groups"] == {"count": 10, "largest": 2, "exceeds_a_fold": False}


def test_a_check_says_when_the_largest_group_exceeds_a_fold(write: Write) -> None:
    report = check(write(nested(["누리"] * 4 + [f"t{n}" for n in range(10)])))
    remarks = [value for label, value in report.rows() if label == "remark"]
    assert remarks == [
        "the largest group is larger than one of 5 folds (3 questions), so that folds are uneven; its "
        'questions, most of them titled "누리": 4'
    ]
    assert report.as_dict()["groups"] == {"count": 11, "largest": 4, "exceeds_a_fold": True}
    sizes = np.bincount(data_folds.folds(load(report.path).questions, 5))
    assert sizes.max() == 4


def test_the_remark_names_a_question_where_there_is_no_title() -> None:
    grouping = Grouping([question(f"q{n}", unlike(0), "") for n in range(10)])
    (remark,) = grouping.remarks()
    assert remark.text.endswith("its questions, such as q0")


def test_a_file_too_small_for_folds_is_not_judged() -> None:
    assert Grouping([question(f"q{n}", unlike(0), "") for n in range(9)]).remarks() == []


def test_a_test_file_is_not_grouped(write: Write) -> None:
    content = nested(["a", "b"])
    for document in content["data"]:
        document["paragraphs"][0]["qas"][0]["answers"] = None
    report = check(write(content))
    assert report.grouping is None
    assert "groups" not in dict(report.rows())
    assert report.as_dict()["groups"] is None
