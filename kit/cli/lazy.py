"""The list of commands, in the order of the help; a command's module is imported when the command runs."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

PLAIN: dict[str, Any] = {
    "add_completion": False,
    "pretty_exceptions_enable": False,
    "rich_markup_mode": None,
    "context_settings": {"help_option_names": ["--help", "-h"], "max_content_width": 120},
}
"""How every Typer application of the kit looks."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A command's module in ``kit.cli`` and the first sentence of its help."""

    module: str
    summary: str


COMMANDS = {
    "demo": Listed(
        "demo",
        "Run every step on a built-in corpus, with two tiny models that are trained in minutes.",
    ),
    "doctor": Listed(
        "doctor", "Print versions, the device and number format that training would use, and free disk."
    ),
    "notebook": Listed(
        "notebook",
        "Write a Jupyter notebook that explains and runs every step, in Korean and English.",
    ),
    "download": Listed("download", "Download a competition's files, or KorQuAD 1.0, complete and checked."),
    "auto": Listed(
        "auto", "Make a submission in a given time: check, train, predict, tune, ensemble and report."
    ),
    "check": Listed("check", "Report what data files contain and what is wrong with them."),
    "train": Listed(
        "train", "Train one backbone: the best checkpoint by Edit Score is kept, or one model for each fold."
    ),
    "predict": Listed(
        "predict", "Write a run's span scores on a data file: all that later steps need of the model."
    ),
    "tune": Listed(
        "tune", "Fit temperatures, weights, prior and rules out of fold; show what each part gains."
    ),
    "ensemble": Listed(
        "ensemble", "Decode span scores with a recipe; write the submission CSV and its card."
    ),
    "score": Listed("score", "Score a CSV: Edit Score with interval, exact match, character F1, blanks."),
    "report": Listed("report", "Show what answers get wrong: one HTML file with every question, or tables."),
    "submit": Listed(
        "submit",
        "Check a CSV (or a kernel's output), submit it once, wait for its score, record it in the ledger.",
    ),
    "leaderboard": Listed(
        "leaderboard",
        "Show what was submitted: local estimate beside public and private score, and how well they agree.",
    ),
    "submissions": Listed(
        "submissions",
        "List all submissions that Kaggle has of this account, also those made elsewhere; or download one.",
    ),
    "runs": Listed(
        "runs", "List the runs of a folder with their settings and held-out scores, or compare some of them."
    ),
    "sweep": Listed(
        "sweep",
        "Search ranges of training settings; each trial is a run, and those that lag behind stop early.",
    ),
    "kernel": Listed(
        "kernel",
        "Train on Kaggle's GPUs: push a kernel, ask for its state, read its log, download its run.",
    ),
}


SECTIONS = {
    "First steps": ("demo", "doctor", "notebook"),
    "From data to a submission, in this order": (
        "download", "auto", "check", "train", "predict", "tune", "ensemble", "score", "report", "submit",
        "leaderboard", "submissions",
    ),
    "More training": ("runs", "sweep", "kernel"),
}  # fmt: skip
"""The sections of the help."""
_WHOLE = 1000
"""More characters than a command's first sentence has."""


class LazyCommands(Mapping[str, Any]):
    """Name → command of the command line; reading one imports its module."""

    def __getitem__(self, name: str) -> Any:
        found = getattr(importlib.import_module(f"kit.cli.{COMMANDS[name].module}"), name)
        if not isinstance(found, typer.Typer):
            single = typer.Typer(**PLAIN)
            single.command(name)(found)
            found = single
        return get_command(found)

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


class LazyGroup(TyperGroup):
    """The group of all commands; its help is written from the list alone."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = LazyCommands()  # type: ignore[assignment]

    def list_commands(self, ctx: Any) -> list[str]:
        """Names in the order of the help."""
        return list(COMMANDS)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Each command with its first sentence."""
        for title, names in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, COMMANDS[name].summary) for name in names])


class PlainGroup(TyperGroup):
    """A group whose help does not cut the commands' first sentences."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Each command with its first sentence, wrapped at words."""
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, command.get_short_help_str(_WHOLE)) for name, command in self.commands.items()]
            )
