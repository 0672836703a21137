"""``kit train``: its flags and its help come from the settings."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from kit.cli import app
from kit.cli.train import train
from kit.settings.job import TrainKeywords
from kit.settings.option import GROUPS, flag_of, options_of

EVERYDAY = (
    "--hours --data --valid --epochs --lr --batch-size --max-length --folds --fold --run --resume --json "
    "--help-all --help"
)
FLAGS_OF_V01 = (
    "--data --run --valid --share --judge --before --before-epochs --before-lr --before-only --against "
    "--allow-leak --epochs --lr --batch-size --micro-batch-size --token-budget --max-length --stride "
    "--warmup --schedule --weight-decay --max-grad-norm --targets --head --folds --fold "
    "--early-stopping --evaluations --precision --attention-dropout --gradient-checkpointing --compile "
    "--soften --layer-decay --average --ema --adversarial --r-drop --seed --split-seed --limit "
    "--allow-unknown --jobs --save-minutes --resume --report-to --trust-remote-code --json "
    "--no-allow-leak --no-resume"
)


def shown(*words: str) -> str:
    done = CliRunner().invoke(app, ["train", *words])
    assert done.exit_code == 0, done.output
    return done.output


def test_every_flag_of_the_first_version_is_taken() -> None:
    command = get_command(app).commands["train"]  # type: ignore[attr-defined]
    taken = {word for param in command.params for word in (*param.opts, *param.secondary_opts)}
    assert set(FLAGS_OF_V01.split()) <= taken
    assert {flag_of(name) for name in options_of(TrainKeywords)} <= taken


def test_the_everyday_help_shows_some_ten_options() -> None:
    lines = shown("--help").split("Options:")[1].splitlines()
    flags = [line.removeprefix("  -h,").split()[0] for line in lines if line.startswith(("  --", "  -h, "))]
    assert sorted(flags) == sorted(EVERYDAY.split())


def test_the_whole_help_shows_each_option_in_its_group() -> None:
    text = shown("--help-all")
    places = [text.index(f"\n{group}:\n") for group in GROUPS]
    assert places == sorted(places)
    for name, known in options_of(TrainKeywords).items():
        begin = text.index(f"\n{known.group}:\n")
        own = text[begin:].split("\n\n")[0]
        assert f"\n  {flag_of(name)}" in own, name


def test_the_help_names_defaults_and_choices() -> None:
    text = " ".join(shown("--help-all").split())
    for part in (
        "Peak learning rate [preset's, else 3e-05].", "--schedule linear|cosine",
        "Random seed of the training [42].", "[the backbone's]",
        "--run FOLDER Folder of the run, such as runs/klue-bert. [required]",
    ):  # fmt: skip
        assert part in text


def test_values_are_read_by_their_types() -> None:
    words = [
        "klue-bert",
        "--data",
        "a",
        "--run",
        "r",
        "--lr",
        "1e-4",
        "--folds",
        "5",
        "--compile",
        "--share",
        "a=1",
    ]
    given = get_command(train).make_context("train", words).params
    assert (given["lr"], given["folds"], given["compile"], list(given["share"])) == (1e-4, 5, True, ["a=1"])
    assert given["epochs"] is None
    for wrong in (["--lr", "fast"], ["--folds", "2.5"], ["--epoch", "3"]):
        done = CliRunner().invoke(app, ["train", *words, *wrong])
        assert done.exit_code == 2
        assert wrong[0] in done.output
    assert "--epochs" in done.output  # the name that was meant


@pytest.mark.parametrize("words", [["--help"], ["train", "--help"], ["train", "--help-all"]])
def test_the_help_imports_no_model_library(words: list[str]) -> None:
    code = (
        "import sys; from kit.cli import app\n"
        "try: app(sys.argv[1:])\n"
        "except SystemExit as done: assert not done.code\n"
        "print(*sorted({'torch', 'transformers', 'numpy', 'pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines()[-1] == ("pydantic" if len(words) > 1 else "")
