"""The whole road through the real commands: files in, scored submission out; and every wrong turn."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import BertConfig, BertForMaskedLM, TrainerCallback

import kit
from kit.api.train import training_job
from kit.data import demo_corpus
from kit.errors import ConfigError, KitError, LeakError, SpanFileError, SubmissionError, WriteError
from kit.modeling.tiny import Shape, make_backbone
from kit.settings.runs import read_run
from kit.training.callbacks import Callbacks
from kit.training.run import train_run
from tests.commands import PROJECT, fork_server, run_kit
from tools.chaos.moments import FULL, Moment

Kit = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with a small corpus, a tiny backbone, and a run trained and predicted on them."""
    folder = tmp_path_factory.mktemp("road")
    files = demo_corpus.write(folder / "data", train_contexts=40, test_contexts=12)
    texts = [text for question in kit.load(files.train) for text in (question.context, question.text)]
    make_backbone(folder / "tiny", texts, "wordpiece", Shape(600, 32, 2, 2, 64, 160), seed=1)
    trained = run_kit(
        "train",
        "tiny",
        "--data",
        "data/train.json",
        "--run",
        "runs/tiny",
        "--epochs",
        "1",
        "--batch-size",
        "16",
        "--max-length",
        "160",
        "--lr",
        "1e-3",
        cwd=folder,
    )
    assert trained.returncode == 0, trained.stderr
    assert "windows" in trained.stderr
    assert "of disk while training" in trained.stderr
    assert "lower is better; all blank would score " in trained.stdout
    assert trained.stderr.splitlines()[-1] == "next: kit predict runs/tiny --data data/test.json"
    predicted = run_kit("predict", "runs/tiny", "--data", "data/test.json", cwd=folder)
    assert predicted.returncode == 0, predicted.stderr
    assert predicted.stderr.splitlines()[-1] == "next: kit ensemble runs/tiny --data data/test.json"
    return folder


def refused(result: subprocess.CompletedProcess[str]) -> str:
    """The one line of a failure."""
    assert result.returncode == 1, result.stdout + result.stderr
    lines = [line for line in result.stderr.strip().splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, result.stderr
    assert "Traceback" not in result.stderr
    assert result.stderr.strip().splitlines()[-1] == lines[0]
    return lines[0]


def test_the_run_folder_holds_model_record_and_spans_and_nothing_else(place: Path) -> None:
    run = place / "runs" / "tiny"
    assert sorted(path.name for path in run.iterdir()) == ["full", "run.json", "spans"]
    assert sorted(path.name for path in (run / "full").iterdir()) == [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    ]
    record = read_run(run)
    assert record is not None
    assert record.settings.batch_size == 16
    assert record.folds["full"].metrics["edit"] > 0
    assert record.answer_lengths
    held_out = record.folds["full"].held_out
    assert 0.03 < held_out / record.data[0].questions < 0.2
    data = kit.load(place / "data" / "test.json")
    assert [path.name for path in (run / "spans").iterdir()] == [f"test-{data.sha256[:8]}.safetensors"]


def test_ensemble_writes_every_guid_once_in_file_order(place: Path) -> None:
    result = run_kit("ensemble", "runs/tiny", "--data", "data/test.json", cwd=place)
    assert result.returncode == 0, result.stderr
    path = place / "submissions" / "tiny.csv"
    raw = path.read_bytes()
    assert raw.startswith(b"Id,Predicted\n")
    assert b"\r" not in raw
    rows = list(csv.reader(path.open(encoding="utf-8", newline="")))[1:]
    assert [row[0] for row in rows] == [question.guid for question in kit.load(place / "data" / "test.json")]
    card = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert (card["recipe"]["decoder"], card["recipe"]["length_prior"]) == ("edit", 0.5)
    assert card["estimate"]["reason"].startswith("no estimate: ")
    assert card["members"][0]["span_file"].startswith("test-")


def test_answers_are_slices_of_their_context(place: Path) -> None:
    answers = kit.decode(place / "runs" / "tiny", place / "data" / "test.json")
    for question in kit.load(place / "data" / "test.json"):
        assert answers[question.guid] in question.context


def test_the_same_inputs_give_the_same_bytes(place: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        made = run_kit(
            "ensemble", "runs/tiny", "--data", "data/test.json", "--out", tmp_path / f"{name}.csv", cwd=place
        )
        assert made.returncode == 0, made.stderr
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_the_course_recipe_blanks_long_answers(place: Path, tmp_path: Path) -> None:
    recipe = PROJECT / "ensembles" / "course-2022.yaml"
    result = run_kit(
        "ensemble",
        recipe,
        "--member",
        "runs/tiny",
        "--data",
        "data/test.json",
        "--out",
        tmp_path / "c.csv",
        "--answers",
        "data/test_answers.json",
        "--json",
        cwd=place,
    )
    assert result.returncode == 0, result.stderr
    said = json.loads(result.stdout)
    rows = list(csv.reader((tmp_path / "c.csv").open(encoding="utf-8", newline="")))[1:]
    assert max(len(text) for _, text in rows) < 20
    assert said["blanks"] == sum(text == "" for _, text in rows)
    assert said["score"]["edit"] > 0


def test_score_prints_a_table_and_json_with_the_signature(place: Path) -> None:
    assert run_kit("ensemble", "runs/tiny", "--data", "data/test.json", cwd=place).returncode == 0
    table = run_kit("score", "submissions/tiny.csv", "--answers", "data/test_answers.json", cwd=place)
    assert "Edit Score" in table.stdout
    told = run_kit(
        "score",
        "submissions/tiny.csv",
        "--answers",
        "data/test_answers.json",
        "--reference",
        "min",
        "--versus",
        "data/sample_submission.csv",
        "--json",
        cwd=place,
    )
    data = json.loads(told.stdout)
    assert data["signature"]["reference"] == "min"
    assert data["signature"]["data_sha256"] == kit.load(place / "data" / "test_answers.json").sha256
    assert data["signature"]["kit_version"] == kit.__version__
    assert data["versus"]["difference"]["mean"] == pytest.approx(data["edit"] - data["versus"]["edit"])


def test_runs_and_doctor(place: Path) -> None:
    listed = run_kit("runs", "--json", cwd=place)
    assert json.loads(listed.stdout)["tiny"]["folds"]["full"]["metrics"]["edit"] > 0
    table = run_kit("runs", cwd=place)
    assert "tiny" in table.stdout
    damaged = place / "runs" / "damaged"
    damaged.mkdir()
    (damaged / "run.json").write_text("{", encoding="utf-8")
    try:  # the other runs are listed all the same
        table = run_kit("runs", cwd=place)
        assert table.returncode == 0
        assert "damaged" in table.stdout
        assert "cannot be read" in table.stdout
        assert "runs/damaged/run.json: is damaged" in table.stderr
        listed = json.loads(run_kit("runs", "--json", cwd=place).stdout)
        assert listed["damaged"]["error"].startswith("runs/damaged/run.json: is damaged")
        assert listed["tiny"]["folds"]["full"]["metrics"]["edit"] > 0
    finally:
        shutil.rmtree(damaged)
    facts = json.loads(run_kit("doctor", "--json", cwd=place).stdout)
    assert facts["kit"] == kit.__version__
    assert facts["number format"] in {"fp32", "bf16", "fp16"}


def test_a_validation_file_of_its_own(place: Path, tmp_path: Path) -> None:
    command = ["train", place / "tiny", "--data", place / "data/train.json", "--run", "r", "--epochs", "0.3"]
    done = run_kit(*command, "--valid", place / "data/test_answers.json", "--max-length", "160", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    record = read_run(tmp_path / "r")
    assert record is not None
    assert record.valid is not None
    assert record.folds["full"].held_out == record.valid.questions == 40


def test_several_training_files_are_one_set(place: Path, tmp_path: Path) -> None:
    other = demo_corpus.write(tmp_path / "other", seed=7, train_contexts=10, test_contexts=2).train
    command = ["train", place / "tiny", "--data", place / "data/train.json", other, "--run", "r"]
    done = run_kit(*command, "--epochs", "0.1", "--max-length", "160", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    record = read_run(tmp_path / "r")
    assert record is not None
    assert [file.questions for file in record.data] == [
        len(kit.load(place / "data/train.json")),
        len(kit.load(other)),
    ]


def test_the_functions_walk_the_same_road(place: Path, tmp_path: Path) -> None:
    test = kit.load(place / "data" / "test.json")
    run = place / "runs" / "tiny"
    (spans,) = kit.predict(run, test, quiet=True)
    assert spans.is_file()
    answers = kit.decode(run, test)
    path = kit.write_submission(tmp_path / "first.csv", test, answers)
    score = kit.score(path, place / "data" / "test_answers.json")
    made = kit.ensemble(run, test, out=tmp_path / "second.csv", answers=place / "data" / "test_answers.json")
    assert made.score is not None
    assert made.score.edit == score.edit
    assert path.read_bytes() == made.path.read_bytes()


def test_predicting_again_does_nothing_and_a_damaged_file_is_noticed(place: Path, tmp_path: Path) -> None:
    shutil.copytree(place / "runs", tmp_path / "runs")
    again = run_kit("predict", tmp_path / "runs/tiny", "--data", "data/test.json", cwd=place)
    assert "already made by this model from this data" in again.stderr
    (path,) = (tmp_path / "runs/tiny/spans").iterdir()
    os.truncate(path, path.stat().st_size - 10)
    decode = ["ensemble", tmp_path / "runs/tiny", "--data", "data/test.json", "--out", tmp_path / "x.csv"]
    said = refused(run_kit(*decode, cwd=place))
    assert "span file is damaged" in said
    assert f"; run: kit predict {tmp_path / 'runs/tiny'} --data data/test.json" in said
    assert not (tmp_path / "x.csv").exists()
    mended = run_kit("predict", tmp_path / "runs/tiny", "--data", "data/test.json", cwd=place)
    assert mended.returncode == 0, mended.stderr
    assert run_kit(*decode, cwd=place).returncode == 0


def test_missing_spans_name_the_command(place: Path) -> None:
    said = refused(run_kit("ensemble", "runs/tiny", "--data", "data/train.json", cwd=place))
    assert "no span scores for data/train.json; run: kit predict runs/tiny --data data/train.json" in said


def test_the_kept_model_is_the_best_by_edit_score(place: Path, tmp_path: Path) -> None:
    from kit.data.folds import holdout
    from kit.decoding.default import default_decoding
    from kit.metrics.edit_distance import edit_distances
    from kit.spans.lengths import answer_lengths
    from kit.spans.run_folder import member_scores, open_run
    from kit.spans.span_scores import aligned

    class Spoil(TrainerCallback):
        """Turns the weights round before the last evaluation, which is then not the best one."""

        def on_step_end(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
            if state.global_step == state.max_steps:
                with torch.no_grad():
                    for weight in model.parameters():
                        weight.neg_()

    options = {
        "run": tmp_path / "r", "epochs": 2.0, "batch_size": 8, "max_length": 160, "lr": 2e-3, "evaluations": 4
    }  # fmt: skip
    data = kit.load(place / "data" / "train.json")
    train_run(training_job(str(place / "tiny"), data, options), Callbacks(trainer_callbacks=(Spoil(),)))
    record = read_run(tmp_path / "r")
    assert record is not None
    fold = record.folds["full"]
    scores = [entry["edit"] for entry in fold.history]
    assert len(scores) >= 8
    assert fold.metrics["edit"] == min(scores)
    assert scores[-1] != min(scores)
    # and it is that model which was saved: it scores the same on the same held-out questions
    dataset = kit.load(place / "data" / "train.json")
    held = holdout(dataset.questions, share=0.1, seed=42)
    questions = [question for question, out in zip(dataset, held, strict=True) if out]
    assert len(questions) == fold.held_out
    kit.predict(tmp_path / "r", dataset)
    found = member_scores(open_run(tmp_path / "r"), "full", dataset)
    lengths = answer_lengths(question for question, out in zip(dataset, held, strict=True) if not out)
    own = aligned(found, tuple(question.guid for question in questions), "r")
    answers = default_decoding(lengths).answers(own, questions, lengths)
    assert fold.decoding == str(default_decoding(lengths))
    distances = edit_distances(answers, [question.golds for question in questions])
    assert distances.mean() == pytest.approx(fold.metrics["edit"])


def test_training_again_with_the_same_settings_does_nothing(place: Path) -> None:
    command = [
        "train",
        "tiny",
        "--data",
        "data/train.json",
        "--run",
        "runs/tiny",
        "--batch-size",
        "16",
        "--max-length",
        "160",
    ]
    again = run_kit(*command, "--epochs", "1", "--lr", "1e-3", cwd=place)
    assert again.returncode == 0, again.stderr
    assert "already trained with these settings" in again.stderr
    other = refused(run_kit(*command, "--epochs", "2", "--lr", "1e-3", cwd=place))
    assert "is another run: epochs is 2.0, the run has 1.0; choose another --run" in other


def test_the_same_seed_gives_the_same_weights(place: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        kit.train(
            str(place / "tiny"),
            place / "data" / "train.json",
            run=tmp_path / name,
            epochs=1.0,
            batch_size=16,
            max_length=160,
            lr=1e-3,
            limit=40,
        )
    a, b = ((tmp_path / name / "full" / "model.safetensors").read_bytes() for name in ("a", "b"))
    assert a == b


def test_tensorboard_logs_stay_in_the_run(place: Path, tmp_path: Path) -> None:
    command = [
        "train",
        place / "tiny",
        "--data",
        place / "data/train.json",
        "--run",
        "r",
        "--max-length",
        "160",
    ]
    done = run_kit(*command, "--epochs", "1", "--limit", "30", "--report-to", "tensorboard", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "r" / "logs").rglob("events.out.tfevents.*"))
    unknown = run_kit(*command, "--report-to", "paper", cwd=tmp_path)
    assert "--report-to is paper; known are tensorboard, wandb, mlflow" in refused(unknown)


def test_training_refuses_a_leak(place: Path, tmp_path: Path) -> None:
    shutil.copy(place / "data" / "test_answers.json", tmp_path / "train.json")
    shutil.copy(place / "data" / "test.json", tmp_path / "test.json")
    said = refused(run_kit("train", place / "tiny", "--data", "train.json", "--run", "r", cwd=tmp_path))
    assert "share their article with" in said
    assert "--allow-leak trains all the same" in said
    assert not (tmp_path / "r").exists()
    checked = run_kit("check", "train.json", "--against", "test.json", cwd=tmp_path)
    assert checked.returncode == 1
    with pytest.raises(LeakError):
        kit.train(str(place / "tiny"), tmp_path / "train.json", run=tmp_path / "r")


def test_a_read_only_checkpoint_gets_its_spans_under_runs(place: Path, tmp_path: Path) -> None:
    checkpoint = tmp_path / "input" / "model"
    shutil.copytree(place / "runs" / "tiny" / "full", checkpoint)
    checkpoint.chmod(0o555)
    try:
        made = run_kit("predict", "input/model", "--data", place / "data/test.json", cwd=tmp_path)
        assert made.returncode == 0, made.stderr
        assert not (checkpoint / "spans").exists()
        assert len(list((tmp_path / "runs").glob("model-*/spans/test-*.safetensors"))) == 1
        done = run_kit("ensemble", "input/model", "--data", place / "data/test.json", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    finally:
        checkpoint.chmod(0o755)


# --- wrong turns -------------------------------------------------------------------------------------


@pytest.fixture
def broken(place: Path, tmp_path: Path) -> Path:
    """A folder of things that are not what they should be."""
    text = (place / "data" / "train.json").read_text(encoding="utf-8")
    (tmp_path / "truncated.json").write_text(text[: len(text) // 2], encoding="utf-8")
    (tmp_path / "folder.json").mkdir()
    shutil.copy(place / "data" / "sample_submission.csv", tmp_path / "table.csv")
    shutil.copy(place / "data" / "test.json", tmp_path / "test.json")
    shutil.copytree(place / "tiny", tmp_path / "headless")
    BertForMaskedLM(BertConfig.from_pretrained(place / "tiny")).save_pretrained(tmp_path / "headless")
    (tmp_path / "three.yaml").write_text(
        "members: [{run: runs/a, weight: -1}]\nblend: median\nrules: [trimm]\n"
    )
    return tmp_path


@pytest.mark.parametrize(
    ("command", "parts"),
    [
        (["check", "truncated.json"], ["truncated.json", "line"]),
        (["check", "folder.json"], ["folder.json", "is a folder"]),
        (["check", "table.csv"], ["table.csv", "CSV"]),
        (["check", "nothing.json"], ["nothing.json"]),
        (["train", "{tiny}", "--data", "test.json", "--run", "r"], ["test file", "training file"]),
        (["train", "{tiny}", "--data", "truncated.json", "--run", "r"], ["truncated.json"]),
        (["train", "nowhere/at/all", "--data", "{train}", "--run", "r"], ["no such folder"]),
        (["train", "{tiny}", "--data", "{train}", "--run", "r", "--precision", "fp16"], ["fp16 needs a GPU"]),
        (["train", "{tiny}", "--data", "{train}", "--run", "r", "--lr", "0"], ["--lr is 0.0"]),
        (["train", "{tiny}", "--data", "{train}", "--run", "test.json"], ["test.json"]),
        (["predict", "r", "--data", "test.json"], ["r: does not exist"]),
        (["predict", "folder.json", "--data", "test.json"], ["holds neither run.json nor config.json"]),
        (
            ["predict", "headless", "--data", "test.json"],
            ["headless", "no question-answering head", "kit train"],
        ),
        (["ensemble", "three.yaml", "--data", "test.json"], ["weight is -1", 'blend is "median"', "trimm"]),
        (["ensemble", "three.yaml", "r", "--data", "test.json"], ["is a recipe and 1 more"]),
        (["score", "table.csv", "--answers", "test.json"], ["test file"]),
        (["score", "test.json", "--answers", "{answers}"], ["test.json"]),
        (["score", "table.csv", "--answers", "{answers}", "--reference", "last"], ["last"]),
        (["runs", "nowhere"], ["no such folder"]),
    ],
)
def test_bad_input_is_one_line(place: Path, broken: Path, command: list[str], parts: list[str]) -> None:
    names = {
        "tiny": place / "tiny",
        "train": place / "data/train.json",
        "answers": place / "data/test_answers.json",
    }
    before = sorted(path.name for path in broken.iterdir())
    said = refused(run_kit(*(part.format(**names) for part in command), cwd=broken))
    for part in parts:
        assert part in said
    assert sorted(path.name for path in broken.iterdir()) == before


def test_usage_errors_have_their_own_exit_code(place: Path) -> None:
    assert run_kit("score", cwd=place).returncode == 2
    assert run_kit("nonsense", cwd=place).returncode == 2


def test_a_sample_submission_of_another_test_is_noticed(place: Path, tmp_path: Path) -> None:
    shutil.copy(place / "data" / "test.json", tmp_path / "test.json")
    (tmp_path / "sample_submission.csv").write_text("Id,Predicted\nother,\n")
    assert run_kit("predict", place / "runs/tiny", "--data", "test.json", cwd=tmp_path).returncode == 0
    said = refused(run_kit("ensemble", place / "runs/tiny", "--data", "test.json", cwd=tmp_path))
    assert "sample_submission.csv" in said
    assert "other" in said
    assert not (tmp_path / "submissions").exists()


@pytest.mark.parametrize(
    ("command", "size"),
    [
        (["ensemble", "runs/tiny", "--data", "data/test.json", "--out", "{out}/x.csv"], 300),
        (["predict", "runs/tiny", "--data", "data/train.json"], 2000),
        (
            [
                "train",
                "tiny",
                "--data",
                "data/train.json",
                "--run",
                "{out}/run",
                "--epochs",
                "1",
                "--max-length",
                "96",
            ],
            20_000,
        ),
    ],
)
def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(
    place: Path, tmp_path: Path, command: list[str], size: int
) -> None:
    spans = sorted((place / "runs" / "tiny" / "spans").iterdir())
    words = [part.format(out=tmp_path) for part in command]
    done = fork_server().run(words, place, Moment(FULL, 1, size))
    result = subprocess.CompletedProcess(words, done.code, done.out, done.err)
    assert "cannot be written" in refused(result)
    assert sorted((place / "runs" / "tiny" / "spans").iterdir()) == spans
    assert not list(tmp_path.rglob("*.csv"))
    assert not list(tmp_path.rglob("*.part"))
    assert not list(tmp_path.rglob("full/model.safetensors"))


def test_an_unwritable_folder_is_one_line(place: Path, tmp_path: Path) -> None:
    # A file where a folder should be is unwritable for everyone, root included.
    (tmp_path / "taken").write_text("x")
    out = tmp_path / "taken" / "x.csv"
    said = refused(run_kit("ensemble", "runs/tiny", "--data", "data/test.json", "--out", out, cwd=place))
    assert "cannot be written" in said
    said = refused(
        run_kit("train", "tiny", "--data", "data/train.json", "--run", tmp_path / "taken" / "r", cwd=place)
    )
    assert "taken" in said


def test_errors_of_the_functions_are_kit_errors(place: Path, tmp_path: Path) -> None:
    with pytest.raises(SpanFileError):
        kit.decode(place / "runs" / "tiny", place / "data" / "train.json")
    with pytest.raises(SubmissionError):
        kit.score({"a": "b"}, place / "data" / "test_answers.json")
    with pytest.raises(ConfigError):
        kit.train(
            "klue-bert", place / "data" / "train.json", run=tmp_path / "r", batch_size=10, micro_batch_size=4
        )
    assert issubclass(WriteError, KitError)


def test_terminal_escapes_in_data_are_shown_not_sent(place: Path, tmp_path: Path) -> None:
    content = json.loads((place / "data" / "train.json").read_text(encoding="utf-8"))
    content["data"][0]["paragraphs"][0]["qas"][0]["guid"] = "\x1b]0;owned\x07\x1b[31m"
    content["data"][0]["paragraphs"][0]["qas"][0]["answers"][0]["answer_start"] = 0
    content["data"][0]["paragraphs"][0]["qas"][0]["answers"][0]["text"] = "없는말\x1b[2J"
    (tmp_path / "evil.json").write_text(json.dumps(content), encoding="utf-8")
    result = run_kit("check", "evil.json", cwd=tmp_path)
    assert result.returncode == 1
    assert "\x1b" not in result.stdout + result.stderr
    assert "\x07" not in result.stdout + result.stderr
