"""Training batches: everything once, the same groups whatever the micro-batch, labels in place."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.modeling.backbones import Backbone
from kit.modeling.windows import make_windows
from kit.training.batches import PADDING, LengthGroupedSampler, SpanCollator
from kit.training.labels import label_windows
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
    assert list(one) == one.order(3).tolist()


def test_batches_are_of_like_length_and_the_longest_comes_first() -> None:
    lengths = np.random.default_rng(0).integers(10, 512, 3200)
    order = LengthGroupedSampler(lengths, 16, seed=1).order(0)
    grouped = lengths[order].reshape(-1, 16)
    padded = (grouped.max(axis=1) * 16).sum()
    assert padded < 1.05 * lengths.sum()  # random batches of 16 would pad by nearly 90 %
    assert lengths.max() in grouped[0]
    assert (np.diff(grouped, axis=1) <= 0).all()  # longest first, so that micro-batches pad little
    assert abs(np.corrcoef(np.arange(len(grouped)), grouped.max(axis=1))[0, 1]) < 0.2  # but not in order


@pytest.mark.parametrize("size", [1, 3])
def test_the_collator_places_every_gold(backbone: Backbone, articles: list[str], size: int) -> None:
    from kit.data.records import Answer, Question

    context = articles[1]
    start = context.index("김도현")
    questions = [
        Question("a", "누구?", context, (Answer("김도현 시장", start), Answer("김도현", start))),
        Question("b", "누구?", articles[2], None),
    ]
    windows = make_windows(backbone, questions, max_length=96, stride=8)
    labels = label_windows(windows, questions)
    collate = SpanCollator(windows, labels, backbone.pad_id)
    batch = collate([0, 1][:size])
    golds = batch["golds"][0].tolist()
    assert sorted(map(tuple, golds)) == sorted(
        zip(labels.start[:2].tolist(), labels.end[:2].tolist(), strict=True)
    )
    if size > 1:
        assert batch["golds"][1].tolist() == [[windows.cls, windows.cls], [PADDING, PADDING]]
    assert batch["labels"].tolist() == [0, 1][: len(batch["labels"])]
