"""The joint head's loss: one softmax over spans, independent of padding and of micro-batches."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import kit
from kit.models.joint import JointOutput
from kit.models.training.joint_loss import joint_loss
from kit.models.training.trainer import loss_of, span_loss
from tests.models.training.gradients import changes

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


def test_the_output_says_which_loss(batch: tuple[torch.Tensor, ...]) -> None:
    start, end, joint, mask, golds = batch
    assert loss_of(JointOutput(start, end, joint), mask, golds) == joint_loss(*batch)
    assert loss_of(JointOutput(start, end), mask, golds) == span_loss(start, end, mask, golds)


def test_half_precision_scores_are_summed_in_float32(batch: tuple[torch.Tensor, ...]) -> None:
    start, end, joint, mask, golds = batch
    rough = joint_loss(start.half(), end.half(), joint.half(), mask, golds)
    assert rough.dtype == torch.float32
    assert float(rough) == pytest.approx(float(joint_loss(*batch)), rel=1e-2)


@pytest.mark.slow
@pytest.mark.parametrize("count", [8, 5])
def test_micro_batches_give_the_gradient_of_the_whole_batch(
    wordpiece_folder: Path, tmp_path: Path, count: int
) -> None:
    whole = changes(wordpiece_folder, tmp_path, 8, 8, count, "joint")
    assert whole.norm() > 1e-3
    for micro in (4, 2):
        other = changes(wordpiece_folder, tmp_path, 8, micro, count, "joint")
        assert (other - whole).norm() / whole.norm() < 1e-5, micro


@pytest.mark.slow
def test_two_processes_give_the_gradient_of_one(wordpiece_folder: Path, tmp_path: Path) -> None:
    alone = changes(wordpiece_folder, tmp_path, 8, 8, 13, "joint")
    target = tmp_path / "change"
    words = [Path(__file__).with_name("gradients.py"), wordpiece_folder, target, 8, 2, 13, "joint"]
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*launcher, *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
        env={
            **os.environ,
            "PYTHONPATH": str(Path(kit.__file__).resolve().parent.parent),
            "OMP_NUM_THREADS": "1",
        },
    )
    assert done.returncode == 0, done.stderr
    together = torch.frombuffer(bytearray(target.read_bytes()), dtype=torch.float32)
    assert (together - alone).norm() / alone.norm() < 1e-5
