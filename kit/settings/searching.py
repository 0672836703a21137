"""What a sweep varies and what all its trials share, checked before anything is trained."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kit.errors import ConfigError, all_of, nearest
from kit.settings.option import names_elsewhere
from kit.settings.ranges import Given, OneOf, Range, Value, parsed, read_range, shown
from kit.settings.training import SETTINGS, TrainingSettings

Settle = Callable[..., TrainingSettings]
"""From given settings to all of them; raises ConfigError with the mistakes."""

_EXAMPLES = {"--range": "lr=1e-5:1e-4:log or batch_size=16,32", "--set": "max_length=384"}
_COMBINATIONS = 512


@dataclass(frozen=True, slots=True)
class Search:
    """The ranges, and the settings that all trials share."""

    ranges: tuple[Range, ...]
    fixed: Mapping[str, Value]

    def settings(self, chosen: Mapping[str, Any], settle: Settle) -> TrainingSettings:
        """The settings of a trial that drew *chosen*, a value a range."""
        varied = {one.name: one.settled(chosen[one.name]) for one in self.ranges}
        return settle(**{**self.fixed, **varied})

    def combinations(self, most: int = 10_000) -> list[tuple[Value, ...]] | None:
        """Every combination of values, in the order of the ranges; None where there are more than *most*."""
        values = [one.values() for one in self.ranges]
        known = [some for some in values if some is not None]
        if len(known) < len(values) or math.prod(map(len, known)) > most:
            return None
        return list(itertools.product(*known))


def named(given: Iterable[str], option: str) -> list[tuple[str, str]]:
    """``NAME=VALUE`` words as pairs.  Raises ConfigError for one without the sign."""
    pairs = [word.partition("=") for word in given]
    if wrong := ["".join(parts) for parts in pairs if not all(parts)]:
        raise ConfigError(f"{option} {wrong[0]}: is not NAME=VALUE, as in {option} {_EXAMPLES[option]}")
    return [(name.strip().replace("-", "_"), value.strip()) for name, _, value in pairs]


def parse_search(
    ranges: Iterable[tuple[str, Given]], fixed: Iterable[tuple[str, Value]], settle: Settle
) -> Search:
    """Ranges and fixed settings, each value tried on the settings' own rules.

    A range is ``low:high``, ``low:high:log`` or ``a,b,c``, or the choices themselves; a fixed value may be
    text, too.  Raises ConfigError with all mistakes: unknown names, ends in the wrong order, values or
    combinations that the settings refuse, settings that make no sense to search.
    """
    mistakes: list[str] = []
    found: dict[str, Range] = {}
    shared: dict[str, Value] = {}
    for name, value in fixed:
        with _noting(mistakes, f"--set {name}={shown(value)}"):
            _refuse_unknown(name)
            if name == "folds":
                raise ConfigError(SETTINGS[name].fixed)
            if name in shared:
                raise ConfigError("is given twice; keep one")
            shared[name] = parsed(name, value) if isinstance(value, str) else value
    for name, given in ranges:
        written = given if isinstance(given, str) else ",".join(map(shown, given))
        with _noting(mistakes, f"--range {name}={written}"):
            _refuse_unknown(name)
            if why := SETTINGS[name].not_searched:
                raise ConfigError(f"is not searched: {why}")
            if name in found or name in shared:
                raise ConfigError("is given twice; keep one range, or one --set")
            found[name] = read_range(name, given)
    if not found and not mistakes:
        mistakes.append("nothing varies; give a range, as in --range lr=1e-5:1e-4:log")
    search = Search(tuple(found.values()), shared)
    mistakes += _refused(search, settle)
    if mistakes:
        raise ConfigError(f"kit sweep: {all_of(mistakes)}")
    return search


@contextlib.contextmanager
def _noting(mistakes: list[str], subject: str) -> Iterator[None]:
    """Collects a ConfigError as one of several mistakes."""
    try:
        yield
    except ConfigError as error:
        mistakes.append(f"{subject}: {error}")


def _refuse_unknown(name: str) -> None:
    if name not in SETTINGS:
        near = names_elsewhere(TrainingSettings).get(name) or nearest(name, SETTINGS)
        hint = f"did you mean {near}?" if near else f"settings are {', '.join(SETTINGS)}"
        raise ConfigError(f"is no training setting; {hint}")


def _refused(search: Search, settle: Settle) -> list[str]:
    """What the settings report about the ranges' values: one after the other, then in combination."""
    firsts = {one.name: one.checked_values()[0] for one in search.ranges}
    base = _refusal(settle, {**search.fixed, **firsts})
    # What is wrong with the fixed settings is reported once, not again with every value.
    rest: dict[str, Value] = {} if base else {**search.fixed, **firsts}
    found = []
    for one in search.ranges:
        wrong = [
            (value, words)
            for value in one.checked_values()
            if (words := _refusal(settle, {**rest, one.name: value}))
        ]
        if wrong:
            value, words = wrong[0]
            more = f" (and {len(wrong) - 1} more of its values)" if len(wrong) > 1 else ""
            found.append(f"--range {one}: {one.name}={shown(value)}: {words}{more}")
    if base or found:
        return [base] * bool(base and not any(base in line for line in found)) + found
    ends = [
        one.choices if isinstance(one, OneOf) else (one.checked_values()[0], one.checked_values()[-1])
        for one in search.ranges
    ]
    for combination in itertools.islice(itertools.product(*ends), _COMBINATIONS):
        chosen = dict(zip(firsts, combination, strict=True))
        if words := _refusal(settle, {**search.fixed, **chosen}):
            together = " ".join(f"{name}={shown(value)}" for name, value in chosen.items())
            return [f"--range: {together} do not go together: {words}"]
    return []


def _refusal(settle: Settle, given: Mapping[str, Any]) -> str:
    """What the settings report as wrong with these; "" where nothing is."""
    try:
        settle(**given)
    except ConfigError as error:
        return str(error).removeprefix("training settings: ")
    return ""
