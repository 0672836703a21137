"""A training's progress bar: steps, time left, loss and the last Edit Score."""

from __future__ import annotations

from typing import Any

from rich.progress import TaskID
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from kit.errors import counted
from kit.terminal import duration, progress_bar, say
from kit.training.cost_estimate import Forecast
from kit.training.fit import Callbacks
from kit.training.live_curves import LiveCurves, in_notebook


def spoken() -> Callbacks:
    """Callbacks that show a person what happens: lines, the progress bar, and curves in a notebook."""
    curves = (LiveCurves(),) if in_notebook() else ()
    return Callbacks(say, say_forecast, (TrainingProgress(), *curves))


def say_forecast(cost: Forecast) -> None:
    """What a training will cost, in one line."""
    say(
        f"{counted(cost.windows, 'window')}, {counted(cost.steps, 'step')}: about {duration(cost.seconds)} "
        f"and {cost.bytes / 1e9:.1f} GB of disk while training ({cost.free / 1e9:.0f} GB free)"
    )


class TrainingProgress(TrainerCallback):
    """Shows the bar on a terminal, and on anything else one line an evaluation."""

    def __init__(self) -> None:
        self._bar = progress_bar()
        self._task: TaskID | None = None
        self._loss = self._edit = ""

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """The bar appears."""
        self._bar.start()
        self._task = self._bar.add_task(
            "training", total=state.max_steps, completed=state.global_step, note=""
        )

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """One optimizer step further."""
        self._show(state.global_step)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        """Loss and Edit Score as Trainer logs them."""
        logs = logs or {}
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

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Without a bar a training without evaluations would say nothing for hours."""
        if self._bar.disable and not self._edit:
            say(f"step {state.global_step} of {state.max_steps}: {self._loss}")

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """The bar goes."""
        self.close()

    def close(self) -> None:
        """The bar goes, also of a training that did not reach its end."""
        self._bar.stop()

    def _show(self, step: int) -> None:
        if self._task is not None:
            note = "  ".join(filter(None, (self._loss, self._edit)))
            self._bar.update(self._task, completed=step, note=note)
