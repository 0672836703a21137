"""What a training will cost, measured on a few of its own batches before it starts."""

from __future__ import annotations

import shutil
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from kit.errors import WriteError
from kit.modeling.devices import Device
from kit.modeling.distributed import Processes
from kit.settings.training import TrainingSettings
from kit.training.collator import SpanCollator
from kit.training.losses import Loss
from kit.training.sampler import MicroBatches
from kit.training.splits import Part
from kit.training.trainer import steps_of

_TRIALS = 3
BACKWARD = 3
"""A training step costs about three forward passes, an evaluation one."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """Optimizer steps, seconds of training and evaluation, bytes of disk at its fullest and free now."""

    windows: int
    steps: int
    seconds: float
    bytes: int
    free: int
    folder: Path
    unused: bool
    """Whether the model has weights that the loss does not reach: several processes must know."""
    scoring: float = 0.0
    """Of the seconds, those after the last step: one evaluation, and the fold's own questions."""
    models: int = 1
    """How many such models are still to be trained, this one included."""

    def refuse_if_disk_is_short(self) -> None:
        """Raises WriteError before hours of training end on a full disk."""
        if self.bytes > self.free:
            raise WriteError(
                f"{self.folder}: training needs about {self.bytes / 1e9:.1f} GB of disk and "
                f"{self.free / 1e9:.1f} GB are free; make room or choose a --run elsewhere"
            )


def forecast(
    model: torch.nn.Module,
    collator: SpanCollator,
    sampler: MicroBatches,
    settings: TrainingSettings,
    device: Device,
    processes: Processes,
    part: Part,
    folder: Path,
) -> Forecast:
    """Time a few micro-batches forward and backward and scale up by padded tokens.

    The weights and the random state are afterwards as they were.
    """
    lengths = collator.lengths
    batches = sampler.micro_batches(0)
    padded = [len(batch) * int(lengths[batch].max()) for batch in batches]
    middle = sorted(range(len(batches)), key=lambda index: padded[index])[len(batches) // 2]
    seconds, unused = measure(model, collator, batches[middle].tolist(), device, Loss.of(settings))
    seconds_a_token = seconds / padded[middle]
    passes = 2 if settings.adversarial else 1
    training = passes * seconds_a_token * sum(padded) * settings.epochs
    evaluations = max(round(settings.evaluations * settings.epochs), 1)
    # held-out questions have about as many tokens each as a training window
    questions = evaluations * len(part.dev) + len(part.test)
    windows = sum(map(len, batches))
    forward = seconds_a_token / BACKWARD / (2 if settings.r_drop else 1)
    a_question = forward * (sum(padded) / windows)
    weights = sum(parameter.nbytes for parameter in model.parameters())
    # the kept model, and four checkpoints (best, the last two, the one being written) with two Adam moments,
    # and the averaged weights where they are asked for
    copies = 3 if settings.average is None and settings.ema is None else 4
    disk = weights + (4 if part.dev else 3) * copies * weights
    existing = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    return Forecast(
        windows=windows,
        steps=steps_of(windows, settings.batch_size, settings.epochs),
        seconds=(training + a_question * questions) / processes.size,
        bytes=disk,
        free=shutil.disk_usage(existing).free,
        folder=folder,
        unused=unused,
        scoring=a_question * (len(part.dev) + len(part.test)) / processes.size,
    )


def measure(
    model: torch.nn.Module, collator: SpanCollator, chosen: list[int], device: Device, wanted: Loss
) -> tuple[float, bool]:
    """Median seconds of one forward and backward pass, and whether it left weights without a gradient."""
    cuda = [torch.cuda.current_device()] if device.torch.type == "cuda" else []
    times = []
    with torch.random.fork_rng(devices=cuda):
        model.to(device.torch).train()
        batch = {name: tensor.to(device.torch) for name, tensor in collator(chosen).items()}
        for _trial in range(_TRIALS):
            began = time.perf_counter()
            with device.autocast():
                loss = wanted(model, batch)
            loss.backward()
            if cuda:
                torch.cuda.synchronize()
            times.append(time.perf_counter() - began)
            unused = any(weight.requires_grad and weight.grad is None for weight in model.parameters())
            model.zero_grad(set_to_none=True)
    return statistics.median(times), unused
