"""One subclass of Trainer: an exact loss over accumulated batches, our batches, and Edit Score."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from accelerate.data_loader import prepare_data_loader
from safetensors.torch import save_file
from torch.utils.data import DataLoader
from transformers import (
    EarlyStoppingCallback,
    PreTrainedModel,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainingArguments,
)
from transformers.utils import SAFE_WEIGHTS_NAME

from kit.errors import ModelError
from kit.training.adversarial import moved, watched
from kit.training.checkpoints import latest_complete
from kit.training.collator import SpanCollator, WindowDataset
from kit.training.losses import Loss
from kit.training.optimizer import parameter_groups
from kit.training.sampler import MicroBatches

Evaluate = Callable[[torch.nn.Module], dict[str, float]]


class SpanTrainer(Trainer):
    """Trainer for windows with golds.

    *evaluate*: from the model to metrics without prefix, ``edit`` among them, through the kit's own
    inference and decoder; *adversarial*: length by which embedded words are moved for a second pass, 0 for
    none; *layer_decay*: each layer's share of the learning rate of the one above it.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        args: TrainingArguments,
        collator: SpanCollator,
        sampler: MicroBatches,
        evaluate: Evaluate,
        callbacks: list[TrainerCallback],
        *,
        loss: Loss | None = None,
        adversarial: float = 0.0,
        layer_decay: float = 1.0,
    ) -> None:
        dataset = WindowDataset(len(collator.lengths))
        super().__init__(
            model=model,
            args=args,
            train_dataset=dataset,
            eval_dataset=dataset,  # only its presence is asked for: evaluate() below looks elsewhere
            data_collator=collator,
            callbacks=callbacks,
        )
        self._sampler, self._evaluate_model = sampler, evaluate
        self._span_loss, self._adversarial, self._layer_decay = loss or Loss(), adversarial, layer_decay
        self.control: TrainerControl
        self.optimizer: torch.optim.Optimizer | None
        self._loss: torch.Tensor | None = None
        self._share = 1.0
        """Of one pass in what is learned from a micro-batch."""
        # compute_loss below divides by the windows of the whole effective batch itself
        self.model_accepts_loss_kwargs = True
        self.loss_is_scaled_for_ga = True

    def get_train_dataloader(self) -> DataLoader[int]:
        """Micro-batches in the sampler's order; nothing is dropped."""
        loader = DataLoader(
            self.train_dataset,
            batch_sampler=self._sampler,
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

    def create_optimizer(self, model: torch.nn.Module | None = None) -> torch.optim.Optimizer:
        """Trainer's own, or one with a learning rate a layer."""
        if self.optimizer is None and self._layer_decay < 1:
            trained = self.model if model is None else model
            kind, keywords = self.get_optimizer_cls_and_kwargs(self.args, trained)
            groups = parameter_groups(
                trained, self.get_decay_parameter_names(trained), lr=self.args.learning_rate,
                weight_decay=self.args.weight_decay, layer_decay=self._layer_decay,
            )  # fmt: skip
            self.optimizer = kind(groups, **keywords)
        optimizer: torch.optim.Optimizer = super().create_optimizer(model)
        return optimizer

    def _run_epoch(self, *given: Any, **named: Any) -> None:
        """Trainer's own, but not after a checkpoint in which the training was over: it would learn on.

        That it stopped early, or in the middle of an epoch, Trainer only notices after another step.
        """
        if self._is_over():
            self.control.should_training_stop = True
        else:
            super()._run_epoch(*given, **named)

    def _is_over(self) -> bool:
        return self.state.global_step >= self.state.max_steps or any(
            isinstance(callback, EarlyStoppingCallback)
            and callback.early_stopping_patience_counter >= callback.early_stopping_patience
            for callback in self.callback_handler.callbacks
        )

    def training_step(
        self, model: torch.nn.Module, inputs: dict[str, Any], num_items_in_batch: Any = None
    ) -> torch.Tensor:
        """Forward and backward on one micro-batch; the mean of a plain and an adversarial pass if asked.

        An empty micro-batch of a token budget adds nothing and costs nothing.
        """
        if not len(inputs["labels"]):
            return torch.zeros((), device=self.args.device)
        if not self._adversarial:
            plain: torch.Tensor = super().training_step(model, inputs, num_items_in_batch)
            return plain
        self._share = 0.5
        with watched(model) as embedded:
            loss: torch.Tensor = super().training_step(model, inputs, num_items_in_batch)
        with moved(model, embedded.shift(self._adversarial)):
            loss += super().training_step(model, inputs, num_items_in_batch)
        return loss

    def compute_loss(
        self, model: torch.nn.Module, inputs: dict[str, Any], *, num_items_in_batch: Any, **_: Any
    ) -> torch.Tensor:
        """The sum over this micro-batch divided by the windows of the effective batch on all devices."""
        loss: torch.Tensor = self._span_loss(model, inputs)
        # Gradients are averaged over processes, and the count is over all of them.
        loss = loss * self._share / num_items_in_batch * self.accelerator.num_processes
        self._refuse_what_is_not_finite(loss)
        return loss

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

    def _save(self, output_dir: str | None = None, state_dict: dict[str, torch.Tensor] | None = None) -> None:
        """Weights by the names that they have in the model, without Trainer's pickle of its arguments.

        The library gives those of some families the names of their published files, under which Trainer does
        not find them again: it would resume, or go back to the best checkpoint, with other weights.  Outside
        the library's classes tied weights (BART's embeddings) get a copy each: safetensors stores no shared
        memory.
        """
        if not self.args.should_save:
            return
        folder = Path(str(self.args.output_dir if output_dir is None else output_dir))
        model = self.accelerator.unwrap_model(self.model, keep_torch_compile=False)
        if isinstance(model, PreTrainedModel):
            model.save_pretrained(folder, state_dict=state_dict, save_original_format=False)
            return
        folder.mkdir(parents=True, exist_ok=True)
        weights = model.state_dict() if state_dict is None else state_dict
        save_file(_untied(weights), folder / SAFE_WEIGHTS_NAME, metadata={"format": "pt"})

    def evaluate(self, *_: Any, metric_key_prefix: str = "eval", **__: Any) -> dict[str, float]:
        """Metrics on the held-out questions, logged and told to the callbacks like Trainer's own."""
        metrics = {
            f"{metric_key_prefix}_{name}": value for name, value in self._evaluate_model(self.model).items()
        }
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics


def _untied(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    seen: set[int] = set()
    found = {}
    for name, weight in weights.items():
        place = weight.untyped_storage().data_ptr()
        found[name] = (weight.clone() if place in seen else weight).contiguous()
        seen.add(place)
    return found


def steps_of(windows: int, batch_size: int, epochs: float) -> int:
    """Optimizer steps of a whole training: short last batches count."""
    return max(math.ceil(math.ceil(windows / batch_size) * epochs), 1)
