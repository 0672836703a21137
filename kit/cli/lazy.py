"""The list of commands, in the order of the help; a command's module is imported when the command runs."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
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


SECTIONS = {
    "First steps": {
        "demo": "Run every step on a built-in corpus, with two tiny models that are trained in minutes.",
        "doctor": "Print versions, the device and number format that training would use, and free disk.",
        "notebook": "Write a Jupyter notebook that explains and runs every step, in Korean and English.",
    },
    "From data to a submission, in this order": {
        "download": "Download a competition's files, or KorQuAD 1.0, complete and checked.",
        "auto": "Make a submission in a given time: check, train, predict, tune, ensemble and report.",
        "check": "Report what data files contain and what is wrong with them.",
        "train": "Train one backbone: the best checkpoint by Edit Score is kept, or one model for each fold.",
        "predict": "Write a run's span scores on a data file: all that later steps need of the model.",
        "tune": "Fit temperatures, weights, prior and rules out of fold; show what each part gains.",
        "ensemble": "Decode span scores with a recipe; write the submission CSV and its card.",
        "score": "Score a CSV: Edit Score with interval, exact match, character F1, blanks.",
        "report": "Show what answers get wrong: one HTML file with every question, or tables.",
        "submit": "Check a CSV (or a kernel's output), submit it once, wait for its score, record it in "
        "the ledger.",
        "leaderboard": "Show what was submitted: local estimate beside public and private score, and how "
        "well they agree.",
        "submissions": "List all submissions that Kaggle has of this account, also those made elsewhere; or "
        "download one.",
    },
    "More training": {
        "runs": "List the runs of a folder with their settings and held-out scores, or compare some of them.",
        "sweep": "Search ranges of training settings; each trial is a run, and those that lag behind stop "
        "early.",
        "kernel": "Train on Kaggle's GPUs: push a kernel, ask for its state, read its log, download its run.",
    },
}
"""The sections of the help: command → the first sentence of its help."""
COMMANDS = {name: summary for commands in SECTIONS.values() for name, summary in commands.items()}
"""A command NAME is in ``kit.cli.NAME``."""
_WHOLE = 1000
"""More characters than a command's first sentence has."""


class LazyCommands(Mapping[str, Any]):
    """Name → command of the command line; reading one imports its module."""

    def __getitem__(self, name: str) -> Any:
        if name not in COMMANDS:
            raise KeyError(name)
        found = getattr(importlib.import_module(f"kit.cli.{name}"), name)
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
        return list(COMMANDS)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl(list(commands.items()))


class PlainGroup(TyperGroup):
    """A group whose help does not cut the commands' first sentences."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, command.get_short_help_str(_WHOLE)) for name, command in self.commands.items()]
            )
