"""The baseline of a training: Trainer as the usual scripts use it, every window padded to the maximum."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset
from transformers import Trainer, TrainerCallback, TrainingArguments, default_data_collator

from kit.modeling.batching import pad_batch
from kit.modeling.windows import Windows
from kit.training.labels import Labels


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
    model: torch.nn.Module,
    dataset: PaddedWindows,
    folder: Path,
    callbacks: list[TrainerCallback],
    *,
    steps: int,
    batch: int,
    micro: int,
    **more: Any,
) -> Trainer:
    """Trainer with its defaults; *batch* windows a step, *micro* at once."""
    arguments = TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=micro,
        gradient_accumulation_steps=batch // micro,
        max_steps=steps,
        learning_rate=3e-5,
        use_cpu=not torch.cuda.is_available(),
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        seed=1,
        **more,
    )
    return Trainer(
        model=model,
        args=arguments,
        train_dataset=dataset,
        data_collator=default_data_collator,
        callbacks=callbacks,
    )
