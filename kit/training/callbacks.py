"""How a training speaks to whoever started it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from transformers import TrainerCallback

from kit.training.cost_estimate import Forecast

Advance = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class Callbacks:
    """Lines for people, the forecast before each model, Trainer callbacks, and the progress of scoring.

    ``scoring`` gets what is scored and how many questions that are; it gives a function to call with how
    many more are done.
    """

    say: Callable[[str], object] = lambda line: None
    forecast: Callable[[Forecast], object] = lambda expected: None
    trainer_callbacks: tuple[TrainerCallback, ...] = ()
    scoring: Callable[[str, int], AbstractContextManager[Advance]] = lambda what, questions: nullcontext(
        lambda done: None
    )
