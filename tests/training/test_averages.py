"""Averaged weights: against the definition, and after a kill the same as without it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

import kit
from kit.api.train import training_job
from kit.data import demo_corpus
from kit.errors import ModelError
from kit.modeling.distributed import Processes
from kit.settings.training import training_settings
from kit.training.averages import WeightAverage, average_of
from kit.training.callbacks import Callbacks
from kit.training.run import train_run


def _trained(average: WeightAverage, model: torch.nn.Module, steps: range) -> list[torch.Tensor]:
    """Weights after each step, which here are drawn by chance."""
    seen = []
    for step in steps:
        with torch.no_grad():
            model.weight.copy_(torch.randn(2, 2, generator=torch.Generator().manual_seed(step)))
        seen.append(model.weight.detach().clone())
        average.on_step_end(None, SimpleNamespace(global_step=step), None)
    return seen


def _averaged(average: WeightAverage) -> torch.Tensor:
    into = torch.nn.Linear(2, 2, bias=False)
    average.put_into(into)
    return into.weight.detach()


def test_the_mean_of_the_last_checkpoints() -> None:
    model = torch.nn.Linear(2, 2, bias=False)
    settings = training_settings(average=3)
    average = average_of(settings, model, Processes(), steps=11, every=3, checkpoint=None)
    assert average is not None
    seen = _trained(average, model, range(1, 12))
    assert average.count == 3
    assert torch.allclose(_averaged(average), (seen[5] + seen[8] + seen[10]) / 3)  # steps 6, 9 and the last


def test_the_exponential_average() -> None:
    model = torch.nn.Linear(2, 2, bias=False)
    average = average_of(training_settings(ema=0.5), model, Processes(), steps=9, every=3, checkpoint=None)
    assert average is not None
    seen = _trained(average, model, range(1, 10))
    expected = seen[0]
    for count, weight in enumerate(seen[1:], start=1):
        decay = min(0.5, (1 + count) / (10 + count))
        expected = decay * expected + (1 - decay) * weight
    assert torch.allclose(_averaged(average), expected)


@pytest.mark.parametrize("asked", [{"ema": 0.8}, {"average": 4}])
def test_a_resumed_average_goes_on_as_if_nothing_had_been(tmp_path: Path, asked: dict[str, Any]) -> None:
    def begun(checkpoint: Path | None) -> WeightAverage:
        average = average_of(
            training_settings(**asked), model, Processes(), steps=8, every=2, checkpoint=checkpoint
        )
        assert average is not None
        return average

    model = torch.nn.Linear(2, 2, bias=False)
    whole = begun(None)
    _trained(whole, model, range(1, 9))
    first = begun(None)
    _trained(first, model, range(1, 6))
    folder = tmp_path / "checkpoint-5"
    folder.mkdir()
    first.on_save(SimpleNamespace(output_dir=tmp_path), SimpleNamespace(global_step=5), None)
    second = begun(folder)
    _trained(second, model, range(6, 9))
    assert torch.equal(_averaged(whole), _averaged(second))
    assert second.count == whole.count
    file = folder / "average.safetensors"
    file.write_bytes(file.read_bytes()[:40])
    with pytest.raises(
        ModelError, match=r"averaged weights cannot be read \(.+\); delete checkpoint-5 to go on"
    ):
        begun(folder)


@pytest.mark.slow
def test_a_run_keeps_the_average_where_it_is_better_and_says_so(
    wordpiece_folder: Path, tmp_path: Path
) -> None:
    said: list[str] = []
    data = demo_corpus.write(tmp_path, train_contexts=12, test_contexts=1).train
    settings = {"epochs": 1, "lr": 1e-3, "batch_size": 8, "max_length": 96, "stride": 16, "evaluations": 4}
    settings["allow_unknown"] = True  # the vocabulary is of other texts
    weights = {}
    for name, more in {"plain": {}, "averaged": {"average": 3}}.items():
        options = {**settings, **more, "folds": 2, "fold": 0, "run": tmp_path / name}
        job = training_job(str(wordpiece_folder), kit.load(data), options)
        run = train_run(job, Callbacks(say=said.append))
        assert run.record is not None
        fold = run.record.folds["0"]
        assert fold.averaged == (3 if more else 0)
        assert fold.kept_step == fold.steps
        weights[name] = load_file(run.model_folder("0") / "model.safetensors")
    assert "the average of 3 weights is kept" in said
    assert any(not torch.equal(weights["plain"][key], weights["averaged"][key]) for key in weights["plain"])
