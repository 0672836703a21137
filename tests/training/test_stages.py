"""Two stages and several sources: one training of the first, whatever happens, and honest second ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import TrainerCallback
from typer.main import get_command

import kit
from kit.api.train import training_job
from kit.cli import app
from kit.cli.runs import runs as list_runs
from kit.data import demo_corpus
from kit.errors import ConfigError, DataError, LeakError
from kit.modeling.tiny import Shape, make_backbone
from kit.settings.mixture import Mixture
from kit.settings.runs import RunRecord, read_run
from kit.training import launch
from kit.training.callbacks import Callbacks
from kit.training.checkpoints import complete_checkpoints
from kit.training.run import train_run
from tests.commands import PROJECT, run_program

SETTINGS: dict[str, Any] = {
    "epochs": 2.0,
    "batch_size": 8,
    "micro_batch_size": 4,
    "max_length": 160,
    "stride": 40,
    "lr": 1e-3,
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data, data to mix in, and outside data, of which some are the data again; and a tiny backbone."""
    folder = tmp_path_factory.mktemp("stages")
    rows = {}
    for seed, name in enumerate(("own", "mixed", "outside", "other")):
        files = demo_corpus.write(folder / name, seed=seed, train_contexts=10, test_contexts=4)
        rows[name] = json.loads(files.train.read_text(encoding="utf-8"))
    outside = {**rows["outside"], "data": rows["outside"]["data"] + rows["own"]["data"][:5]}
    for name, content in (*rows.items(), ("outside", outside)):
        (folder / f"{name}.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    texts = [question.context for question in kit.load(folder / "own.json")]
    shape = Shape(500, 32, 1, 2, 64, 160, dropout=0.1)
    make_backbone(folder / "tiny", texts, "wordpiece", shape, seed=1)
    return folder


def record_of(folder: Path) -> RunRecord:
    record = read_run(folder)
    assert record is not None
    return record


def weights(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


# ---- what is refused


@pytest.mark.parametrize(
    ("options", "kind", "says"),
    [
        ({"before": "own.json"}, ConfigError, "--before own.json: is the same file as --data own.json; give"),
        ({"data": ["own.json", "copy.json"]}, ConfigError, "--share copy.json=2 shows all of it twice"),
        ({"before_lr": 1e-5}, ConfigError, "are about outside data; name them with --before"),
        ({"before_only": True}, ConfigError, "are about outside data; name them with --before"),
        ({"before": "other.json", "before_epochs": 0.0}, ConfigError, "--before-epochs is 0.0; "),
        ({"share": ["outside=2"]}, ConfigError, "no --data file is called so; they are own.json"),
        ({"judge": "own", "valid": "other.json"}, ConfigError, "the file of --valid judges alone"),
        ({"before": "part.json"}, DataError, "questions are about articles of the data, and nothing is left"),
        ({"before": "other.json", "against": "other.json"}, LeakError, "share their article with"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    place: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], kind: type[Exception], says: str
) -> None:
    monkeypatch.chdir(place)
    own = json.loads(Path("own.json").read_text(encoding="utf-8"))
    Path("copy.json").write_bytes(Path("own.json").read_bytes())
    Path("part.json").write_text(json.dumps({**own, "data": own["data"][3:7]}), encoding="utf-8")
    given = {"data": "own.json"} | options
    with pytest.raises(kind) as refused:
        kit.train("tiny", run="refused", quiet=True, **given, **SETTINGS)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not Path("refused").exists()


def test_another_process_is_told_all_of_it(place: Path) -> None:
    """The words that the kit starts itself with mean what it was given."""
    data = [kit.load(place / f"{name}.json") for name in ("own", "mixed")]
    before = [kit.load(place / f"{name}.json") for name in ("outside", "other")]
    options = {
        "run": "r", "share": {"mixed.json": 0.1 + 0.2}, "judge": "own", "before": before,
        "before_epochs": 0.5,
        "before_lr": 1e-4, "report_to": ["tensorboard", "mlflow"], "resume": True, "trust_remote_code": True,
        "soften": 0.3, "compile": True, "folds": 3, "fold": [0, 2], "precision": "bf16", "jobs": 2,
    }  # fmt: skip
    job = training_job("owner/tiny", data, options | SETTINGS)
    words = job.argv()
    train = get_command(app).commands["train"]  # type: ignore[attr-defined]
    given = train.make_context("train", words[1:]).params
    assert [Path(path) for path in given["data"]] == [dataset.path for dataset in data]
    assert [Path(path) for path in given["before"]] == [dataset.path for dataset in before]
    assert (given["before_epochs"], given["before_lr"], given["before_only"]) == (0.5, 1e-4, False)
    assert list(given["share"]) == ["mixed.json=0.30000000000000004"]
    assert given["judge"] == "own"
    again = {name: value for name, value in given.items() if name not in {"backbone", "data", "as_json"}}
    read = training_job(given["backbone"], given["data"], again)
    assert read.settings == job.settings
    assert (read.mixture, read.folds, read.before_lr) == (job.mixture, (0, 2), 1e-4)
    assert read.argv() == words


# ---- trainings


def test_the_judge_chooses_among_several_sources(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = [place / "own.json", place / "mixed.json"]
    options = SETTINGS | {"evaluations": 3, "share": {"mixed": 0.5}, "judge": "mixed"}
    run = kit.train(str(place / "tiny"), data, run=place / "judged", **options)
    assert run.record is not None
    assert run.record.mixture == Mixture(shares={"mixed.json": 0.5}, judge="mixed.json")
    full = run.record.folds["full"]
    held = {name: score.held_out for name, score in full.sources.items()}
    assert set(held) == {"own.json", "mixed.json"}
    assert (full.chosen_on, full.metrics) == (held["mixed.json"], full.sources["mixed.json"].metrics)
    judged = [entry["edit/mixed.json"] for entry in full.history]
    assert [entry["edit"] for entry in full.history] == judged
    steps = [entry["step"] for entry in full.losses]
    assert steps == sorted(set(steps))
    assert 0 < len(steps) <= full.steps
    assert all(0 < entry["loss"] < 20 for entry in full.losses)
    assert full.kept_step == full.history[judged.index(min(judged))]["step"]
    # an epoch has the windows of the one file and half of those of the other
    learned = {name: len(kit.load(place / f"{name}.json")) for name in ("own", "mixed")}
    assert full.steps < 2 * -(-full.windows // 8)
    assert full.windows >= sum(learned.values()) - sum(held.values())
    assert "Edit Score" in (said := capsys.readouterr().err)
    assert "mixed.json" in said


@pytest.mark.slow
def test_two_stages_killed_between_them_end_in_the_same_weights(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Folds side by side, without a disturbance, against one after the other, after a kill."""
    options = SETTINGS | {
        "data": [str(place / "own.json"), str(place / "mixed.json")],
        "share": ["mixed.json=0.5"],
        "before": [str(place / "outside.json")],
        "before_lr": 2e-3,
        "folds": 2,
    }
    runs = place / "runs"
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the same in every process, or sums would be rounded otherwise
    try:
        monkeypatch.setenv("PYTHONPATH", str(PROJECT))
        monkeypatch.setenv("OMP_NUM_THREADS", "1")
        monkeypatch.setattr(launch, "usable_cores", lambda: 2)
        kit.train(str(place / "tiny"), run=runs / "side", jobs=2, **options)
        said = capsys.readouterr().err
        assert said.count("the outside data first") == 1
        words = (place / "tiny", runs / "killed", json.dumps(options))
        done = run_program("tests.training.interrupted", *words, cwd=place)
        assert done.returncode == -9, done.stderr
        assert sorted(record_of(runs / "killed" / "before").folds) == ["full"]
        assert record_of(runs / "killed").folds == {}
        first = {path: path.stat().st_mtime_ns for path in (runs / "killed/before").rglob("*")}
        kit.train(str(place / "tiny"), run=runs / "killed", resume=True, **options)
        said = capsys.readouterr().err
        assert "the outside data first" not in said
        assert {path: path.stat().st_mtime_ns for path in (runs / "killed/before").rglob("*")} == first
    finally:
        torch.set_num_threads(threads)
    for model in ("before/full", "fold-0", "fold-1"):
        assert weights(runs / "killed" / model) == weights(runs / "side" / model), model
    assert weights(runs / "side/fold-0") != weights(runs / "side/fold-1")

    # The first stage is a run of its own, and knows nothing of what the folds are judged on.
    own, record = kit.load(place / "own.json"), record_of(runs / "side")
    outside = kit.load(place / "outside.json")
    assert record.before is not None
    assert (record.before.epochs, record.before.lr) == (1.0, 2e-3)
    asked = {question.context for question in own}
    related = sum(question.context in asked for question in outside)
    assert related > 5
    assert record.before.left_out == related
    first_run = record_of(runs / "side" / "before")
    assert first_run.data == record.before.data
    assert first_run.data[0].questions == len(outside) - related
    assert (first_run.settings.folds, first_run.settings.lr) == (None, 2e-3)
    assert 0 < first_run.folds["full"].held_out < len(outside)
    # The prior is made from the data's answers alone.
    counted = sum(record.answer_lengths.values())
    assert counted == sum(
        len(question.answers or ())
        for name in ("own", "mixed")
        for question in kit.load(place / f"{name}.json")
    )

    # What follows a training takes it for any other run.
    list_runs(runs, as_json=True)
    assert sorted(json.loads(capsys.readouterr().out)) == ["killed", "side"]
    assert set(kit.out_of_fold(runs / "side", options["data"])) == {Path(path) for path in options["data"]}
    side = kit.train(str(place / "tiny"), run=runs / "side", quiet=True, **options)
    assert side.learned(outside)
    assert not side.trained_on(outside)
    for other in (
        {"before_lr": 1e-3},
        {"before": [], "before_lr": None},
        {"before": str(place / "other.json")},
        {"share": []},
    ):
        with pytest.raises(ConfigError, match=r"is another run: (learned first is|the sources are mixed by)"):
            kit.train(str(place / "tiny"), run=runs / "side", quiet=True, **(options | other))


class Stopped(Exception):
    """What a user's Ctrl-C is to a training."""


class Stop(TrainerCallback):
    """Ends a training as an error would, at a step."""

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step == state.max_steps - 2:
            raise Stopped


def test_an_epoch_of_shares_goes_on_where_it_was_left(place: Path) -> None:
    data = [kit.load(place / f"{name}.json") for name in ("own", "mixed")]
    options = {
        **SETTINGS,
        "evaluations": 3,
        "folds": 2,
        "fold": 1,
        "share": ["own.json=0.4", "mixed.json=1.5"],
    }
    for name, callbacks in (("whole", Callbacks()), ("stopped", Callbacks(trainer_callbacks=(Stop(),)))):
        job = training_job(str(place / "tiny"), data, {**options, "run": place / name})
        if name == "stopped":
            with pytest.raises(Stopped):
                train_run(job, callbacks)
            (*_, last) = complete_checkpoints(place / "stopped/fold-1/checkpoints")
            assert json.loads((last / "trainer_state.json").read_text(encoding="utf-8"))["epoch"] > 1
        train_run(job.asking(resume=True))
    assert weights(place / "stopped/fold-1") == weights(place / "whole/fold-1")
