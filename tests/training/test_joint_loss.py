"""The joint head's loss: one softmax over spans, independent of padding."""

from __future__ import annotations

import math

import pytest
import torch

from kit.modeling.joint_head import JointOutput
from kit.training.joint_loss import joint_loss, span_log_p
from kit.training.losses import Loss, span_loss
from kit.training.soft_targets import SOFT_SCALE

BAND = 3


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


def test_padding_does_not_change_the_loss(batch: tuple[torch.Tensor, ...]) -> None:
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
        Loss(soften=soften)(lambda attention_mask, own=own: JointOutput(start, end, own), inputs)[0]
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
