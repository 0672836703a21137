"""The adversarial pass: words moved along each window's own gradient, by the length that was asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from kit.training.adversarial import Embedded, moved, watched, words_of
from kit.training.losses import Loss
from tests.training.gradients import trainer


def _batch(run: object) -> dict[str, torch.Tensor]:
    return dict(next(iter(run.get_train_dataloader())))  # type: ignore[attr-defined]


def test_moving_the_words_along_the_gradient_raises_every_windows_loss(
    wordpiece_folder: Path, tmp_path: Path
) -> None:
    run = trainer(wordpiece_folder, tmp_path, 4, 4, 4)
    model, batch, loss = run.model.eval(), _batch(run), Loss()
    with watched(model) as embedded:
        before = loss(model, batch)
        before.backward()
    shift = embedded.shift(0.5)
    assert torch.allclose(shift.flatten(1).norm(dim=1), torch.full((4,), 0.5), rtol=1e-4)
    for row in range(4):
        one = {name: tensor[row : row + 1] for name, tensor in batch.items()}
        with torch.no_grad():
            plain = loss(model, one)
            with moved(model, shift[row : row + 1]):
                attacked = loss(model, one)
            again = loss(model, one)
        assert attacked > plain + 1e-4
        assert torch.equal(plain, again)  # nothing of it stays


def test_a_gradient_that_is_not_finite_moves_nothing() -> None:
    found = Embedded()
    found.gradient = torch.tensor([[[float("inf"), 1.0]], [[3.0, 4.0]], [[0.0, 0.0]]])
    expected = torch.tensor([[[0.0, 0.0]], [[0.6, 0.8]], [[0.0, 0.0]]])
    assert torch.allclose(found.shift(1.0), expected)


@pytest.mark.slow
def test_a_step_learns_the_mean_of_both_passes(wordpiece_folder: Path, tmp_path: Path) -> None:
    run = trainer(wordpiece_folder, tmp_path, 4, 4, 4, adversarial=0.5)
    before = [weight.detach().clone() for weight in run.model.parameters()]
    own, loss = trainer(wordpiece_folder, tmp_path, 4, 4, 4), Loss()
    model, batch = own.model, _batch(own)
    for weight, kept in zip(model.parameters(), before, strict=True):
        assert torch.equal(weight, kept)
    with watched(model) as embedded:
        (loss(model, batch) / 8).backward()
    with moved(model, embedded.shift(0.5)):
        (loss(model, batch) / 8).backward()
    run.train()
    for (name, weight), kept, expected in zip(
        run.model.named_parameters(), before, model.parameters(), strict=True
    ):
        assert torch.allclose(weight - kept, -0.1 * expected.grad, atol=1e-6), name
    assert not words_of(run.model)._forward_hooks
