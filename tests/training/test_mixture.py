"""Sources: whose each question is, whose scores count, and which windows an epoch holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from kit.data.records import Answer, Dataset, Question
from kit.errors import DataError
from kit.settings.folds import FileFolds, FoldPlan
from kit.settings.mixture import Mixture
from kit.settings.runs import SourceScore
from kit.training.mixture import Sources
from kit.training.splits import Part


def dataset(name: str, count: int) -> Dataset:
    """*count* questions whose guids are those of any other file."""
    questions = tuple(Question(str(number), "?", name, (Answer(name, 0),)) for number in range(count))
    return Dataset(Path(name), name[0] * 64, "test", questions)


A, B, VALID = dataset("a.json", 3), dataset("b.json", 5), dataset("v.json", 2)
MIXED = [B.questions[0], A.questions[0], B.questions[1], B.questions[2], A.questions[1]]


def evaluate(questions: Sequence[Question]) -> dict[str, float]:
    """As if every answer to a.json were 1 off and every answer to b.json 6."""
    distances = [1.0 if question.context == "a.json" else 6.0 for question in questions]
    return {"edit": float(np.mean(distances)), "exact": 0.0}


def test_all_questions_make_the_score_and_each_file_has_its_own() -> None:
    sources = Sources.of([A, B], Mixture())
    found = sources.evaluated(MIXED, evaluate)
    assert found["edit"] == pytest.approx(evaluate(MIXED)["edit"]) == pytest.approx(4.0)
    assert (found["edit/a.json"], found["edit/b.json"]) == (1.0, 6.0)
    assert sources.judging(MIXED) == 5
    assert sources.scores_in(found, MIXED) == {
        "a.json": SourceScore(held_out=2, metrics={"edit": 1.0, "exact": 0.0}),
        "b.json": SourceScore(held_out=3, metrics={"edit": 6.0, "exact": 0.0}),
    }


def test_the_judge_alone_makes_the_score() -> None:
    sources = Sources.of([A, B], Mixture(judge="a.json"))
    found = sources.evaluated(MIXED, evaluate)
    assert (found["edit"], found["edit/a.json"], found["edit/b.json"]) == (1.0, 1.0, 6.0)
    assert sources.judging(MIXED) == 2
    with pytest.raises(DataError, match=r"--judge a\.json: none of its questions is held out"):
        sources.evaluated(MIXED[2:4], evaluate)


def test_one_file_has_one_score() -> None:
    sources = Sources.of([A], Mixture())
    assert sources.evaluated(A.questions, evaluate) == {"edit": 1.0, "exact": 0.0}
    assert sources.scores_in({"edit": 1.0}, A.questions) == {}


def test_the_file_of_valid_is_a_source_of_its_own() -> None:
    sources = Sources.of([A, B], Mixture(shares={"b.json": 0.5}), VALID)
    assert sources.evaluated(VALID.questions, evaluate) == {"edit": 6.0, "exact": 0.0}
    assert list(sources.split([*VALID, *A])) == ["a.json", "v.json"]


def test_a_folds_record() -> None:
    each = [
        SourceScore(held_out=1, metrics={"edit": 1.0, "exact": 1.0}),
        SourceScore(held_out=3, metrics={"edit": 5.0, "exact": 0.0}),
    ]
    both = {"a.json": each[0], "b.json": each[1]}
    assert Sources.of([A, B], Mixture()).recorded(each) == {
        "metrics": {"edit": 4.0, "exact": 0.25},
        "held_out": 4,
        "sources": both,
    }
    judged = Sources.of([A, B], Mixture(judge="a.json")).recorded(each)
    assert judged == {"metrics": each[0].metrics, "held_out": 1, "sources": both}
    empty = SourceScore(held_out=0, metrics={"edit": 0.0, "exact": 0.0})
    alone = Sources.of([A, B], Mixture()).recorded([each[0], empty])
    assert alone == {"metrics": each[0].metrics, "held_out": 1, "sources": {}}


def test_a_fold_without_the_judge_is_refused_before_any_is_trained() -> None:
    folds = [FileFolds(name=one.path.name, sha256=one.sha256, fold_of=(0, 2)) for one in (A, B)]
    plan = FoldPlan(folds=4, split_seed=1, files=tuple(folds))
    with pytest.raises(DataError, match=r"--judge b\.json: fold 1, 3 holds none of its 5 questions; ask for"):
        Sources.of([A, B], Mixture(judge="b.json")).refuse_unjudged(plan, [A, B])
    Sources.of([A, B], Mixture()).refuse_unjudged(plan, [A, B])


def test_shares_are_of_windows() -> None:
    part = Part("full", MIXED, (), ())
    windows = np.array([0, 0, 0, 0, 1, 2, 2, 3, 3, 4])  # 2 of a.json, 8 of b.json
    assert Sources.of([A, B], Mixture()).draws(part, windows, 1) is None
    draws = Sources.of([A, B], Mixture(shares={"b.json": 0.25}), VALID).draws(part, windows, 1)
    assert draws is not None
    assert draws.count == 4
    for epoch in range(4):
        assert {4, 9} < set(draws(epoch).tolist())
