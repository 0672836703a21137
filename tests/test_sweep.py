"""``kit sweep`` as users run it: trials, what is stopped early, kills, and what is left on the disk."""

from __future__ import annotations

import re
import shutil
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

pytest.importorskip("optuna")
pytest.importorskip("matplotlib")

import kit
from kit.data import demo_corpus
from kit.errors import ConfigError, ModelError
from kit.modeling.tiny import Shape, make_backbone
from kit.settings.runs import read_run
from kit.sweeps.results import Sweep
from tests.commands import run_kit, run_program

RANGES = {"lr": [1e-2, 1e-7], "warmup": [0.0, 0.01]}
FIXED = {"epochs": 2.0, "evaluations": 1, "batch_size": 8, "max_length": 160, "stride": 40}
"""Two learning rates, of which one teaches nothing; the others are stopped once two have finished."""
HELD_OUT = "data/test_answers.json"
SWEEP: dict[str, Any] = {
    "ranges": RANGES, "fixed": FIXED, "trials": 4, "prune_after": 2, "seed": 1, "valid": HELD_OUT
}  # fmt: skip
WORDS = [
    "sweep", "tiny", "--data", "data/train.json", "--trials", "4", "--prune-after", "2", "--seed", "1",
    "--valid", HELD_OUT,
    *(word for name, some in RANGES.items() for word in ("--range", f"{name}={','.join(map(str, some))}")),
    *(word for name, value in FIXED.items() for word in ("--set", f"{name}={value}")),
]  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small corpus and a tiny backbone with dropout, the working folder of this module's tests."""
    folder = tmp_path_factory.mktemp("sweep")
    files = demo_corpus.write(folder / "data", train_contexts=24, test_contexts=8)
    texts = [text for question in kit.load(files.train) for text in (question.context, question.text)]
    shape = Shape(600, 32, 2, 2, 64, 160, dropout=0.1)
    make_backbone(folder / "tiny", texts, "wordpiece", shape, seed=1)
    return folder


@pytest.fixture
def here(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder."""
    monkeypatch.chdir(place)
    return place


@pytest.fixture(scope="module")
def done(place: Path) -> Sweep:
    """A whole sweep, undisturbed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        return kit.sweep("tiny", "data/train.json", run="whole", quiet=True, **SWEEP)


def found_in(sweep: Sweep) -> list[dict[str, Any]]:
    """All but the time, and the names: an attempt more takes a number more."""
    return [{**trial.as_dict(), "seconds": None, "trial": None} for trial in sweep.trials]


@pytest.mark.slow
def test_every_trial_is_a_run_and_the_laggards_are_stopped(place: Path, done: Sweep) -> None:
    assert sorted((trial.varied["lr"], trial.varied["warmup"]) for trial in done.trials) == sorted(
        (lr, warmup) for lr in RANGES["lr"] for warmup in RANGES["warmup"]
    )
    stopped = [trial for trial in done.trials if trial.state == "stopped early"]
    assert {trial.varied["lr"] for trial in stopped} == {1e-7}
    assert all([share for share, _ in trial.curve] == [0.5] for trial in stopped)
    assert len(done.finished) + len(stopped) == 4
    assert done.best is not None
    assert done.best.varied["lr"] == 1e-2
    for trial in done.finished:
        record = read_run(place / "whole" / trial.name)
        assert record is not None
        fold = record.folds["full"]
        assert record.settings.lr == trial.varied["lr"]
        assert trial.edit == fold.metrics["edit"] == min(entry["edit"] for entry in fold.history)
        assert trial.curve == tuple((entry["step"] / fold.steps, entry["edit"]) for entry in fold.history)
        assert (done.held_out, done.blank_edit) == (fold.held_out, fold.metrics["blank_edit"])


@pytest.mark.slow
def test_only_the_best_keeps_its_weights(place: Path, done: Sweep) -> None:
    assert done.best is not None
    kept = [path.parent.parent.name for path in (place / "whole").glob("*/full/model.safetensors")]
    assert kept == [done.best.name]
    assert not list((place / "whole").glob("*/full/checkpoints"))
    (span_file,) = kit.predict(place / "whole" / done.best.name, place / "data/test.json", quiet=True)
    assert span_file.is_file()
    other = next(trial.name for trial in done.finished if trial.name != done.best.name)
    with pytest.raises(ModelError, match=rf"{other}/full: is gone, and the weights with it \(a sweep keeps"):
        kit.predict(place / "whole" / other, place / "data/test.json", quiet=True)


@pytest.mark.slow
def test_killed_in_its_second_trial_it_goes_on_there_to_the_same_end(
    here: Path, done: Sweep, capfd: pytest.CaptureFixture[str]
) -> None:
    steps = done.finished[0].steps
    assert steps is not None
    died = run_program("tests.killed_sweep", 2, steps // 2 + 5, *WORDS, "--run", "killed", cwd=here)
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert all(line.startswith(("killed", "trial-", "tiny", "step")) or "steps:" in line
               for line in died.stderr.splitlines())  # fmt: skip
    (checkpoint,) = (here / "killed" / "trial-0001" / "full" / "checkpoints").glob("*/complete")
    assert checkpoint.parent.name == f"checkpoint-{steps // 2}"
    shown = kit.sweep("killed")
    assert [trial.state for trial in shown.trials] == ["finished", "at work"]
    assert len(shown.trials[1].curve) == 1
    capfd.readouterr()
    again = kit.sweep("tiny", "data/train.json", run="killed", **SWEEP)
    said = capfd.readouterr().err
    assert "trial-0001 (2 of 4) resumes: lr 0.01, warmup 0.0" in said
    assert "trial-0000" not in said  # and nothing is trained twice
    assert f"step {steps // 2} of" not in said.split("(3 of 4)")[0]
    assert found_in(again) == found_in(done)
    assert again.best is not None
    assert done.best is not None
    weights = [here / sweep.folder / sweep.best.name / "full/model.safetensors" for sweep in (again, done)]
    assert weights[0].read_bytes() == weights[1].read_bytes()
    assert (here / "killed" / "sweep.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_the_same_command_again_trains_nothing_and_other_data_are_refused(here: Path, done: Sweep) -> None:
    before = {path: path.stat().st_mtime_ns for path in (here / "whole").glob("trial-*/**/*")}
    again = kit.sweep("tiny", "data/train.json", run="whole", quiet=True, **SWEEP)
    assert found_in(again) == found_in(done)
    assert {path: path.stat().st_mtime_ns for path in (here / "whole").glob("trial-*/**/*")} == before
    demo_corpus.write(here / "other", train_contexts=20, test_contexts=8, seed=9)
    with pytest.raises(
        ConfigError, match=r"whole: is another sweep: the data differ; the sweep has train.json \("
    ):
        kit.sweep("tiny", "other/train.json", run="whole", quiet=True, **SWEEP)


@pytest.mark.slow
def test_a_sweep_is_shown_by_its_folder(here: Path, done: Sweep) -> None:
    shown = run_kit("sweep", "whole", cwd=here)
    assert shown.returncode == 0, shown.stderr
    table = shown.stdout.splitlines()
    assert done.best is not None
    assert table[1].split()[:5] == ["trial", "state", "Edit", "Score", "(characters)"]
    assert table[2].startswith(done.best.name)
    assert len(table) == 7
    assert "lower is better; all blank would score " in table[6]
    picture, optimistic, command = shown.stderr.splitlines()
    assert picture == "picture: whole/sweep.png"
    assert "very questions that chose it, and so optimistic" in optimistic
    assert command == f"next: {done.command}"
    assert "--data data/train.json --run whole-best --epochs 2.0 --lr 0.01 " in command
    assert " --batch-size 8 " in command
    assert " --folds 5" in command


SETTINGS = {"epochs": 1.0, "batch_size": 8, "max_length": 160, "stride": 40, "limit": 32}


def small(place: Path, name: str, backbone: str = "tiny", **given: Any) -> Sweep:
    words: dict[str, Any] = {"ranges": {"lr": [1e-3, 1e-4]}, "fixed": SETTINGS, "quiet": True, "trials": 2}
    return kit.sweep(place / backbone, place / "data/train.json", run=place / name, **{**words, **given})


@pytest.mark.slow
def test_out_of_time_it_leaves_a_checkpoint_and_goes_on(place: Path) -> None:
    found = small(place, "hours", hours=1e-9)
    assert found.trials == ()  # not even one was begun
    found = small(place, "hours", hours=0.1 / 3600)  # over before the first step is done
    assert [trial.state for trial in found.trials] == ["at work"]
    (trial,) = found.trials
    assert list((place / "hours" / trial.name / "full" / "checkpoints").glob("*/complete"))
    assert [trial.state for trial in small(place, "hours").trials] == ["finished", "finished"]


def test_trainings_that_fail_are_told_and_three_in_a_row_end_the_sweep(place: Path) -> None:
    broken = place / "broken"
    shutil.copytree(place / "tiny", broken)
    weights = load_file(broken / "model.safetensors")
    weights["qa_outputs.weight"][:] = np.nan
    save_file(weights, broken / "model.safetensors", {"format": "pt"})
    said = r"its scores are not finite \(qa_outputs.weight is not of finite numbers\)"
    with pytest.raises(ModelError, match=rf"3 trainings in a row failed, the last one: .*{said}"):
        small(place, "failing", backbone="broken", ranges={"lr": "1e-5:1e-4"}, trials=9)
    found = kit.sweep(place / "failing")
    assert [trial.state for trial in found.trials] == ["failed"] * 3
    assert re.search(said, found.trials[0].error or "")
    assert not list((place / "failing").glob("*/full"))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"trials": 0}, "--trials is 0; input should be greater than or equal to 1"),
        ({"keep": -1}, "--keep is -1; input should be greater than or equal to 0"),
        ({"hours": 0}, "--hours is 0; input should be greater than 0"),
        ({"ranges": {}}, "nothing varies"),
        ({"fixed": {"folds": 5}}, "--set folds=5"),
    ],
)
def test_what_makes_no_sense_is_refused(place: Path, given: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        small(place, "never", **given)
    assert not (place / "never").exists()


def test_a_folder_without_a_sweep_is_not_shown(place: Path) -> None:
    with pytest.raises(ConfigError, match=r"tiny: holds no sweep; give --data, --run and a --range"):
        kit.sweep(place / "tiny")
    with pytest.raises(ConfigError, match="give --data, --run and a --range"):
        kit.sweep(place / "tiny", place / "data/train.json")
