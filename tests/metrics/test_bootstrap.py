"""Intervals and p-values, against analytic formulas, exact enumeration and simulation."""

from __future__ import annotations

import itertools
import math
from statistics import NormalDist

import numpy as np
import pytest

from kit.metrics.bootstrap import _BLOCK, Interval, PairedDifference, bootstrap, paired

NORMAL = NormalDist()


def clustered(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Values that share a shift within their group; groups of 1 to 4 questions."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(count), rng.integers(1, 5, count))
    shift = rng.normal(0, 2, count)
    return 5 + shift[groups] + rng.normal(0, 1, groups.size), groups


def standard_error(values: np.ndarray, groups: np.ndarray) -> float:
    """Linearised (sandwich) standard error of a mean of clusters: √Σ_g (Σ_{i∈g} (x_i − x̄))² / n."""
    residuals = np.bincount(groups, weights=values - values.mean())
    return math.sqrt((residuals**2).sum()) / values.size


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_interval_agrees_with_normal_theory(level: float) -> None:
    values, groups = clustered(1, 2000)
    interval = bootstrap(values, groups, draws=4000, level=level)
    half = NORMAL.inv_cdf((1 + level) / 2) * standard_error(values, groups)
    assert interval.low == pytest.approx(values.mean() - half, abs=0.08 * half)
    assert interval.high == pytest.approx(values.mean() + half, abs=0.08 * half)
    assert interval.level == level
    assert interval.known


def test_groups_widen_the_interval() -> None:
    values, groups = clustered(2, 1000)
    together = bootstrap(values, groups)
    apart = bootstrap(values, np.arange(values.size))
    ratio = (together.high - together.low) / (apart.high - apart.low)
    expected = standard_error(values, groups) / standard_error(values, np.arange(values.size))
    assert expected > 1.3
    assert ratio == pytest.approx(expected, rel=0.1)


def test_interval_covers_the_truth_as_often_as_it_says() -> None:
    hits = 0
    for seed in range(300):
        values, groups = clustered(seed, 60)
        interval = bootstrap(values, groups, draws=400, seed=seed, level=0.9)
        hits += interval.low <= 5 <= interval.high
    assert 0.84 <= hits / 300 <= 0.95


def test_equal_means_in_unequal_groups_leave_no_width() -> None:
    # The ratio of sums is 3 in every draw; a mean of group sums would wander.
    interval = bootstrap(np.full(10, 3.0), [0, 0, 0, 0, 0, 0, 0, 1, 1, 2])
    assert (interval.low, interval.high) == (3.0, 3.0)


def test_same_seed_same_interval() -> None:
    values, groups = clustered(3, 50)
    assert bootstrap(values, groups, seed=4) == bootstrap(values, groups, seed=4)
    assert bootstrap(values, groups, seed=4) != bootstrap(values, groups, seed=5)


def test_labels_mean_nothing_but_their_equality() -> None:
    values, groups = clustered(3, 50)
    assert bootstrap(values, groups * 1_000_003 - 7) == bootstrap(values, groups)


def test_drawing_in_blocks_draws_the_same() -> None:
    values, groups = clustered(5, 3000)
    draws = 2 * (_BLOCK // 3000) + 1
    rng = np.random.default_rng(0)
    sums, counts = np.bincount(groups, weights=values), np.bincount(groups)
    means = []
    for _ in range(draws):
        drawn = rng.integers(0, 3000, 3000, dtype=np.int32)
        means.append(sums[drawn].sum() / counts[drawn].sum())
    interval = bootstrap(values, groups, draws=draws)
    assert [interval.low, interval.high] == pytest.approx(np.quantile(means, [0.025, 0.975]).tolist())


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([1.0, 2.0, 6.0], "no interval: all questions form one group"),
        ([], "no interval: there are no questions"),
    ],
)
def test_one_group_gives_a_reason_instead_of_an_interval(values: list[float], reason: str) -> None:
    interval = bootstrap(values, [7] * len(values))
    assert math.isnan(interval.low)
    assert math.isnan(interval.high)
    assert not interval.known
    assert interval.as_dict() == {"low": None, "high": None, "level": 0.95, "reason": reason}


def test_known_interval_as_dict() -> None:
    assert Interval(1.0, 2.0, 0.9).as_dict() == {"low": 1.0, "high": 2.0, "level": 0.9}


@pytest.mark.parametrize(
    ("values", "groups", "options", "message"),
    [
        ([1.0, 2.0], [0], {}, "both must be"),
        ([[1.0]], [[0]], {}, "both must be"),
        ([1.0, math.nan], [0, 1], {}, "finite"),
        ([1.0, 2.0], [0, 1], {"draws": 0}, "draws is 0"),
        ([1.0, 2.0], [0, 1], {"level": 1.0}, "level is 1.0"),
    ],
)
def test_misuse_is_refused(values: list, groups: list, options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        bootstrap(values, groups, **options)


def test_paired_is_b_minus_a() -> None:
    values, groups = clustered(6, 400)
    noise = np.random.default_rng(7).normal(0.5, 1, values.size)
    difference = paired(values, values + noise, groups)
    assert difference.mean == pytest.approx(noise.mean())
    assert difference.interval.low < noise.mean() < difference.interval.high
    assert difference.p_value == pytest.approx(1 / 2001)
    back = paired(values + noise, values, groups)
    assert back.mean == pytest.approx(-noise.mean())
    assert difference.as_dict()["p_value"] == difference.p_value


def test_pairing_removes_what_both_share() -> None:
    values, groups = clustered(8, 400)
    difference = paired(values, values + np.random.default_rng(9).normal(0, 0.1, values.size), groups)
    alone = bootstrap(values, groups)
    assert difference.interval.high - difference.interval.low < (alone.high - alone.low) / 10


@pytest.mark.parametrize("shift", [0.0, 0.08, 0.15])
def test_p_value_agrees_with_normal_theory(shift: float) -> None:
    rng = np.random.default_rng(10)
    groups = np.repeat(np.arange(1500), rng.integers(1, 4, 1500))
    noise = rng.normal(shift, 2, groups.size)
    sums = np.bincount(groups, weights=noise)
    z = abs(sums.sum()) / math.sqrt((sums**2).sum())
    difference = paired(np.zeros(groups.size), noise, groups, draws=5000)
    assert difference.p_value == pytest.approx(2 * (1 - NORMAL.cdf(z)), abs=0.02)


@pytest.mark.parametrize("seed", range(5))
def test_p_value_of_few_groups_is_exact(seed: int) -> None:
    sums = np.random.default_rng(seed).integers(-3, 5, 8).astype(float)
    totals = [abs(np.dot(signs, sums)) for signs in itertools.product([1, -1], repeat=8)]
    exact = sum(total >= abs(sums.sum()) for total in totals) / len(totals)
    assert paired(np.zeros(8), sums, np.arange(8)).p_value == exact


def test_p_value_by_hand() -> None:
    # Only + + + and − − − reach 6 of the 8 patterns; the group without a difference has no sign.
    assert paired([0, 0, 0, 4], [1, 2, 3, 4], [0, 1, 2, 3]).p_value == 0.25
    assert paired([1, 2], [1, 2], [0, 1]).p_value == 1.0


def test_a_comparison_takes_draws_and_level_as_asked() -> None:
    a, b, groups = [2, 0, 0, 1], [5, 0, 0, 6], [0, 0, 1, 1]
    narrow, wide = paired(a, b, groups, level=0.5).interval, paired(a, b, groups).interval
    assert (narrow.level, wide.level) == (0.5, 0.95)
    once = paired(a, b, groups, draws=1).interval
    assert once.low == once.high
    assert wide.low < wide.high


def test_fractions_that_add_up_differently_still_tie() -> None:
    values = [0.1, 0.2, -0.3, 0.1, 0.2, 0.3]
    sums = [1, 2, -3, 1, 2, 3]
    zeros = [0] * 6
    groups = range(6)
    assert paired(zeros, values, groups).p_value == paired(zeros, sums, groups).p_value


def test_one_group_proves_nothing() -> None:
    difference = paired([0, 0, 0], [5, 5, 5], [1, 1, 1])
    assert difference.mean == 5
    assert difference.p_value == 1.0
    assert not difference.interval.known


def test_p_values_are_even_when_nothing_differs() -> None:
    rng = np.random.default_rng(11)
    low = 0
    for seed in range(300):
        values = rng.normal(0, 1, 40)
        low += paired(np.zeros(40), values, np.arange(40) // 2, draws=200, seed=seed).p_value <= 0.1
    assert 0.05 <= low / 300 <= 0.15


def test_pairs_need_the_same_questions() -> None:
    with pytest.raises(ValueError, match="pair the same questions"):
        paired([1, 2], [1], [0, 1])


@pytest.mark.parametrize(
    ("mean", "low", "high", "proven", "words"),
    [
        (-0.12, -0.3, 0.06, None, "0.120 lower here, which chance explains (95 %: -0.300 to 0.060)"),
        (-0.12, -0.19, -0.05, None, "0.120 lower (95 %: -0.190 to -0.050)"),
        (0.5, 0.1, 0.9, None, "0.500 higher (95 %: 0.100 to 0.900)"),
        (0.5, 0.1, 0.9, False, "0.500 higher here, which chance explains (95 %: 0.100 to 0.900)"),
        (0.0, 0.0, 0.0, None, "equal (95 %: 0.000 to 0.000)"),
    ],
)
def test_a_difference_in_words(mean: float, low: float, high: float, proven: bool | None, words: str) -> None:
    found = PairedDifference(mean, Interval(low, high, 0.95), 0.04)
    assert found.in_words(proven) == words


@pytest.mark.parametrize(("mean", "word"), [(-0.12, "lower"), (0.12, "higher")])
def test_an_interval_and_a_p_value_that_disagree_are_no_plain_verdict(mean: float, word: str) -> None:
    low, high = sorted((mean - 0.1, mean + 0.1))
    found = PairedDifference(mean, Interval(low, high, 0.95), 0.07)
    assert found.in_words() == f"0.120 {word} here, at the edge of chance (95 %: {low:.3f} to {high:.3f})"
    assert found.in_words(True) == f"0.120 {word} (95 %: {low:.3f} to {high:.3f})"


def test_a_difference_whose_interval_is_unknown_proves_nothing() -> None:
    found = PairedDifference(-1.0, Interval(math.nan, math.nan, 0.95, "all questions form one group"), 1.0)
    assert not found.proven
    assert found.in_words() == (
        "1.000 lower here, which chance explains (95 %: none: all questions form one group)"
    )
