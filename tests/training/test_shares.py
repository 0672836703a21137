"""Shares of sources: every window once a cycle, epochs of one length, the same whoever asks and when."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.modeling.distributed import Processes
from kit.training.batches import PADDING, LengthGroupedSampler
from kit.training.shares import SourceSampler
from tests.examples import examples

SHARES = st.sampled_from([0.07, 0.1, 0.25, 1 / 3, 0.5, 0.9, 1.0, 1.4, 2.0, 2.5])


@examples(100)
@given(st.integers(1, 60), SHARES, st.integers(0, 3))
def test_epochs_one_after_another_are_whole_cycles(windows: int, share: float, seed: int) -> None:
    draws = SourceSampler(np.zeros(windows, dtype=np.int64), [share], seed)
    epochs = [draws(epoch) for epoch in range(12)]
    assert {len(epoch) for epoch in epochs} == {draws.count}
    assert draws.count == math.ceil(Fraction(str(share)) * windows)
    least = math.floor(draws.count / windows)
    for epoch in epochs:  # nearly even in every epoch, and no window twice for a share up to 1
        counts = Counter(epoch.tolist())
        assert all(least <= counts[window] <= math.ceil(draws.count / windows) for window in range(windows))
    whole = np.concatenate(epochs)
    for end in range(windows, len(whole) + 1, windows):
        assert Counter(whole[:end].tolist()) == Counter(dict.fromkeys(range(windows), end // windows))


def test_a_quarter_shows_everything_in_four_epochs() -> None:
    draws = SourceSampler(np.zeros(103, dtype=np.int64), [0.25], 1)
    assert draws.count == 26
    assert set(np.concatenate([draws(epoch) for epoch in range(4)]).tolist()) == set(range(103))


def test_a_share_is_the_number_that_was_written() -> None:
    assert SourceSampler(np.zeros(100, dtype=np.int64), [0.07], 1).count == 7  # 0.07 * 100 is above 7
    assert SourceSampler(np.zeros(3, dtype=np.int64), [1e-9], 1).count == 1
    assert SourceSampler(np.ones(3, dtype=np.int64), [0.5, 1.0], 1).count == 3  # a source without windows


def test_the_draws_of_an_epoch_do_not_depend_on_what_was_asked_before() -> None:
    source = np.arange(50) % 3
    one, other = (SourceSampler(source, [0.3, 1.0, 1.7], 5) for _ in range(2))
    forward = [one(epoch) for epoch in range(6)]
    backward = [other(epoch) for epoch in reversed(range(6))][::-1]
    assert all(np.array_equal(a, b) for a, b in zip(forward, backward, strict=True))
    assert not np.array_equal(forward[0], SourceSampler(source, [0.3, 1.0, 1.7], 6)(0))
    shown = Counter(source[forward[3]].tolist())
    assert shown == {0: math.ceil(0.3 * 17), 1: 17, 2: math.ceil(1.7 * 16)}


@examples(50)
@given(
    st.lists(st.integers(1, 99), min_size=2, max_size=80),
    SHARES,
    st.sampled_from([1, 2, 4]),
    st.sampled_from([1, 2, 3]),
    st.integers(0, 4),
)
def test_a_shared_epoch_is_the_same_for_any_processes_and_micro_batch(
    lengths: list[int], share: float, micro: int, size: int, epoch: int
) -> None:
    source = np.arange(len(lengths)) % 2
    draws = SourceSampler(source, [1.0, share], 3)

    def sampler(micro: int, processes: Processes) -> LengthGroupedSampler:
        made = LengthGroupedSampler(
            np.array(lengths), 8, 3, micro_batch_size=micro, processes=processes, draws=draws
        )
        made.set_epoch(epoch)
        return made

    alone = sampler(1, Processes())
    order = list(alone)
    assert len(order) == len(alone) == alone.epoch_size == draws.count
    assert Counter(order) == Counter(draws(epoch).tolist())
    if size == 1:
        assert list(sampler(micro, Processes())) == order
        return
    parts = [sampler(micro, Processes(rank, size)) for rank in range(size)]
    assert len({len(part) for part in parts}) == 1  # all make the same steps
    turns = np.stack([np.array(list(part)).reshape(-1, micro) for part in parts], axis=1)
    together = turns.ravel()
    assert together[together != PADDING].tolist() == order


def test_without_shares_the_order_is_that_of_all_windows() -> None:
    lengths = np.random.default_rng(0).integers(10, 400, 300)
    every = SourceSampler(np.arange(300) % 2, [1.0, 1.0], 4)
    plain = LengthGroupedSampler(lengths, 16, 4)
    assert sorted(LengthGroupedSampler(lengths, 16, 4, draws=every).order(2)) == sorted(plain.order(2))


@pytest.mark.parametrize("share", [0.3, 2.2])
def test_the_longest_window_of_an_epoch_comes_first(share: float) -> None:
    lengths = np.random.default_rng(0).integers(10, 400, 300)
    sampler = LengthGroupedSampler(lengths, 16, 4, draws=SourceSampler(np.zeros(300, np.int64), [share], 4))
    for epoch in range(3):
        order = sampler.order(epoch)
        whole = order[: len(order) // 16 * 16]
        assert lengths[whole].max() in lengths[order[:16]]
