"""A job: what was asked for, the same in this process, in another one, and on Kaggle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kit.errors import ConfigError
from kit.settings.job import Job, JobOptions, fold_numbers, job_options
from kit.settings.mixture import Mixture
from kit.settings.training import training_settings

FILES = (Path("train.json"), Path("more/korquad.json"))


def job(*, valid: Path | None = None, before: tuple[Path, ...] = (), **given: Any) -> Job[Path]:
    options = {name: value for name, value in given.items() if name in JobOptions.model_fields}
    settings = training_settings(**{name: value for name, value in given.items() if name not in options})
    return Job("klue-bert", FILES, settings, job_options({"run": "runs/a"} | options), valid, before)


def test_a_job_says_what_was_asked_for() -> None:
    asked = job(folds=5, fold="0,2", share={"korquad": 0.25}, judge="train", lr=1e-4)
    assert asked.run == Path("runs/a")
    assert asked.folds == (0, 2)
    assert asked.mixture == Mixture(shares={"korquad.json": 0.25}, judge="train.json")
    assert asked.before_lr == 1e-4
    assert job().folds is None


@pytest.mark.parametrize(("fold", "folds"), [(0, (0,)), ([0, 3], (0, 3)), ("3, 0,3", (3, 0)), ((1,), (1,))])
def test_folds_of_a_notebook_and_of_a_shell(fold: Any, folds: tuple[int, ...]) -> None:
    assert job(folds=5, fold=fold).folds == folds


def test_as_words_it_is_complete() -> None:
    words = job(folds=5, fold=[1], share=["korquad=0.5"], resume=True, compile=True, batch_size=16).argv()
    assert words[:2] == ["train", "klue-bert"]
    text = " ".join(words)
    for part in (
        "--data train.json --data more/korquad.json --run runs/a", "--share korquad.json=0.5", "--fold 1",
        "--resume", "--compile", "--batch-size 16", "--micro-batch-size 8", "--folds 5", "--lr 3e-05",
    ):  # fmt: skip
        assert part in text
    assert "--allow-leak" not in text
    assert "None" not in text


def test_as_words_only_some_settings() -> None:
    asked = job(folds=5, lr=1e-4, trust_remote_code=True, before=(Path("x.json"),), before_epochs=2.0)
    rest = [
        "--before",
        "x.json",
        "--before-epochs",
        "2.0",
        "--trust-remote-code",
        "--lr",
        "0.0001",
        "--folds",
        "5",
    ]
    assert asked.further_argv({"lr", "folds"}) == rest
    files = ["--data", "train.json", "--data", "more/korquad.json", "--run", "runs/a"]
    assert asked.argv({"lr", "folds"}) == ["train", "klue-bert", *files, *rest]
    assert job().further_argv(()) == []


def test_another_job_with_other_options() -> None:
    asked = job(folds=5)
    other = asked.asking(training_settings(lr=1e-4, folds=5), fold=3, resume=True, run="b")
    assert (other.settings.lr, other.folds, other.options.resume, other.run) == (1e-4, (3,), True, Path("b"))
    assert (asked.folds, asked.options.resume, asked.run) == (None, False, Path("runs/a"))


def test_what_is_read_from_its_files_takes_their_place() -> None:
    class Read:
        def __init__(self, path: Path) -> None:
            self.path = path

    asked = job(before=(Path("x.json"),), valid=Path("v.json"))
    read = asked.read(Read)
    assert [type(file) for file in (*read.data, *read.before, read.valid)] == [Read] * 4
    assert read.argv() == asked.argv()
    assert "--valid v.json" in " ".join(read.argv())


def test_the_first_stage_learns_as_the_second_unless_told() -> None:
    outside = (Path("x.json"),)
    asked = job(
        before=outside, folds=5, fold=1, lr=2e-5, resume=True, share=["korquad=0.5"], judge="train",
        trust_remote_code=True,
    )  # fmt: skip
    first = asked.first_stage(outside, Path("runs/a/before"))
    assert (first.settings.epochs, first.settings.lr, first.settings.folds) == (1.0, 2e-5, None)
    assert (first.data, first.before, first.valid, first.folds) == (outside, (), None, None)
    assert (first.run, first.options.resume, first.options.trust_remote_code) == (
        Path("runs/a/before"), True, True,
    )  # fmt: skip
    assert first.mixture == Mixture()
    told = asked.asking(before_epochs=2.0, before_lr=1e-4).first_stage(outside, Path("b"))
    assert (told.settings.epochs, told.settings.lr) == (2.0, 1e-4)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"fold": "0"}, "--fold 0: is only for runs with folds; add --folds 5"),
        ({"fold": "5", "folds": 5}, "--fold 5: '5' is no fold; folds are 0 to 4, as in 0,2"),
        ({"judge": "train", "valid": Path("v")}, "the file of --valid judges alone"),
        ({"folds": 5, "valid": Path("v")}, "every fold is held out in its turn"),
        ({"before_only": True}, "are about outside data; name them with --before"),
        ({"before_epochs": 2.0}, "are about outside data; name them with --before"),
        ({"before_epochs": 0.0, "before_lr": 1.0}, "--before-epochs is 0.0; input should be greater than 0"),
        ({"before_epochs": 0.0, "before_lr": 1.0}, "--before-lr is 1.0; input should be less than 1"),
        ({"jobs": 0}, "--jobs is 0; input should be greater than or equal to 1"),
        ({"report_to": "wandb"}, "--report-to"),
        ({"share": ["squad=0.5"]}, "no --data file is called so; they are train.json, korquad.json"),
    ],
)
def test_options_that_do_not_go_together_are_refused(asked: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError) as refused:
        job(**asked)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_run_is_needed() -> None:
    with pytest.raises(ConfigError, match="kit train: --run is missing; add it"):
        job_options({"resume": True})


def test_folds_are_numbers_below_their_count() -> None:
    assert fold_numbers(" 0 ,2,0", 3) == (0, 2)
    for text in ("3", "-1", "a", "0,", ""):
        with pytest.raises(ConfigError, match="is no fold; folds are 0 to 2"):
            fold_numbers(text, 3)
