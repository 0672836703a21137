"""A training that dies by SIGKILL: at a step, or in the middle of writing a checkpoint's optimizer."""

from __future__ import annotations

import functools
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback

import kit
from kit.api.train import training_job
from kit.training.callbacks import Callbacks
from kit.training.run import train_run


def die() -> None:
    """As the kernel or a cloud ends a process: nothing is tidied up."""
    os.kill(os.getpid(), signal.SIGKILL)


class DieAtStep(TrainerCallback):
    """Dies when an optimizer step is done and its checkpoint, if it has one, is not begun."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step == self.step:
            die()


def die_while_writing(number: int) -> None:
    """Let the optimizer of the *number*-th checkpoint end in its middle."""
    save, calls = torch.save, 0

    def torn(content: Any, path: Any, *rest: Any, **more: Any) -> None:
        nonlocal calls
        save(content, path, *rest, **more)
        calls += Path(path).name == "optimizer.pt"
        if calls == number:
            os.truncate(path, Path(path).stat().st_size // 2)
            die()

    torch.save = torn


def main() -> None:
    """``at|write NUMBER BACKBONE DATA RUN SETTINGS``, the settings as JSON."""
    how, number, backbone, data, run, settings = sys.argv[1:]
    trainer_callbacks: tuple[TrainerCallback, ...] = ()
    if how == "at":
        trainer_callbacks = (DieAtStep(int(number)),)
    else:
        die_while_writing(int(number))
    job = training_job(backbone, kit.load(data), {**json.loads(settings), "run": run, "resume": True})
    train_run(job, Callbacks(say=functools.partial(print, flush=True), trainer_callbacks=trainer_callbacks))
