"""A sweep as a picture: how the best score fell, how each trial learned, what each setting did."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from kit.files import replacing
from kit.settings.ranges import Between, Range, shown
from kit.sweeps.results import Sweep, TrialResult

_EDIT = "Edit Score (characters)"
_COLUMNS = 3
_BEST, _OTHER, _STOPPED = "#c2410c", "#1d4ed8", "#9ca3af"
_WORTH_SEEING = 1.15, 2.0
"""Scores above so many times that of empty answers, and the best, are drawn at the edge: they would flatten
the rest."""
_SPREAD = 0.3
"""Over which part of a choice's width its trials are spread, so that they do not hide each other."""


def write_plot(sweep: Sweep, path: Path) -> Path | None:
    """Draw *sweep* into the PNG at *path*, whole or not at all; None before any trial was evaluated.

    Raises WriteError.
    """
    figure = draw(sweep)
    if figure is None:
        return None
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120)
    return path


def draw(sweep: Sweep) -> Figure | None:
    """The figure: the history, the curves, a panel a setting; None before any trial was evaluated."""
    trials = sorted((trial for trial in sweep.trials if trial.edit is not None), key=lambda one: one.name)
    if not trials:
        return None
    rows = math.ceil(len(sweep.ranges) / _COLUMNS)
    figure = Figure(figsize=(12, 4.2 + 3.6 * rows), layout="constrained")
    grid = figure.add_gridspec(1 + rows, 2 * _COLUMNS, height_ratios=[1.15, *[1] * rows])
    top = _highest(sweep, trials)
    _history(figure.add_subplot(grid[0, :_COLUMNS]), sweep, trials, top)
    _curves(figure.add_subplot(grid[0, _COLUMNS:]), sweep, trials, top)
    for number, one in enumerate(sweep.ranges):
        row, column = divmod(number, _COLUMNS)
        axes = figure.add_subplot(grid[1 + row, 2 * column : 2 * column + 2])
        _setting(axes, one, sweep, trials, top)
    return figure


def _highest(sweep: Sweep, trials: Sequence[TrialResult]) -> float:
    """The top of every vertical axis."""
    highest = max(edit for trial in trials for _, edit in [*trial.curve, (0.0, trial.edit or 0.0)])
    best = min(trial.edit for trial in trials if trial.edit is not None)
    of_empty, of_best = _WORTH_SEEING
    return min(highest, max(of_empty * (sweep.blank_edit or highest), of_best * best))


def _history(axes: Axes, sweep: Sweep, trials: Sequence[TrialResult], top: float) -> None:
    _points(axes, [(_number(trial), trial) for trial in trials], sweep, top)
    finished = [trial for trial in trials if trial.state == "finished"]
    if finished:
        best = np.minimum.accumulate(np.array([trial.edit for trial in finished]))
        numbers = [_number(trial) for trial in finished]
        axes.step(numbers, best, where="post", color=_OTHER, linewidth=1.2, label="best so far")
    for state, face in (("finished", _OTHER), ("stopped early, failed or unfinished", "white")):
        edge = _OTHER if state == "finished" else _STOPPED
        axes.plot([], [], "o", color=edge, markerfacecolor=face, label=state)
    if any(trial.edit is not None and trial.edit > top for trial in trials):
        axes.plot([], [], "^", color=_STOPPED, label="further up")
    axes.legend(loc="upper right", frameon=False, fontsize=8)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _dress(axes, "Trials in the order they began", "trial", sweep, top)


def _curves(axes: Axes, sweep: Sweep, trials: Sequence[TrialResult], top: float) -> None:
    for trial in sorted(trials, key=lambda one: one is sweep.best):  # the best above the others
        if trial.curve:
            best = trial is sweep.best
            shares, edits = zip(*((100 * share, min(edit, top)) for share, edit in trial.curve), strict=True)
            axes.plot(
                shares, edits, marker=".", color=_colour(trial, sweep), linewidth=2 if best else 1,
                alpha=1 if best else 0.6, label=f"{trial.name}, the best" if best else None,
            )  # fmt: skip
    if sweep.best is not None and sweep.best.curve:
        axes.legend(loc="upper right", frameon=False, fontsize=8)
    axes.set_xlim(0, 103)
    _dress(axes, "While training, on the held-out questions", "share of the training (%)", sweep, top)


def _setting(axes: Axes, one: Range, sweep: Sweep, trials: Sequence[TrialResult], top: float) -> None:
    trials = [trial for trial in trials if one.name in trial.varied]
    if isinstance(one, Between):
        places: list[Any] = [trial.varied[one.name] for trial in trials]
        if one.log:
            margin = (one.high / one.low) ** 0.05
            axes.set_xlim(one.low / margin, one.high * margin)
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter(FuncFormatter(_tick))
            axes.xaxis.set_minor_formatter(FuncFormatter(lambda *_: ""))
        else:
            margin = (one.high - one.low) * 0.05
            axes.set_xlim(one.low - margin, one.high + margin)
            if one.whole:
                axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    else:
        places = [
            one.choices.index(trial.varied[one.name]) + _SPREAD * (_number(trial) * 0.618 % 1 - 0.5)
            for trial in trials
        ]
        axes.set_xticks(range(len(one.choices)), [shown(choice) for choice in one.choices])
        axes.set_xlim(-0.5, len(one.choices) - 0.5)
    _points(axes, list(zip(places, trials, strict=True)), sweep, top)
    importance = sweep.importances.get(one.name)
    title = one.name if importance is None else f"{one.name} ({importance * 100:.0f} % of the differences)"
    _dress(axes, title, one.name, sweep, top)


def _tick(value: float, position: int | None) -> str:
    """1e-5 and not 1e-05."""
    digits, power = f"{value:.0e}".split("e")
    return f"{digits}e{int(power)}"


def _points(axes: Axes, placed: Sequence[tuple[Any, TrialResult]], sweep: Sweep, top: float) -> None:
    """A disc a finished trial, a ring for others, a triangle at the edge for what lies above it."""
    for place, trial in placed:
        assert trial.edit is not None
        best, colour = trial is sweep.best, _colour(trial, sweep)
        axes.plot(
            place, min(trial.edit, top), marker="^" if trial.edit > top else "o", linestyle="none",
            markersize=8 if best else 6, color=colour,
            markerfacecolor=colour if trial.state == "finished" else "white",
            gid=trial.name, zorder=3 if best else 2,
        )  # fmt: skip


def _dress(axes: Axes, title: str, along: str, sweep: Sweep, top: float) -> None:
    edits = [edit for trial in sweep.trials for edit in [trial.edit, *dict(trial.curve).values()]]
    low = min(edit for edit in edits if edit is not None)
    margin = (top - low) * 0.08 or 0.1
    axes.set_ylim(low - margin, top + margin)
    if sweep.blank_edit is not None and low - margin <= sweep.blank_edit <= top + margin:
        axes.axhline(sweep.blank_edit, color=_STOPPED, linestyle=":", linewidth=1)
        axes.text(
            0.01, sweep.blank_edit, "all answers empty", transform=axes.get_yaxis_transform(),
            fontsize=7, color="#6b7280", va="bottom",
        )  # fmt: skip
    axes.set_title(title, fontsize=10, loc="left")
    axes.set_xlabel(along, fontsize=9)
    axes.set_ylabel(_EDIT, fontsize=9)
    axes.tick_params(labelsize=8)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def _colour(trial: TrialResult, sweep: Sweep) -> str:
    if trial is sweep.best:
        return _BEST
    return _OTHER if trial.state == "finished" else _STOPPED


def _number(trial: TrialResult) -> int:
    return int(trial.name.rpartition("-")[2])
