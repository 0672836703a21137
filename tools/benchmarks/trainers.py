"""The kit's Trainer, and the baseline: a plain Trainer, every window padded to the maximum."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset
from transformers import Trainer, TrainerCallback, TrainingArguments, default_data_collator

from kit.modeling.batching import pad_batch
from kit.modeling.devices import Device
from kit.modeling.distributed import Processes
from kit.modeling.windows import Windows
from kit.settings.training import TrainingSettings
from kit.training.arguments import training_arguments
from kit.training.collator import SpanCollator
from kit.training.labels import Labels
from kit.training.sampler import MicroBatches
from kit.training.trainer import SpanTrainer


def padded_to(length: int, windows: Windows, pad_id: int) -> dict[str, torch.Tensor]:
    """All windows as one batch, int64 (windows, *length*)."""
    batch = pad_batch(windows, np.arange(len(windows)), pad_id)
    missing = length - batch["input_ids"].shape[1]
    return {
        name: torch.nn.functional.pad(tensor, (0, missing), value=pad_id if name == "input_ids" else 0)
        for name, tensor in batch.items()
    }


class PaddedWindows(Dataset[dict[str, torch.Tensor]]):
    """One window an item, as a preparation with ``padding="max_length"`` leaves it."""

    def __init__(self, windows: Windows, labels: Labels, pad_id: int, length: int) -> None:
        first = np.searchsorted(labels.window, np.arange(len(windows)))
        self._columns = padded_to(length, windows, pad_id) | {
            "start_positions": torch.from_numpy(labels.start[first]),
            "end_positions": torch.from_numpy(labels.end[first]),
        }

    def __len__(self) -> int:
        return len(self._columns["input_ids"])

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return {name: column[index] for name, column in self._columns.items()}


def plain_trainer(
    model: torch.nn.Module, windows: PaddedWindows, settings: TrainingSettings, device: Device, folder: Path,
    *callbacks: TrainerCallback, steps: int, **more: Any,
) -> Trainer:  # fmt: skip
    """Trainer with its defaults, at the batch sizes of *settings*."""
    arguments = TrainingArguments(
        output_dir=str(folder), per_device_train_batch_size=settings.micro_batch_size,
        gradient_accumulation_steps=settings.accumulation_steps, max_steps=steps, learning_rate=3e-5,
        use_cpu=not torch.cuda.is_available(), save_strategy="no", report_to="none", disable_tqdm=True,
        seed=1, bf16=device.precision == "bf16", fp16=device.precision == "fp16", **more,
    )  # fmt: skip
    return Trainer(
        model=model, args=arguments, data_collator=default_data_collator, train_dataset=windows,
        callbacks=list(callbacks),
    )  # fmt: skip


def kit_trainer(
    model: torch.nn.Module, collator: SpanCollator, sampler: MicroBatches, settings: TrainingSettings,
    device: Device, folder: Path, *callbacks: TrainerCallback, steps: int, optimizer: str | None = None,
) -> SpanTrainer:  # fmt: skip
    """The kit's, which evaluates and saves nothing."""
    arguments = training_arguments(
        settings, device, Processes(), folder, steps=steps, steps_an_epoch=steps, choosing=False,
        accumulation=sampler.steps,
    )  # fmt: skip
    arguments.set_save(strategy="no")
    if optimizer is not None:
        arguments.set_optimizer(optimizer, learning_rate=3e-5)
    return SpanTrainer(model, arguments, collator, sampler, lambda model: {}, list(callbacks))
