"""Averages of weights over a training: of its last checkpoints, or exponential over all steps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from transformers import TrainerCallback, TrainerControl, TrainerState

from kit.errors import ModelError
from kit.modeling.distributed import Processes
from kit.settings.training import TrainingSettings

_FILE = "average.safetensors"
_COUNT = "average.count"


class WeightAverage(TrainerCallback):
    """Keeps an average of the model's weights, in every checkpoint too.

    Of the last *points*: a plain mean, float32, of the weights after these optimizer steps.  With *decay*:
    after every step average = d · average + (1 - d) · weights, d = min(decay, (1 + steps) / (10 + steps)),
    so that the untrained weights do not linger (as TensorFlow's ExponentialMovingAverage does it).
    """

    def __init__(
        self,
        model: torch.nn.Module,
        processes: Processes,
        *,
        points: tuple[int, ...] = (),
        decay: float | None = None,
        checkpoint: Path | None = None,
    ) -> None:
        """*checkpoint*: the complete one from which the training goes on.  Raises ModelError if damaged."""
        self._model, self._processes, self._points, self._decay = model, processes, frozenset(points), decay
        self._mean: dict[str, torch.Tensor] = {}
        self.count = 0
        """How many weights are in it."""
        if checkpoint is not None:
            self.count, self._mean = _read(checkpoint)

    def on_step_end(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """The optimizer has moved the weights."""
        if self._decay is not None:
            self._add(1 - min(self._decay, (1 + self.count) / (10 + self.count)) if self.count else 1.0)
        elif state.global_step in self._points:
            self._add(1 / (self.count + 1))

    @torch.no_grad()
    def _add(self, share: float) -> None:
        self.count += 1
        for name, weight in self._model.named_parameters():
            if share == 1.0:
                self._mean[name] = weight.detach().float().clone()
            else:
                # after a resume the file's copy is on the CPU
                mean = self._mean[name] = self._mean[name].to(weight.device)
                mean.lerp_(weight.detach().float(), share)

    def on_save(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Before the checkpoint is marked as complete: callbacks are called in their order."""
        if self._processes.first:
            content = {name: mean.contiguous() for name, mean in self._mean.items()}
            content[_COUNT] = torch.tensor([self.count])
            save_file(content, Path(str(args.output_dir)) / f"checkpoint-{state.global_step}" / _FILE)

    @torch.no_grad()
    def keep_if_better(
        self,
        model: torch.nn.Module,
        best: dict[str, float],
        measured: Callable[[torch.nn.Module], dict[str, float]],
    ) -> dict[str, float] | None:
        """Put the averaged weights into *model*, unless its *best* checkpoint has a lower Edit Score.

        Returns their metrics (none where nothing is chosen), or None where the model stays as it is.
        """
        own = {name: weight.detach().clone() for name, weight in model.named_parameters()}
        self.put_into(model)
        if not best:
            return {}
        metrics = measured(model)
        if metrics["edit"] < best["edit"]:
            return metrics
        for name, weight in model.named_parameters():
            weight.copy_(own[name])
        return None

    @torch.no_grad()
    def put_into(self, model: torch.nn.Module) -> None:
        """Give *model* the averaged weights."""
        for name, weight in model.named_parameters():
            weight.copy_(self._mean[name])


def average_of(
    settings: TrainingSettings,
    model: torch.nn.Module,
    processes: Processes,
    *,
    steps: int,
    every: int,
    checkpoint: Path | None,
) -> WeightAverage | None:
    """The average that the settings ask for; *every*: optimizer steps between two evaluations."""
    if settings.ema is not None:
        return WeightAverage(model, processes, decay=settings.ema, checkpoint=checkpoint)
    if settings.average is not None:
        points = sorted({*range(every, steps + 1, every), steps})[-settings.average :]
        return WeightAverage(model, processes, points=tuple(points), checkpoint=checkpoint)
    return None


def _read(checkpoint: Path) -> tuple[int, dict[str, torch.Tensor]]:
    try:
        content = load_file(checkpoint / _FILE)
        return int(content.pop(_COUNT)[0]), content
    except (SafetensorError, OSError, KeyError) as error:
        raise ModelError(
            f"{checkpoint / _FILE}: the averaged weights cannot be read ({str(error).splitlines()[0]}); "
            f"delete {checkpoint.name} to go on from an earlier checkpoint"
        ) from error
