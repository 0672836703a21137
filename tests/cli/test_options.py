"""Flags from declared options."""

from __future__ import annotations

from typing import Any

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from kit.cli import app
from kit.cli.options import default_text, given_options, takes_options
from kit.settings.job import TrainKeywords
from kit.settings.option import names_elsewhere, option, options_of
from kit.settings.validation import Settings


class Sample(Settings):
    many: tuple[str, ...] = option((), group="Run", several=True, help="Several words")
    on: bool = option(False, group="Run", help="Switch")
    share: float = option(0.5, gt=0, group="Run", help="A number")
    needed: str = option(group="Run", help="A word", environment="SAMPLE_NEEDED")


def run(*words: str, **environment: str) -> dict[str, Any]:
    got: list[dict[str, Any]] = []
    made = typer.Typer(add_completion=False)

    @made.command()
    @takes_options(Sample)
    def command(first: str, last: int = 3, **options: Any) -> None:
        got.append({"first": first, "last": last, **options})

    typer.testing.CliRunner(env=environment).invoke(made, list(words), catch_exceptions=False)
    return got[0] if got else {}


def test_the_function_gets_what_was_given() -> None:
    assert run("a", "--needed", "x") == {"first": "a", "last": 3, "needed": "x"}
    assert run("a", "--many", "x", "--many", "y", "--on", "--share", "2", "--needed", "z", "--last", "1") == {
        "first": "a", "last": 1, "many": ["x", "y"], "on": True, "share": 2.0, "needed": "z",
    }  # fmt: skip
    assert run("a", "--on", "--no-on", "--needed", "x") == {"first": "a", "last": 3, "needed": "x"}
    assert run("a", SAMPLE_NEEDED="y") == {"first": "a", "last": 3, "needed": "y"}
    assert run("a") == {}  # --needed is missing


def test_options_of_a_training_among_words() -> None:
    words = ["--lr", "1e-4", "--compile", "--data", "a", "--data", "b", "--share", "a=2", "--no-resume"]
    given = given_options(words, TrainKeywords)
    assert (given["lr"], given["compile"], list(map(str, given["data"]))) == (1e-4, True, ["a", "b"])
    assert set(given) == {"lr", "compile", "data", "share", "resume"}
    assert given_options([], TrainKeywords) == {}


def test_a_mistyped_name_gets_a_suggestion_also_of_the_other_command() -> None:
    kernel = get_command(typer_app_with_competition())
    for word, meant in (("--epoch", "--epochs"), ("--competitoin", "--competition")):
        with pytest.raises(Exception, match="No such option") as refused:
            given_options([word, "3"], TrainKeywords, also=kernel.params)
        assert meant in refused.value.format_message()  # type: ignore[attr-defined]


def test_the_names_of_other_trainers_lead_to_the_option_here() -> None:
    for word, meant in (
        ("--learning-rate", "--lr"), ("--doc-stride", "--stride"), ("--output-dir=x", "--run"),
        ("--gradient-accumulation-steps", "--batch-size"), ("--fp16", "--precision"),
    ):  # fmt: skip
        done = CliRunner().invoke(app, ["train", "klue-bert", "--data", "x.json", word, "3"])
        assert (done.exit_code, f"{meant})" in done.output) == (2, True), done.output
    names = names_elsewhere(TrainKeywords)
    assert len(names) > 40
    assert not names.keys() & TrainKeywords.model_fields.keys()
    assert sum(len(known.elsewhere) for known in options_of(TrainKeywords).values()) == len(names)


def typer_app_with_competition() -> typer.Typer:
    made = typer.Typer(add_completion=False)

    @made.command()
    def push(competition: str = typer.Option()) -> None:
        pass

    return made


def test_defaults_in_words() -> None:
    known = options_of(TrainKeywords)
    for name, words in (
        ("lr", "preset's, else 3e-05"), ("seed", "42"), ("soften", "0"),
        ("token_budget", "--micro-batch-size decides"),
        ("resume", ""), ("run", ""), ("before", ""), ("schedule", "linear"),
    ):  # fmt: skip
        assert default_text(name, TrainKeywords.model_fields[name], known[name]) == words, name
