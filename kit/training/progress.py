"""A training's progress bar: steps, time left, loss and the last Edit Score."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from rich.progress import TaskID
from transformers import TrainerCallback, TrainerControl, TrainerState

from kit.errors import counted
from kit.terminal import duration, progress_bar, say
from kit.training.callbacks import Callbacks
from kit.training.cost_estimate import Forecast
from kit.training.live_curves import LiveCurves, in_notebook


def spoken() -> Callbacks:
    """Callbacks that show a person what happens: lines, the progress bar, and curves in a notebook."""
    progress = TrainingProgress()
    curves = (LiveCurves(),) if in_notebook() else ()
    return Callbacks(say, say_forecast, (progress, *curves), progress.scoring)


def say_forecast(cost: Forecast) -> None:
    """What a training will cost, in one line."""
    several = f" ({cost.models} models: {duration(cost.models * cost.seconds)})" if cost.models > 1 else ""
    say(
        f"{counted(cost.windows, 'window')}, {counted(cost.steps, 'step')}: about "
        f"{duration(cost.seconds)}{several} and {cost.bytes / 1e9:.1f} GB of disk while training "
        f"({cost.free / 1e9:.0f} GB free)"
    )


class TrainingProgress(TrainerCallback):
    """Shows the bar on a terminal, and on anything else one line an evaluation."""

    def __init__(self) -> None:
        self._bar = progress_bar()
        self._task: TaskID | None = None
        self._loss = self._edit = ""

    def on_train_begin(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """The bar appears."""
        self._bar.start()
        if self._task is not None:  # of the fold before
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(
            "training", total=state.max_steps, completed=state.global_step, note=""
        )

    def on_step_end(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """One optimizer step further."""
        self._show(state.global_step)

    def on_log(
        self, args: Any, state: TrainerState, control: TrainerControl, logs: dict[str, float], **_: Any
    ) -> None:
        """Loss and Edit Score as Trainer logs them."""
        if "loss" in logs:
            self._loss = f"loss {logs['loss']:.3f}"
        if "eval_edit" in logs:
            each = [
                f"{name.removeprefix('eval_edit/')} {value:.3f}"
                for name, value in logs.items()
                if name.startswith("eval_edit/")
            ]
            several = f" ({', '.join(each)})" if each else ""
            self._edit = f"Edit Score {logs['eval_edit']:.3f}{several}"
            if self._bar.disable:
                say(f"step {state.global_step} of {state.max_steps}: {self._loss}  {self._edit}")
        self._show(state.global_step)

    def on_save(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Without a bar a training without evaluations would say nothing for hours."""
        if self._bar.disable and not self._edit:
            say(f"step {state.global_step} of {state.max_steps}: {self._loss}")

    def on_train_end(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """The bar goes."""
        self.close()

    @contextlib.contextmanager
    def scoring(self, what: str, questions: int) -> Iterator[Callable[[int], None]]:
        """A bar for an evaluation, below that of the training where there is one."""
        alone = not self._bar.live.is_started
        if alone:
            if self._task is not None:  # the training is over
                self._bar.remove_task(self._task)
                self._task = None
            self._bar.start()
        task = self._bar.add_task(what, total=questions, note="")
        try:
            yield lambda done: self._bar.advance(task, done)
        finally:
            self._bar.remove_task(task)
            if alone:
                self.close()

    def close(self) -> None:
        """The bar goes, also of a training that did not reach its end."""
        self._bar.stop()

    def _show(self, step: int) -> None:
        if self._task is not None:
            note = "  ".join(filter(None, (self._loss, self._edit)))
            self._bar.update(self._task, completed=step, note=note)
