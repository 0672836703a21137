"""One subclass of Trainer: an exact loss over accumulated batches, our batches, and Edit Score."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from accelerate.data_loader import prepare_data_loader
from torch.utils.data import DataLoader, Dataset
from transformers import Trainer, TrainerCallback, TrainerControl, TrainingArguments

from kit.errors import ModelError
from kit.models.training.batches import PADDING, LengthGroupedSampler, SpanCollator
from kit.models.training.budget import BudgetBatches
from kit.models.training.checkpoints import latest_complete

Evaluate = Callable[[torch.nn.Module], dict[str, float]]


def span_loss(
    start: torch.Tensor, end: torch.Tensor, mask: torch.Tensor, golds: torch.Tensor
) -> torch.Tensor:
    """Cross-entropy of start and end, averaged over a window's golds, summed over windows: a scalar.

    start, end: raw logits, float (batch, tokens); mask: int (batch, tokens), 0 on padding;
    golds: int64 (batch, golds, 2), filled up with -1.

    Padding is taken out of the softmax, so that a window's loss does not depend on what it is
    padded to; the sum, divided by the number of windows of the whole effective batch, makes the gradient
    independent of the micro-batch.
    """
    present = (golds[..., 0] != PADDING).float()
    weight = present / present.sum(dim=1, keepdim=True).clamp(min=1)  # rows that take no part have none
    total = start.new_zeros((), dtype=torch.float32)
    for logits, target in ((start, golds[..., 0]), (end, golds[..., 1])):
        masked = logits.float().masked_fill(mask == 0, torch.finfo(torch.float32).min)
        log_p = torch.log_softmax(masked, dim=1).gather(1, target.clamp(min=0))
        total = total - (log_p * weight).sum() / 2
    return total


class SpanTrainer(Trainer):
    """Trainer for windows with golds.

    *evaluate*: from the model to metrics without prefix, ``edit`` among them, through the kit's own
    inference and decoder.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        args: TrainingArguments,
        dataset: Dataset[int],
        collator: SpanCollator,
        sampler: LengthGroupedSampler | BudgetBatches,
        evaluate: Evaluate,
        callbacks: list[TrainerCallback],
    ) -> None:
        super().__init__(
            model=model,
            args=args,
            train_dataset=dataset,
            eval_dataset=dataset,  # only its presence is asked for: evaluate() below looks elsewhere
            data_collator=collator,
            callbacks=callbacks,
        )
        self._sampler, self._evaluate_model = sampler, evaluate
        self.control: TrainerControl
        self._loss: torch.Tensor | None = None
        # compute_loss below divides by the windows of the whole effective batch itself
        self.model_accepts_loss_kwargs = True
        self.loss_is_scaled_for_ga = True

    def get_train_dataloader(self) -> DataLoader[int]:
        """Micro-batches in the sampler's order; nothing is dropped."""
        cut: dict[str, Any] = {"batch_sampler": self._sampler}
        if isinstance(self._sampler, LengthGroupedSampler):
            cut = {"batch_size": self.args.per_device_train_batch_size, "sampler": self._sampler}
        loader = DataLoader(
            self.train_dataset,
            **cut,
            collate_fn=self.data_collator,
            num_workers=self.args.dataloader_num_workers,
            pin_memory=self.args.dataloader_pin_memory and torch.cuda.is_available(),
        )
        # The sampler shares the windows out between the processes; accelerate, which would repeat windows to
        # even out the last batch, is told that there is only one.
        prepared: DataLoader[int] = prepare_data_loader(
            loader, self.accelerator.device, num_processes=1, process_index=0, put_on_device=True
        )
        return prepared

    def training_step(self, model: torch.nn.Module, inputs: dict[str, Any], *rest: Any) -> torch.Tensor:
        """As Trainer's; an empty micro-batch of a token budget adds nothing and costs nothing."""
        if not len(inputs["labels"]):
            return torch.zeros((), device=self.args.device)
        loss: torch.Tensor = super().training_step(model, inputs, *rest)
        return loss

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        """The sum over this micro-batch divided by the windows of the effective batch on all devices."""
        golds, labels = inputs.pop("golds"), inputs.pop("labels")
        output = model(**inputs)
        loss = span_loss(output.start_logits, output.end_logits, inputs["attention_mask"], golds)
        windows = len(labels) if num_items_in_batch is None else num_items_in_batch
        # Gradients are averaged over processes, and the count is over all of them.
        loss = loss / windows * self.accelerator.num_processes
        self._refuse_what_is_not_finite(loss)
        return (loss, output) if return_outputs else loss

    def _refuse_what_is_not_finite(self, loss: torch.Tensor) -> None:
        """Looks once an effective batch: each look makes a GPU wait."""
        self._loss = self._loss + loss.detach() if self._loss is not None else loss.detach()
        if not self.accelerator.sync_gradients:
            return
        value, self._loss = float(self._loss), None
        if math.isfinite(value):
            return
        last = latest_complete(Path(str(self.args.output_dir)))
        cure = f"lower --lr ({self.args.learning_rate:g})"
        if self.args.fp16 or self.args.bf16:
            cure += ", or use --precision fp32"
        kept = f"the last good checkpoint is {last}" if last else "there is no checkpoint yet"
        raise ModelError(
            f"the loss is {value} at step {self.state.global_step + 1}; {kept}; {cure}, in another --run"
        )

    def evaluate(self, *_: Any, metric_key_prefix: str = "eval", **__: Any) -> dict[str, float]:
        """Metrics on the held-out questions, logged and told to the callbacks like Trainer's own."""
        metrics = {
            f"{metric_key_prefix}_{name}": value for name, value in self._evaluate_model(self.model).items()
        }
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics


def steps_of(windows: int, batch_size: int, epochs: float) -> int:
    """Optimizer steps of a whole training: short last batches count."""
    return max(math.ceil(math.ceil(windows / batch_size) * epochs), 1)
