"""The loss of a batch: exact, independent of padding, and its options against slow oracles."""

from __future__ import annotations

import math

import pytest
import torch

from kit.modeling.joint_head import JointOutput
from kit.training.losses import SOFT_SCALE, Loss, divergence, joint_loss, near_targets, span_log_p, span_loss

BAND = 3


def logits(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


def test_the_loss_is_the_mean_cross_entropy_of_start_and_end() -> None:
    start, end = logits(3, 7), logits(3, 7, 1)[..., 0]
    mask = torch.ones(3, 7, dtype=torch.long)
    golds = torch.tensor([[[1, 2]], [[0, 0]], [[6, 6]]])
    expected = torch.nn.functional.cross_entropy(start, golds[:, 0, 0], reduction="sum")
    expected = (expected + torch.nn.functional.cross_entropy(end, golds[:, 0, 1], reduction="sum")) / 2
    assert torch.allclose(span_loss(start, end, mask, golds), expected)


PLACES = torch.tensor(
    [
        [[-1, -1], [0, 2], [2, 3], [4, 9], [-1, -1]],
        [[-1, -1], [7, 8], [9, 12], [-1, -1], [13, 15]],
    ]
)


@pytest.mark.parametrize("soften", [0.0, 0.4])
def test_padding_does_not_change_the_loss(soften: float) -> None:
    start, end = logits(2, 5), logits(2, 5, 1)[..., 0]
    golds = torch.tensor([[[1, 2]], [[0, 0]]])
    ones = torch.ones(2, 5, dtype=torch.long)
    plain = span_loss(start, end, ones, golds, soften=soften, places=PLACES)
    wide = [torch.cat([one, torch.full((2, 4), 9.0)], dim=1) for one in (start, end)]
    mask = torch.tensor([[1] * 5 + [0] * 4] * 2)
    places = torch.cat([PLACES, torch.full((2, 4, 2), -1)], dim=1)
    assert torch.allclose(span_loss(*wide, mask, golds, soften=soften, places=places), plain)


def test_several_golds_count_as_one_window() -> None:
    start, end = logits(1, 5), logits(1, 5, 1)[..., 0]
    mask = torch.ones(1, 5, dtype=torch.long)
    one, other = torch.tensor([[[1, 2]]]), torch.tensor([[[1, 3]]])
    both = torch.tensor([[[1, 2], [1, 3], [-1, -1]]])
    mean = (span_loss(start, end, mask, one) + span_loss(start, end, mask, other)) / 2
    assert torch.allclose(span_loss(start, end, mask, both), mean)


def _slow(start: torch.Tensor, end: torch.Tensor, golds: torch.Tensor, soften: float) -> float:
    """The definition, number by number."""
    total = 0.0
    for row in range(len(golds)):
        own = [gold for gold in golds[row].tolist() if gold[0] >= 0]
        for gold in own:
            for side, one in enumerate((start, end)):
                log_p = torch.log_softmax(one[row], dim=0).tolist()
                place = PLACES[row, :, side].tolist()
                target = [float(token == gold[side]) for token in range(len(place))]
                if place[gold[side]] >= 0:
                    kernel = [
                        math.exp(-abs(at - place[gold[side]]) / SOFT_SCALE) if at >= 0 else 0.0
                        for at in place
                    ]
                    near = [value / sum(kernel) for value in kernel]
                    target = [(1 - soften) * t + soften * n for t, n in zip(target, near, strict=True)]
                loss = -sum(t * lp for t, lp in zip(target, log_p, strict=True))
                total += loss / 2 / len(own)
    return total


@pytest.mark.parametrize("soften", [0.1, 0.6])
def test_softened_targets_equal_the_definition(soften: float) -> None:
    start, end = logits(2, 5), logits(2, 5, 1)[..., 0]
    golds = torch.tensor([[[1, 3], [2, 3]], [[0, 0], [-1, -1]]])
    mask = torch.ones(2, 5, dtype=torch.long)
    found = span_loss(start, end, mask, golds, soften=soften, places=PLACES)
    assert math.isclose(float(found), _slow(start, end, golds, soften), rel_tol=1e-5)


def test_a_boundary_nearby_is_punished_less_than_one_far_away() -> None:
    """All that two readers differ in is how many characters their wrong start is off."""
    places = torch.tensor([[[-1, -1], [0, 1], [1, 2], [20, 21], [21, 22]]])
    golds, mask = torch.tensor([[[1, 1]]]), torch.ones(1, 5, dtype=torch.long)

    def loss(wrong: int, soften: float) -> float:
        start = torch.zeros(1, 5)
        start[0, wrong] = 3.0
        return float(span_loss(start, torch.zeros(1, 5), mask, golds, soften=soften, places=places))

    assert loss(2, 0.3) < loss(3, 0.3) - 0.1
    assert math.isclose(loss(2, 0.0), loss(3, 0.0), rel_tol=1e-6)


def test_nothing_is_near_to_cls_and_white_space_gets_no_mass() -> None:
    near, softened = near_targets(PLACES[..., 0], torch.tensor([[0, 2], [4, 0]]))
    assert softened.tolist() == [[False, True], [True, False]]
    assert near[0, 1, 0] == near[0, 1, 4] == near[1, 0, 3] == 0
    assert math.isclose(float(near[0, 1].sum()), 1.0, rel_tol=1e-6)
    assert near[0, 1].argmax() == 2


def test_divergence_is_the_symmetric_kl_of_two_passes() -> None:
    one, other = (
        [torch.log_softmax(logits(2, 3, number)[..., 0], dim=1) for number in pair]
        for pair in ((1, 2), (3, 4))
    )
    golds = torch.tensor([[[1, 2]], [[-1, -1]]])  # the second row takes no part
    expected = 0.0
    for side in (0, 1):
        p, q = (table[side][0].exp() for table in (one, other))
        expected += float((p * (p / q).log()).sum() + (q * (q / p).log()).sum()) / 4
    assert expected > 0.1
    found = divergence(list(zip(one, other, strict=True)), golds)
    assert math.isclose(float(found), expected, rel_tol=1e-5)
    assert float(divergence([(one[0], one[0])], golds)) == 0.0


class Reader(torch.nn.Module):
    """Start and end logits with dropout, from the ids alone."""

    def __init__(self) -> None:
        super().__init__()
        self.words = torch.nn.Embedding(9, 2)
        torch.nn.init.normal_(self.words.weight, generator=torch.Generator().manual_seed(1))

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> object:
        class Output:
            start_logits, end_logits = torch.nn.functional.dropout(
                self.words(input_ids), 0.4, self.training
            ).unbind(-1)

        return Output


def test_r_drop_adds_nothing_without_dropout_and_something_with_it() -> None:
    batch = {
        "input_ids": torch.tensor([[1, 2, 3, 4]]),
        "attention_mask": torch.ones(1, 4, dtype=torch.long),
        "golds": torch.tensor([[[1, 2]]]),
        "labels": torch.tensor([0]),
    }
    reader = Reader()
    plain = Loss()(reader.eval(), batch)
    agreed = Loss(r_drop=2.0)(reader, batch)
    assert torch.allclose(plain, agreed)
    torch.manual_seed(3)
    once = Loss(r_drop=1e-9)(reader.train(), batch)
    torch.manual_seed(3)
    weighed = Loss(r_drop=2.0)(reader, batch)
    assert weighed > once + 0.01


def oracle(
    start: torch.Tensor, end: torch.Tensor, joint: torch.Tensor, mask: torch.Tensor, golds: torch.Tensor
) -> float:
    """Window by window, span by span."""
    total = 0.0
    for row in range(len(start)):
        tokens = int(mask[row].sum())
        score = {
            (b, e): float(start[row, b] + end[row, e] + joint[row, b, e - b])
            for b in range(tokens)
            for e in range(b, min(b + BAND, tokens))
        }
        log_z = math.log(sum(map(math.exp, score.values())))
        own = [tuple(gold) for gold in golds[row].tolist() if gold[0] >= 0 and gold[1] - gold[0] < BAND]
        total += sum(log_z - score[gold] for gold in own) / max(len(own), 1) / 2
    return total


@pytest.fixture
def batch() -> tuple[torch.Tensor, ...]:
    torch.manual_seed(0)
    start, end, joint = torch.randn(4, 7), torch.randn(4, 7), torch.randn(4, 7, BAND)
    mask = torch.tensor([[1] * 7, [1] * 5 + [0] * 2, [1] * 7, [1] * 6 + [0]])
    none = [-1, -1]
    golds = torch.tensor(
        [[[1, 2], [3, 5], none], [[0, 0], none, none], [none, none, none], [[2, 2], [1, 5], none]]
    )
    return start, end, joint, mask, golds


def test_the_loss_is_the_oracles(batch: tuple[torch.Tensor, ...]) -> None:
    assert float(joint_loss(*batch)) == pytest.approx(oracle(*batch), rel=1e-6)


def test_padding_does_not_change_the_joint_loss(batch: tuple[torch.Tensor, ...]) -> None:
    start, end, joint, mask, golds = batch
    wide = [torch.cat([logits, torch.full((4, 5), 9.0)], dim=1) for logits in (start, end)]
    wide_joint = torch.cat([joint, torch.full((4, 5, BAND), 9.0)], dim=1)
    wide_mask = torch.cat([mask, torch.zeros(4, 5, dtype=torch.long)], dim=1)
    assert torch.allclose(joint_loss(*wide, wide_joint, wide_mask, golds), joint_loss(*batch))


def test_a_gold_beyond_the_band_teaches_nothing(batch: tuple[torch.Tensor, ...]) -> None:
    start, end, joint = (tensor[:1].clone().requires_grad_() for tensor in batch[:3])
    mask = batch[3][:1]
    lost = joint_loss(start, end, joint, mask, torch.tensor([[[1, 4]]]))
    lost.backward()
    assert lost == 0
    assert not start.grad.any()
    assert not joint.grad.any()


def test_with_nothing_added_and_no_crossing_it_is_the_independent_loss() -> None:
    """One token: start, end and span are the same choice between it and itself."""
    start, end = torch.randn(2, 1), torch.randn(2, 1)
    mask, golds = torch.ones(2, 1, dtype=torch.long), torch.zeros(2, 1, 2, dtype=torch.long)
    joint = torch.zeros(2, 1, BAND)
    assert joint_loss(start, end, joint, mask, golds) == span_loss(start, end, mask, golds) == 0


@pytest.mark.parametrize("soften", [0.0, 0.4])
def test_the_output_says_which_loss(batch: tuple[torch.Tensor, ...], soften: float) -> None:
    start, end, joint, mask, golds = batch
    places = torch.arange(7)[None, :, None].expand(4, 7, 2)
    inputs = {"attention_mask": mask, "golds": golds, "labels": golds[:, 0, 0], "places": places}
    found = [
        Loss(soften=soften)(lambda attention_mask, own=own: JointOutput(start, end, own), inputs)
        for own in (joint, None)
    ]
    assert found[0] == joint_loss(*batch, soften=soften, places=places)
    assert found[1] == span_loss(start, end, mask, golds, soften=soften, places=places)


def test_half_precision_scores_are_summed_in_float32(batch: tuple[torch.Tensor, ...]) -> None:
    start, end, joint, mask, golds = batch
    rough = joint_loss(start.half(), end.half(), joint.half(), mask, golds)
    assert rough.dtype == torch.float32
    assert float(rough) == pytest.approx(float(joint_loss(*batch)), rel=1e-2)


def test_softened_spans_equal_the_definition(batch: tuple[torch.Tensor, ...]) -> None:
    """Both boundaries' distances count, and the mass stays on spans inside the band."""
    start, end, joint, mask, golds = (tensor[:1] for tensor in batch)
    places = torch.tensor([[[-1, -1], [0, 2], [3, 4], [4, 7], [8, 9], [9, 12], [-1, -1]]])
    log_p = span_log_p(start, end, joint, mask)[0].tolist()
    expected = 0.0
    for b, e in golds[0, :2].tolist():
        kernel = {
            (i, j): math.exp(-(abs(places[0, i, 0] - places[0, b, 0])) / SOFT_SCALE)
            * math.exp(-(abs(places[0, j, 1] - places[0, e, 1])) / SOFT_SCALE)
            for i in range(1, 6)
            for j in range(i, min(i + BAND, 6))
        }
        near = sum(k * log_p[i * BAND + j - i] for (i, j), k in kernel.items()) / sum(kernel.values())
        expected -= (0.7 * log_p[b * BAND + e - b] + 0.3 * near) / 2 / 2
    found = joint_loss(start, end, joint, mask, golds, soften=0.3, places=places)
    assert float(found) == pytest.approx(expected, rel=1e-5)
