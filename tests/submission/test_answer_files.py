"""Files of answers from elsewhere: what is read, and what is refused with its cure."""

from __future__ import annotations

from pathlib import Path

import pytest

from kit.errors import SubmissionError
from kit.submission.answer_files import read_answers


def read(tmp_path: Path, text: str) -> dict[str, tuple[tuple[str, float], ...]]:
    path = tmp_path / "answers.file"
    path.write_text(text, encoding="utf-8")
    return dict(read_answers(path).answers)


@pytest.mark.parametrize(
    "text",
    [
        'Id,Predicted\nq1,1392년\nq2,""\n',
        '{"guid": "q1", "answers": ["1392년"]}\n{"guid": "q2", "answers": [""]}\n',
        '{"id": "q1", "prediction_text": "1392년"}\n\n{"id": "q2", "prediction_text": ""}\n',
        '\ufeff{"guid": "q1", "answer": "1392년"}\r\n{"guid": "q2", "text": ""}\r\n',
        '{"q1": "1392년", "q2": ""}',
        '{"q1": [{"text": "1392년", "probability": 1, "start_logit": 4}], "q2": [{"text": "", "p": 1}]}',
        '[{"id": "q1", "answer": "1392년"}, {"id": "q2", "answer": ""}]',
    ],
    ids=["csv", "lists", "texts", "bom", "by guid", "n best", "a list of rows"],
)
def test_one_answer_a_question(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == {"q1": (("1392년", 1.0),), "q2": (("", 1.0),)}


def test_several_answers_come_by_their_probability(tmp_path: Path) -> None:
    texts = '{"text": "가", "p": 0.2}, {"text": "나", "p": 0.5}, {"text": "가", "p": 0.1}'
    rows = f'{{"guid": 7, "answers": [{texts}]}}'
    (answers,) = read(tmp_path, rows).values()
    assert [text for text, _ in answers] == ["나", "가"]
    assert [p for _, p in answers] == pytest.approx([0.5, 0.3])


def test_samples_are_counted(tmp_path: Path) -> None:
    answers = read(tmp_path, '{"guid": "q", "answers": ["가", "나", "가", "다"]}')["q"]
    assert answers == (("가", 0.5), ("나", 0.25), ("다", 0.25))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            '{"guid": "q1", "answers": []}',
            r"row 1 has an empty list of answers; a blank answer is the text ''",
        ),
        ('{"answer": "가"}\n{"guid": "q"}', r"line 1 has no guid under guid, id; line 2 has the answer None"),
        (
            '{"guid": "q", "answers": [{"text": "가", "score": 7.3}]}',
            "gives '가' the probability 7.3, which is not in",
        ),
        (
            '{"guid": "q", "answers": [{"text": "가", "p": 0.7}, {"text": "나"}]}',
            "gives '나' the probability None",
        ),
        (
            '{"guid": "q", "answers": [{"text": "가", "p": 0.7}, {"text": "나", "p": 0.6}]}',
            "has probabilities that add up to 1.3, more than 1",
        ),
        ('{"guid": "q", "answer": "가"}\n{"guid": "q", "answer": "나"}', "line 2 repeats question q"),
        ('{"guid": "q", "answer": 7}', "has the answer 7, which is not text"),
        ('{"guid": "q", "answer": "\\ud800"}', "which holds half a surrogate pair"),
        ("[1]", "row 1 is 1, not an object"),
        ('{"guid": "q"', "cannot be read as JSON"),
        ("{}", "has no answers"),
        ("[" * 100_000, "cannot be read as JSON"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(SubmissionError, match=says) as caught:
        read(tmp_path, text)
    assert "give a CSV with Id,Predicted, or JSON lines" in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SubmissionError, match="there is no such file"):
        read_answers(tmp_path / "none.jsonl")
