"""Curves that grow in a notebook while a model trains: the loss, and the Edit Score of each evaluation."""

from __future__ import annotations

import importlib.util
import io
import sys
import time
import uuid
import warnings
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from kit.terminal import say

_PAUSE = 2.0
"""Seconds between two pictures: a small model logs many times a second."""


def in_notebook() -> bool:
    """Whether this process is a notebook's kernel that can draw: IPython with a front end, and matplotlib."""
    if "IPython" not in sys.modules or importlib.util.find_spec("matplotlib") is None:
        return False
    from IPython.core.getipython import get_ipython

    return hasattr(get_ipython(), "kernel")  # a console has none


class LiveCurves(TrainerCallback):
    """Shows one picture a training, and replaces it as the training goes on."""

    def __init__(self) -> None:
        self._display = ""
        self._drawn = 0.0
        self._failed = False

    def on_train_begin(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """The next training gets its own picture."""
        self._display, self._drawn = "", 0.0

    def on_log(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """A new point; an evaluation is drawn at once."""
        evaluated = bool(state.log_history) and "eval_edit" in state.log_history[-1]
        if evaluated or time.monotonic() - self._drawn >= _PAUSE:
            self._draw(args, state)

    def on_train_end(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """The whole curves."""
        self._draw(args, state)

    def _draw(self, args: TrainingArguments, state: TrainerState) -> None:
        if self._failed:
            return
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of fonts without Hangul, at every picture
                picture = _picture(Path(str(args.output_dir)).parent, state)
            if picture is None:
                return
            from IPython.display import Image, display, update_display

            if self._display:
                update_display(Image(picture), display_id=self._display)
            else:
                self._display = uuid.uuid4().hex
                display(Image(picture), display_id=self._display)
            self._drawn = time.monotonic()
        except Exception as error:  # a picture must not end a training
            self._failed = True
            say(f"the curves cannot be drawn: {error}")


def _picture(model: Path, state: TrainerState) -> bytes | None:
    """The curves of the training in the folder *model* so far as PNG; None before the first loss."""
    from matplotlib.figure import Figure

    losses = [(one["step"], one["loss"]) for one in state.log_history if "loss" in one]
    scores = [(one["step"], one["eval_edit"]) for one in state.log_history if "eval_edit" in one]
    if not losses:
        return None
    figure = Figure(figsize=(9.0 if scores else 4.8, 2.8), layout="constrained")
    figure.suptitle(
        f"{model.parent}, {model.name}: step {state.global_step:,} of {state.max_steps:,}", fontsize="medium"
    )
    left, *right = figure.subplots(1, 2 if scores else 1, squeeze=False)[0]
    left.plot(*zip(*losses, strict=True), color="tab:blue")
    left.set(title="loss", xlabel="step", xlim=(0, state.max_steps))
    for axes in right:
        axes.plot(*zip(*scores, strict=True), color="tab:orange", marker="o")
        axes.set(title="Edit Score on held-out questions (lower is better)", xlabel="step")
        axes.set(xlim=(0, state.max_steps))
        blank = next((one["eval_blank_edit"] for one in state.log_history if "eval_blank_edit" in one), None)
        if blank is not None:
            axes.axhline(blank, color="gray", linestyle="--", label=f"if all blank: {blank:.3f}")
            axes.legend()
        axes.annotate(f"{scores[-1][1]:.3f}", scores[-1], xytext=(4, 4), textcoords="offset points")
    found = io.BytesIO()
    figure.savefig(found, format="png", dpi=90)
    return found.getvalue()
