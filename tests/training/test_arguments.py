"""How settings become Trainer's arguments."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import get_scheduler

from kit.modeling.devices import Device
from kit.modeling.distributed import Processes
from kit.settings.training import training_settings
from kit.training.arguments import training_arguments

CPU = Device(torch.device("cpu"), "CPU", "fp32")


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_schedule_warm_up_and_clipping_reach_the_trainer(tmp_path: Path, schedule: str) -> None:
    settings = training_settings(schedule=schedule, warmup=0.2, max_grad_norm=0.7, lr=1e-3, batch_size=8)
    arguments = training_arguments(
        settings, CPU, Processes(), tmp_path, steps=50, steps_an_epoch=25, accumulation=2, choosing=True
    )
    assert (arguments.max_grad_norm, arguments.gradient_accumulation_steps) == (0.7, 2)
    assert (arguments.eval_steps, arguments.save_steps, arguments.greater_is_better) == (25, 25, False)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=arguments.learning_rate)
    scheduler = get_scheduler(arguments.lr_scheduler_type, optimizer, arguments.get_warmup_steps(50), 50)
    rates = []
    for _ in range(50):
        rates.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    assert rates[0] == 0.0
    assert max(rates) == rates[10] == pytest.approx(1e-3)
    assert rates[30] == pytest.approx(5e-4)  # both are at half of the peak half-way down
    quarter = {"linear": 7.5e-4, "cosine": 8.5355e-4}[schedule]
    assert rates[20] == pytest.approx(quarter, rel=1e-3)
