"""The samplers: everything once, the same effective batches whatever the micro-batch, pieces that fit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.modeling.distributed import Processes
from kit.training.collator import PADDING
from kit.training.sampler import LengthGroupedSampler, MicroBatches
from tests.examples import examples


@examples(100)
@given(
    st.lists(st.integers(1, 512), min_size=1, max_size=300),
    st.sampled_from([1, 4, 16, 32]),
    st.integers(0, 5),
    st.integers(0, 3),
)
def test_an_epoch_is_every_window_once(lengths: list[int], batch: int, seed: int, epoch: int) -> None:
    sampler = LengthGroupedSampler(np.array(lengths), batch, seed)
    order = sampler.order(epoch)
    assert sorted(order.tolist()) == list(range(len(lengths)))
    assert np.array_equal(order, sampler.order(epoch))


def test_seed_and_epoch_change_the_order() -> None:
    lengths = np.random.default_rng(0).integers(10, 400, 500)
    one = LengthGroupedSampler(lengths, 16, seed=1)
    assert not np.array_equal(one.order(0), one.order(1))
    assert not np.array_equal(one.order(0), LengthGroupedSampler(lengths, 16, seed=2).order(0))
    one.set_epoch(3)
    assert [number for piece in MicroBatches(one, 4) for number in piece] == one.order(3).tolist()


@pytest.mark.parametrize("processes", [1, 2])
def test_micro_batches_by_number_are_full_and_of_the_same_number(processes: int) -> None:
    lengths = np.random.default_rng(0).integers(10, 400, 500)
    batches = MicroBatches(LengthGroupedSampler(lengths, 16, seed=1), 4, None, Processes(0, processes))
    assert batches.steps == 4 // processes
    pieces = list(map(len, batches))
    assert pieces[: -batches.steps] == [4] * (31 * batches.steps)
    assert pieces[-batches.steps :] == [0] * (batches.steps - 1) + [4 // processes]  # of 4 windows


def test_batches_are_of_like_length_and_the_longest_comes_first() -> None:
    lengths = np.random.default_rng(0).integers(10, 512, 3200)
    order = LengthGroupedSampler(lengths, 16, seed=1).order(0)
    grouped = lengths[order].reshape(-1, 16)
    padded = (grouped.max(axis=1) * 16).sum()
    assert padded < 1.05 * lengths.sum()  # random batches of 16 would pad by nearly 90 %
    assert lengths.max() in grouped[0]
    assert (np.diff(grouped, axis=1) <= 0).all()  # longest first, so that micro-batches pad little
    assert abs(np.corrcoef(np.arange(len(grouped)), grouped.max(axis=1))[0, 1]) < 0.2  # but not in order


@examples(100)
@given(
    st.lists(st.integers(1, 512), min_size=1, max_size=150),
    st.sampled_from([2, 4, 12, 32]),
    st.integers(1, 5000),
    st.sampled_from([1, 2]),
    st.integers(0, 2),
)
def test_an_effective_batch_is_cut_into_pieces_that_fit(
    numbers: list[int], batch: int, budget: int, processes: int, epoch: int
) -> None:
    lengths = np.array(numbers)
    sampler = LengthGroupedSampler(lengths, batch, seed=3)
    order = sampler.order(epoch)
    shares, steps = [], set()
    for rank in range(processes):
        batches = MicroBatches(sampler, 1, budget, Processes(rank, processes))
        batches.sampler.set_epoch(epoch)
        pieces = list(batches)
        assert len(pieces) == len(batches)
        steps.add(batches.steps)
        shares.append(pieces)
        for piece in pieces:
            padded = len(piece) * max((lengths[n] for n in piece if n != PADDING), default=1)
            assert padded <= budget or len(piece) == 1
        assert all(pieces[last] for last in range(batches.steps - 1, len(pieces), batches.steps))
    (each,) = steps
    for number, first in enumerate(range(0, len(order), batch)):
        held = [
            n for pieces in shares for piece in pieces[number * each : (number + 1) * each] for n in piece
        ]
        assert sorted(n for n in held if n != PADDING) == sorted(order[first : first + batch].tolist())
        assert held.count(PADDING) < processes
    seen = [n for piece in batches.micro_batches(epoch) for n in piece.tolist()]
    assert sorted(seen) == list(range(len(lengths)))
    real = [piece for pieces in shares for piece in pieces if any(n != PADDING for n in piece)]
    assert len(real) == len(batches.micro_batches(epoch))


def test_fewer_micro_batches_than_by_number() -> None:
    lengths = np.random.default_rng(0).integers(60, 400, 3200)
    sampler = LengthGroupedSampler(lengths, 32, seed=1)
    by_number = MicroBatches(sampler, 8).micro_batches(0)
    by_tokens = MicroBatches(sampler, 8, 8 * 400).micro_batches(0)
    assert len(by_tokens) < 0.75 * len(by_number)
    largest = max(len(piece) * int(lengths[piece].max()) for piece in by_number)
    assert max(len(piece) * int(lengths[piece].max()) for piece in by_tokens) <= 8 * 400
    assert largest > 8 * 390  # the same memory
