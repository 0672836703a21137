"""Micro-batches under a token budget: the sampler's effective batches, cut to size."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kit.modeling.distributed import Processes
from kit.training.batches import PADDING, LengthGroupedSampler
from kit.training.budget import BudgetBatches
from tests.examples import examples


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
        batches = BudgetBatches(sampler, lengths, batch, budget, Processes(rank, processes))
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
    sampler = LengthGroupedSampler(lengths, 32, seed=1, micro_batch_size=8)
    by_number = sampler.micro_batches(0)
    by_tokens = BudgetBatches(sampler, lengths, 32, 8 * 400).micro_batches(0)
    assert len(by_tokens) < 0.75 * len(by_number)
    largest = max(len(piece) * int(lengths[piece].max()) for piece in by_number)
    assert max(len(piece) * int(lengths[piece].max()) for piece in by_tokens) <= 8 * 400
    assert largest > 8 * 390  # the same memory
