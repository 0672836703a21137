"""The length prior is what its docstring says, slowly, and counts each file's answers once."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.data.records import Answer, Question
from kit.settings.runs import DataFile, RunRecord
from kit.settings.training import TrainingSettings
from kit.spans.lengths import answer_lengths, length_of_share, log_length_prior
from kit.spans.recipe_members import answer_lengths_of


@given(st.dictionaries(st.integers(0, 12), st.integers(0, 30)), st.integers(1, 8))
def test_the_prior_is_the_slow_one(counts: dict[int, int], cap: int) -> None:
    found = log_length_prior(counts, cap)
    own = {length: count for length, count in counts.items() if 0 < length <= cap + 1}
    smooth = [
        0.25 * own.get(length - 1, 0) + 0.5 * own.get(length, 0) + 0.25 * own.get(length + 1, 0) + 0.5
        for length in range(1, cap + 1)
    ]
    assert found[0] == -np.inf
    assert found[1:].tolist() == pytest.approx([math.log(value / sum(smooth)) for value in smooth])
    assert len(found) == cap + 1


def test_lengths_of_several_runs_are_added_and_shared_ones_count_once() -> None:
    def record(**lengths: int) -> RunRecord:
        counts = {name.removeprefix("n"): count for name, count in lengths.items()}
        data = (DataFile(name="t", sha256="0" * 64, questions=1),)
        return RunRecord(backbone="b", settings=TrainingSettings(), data=data, answer_lengths=counts)

    one, other = record(n2=3, n4=1), record(n2=1, n7=5)
    assert answer_lengths_of([one, other, one]) == {2: 4, 4: 1, 7: 5}
    assert answer_lengths_of([record()]) == {}


def test_answer_lengths_are_of_all_golds_in_code_points() -> None:
    golds = (Answer("한국은행", 0), Answer("은행", 2))
    asked = [Question("a", "?", "한국은행", golds), Question("b", "?", "은행", golds[1:])]
    assert answer_lengths([*asked, Question("c", "?", "가", None)]) == {4: 1, 2: 2}


@pytest.mark.parametrize(
    ("counts", "share", "length"),
    [
        ({}, 0.99, 0),
        ({7: 1}, 0.01, 7),
        ({2: 1, 9: 1}, 0.5, 2),
        ({2: 1, 9: 1}, 0.51, 9),
        ({9: 1, 2: 99}, 0.99, 2),
    ],
)
def test_the_length_that_a_share_of_the_answers_fits(
    counts: dict[int, int], share: float, length: int
) -> None:
    assert length_of_share(counts, share) == length
