"""Predictions for a test set cover what they should, and calibration tells over- from underconfidence."""

from __future__ import annotations

import numpy as np
import pytest

from kit.metrics.bootstrap import bootstrap
from kit.metrics.predictions import calibration, expect, public_private_spread


def test_the_prediction_covers_new_test_sets_as_often_as_it_says() -> None:
    generator = np.random.default_rng(1)
    hits, narrow = 0, 0
    for trial in range(120):
        groups = np.repeat(np.arange(60), 5)
        values = generator.exponential(2.0, 300) + np.repeat(generator.exponential(1.0, 60), 5)
        fresh = generator.exponential(2.0, 150) + np.repeat(generator.exponential(1.0, 30), 5)
        found = expect(values, groups, 150, draws=400, seed=trial)
        plain = bootstrap(values, groups, draws=400, seed=trial)
        hits += found.interval.low <= fresh.mean() <= found.interval.high
        narrow += plain.low <= fresh.mean() <= plain.high
    assert hits / 120 >= 0.88
    assert narrow < hits  # the interval of the mean alone is too narrow for a test set


def test_a_larger_test_set_is_surer_and_the_spread_is_that_of_two_samples() -> None:
    generator = np.random.default_rng(2)
    values, groups = generator.exponential(2.0, 900), np.arange(900)
    wide, tight = (expect(values, groups, size).interval for size in (100, 2000))
    assert wide.high - wide.low > tight.high - tight.low
    spread = public_private_spread(values, groups, 100, 200)
    assert spread == pytest.approx(values.std() * np.sqrt(1 / 100 + 1 / 200), rel=0.1)


def test_one_group_has_no_interval() -> None:
    found = expect([1.0, 2.0], [0, 0], 10)
    assert found.mean == 1.5
    assert not found.interval.known
    with pytest.raises(ValueError, match="both must be"):
        expect([], [], 10)


def test_calibration_sorts_by_what_was_expected() -> None:
    expected = np.arange(100) / 10
    table = calibration(expected, 2 * expected)
    assert [row.questions for row in table] == [10] * 10
    assert table[0].expected == pytest.approx(0.45)
    assert all(row.actual == pytest.approx(2 * row.expected) for row in table)
    assert len(calibration([1.0], [2.0])) == 1


def test_equal_expectations_keep_their_order() -> None:
    table = calibration(np.tile([2.0, 1.0], 1000), np.arange(2000), parts=2)
    assert [row.actual for row in table] == [1000.0, 999.0]
    table = calibration(np.tile([2.0, 1.0], 1000), np.arange(2000), parts=4)
    assert [row.actual for row in table] == [500.0, 1500.0, 499.0, 1499.0]


def test_the_interval_lies_around_the_mean_and_above_zero() -> None:
    values, groups = np.repeat([0.0, 10.0], 50), np.repeat([0, 1], 50)  # two groups are enough for one
    middle = expect(values, groups, 5000, level=1e-9).interval
    assert middle.low == pytest.approx(5.0, abs=0.6)
    assert middle.high == pytest.approx(middle.low)
    small = expect(np.repeat([0.0, 0.2], 50), np.arange(100), 10).interval
    assert 0 <= small.low < 0.1 < small.high < 0.3
