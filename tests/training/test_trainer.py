"""Training steps: the same gradient however an effective batch is cut into micro-batches."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import TrainerCallback

from kit.errors import ModelError
from kit.settings.training import Head
from kit.training.trainer import steps_of
from tests.commands import run_program
from tests.modeling.conftest import ARTICLES
from tests.training.gradients import Asked, Row, changes, options, trainer
from tools.families.tiny_models import make_family

PLAIN: Asked = ("independent", 0.0, 0.0, 0.0)
OPTIONS: Asked = ("independent", 0.3, 0.5, 0.7)
"""Soft targets, two passes of R-Drop, and an adversarial pass: no dropout here, so that all is exact."""
JOINT: Asked = ("joint", 0.0, 0.0, 0.0)
ALL: Asked = ("joint", 0.3, 0.5, 0.7)


@pytest.mark.parametrize(
    ("count", "asked"), [(8, PLAIN), (5, PLAIN), (13, PLAIN), (13, OPTIONS), (5, JOINT), (13, ALL)]
)
def test_micro_batches_give_the_gradient_of_the_whole_batch(
    wordpiece_folder: Path, tmp_path: Path, count: int, asked: Asked
) -> None:
    whole = changes(wordpiece_folder, tmp_path, 8, 8, count, **options(*asked))
    assert whole.norm() > 1e-3
    for micro in (4, 2, 1):
        other = changes(wordpiece_folder, tmp_path, 8, micro, count, **options(*asked))
        assert (other - whole).norm() / whole.norm() < 1e-5, micro


@pytest.mark.parametrize("count", [8, 13])
def test_token_budgets_give_the_gradient_of_the_whole_batch(
    wordpiece_folder: Path, tmp_path: Path, count: int
) -> None:
    whole = changes(wordpiece_folder, tmp_path, 8, 8, count)
    sizes: set[int] = set()
    for budget in (250, 120, 16):
        run = trainer(wordpiece_folder, tmp_path, 8, 8, count, budget)
        run.model.register_forward_pre_hook(
            lambda _, __, named: sizes.add(named["input_ids"].numel()), with_kwargs=True
        )
        before = torch.cat([parameter.detach().flatten().clone() for parameter in run.model.parameters()])
        run.train()
        other = torch.cat([parameter.detach().flatten() for parameter in run.model.parameters()]) - before
        assert (other - whole).norm() / whole.norm() < 1e-5, budget
    assert 0 < min(sizes) <= max(sizes) <= 250


@pytest.mark.parametrize("count", [8, 13])
def test_windows_of_equal_length_give_the_gradient_of_the_whole_batch(
    wordpiece_folder: Path, tmp_path: Path, count: int
) -> None:
    whole = changes(wordpiece_folder, tmp_path, 8, 8, count)
    run = trainer(wordpiece_folder, tmp_path, 8, 4, count, -1)
    shapes: list[tuple[int, ...]] = []

    def look(module: object, arguments: object, named: dict[str, torch.Tensor]) -> None:
        assert named["attention_mask"].all()  # nothing is padded
        shapes.append(tuple(named["input_ids"].shape))

    run.model.register_forward_pre_hook(look, with_kwargs=True)
    before = torch.cat([parameter.detach().flatten().clone() for parameter in run.model.parameters()])
    run.train()
    other = torch.cat([parameter.detach().flatten() for parameter in run.model.parameters()]) - before
    assert (other - whole).norm() / whole.norm() < 1e-5
    assert sum(rows for rows, _ in shapes) == count
    assert 1 < max(rows for rows, _ in shapes) <= 4


# Micro-batch, windows, token budget, and what is asked: all rows of a number of processes in one launch.
TOGETHER: dict[int, tuple[tuple[int, int, int, Asked], ...]] = {
    2: (
        (4, 8, 0, PLAIN),
        (2, 13, 0, PLAIN),
        (1, 5, 0, PLAIN),
        (4, 3, 0, PLAIN),
        (2, 13, 0, OPTIONS),
        (4, 13, 150, PLAIN),
        (4, 9, 60, ALL),
        (4, 13, -1, ALL),
    ),
    3: ((1, 13, 0, PLAIN), (1, 13, 100, PLAIN)),
}


@pytest.mark.parametrize("processes", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_several_processes_give_the_gradient_of_one(
    wordpiece_folder: Path, tmp_path: Path, processes: int
) -> None:
    batch = {2: 8, 3: 6}[processes]
    rows: list[Row] = [(batch, *row) for row in TOGETHER[processes]]
    words = (wordpiece_folder, tmp_path, json.dumps(rows))
    done = run_program("tests.training.gradients", *words, cwd=tmp_path, processes=processes)
    assert done.returncode == 0, done.stderr
    for number, row in enumerate(rows):
        _, _, count, _, asked = row
        alone = changes(wordpiece_folder, tmp_path / "alone", batch, batch, count, **options(*asked))
        content = bytearray((tmp_path / str(number)).read_bytes())
        together = torch.frombuffer(content, dtype=torch.float32)
        assert (together - alone).norm() / alone.norm() < 1e-5, row


def test_norms_and_biases_do_not_decay(wordpiece_folder: Path, tmp_path: Path) -> None:
    run = trainer(wordpiece_folder, tmp_path, 4, 4, 4)
    run.args.weight_decay = 0.3
    run.create_optimizer()
    decay = {id(p): group["weight_decay"] for group in run.optimizer.param_groups for p in group["params"]}
    for name, parameter in run.model.named_parameters():
        expected = 0.0 if "LayerNorm" in name or name.endswith("bias") else 0.3
        assert decay[id(parameter)] == expected, name


@pytest.mark.parametrize(
    ("windows", "batch", "epochs", "steps"), [(16, 8, 2, 4), (17, 8, 2, 6), (5, 8, 0.1, 1)]
)
def test_steps_count_short_last_batches(windows: int, batch: int, epochs: float, steps: int) -> None:
    assert steps_of(windows, batch, epochs) == steps


def test_a_loss_that_is_not_finite_stops_with_step_checkpoint_and_cure(
    wordpiece_folder: Path, tmp_path: Path
) -> None:
    run = trainer(wordpiece_folder, tmp_path, 4, 2, 16)
    good = tmp_path / "checkpoint-1"

    class Break(TrainerCallback):
        def on_step_end(self, args, state, control, model=None, **_):  # type: ignore[no-untyped-def]
            good.mkdir(exist_ok=True)
            (good / "complete").touch()
            if state.global_step == 2:
                with torch.no_grad():
                    model.qa_outputs.bias.fill_(float("nan"))

    run.add_callback(Break())
    said = rf"is nan at step 3; the last good checkpoint is {good}; lower --lr \(0.1\), in another --run"
    with pytest.raises(ModelError, match=said):
        run.train()


@pytest.mark.parametrize("head", ["independent", "joint"])
@pytest.mark.parametrize("name", ["bert", "bart", "jina_embeddings_v3", "mixtral", "nomic_bert"])
def test_a_checkpoint_has_the_names_that_its_model_has(name: str, head: Head, tmp_path: Path) -> None:
    """The library's own folders of some families have others, which Trainer would not find again."""
    make_family(tmp_path / "model", name, ARTICLES * 3)
    own = trainer(tmp_path / "model", tmp_path / "out", batch=4, micro=2, count=4, head=head)
    own._save(str(tmp_path / "saved"))
    saved, model = load_file(tmp_path / "saved" / "model.safetensors"), own.model.state_dict()
    assert set(saved) <= set(model)
    for key, weight in saved.items():
        assert torch.equal(weight, model[key]), key
    places = {model[key].untyped_storage().data_ptr() for key in saved}
    tied = [key for key in model if key not in saved]
    assert all(model[key].untyped_storage().data_ptr() in places for key in tied), tied
    assert not list((tmp_path / "saved").glob("*.bin"))  # a pickle
