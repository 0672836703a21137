"""Ranges of training settings: from text to what a sweep draws its values from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kit.errors import ConfigError
from kit.settings.option import type_of
from kit.settings.training import TrainingSettings

Value = bool | int | float | str | None
_SIGNIFICANT = 3
_WHOLE_CHECKED = 200


@dataclass(frozen=True, slots=True)
class Between:
    """All numbers from *low* to *high*, both included; *log*: drawn evenly on a logarithmic scale.

    *whole*: whole numbers only, because the setting is one or both ends were written as such.
    """

    name: str
    low: float
    high: float
    log: bool
    whole: bool

    def __str__(self) -> str:
        return f"{self.name}={self.low!r}:{self.high!r}{':log' if self.log else ''}"

    def described(self) -> str:
        """For people: ``lr 1e-05 to 0.0001, logarithmic``."""
        kinds = ["whole numbers"] * self.whole + ["logarithmic"] * self.log
        return ", ".join([f"{self.name} {self.low:g} to {self.high:g}", *kinds])

    def settled(self, value: float) -> float:
        """*value* rounded to three significant digits, so that a table shows exactly what was used."""
        if self.whole:
            return int(value)
        return min(max(float(f"{value:.{_SIGNIFICANT}g}"), self.low), self.high)

    def values(self) -> Sequence[Value] | None:
        """Every value; None where they are not to be counted."""
        return range(int(self.low), int(self.high) + 1) if self.whole else None

    def checked_values(self) -> Sequence[Value]:
        """Values that show whether the settings accept the range; the first is its lower end."""
        if self.whole and self.high - self.low < _WHOLE_CHECKED:
            return range(int(self.low), int(self.high) + 1)
        return (self.low, self.high)


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of several *choices*, in the order given."""

    name: str
    choices: tuple[Value, ...]

    def __str__(self) -> str:
        return f"{self.name}={','.join(map(shown, self.choices))}"

    def described(self) -> str:
        """For people: ``batch_size 16 or 32``."""
        *most, last = map(shown, self.choices)
        return f"{self.name} {', '.join(most)} or {last}"

    def settled(self, value: Value) -> Value:
        """A choice is used unchanged."""
        return value

    def values(self) -> Sequence[Value] | None:
        """Every value."""
        return self.choices

    def checked_values(self) -> Sequence[Value]:
        """All of them."""
        return self.choices


Range = Between | OneOf
Given = str | Sequence[Value]


def read_range(name: str, given: Given) -> Range:
    """One range from ``low:high``, ``low:high:log``, ``a,b,c`` or its choices.  Raises ConfigError."""
    if isinstance(given, str) and ":" in given:
        return _between(name, given)
    parts = [part.strip() for part in given.split(",")] if isinstance(given, str) else given
    choices = [parsed(name, part) if isinstance(part, str) else part for part in parts]
    if len(choices) < 2:
        raise ConfigError(
            f"is one value, not a range; use --set {name}={shown(choices[0]) if choices else ''}"
        )
    repeated = [choice for number, choice in enumerate(choices) if choice in choices[:number]]
    if repeated:
        raise ConfigError(f"{shown(repeated[0])} is given twice; keep one")
    return OneOf(name, tuple(choices))


def _between(name: str, text: str) -> Between:
    kind, _ = _kind(name)
    if kind not in (int, float):
        choices = ("true", "false") if kind is bool else kind if isinstance(kind, tuple) else ("a", "b")
        raise ConfigError(f"takes choices, as in {name}={','.join(map(shown, choices))}")
    low_text, _, rest = text.partition(":")
    high_text, _, scale = rest.partition(":")
    if scale not in ("", "log"):
        raise ConfigError(f"{scale!r} is not a scale; write low:high, or low:high:log")
    low, high = (_number(end.strip()) for end in (low_text, high_text))
    if kind is int and not (isinstance(low, int) and isinstance(high, int)):
        raise ConfigError(f"{name} is a whole number; give whole ends")
    if low > high:
        raise ConfigError(f"{low:g} is above {high:g}; the lower end comes first")
    if low == high:
        raise ConfigError(f"is one value, not a range; use --set {name}={low_text.strip()}")
    if scale and low <= 0:
        raise ConfigError(f"a logarithmic range begins above 0, not at {low:g}")
    return Between(name, low, high, bool(scale), isinstance(low, int) and isinstance(high, int))


def _number(text: str) -> int | float:
    """What is written as a whole number is one, also for a setting that takes fractions (epochs=2:4)."""
    for read in (int, float):
        try:
            number = read(text)
        except ValueError:
            continue
        if math.isfinite(number):
            return number
    raise ConfigError(f"{text!r} is no number")


def parsed(name: str, text: str) -> Value:
    """One value from text, by the setting's own type."""
    kind, optional = _kind(name)
    if optional and text.lower() == "none":
        return None
    if kind is bool:
        if text.lower() not in ("true", "false"):
            raise ConfigError(f"{text!r} is neither true nor false")
        return text.lower() == "true"
    if kind is int or kind is float:
        number = _number(text)
        if kind is int and not isinstance(number, int):
            raise ConfigError(f"{text!r} is no whole number")
        return number if kind is int else float(number)
    if isinstance(kind, tuple):
        return next((choice for choice in kind if str(choice) == text), text)
    if kind is str:
        return text
    raise ConfigError("cannot be given as text; use kit train, or import kit")


def _kind(name: str) -> tuple[Any, bool]:
    return type_of(TrainingSettings.model_fields[name])


def shown(value: object) -> str:
    """A value as it is written in a range or behind a flag."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    return f"{value!r}" if isinstance(value, float) else str(value)
