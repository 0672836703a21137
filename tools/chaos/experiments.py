"""The commands that are disturbed, each in a folder without results and in one with earlier results."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.chaos.fixtures import TRAINING, competition_files, made_up_run, must, prepare_road, prepare_tuning
from tools.chaos.kaggle_account import Account
from tools.chaos.processes import ForkServer

Words = tuple[str, ...]
Prepare = Callable[[Path], None]
"""Fills an empty folder."""


@dataclass(frozen=True, slots=True)
class Experiment:
    """One command in one prepared folder."""

    variant: str
    """"new", or "over" where an earlier result of the same name exists."""
    words: Words
    prepare: Prepare
    looks: tuple[Words, ...] = ()
    """Commands that use the result: they must work, or refuse, on whatever a killed command left."""
    growing: tuple[str, ...] = ()
    """Patterns of files that are written in several steps while the command runs."""
    account: Account | None = None

    @property
    def command(self) -> str:
        return self.words[0]

    @property
    def name(self) -> str:
        return f"{self.command} ({self.variant})"


COMMANDS = ("train", "predict", "ensemble", "tune", "download", "submit", "report")


@contextmanager
def experiments(commands: Sequence[str], place: Path, server: ForkServer) -> Iterator[list[Experiment]]:
    """The experiments of *commands*, two each; *server* prepares what they share in *place*."""
    made: list[Experiment] = []
    if {"train", "predict", "ensemble", "report"} & set(commands):
        road = place / "road"
        road.mkdir()
        prepare_road(road, server)
        made += _train(road) + _predict(road) + _ensemble(road) + _report(road)
    if "tune" in commands:
        made += _tune(place, server)
    with Account.opened(competition_files(place / "offered")) as account:
        made += _submit(account, server) + _download(account, server)
        yield [one for name in commands for one in made if one.command == name]


def _new_and_over(words: Words, new: Prepare, over: Prepare, **more: Any) -> list[Experiment]:
    """One in a folder without results, one in a folder with earlier ones."""
    return [Experiment("new", words, new, **more), Experiment("over", words, over, **more)]


def _copy(road: Path, *names: str) -> Prepare:
    """Copies *names* of the prepared folder."""

    def fill(folder: Path) -> None:
        for name in names:
            source, target = road / name, folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target)
            else:
                shutil.copy(source, target)

    return fill


def _train(road: Path) -> list[Experiment]:
    words = ("train", "tiny", "--data", "data/train.json", "--run", "runs/new", *TRAINING)
    looks: tuple[Words, ...] = (
        ("runs", "runs"),
        ("predict", "runs/new", "--data", "data/test.json"),
        ("ensemble", "runs/new", "--data", "data/train.json", "--out", "look.csv"),
    )
    growing = ("runs/new/run.json", "runs/new/*/checkpoints/*", "runs/new/spans/oof-*.fold-?.safetensors")
    prepare = _copy(road, "data", "tiny")
    return [
        Experiment("folds", (*words, "--folds", "2"), prepare, looks, growing),
        Experiment("one", words, prepare, looks[:2], growing),
    ]


def _predict(road: Path) -> list[Experiment]:
    words = ("predict", "runs/a", "--data", "data/test.json")
    looks: tuple[Words, ...] = (("ensemble", "runs/a", "--data", "data/test.json", "--out", "look.csv"),)
    models = [f"runs/a/{name}" for name in ("run.json", "folds.json", "fold-0", "fold-1")]

    def over(folder: Path) -> None:
        """With the scores of another run's models."""
        _copy(road, "data", "runs/a")(folder)
        for path in (road / "runs/b/spans").glob("test-*"):
            shutil.copy(path, folder / "runs/a/spans")

    return _new_and_over(words, _copy(road, "data", *models), over, looks=looks)


def _ensemble(road: Path) -> list[Experiment]:
    words = ("ensemble", "two.yaml", "--data", "data/test.json", "--out", "submissions/x.csv")
    looks: tuple[Words, ...] = (
        ("score", "submissions/x.csv", "--answers", "data/test_answers.json"),
        ("report", "submissions/x.csv", "--answers", "data/test_answers.json", "--text"),
    )
    inputs = ("data", "runs", "two.yaml")
    return _new_and_over(words, _copy(road, *inputs), _copy(road, *inputs, "submissions"), looks=looks)


def _report(road: Path) -> list[Experiment]:
    words = ("report", "submissions/x.csv", "--answers", "data/test_answers.json", "--out", "reports/x.html")
    inputs = ("data", "submissions")
    return _new_and_over(words, _copy(road, *inputs), _copy(road, *inputs, "reports"))


def _tune(place: Path, server: ForkServer) -> list[Experiment]:
    words = ("tune", "one.yaml")
    looks: tuple[Words, ...] = (
        ("ensemble", "tuned/one.yaml", "--data", "data/train.json", "--out", "look.csv"),
    )
    earlier = place / "tuned-earlier"
    earlier.mkdir()
    prepare_tuning(earlier, seed=7)
    must(server, *words, folder=earlier)

    def over(folder: Path) -> None:
        """A recipe and its second stage, fitted on other scores of the same models."""
        _copy(earlier, "data", "runs", "tuned", "one.yaml")(folder)
        made_up_run(folder, seed=1)

    return _new_and_over(words, prepare_tuning, over, looks=looks)


def _submit(account: Account, server: ForkServer) -> list[Experiment]:
    words = ("submit", "submissions/x.csv", "--message", "first try", "--competition", "goorm-2")
    looks: tuple[Words, ...] = (("leaderboard",), ("leaderboard", "--refresh", "--pick", "1"))

    def new(folder: Path) -> None:
        account.offer_csvs(folder)

    def over(folder: Path) -> None:
        """Another CSV was submitted before."""
        account.offer_csvs(folder)
        other = [word.replace("x.csv", "y.csv") for word in words]
        must(server, *other, folder=folder, environment=account.environment)

    growing = ("submissions/ledger.jsonl",)
    return _new_and_over(words, new, over, looks=looks, growing=growing, account=account)


def _download(account: Account, server: ForkServer) -> list[Experiment]:
    words = ("download", "goorm-2")
    looks: tuple[Words, ...] = (("check", "data/goorm-2/train.json"), ("download", "goorm-2"))

    def over(folder: Path) -> None:
        """An earlier download that was changed since, in a folder with other files."""
        must(server, *words, folder=folder, environment=account.environment)
        there = folder / "data/goorm-2"
        (there / "notes.txt").write_text("mine\n", encoding="utf-8")
        (there / "train.json").write_text("changed\n", encoding="utf-8")
        (there / "test.json").unlink()

    return [
        Experiment("new", words, lambda folder: None, looks, account=account),
        Experiment("over", (*words, "--force"), over, looks, account=account),
    ]
