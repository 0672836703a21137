"""``--hours``: a training that ends in time with a model that can be used."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

import kit
from kit.api.train import training_job
from kit.data import demo_corpus
from kit.data.records import Dataset
from kit.modeling.tiny import Shape, make_backbone
from kit.settings.job import Job
from kit.settings.option import options_of
from kit.settings.run_options import TimeOptions
from kit.settings.runs import RunRecord, read_run
from kit.settings.sweep_options import SweepOptions
from kit.training.callbacks import Callbacks
from kit.training.cost_estimate import Forecast
from kit.training.run import train_run
from kit.training.time_limit import TimeLimit

SHORT: dict[str, Any] = {
    "epochs": 4.0, "batch_size": 8, "max_length": 160, "stride": 40, "lr": 1e-3, "limit": 60,
}  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("time")
    files = demo_corpus.write(folder / "data", train_contexts=24, test_contexts=4)
    texts = [text for question in kit.load(files.train) for text in (question.context, question.text)]
    make_backbone(folder / "tiny", texts, "wordpiece", Shape(600, 32, 1, 2, 32, 160), seed=1)
    return folder


@pytest.fixture(scope="module")
def data(place: Path) -> Dataset:
    return kit.load(place / "data" / "train.json")


def trained(place: Path, data: Dataset, name: str, **options: Any) -> tuple[RunRecord, list[str]]:
    said: list[str] = []
    asked = {**SHORT, "run": place / name, **options}
    train_run(training_job(str(place / "tiny"), data, asked), Callbacks(said.append))
    record = read_run(place / name)
    assert record is not None
    return record, said


def expected(steps: int, seconds: float, scoring: float) -> Forecast:
    return Forecast(100, steps, seconds, 0, 1, Path(), unused=False, scoring=scoring)


@pytest.mark.parametrize(
    ("left", "steps"),
    [(2000.0, 90), (1000.0 / 0.95 + 1, 90), (550.0 / 0.95 + 1, 45), (110.0 / 0.95 + 1, 1), (0.0, 1)],
)
def test_the_steps_that_end_in_time(left: float, steps: int) -> None:
    """90 steps of 10 seconds, and 100 seconds of scoring."""
    limit = TimeLimit(1.0, time.monotonic() + left)
    assert limit.steps(expected(90, 1000.0, 100.0)) == steps


def test_a_model_that_does_not_fit_is_shortened(place: Path, data: Dataset) -> None:
    whole, _ = trained(place, data, "whole")
    short, said = trained(place, data, "short", hours=1e-6)
    assert short.folds["full"].steps == 1 < whole.folds["full"].steps
    assert short.folds["full"].metrics["edit"] >= 0
    (line,) = [line for line in said if line.startswith("--hours")]
    assert f"{whole.folds['full'].steps} steps take about" in line
    assert "shortened to 1 steps" in line
    assert "of 4 epochs" in line
    assert short.settings == whole.settings  # the limit is no setting: the run is the same
    assert kit.predict(place / "short", place / "data" / "test.json", quiet=True)


def test_enough_time_changes_nothing(place: Path, data: Dataset) -> None:
    record, said = trained(place, data, "enough", hours=1.0)
    assert record.folds["full"].steps > 1
    assert not [line for line in said if "--hours" in line]


def test_folds_are_finished_one_after_another(place: Path, data: Dataset) -> None:
    record, said = trained(place, data, "folds", folds=3, hours=1e-6)
    assert list(record.folds) == ["0"]
    assert "1 of 3 folds are trained; another takes about" in said[-1]
    assert "the same command with --resume trains the others" in said[-1]
    assert len(kit.predict(place / "folds", place / "data" / "test.json", quiet=True)) == 1
    first = record.folds["0"]
    rest, _ = trained(place, data, "folds", folds=3, resume=True)
    assert sorted(rest.folds) == ["0", "1", "2"]
    assert rest.folds["0"] == first
    assert rest.folds["1"].steps > first.steps


def test_a_forecast_that_was_too_low_stops_with_an_evaluation(
    place: Path, data: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TimeLimit, "steps", lambda limit, cost: cost.steps)
    record, _ = trained(place, data, "late", hours=1e-6)
    late = record.folds["full"]
    assert (late.steps, late.kept_step) == (1, 1)
    assert late.chosen_on > 0
    assert late.metrics["edit"] >= 0


def test_a_shortened_training_resumes_with_its_own_steps(place: Path, data: Dataset) -> None:
    from transformers import TrainerCallback

    class Stop(TrainerCallback):
        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            raise KeyboardInterrupt

    asked = {**SHORT, "run": place / "cut", "hours": 1.0, "save_minutes": 1e-6, "folds": 2, "fold": 0}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TimeLimit, "steps", lambda limit, cost: 3)
        with pytest.raises(KeyboardInterrupt):
            train_run(training_job(str(place / "tiny"), data, asked), Callbacks(trainer_callbacks=(Stop(),)))
    record, _ = trained(place, data, "cut", folds=2, fold=0, resume=True)
    assert record.folds["0"].steps == 3


def test_one_declaration_for_trainings_sweeps_and_kernels(place: Path) -> None:
    declared = options_of(TimeOptions)["hours"]
    assert options_of(SweepOptions)["hours"] == declared
    job = training_job("owner/tiny", place / "data" / "train.json", {"run": "r", "hours": 2.5})
    assert "--hours 2.5" in " ".join(job.argv())
    before = training_job("owner/tiny", "a.json", {"run": "r", "hours": 2.0, "before": ["b.json"]})
    assert isinstance(before, Job)
    assert before.first_stage((), Path("r/before")).options.hours == 1.0
