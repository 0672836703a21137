"""From the kit's settings to Trainer's arguments."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from transformers import TrainingArguments

from kit.modeling.devices import Device
from kit.modeling.distributed import Processes
from kit.settings.training import TrainingSettings

_LOGS_AN_EPOCH = 20


def training_arguments(
    settings: TrainingSettings,
    device: Device,
    processes: Processes,
    output: Path,
    *,
    steps: int,
    steps_an_epoch: int,
    accumulation: int,
    choosing: bool,
    unused_weights: bool = False,
    report_to: Sequence[str] = (),
) -> TrainingArguments:
    """Trainer's arguments for *steps* optimizer steps with checkpoints in *output*.

    *accumulation*: micro-batches of an effective batch in one process.
    *choosing*: evaluate as often as a checkpoint is saved, and go back to the best at the end.
    *unused_weights*: the model has weights that get no gradient, which several processes must look for.
    """
    every = max(steps_an_epoch // settings.evaluations, 1)
    cuda = device.torch.type == "cuda"
    arguments = TrainingArguments(
        output_dir=str(output),
        per_device_train_batch_size=settings.micro_batch_size,
        gradient_accumulation_steps=accumulation,
        max_steps=steps,
        learning_rate=settings.lr,
        lr_scheduler_type=settings.schedule,
        warmup_steps=round(steps * settings.warmup),
        weight_decay=settings.weight_decay,
        max_grad_norm=settings.max_grad_norm,
        optim="adamw_torch_fused" if cuda else "adamw_torch",
        bf16=device.precision == "bf16",
        fp16=device.precision == "fp16",
        tf32=True if cuda and torch.cuda.get_device_capability() >= (8, 0) else None,
        use_cpu=device.torch.type == "cpu",
        ddp_backend="gloo" if processes.size > 1 and not cuda else None,
        ddp_find_unused_parameters=unused_weights,
        torch_compile=settings.compile,
        seed=settings.seed,
        data_seed=settings.seed,
        eval_strategy="steps" if choosing else "no",
        eval_steps=every if choosing else None,
        save_strategy="steps",
        save_steps=every,
        save_total_limit=None,  # CheckpointMarks deletes, once the newer ones are known to be whole
        load_best_model_at_end=choosing,
        metric_for_best_model="edit" if choosing else None,
        greater_is_better=False if choosing else None,
        logging_steps=max(steps_an_epoch // _LOGS_AN_EPOCH, 1),
        logging_nan_inf_filter=False,
        report_to=list(report_to) or "none",
        remove_unused_columns=False,
        label_names=["labels"],
        disable_tqdm=True,
        dataloader_pin_memory=cuda,
        restore_callback_states_from_checkpoint=True,
    )
    if arguments.n_gpu > 1:
        # Trainer would wrap the model in DataParallel, which multiplies the effective batch unasked.
        arguments._n_gpu = 1
    return arguments
