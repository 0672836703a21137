"""Trainings as users run them: folds, kills and resumes, early stopping, several processes."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import TrainerCallback

import kit
from kit.api.train import training_job
from kit.data import demo_corpus
from kit.data import folds as data_folds
from kit.data.records import Dataset
from kit.errors import ConfigError, LockError, ModelError, SpanFileError
from kit.files import locked
from kit.memory import held_memory
from kit.modeling.distributed import OUT_OF_MEMORY
from kit.modeling.tiny import Shape, make_backbone
from kit.settings.folds import read_plan
from kit.settings.runs import FoldRecord, RunRecord, read_run
from kit.spans.run_folder import member_scores, open_run, stored_folds
from kit.spans.span_scores import aligned
from kit.spans.store import read_spans
from kit.training.callbacks import Callbacks
from kit.training.checkpoints import complete_checkpoints
from kit.training.run import train_run
from tests.commands import run_kit, run_program, run_python

SETTINGS: dict[str, Any] = {
    "epochs": 2.0,
    "batch_size": 8,
    "micro_batch_size": 4,
    "max_length": 160,
    "stride": 40,
    "lr": 1e-3,
    "limit": 40,
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small corpus, and two tiny backbones: one with dropout, one without."""
    folder = tmp_path_factory.mktemp("training")
    files = demo_corpus.write(folder / "data", train_contexts=24, test_contexts=8)
    texts = [text for question in kit.load(files.train) for text in (question.context, question.text)]
    for name, dropout in (("tiny", 0.0), ("tiny-dropout", 0.1)):
        make_backbone(
            folder / name, texts, "wordpiece", Shape(600, 32, 2, 2, 64, 160, dropout=dropout), seed=1
        )
    return folder


@pytest.fixture(scope="module")
def data(place: Path) -> Dataset:
    return kit.load(place / "data" / "train.json").first(SETTINGS["limit"])


@pytest.fixture(scope="module")
def folded(place: Path, data: Dataset) -> Path:
    """A run with three folds."""
    kit.train(str(place / "tiny"), data, run=place / "folded", folds=3, quiet=True, **SETTINGS)
    return place / "folded"


def record_of(folder: Path) -> RunRecord:
    record = read_run(folder)
    assert record is not None
    return record


def weights(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


def flags(settings: dict[str, Any]) -> list[str]:
    return [word for name, value in settings.items() for word in (f"--{name.replace('_', '-')}", str(value))]


# ---- folds


def test_every_question_is_scored_by_the_fold_that_did_not_learn_it(folded: Path, data: Dataset) -> None:
    plan = read_plan(folded)
    assert plan is not None
    fold_of = plan.fold_of(data.sha256)
    assert fold_of is not None
    assert fold_of == tuple(data_folds.folds(data.questions, 3, 42).tolist())
    contexts: dict[str, set[int]] = {}
    for question, fold in zip(data, fold_of, strict=True):
        contexts.setdefault(question.context, set()).add(fold)
    assert all(len(folds) == 1 for folds in contexts.values())
    run = open_run(folded)
    assert stored_folds(run, None, data) == ("oof",)
    together = member_scores(run, "oof", data)
    assert together.guids == tuple(question.guid for question in data)
    # each fold's own model gives exactly these scores to its own questions, and others to the rest
    for fold, path in enumerate(kit.predict(run, data, quiet=True)):
        alone = read_spans(path)
        own = np.flatnonzero(np.array(fold_of) == fold)
        rest = np.flatnonzero(np.array(fold_of) != fold)
        assert np.allclose(alone.select(own).start, together.select(own).start, atol=1e-5)
        assert not np.allclose(alone.select(rest).start, together.select(rest).start, atol=1e-2)


def test_a_folds_record_is_about_its_own_questions(folded: Path, data: Dataset) -> None:
    record = record_of(folded)
    assert sorted(record.folds) == ["0", "1", "2"]
    assert sum(fold.held_out for fold in record.folds.values()) == len(data)
    assert all(fold.chosen_on == 0 and fold.kept_step == fold.steps for fold in record.folds.values())
    (score,) = kit.out_of_fold(folded, data).values()
    assert score.interval.low < score.edit < score.interval.high
    assert score.edit == kit.score(kit.decode(folded, data), data).edit


def test_a_folds_score_is_by_the_default_decoding_with_the_lengths_of_its_training_part(
    folded: Path, data: Dataset
) -> None:
    from kit.decoding.default import default_decoding
    from kit.metrics.edit_distance import edit_distances
    from kit.spans.lengths import answer_lengths
    from kit.training.splits import fold_part

    record, plan = record_of(folded), read_plan(folded)
    assert plan is not None
    together = member_scores(open_run(folded), "oof", data)
    for name, fold in record.folds.items():
        part = fold_part([data], plan, int(name), record.settings)
        lengths = answer_lengths(part.train)
        assert lengths != answer_lengths(data)
        own = aligned(together, tuple(question.guid for question in part.test), name)
        answers = default_decoding(lengths).answers(own, part.test, lengths)
        distances = edit_distances(answers, [question.golds for question in part.test])
        assert fold.metrics["edit"] == pytest.approx(distances.mean())
        assert fold.decoding == str(default_decoding(lengths)) == "edit with length_prior 0.5, cap 30"


def test_a_finished_run_keeps_models_scores_and_records_only(folded: Path, data: Dataset) -> None:
    files = {str(path.relative_to(folded)) for path in folded.rglob("*") if path.is_file()}
    made = {name for name in files if re.fullmatch(r"spans/.+\.fold-\d\.safetensors", name)}  # by kit predict
    model = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")
    expected = {f"fold-{fold}/{name}" for fold in range(3) for name in model}
    expected |= {"run.json", "folds.json", f"spans/oof-{data.sha256[:8]}.safetensors"}
    assert files - made == expected


def test_a_finished_fold_is_not_trained_again_and_lost_scores_are_made_again(
    place: Path, folded: Path, data: Dataset
) -> None:
    before = {path: path.stat().st_mtime_ns for path in folded.glob("fold-*/*")}
    spans = folded / "spans" / f"oof-{data.sha256[:8]}.safetensors"
    kept = spans.read_bytes()
    spans.unlink()
    with pytest.raises(SpanFileError, match=r"no span scores .* the kit train command of"):
        kit.decode(folded, data)
    kit.train(str(place / "tiny"), data, run=folded, folds=3, quiet=True, **SETTINGS)
    assert spans.read_bytes() == kept
    assert {path: path.stat().st_mtime_ns for path in folded.glob("fold-*/*")} == before


def test_one_fold_after_another_gives_the_same_run(place: Path, folded: Path, data: Dataset) -> None:
    target = place / "one-by-one"
    for fold in ([2, 0], 1):
        kit.train(str(place / "tiny"), data, run=target, folds=3, fold=fold, quiet=True, **SETTINGS)
        if fold != 1:
            assert sorted(record_of(target).folds) == ["0", "2"]
            assert kit.out_of_fold(target, data) == {}
            with pytest.raises(SpanFileError, match=r"fold 1 of 3 is not trained"):
                kit.decode(target, data)
    for fold in range(3):
        assert weights(target / f"fold-{fold}") == weights(folded / f"fold-{fold}")
    assert kit.decode(target, data) == kit.decode(folded, data)


def test_other_seeds_share_the_folds(place: Path, folded: Path, data: Dataset) -> None:
    settings = SETTINGS | {"seed": 7, "epochs": 0.2}
    kit.train(str(place / "tiny"), data, run=place / "seed-7", folds=3, fold=0, quiet=True, **settings)
    assert read_plan(place / "seed-7") == read_plan(folded)
    assert weights(place / "seed-7" / "fold-0") != weights(folded / "fold-0")


def test_one_fold_of_a_run_does_not_answer_what_it_learned(folded: Path, data: Dataset) -> None:
    with pytest.raises(ModelError, match=r"fold 1 trained on most of .*; leave the fold out"):
        stored_folds(open_run(folded), 1, data)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"folds": 3, "fold": "0,3"}, "--fold 0,3: '3' is no fold; folds are 0 to 2, as in 0,2"),
        ({"fold": 0}, "--fold 0: is only for runs with folds; add --folds 5"),
        ({"folds": 1}, "--folds is 1"),
        ({"folds": 3, "valid": True}, "--valid and --folds exclude each other"),
    ],
)
def test_what_makes_no_sense_is_refused(place: Path, data: Dataset, given: Any, said: str) -> None:
    if given.get("valid"):
        given = given | {"valid": data}
    with pytest.raises(ConfigError, match=said):
        kit.train(str(place / "tiny"), data, run=place / "never", quiet=True, **given)
    assert not (place / "never").exists()


def test_a_folder_with_other_files_is_no_run(place: Path, data: Dataset) -> None:
    (place / "taken").mkdir()
    (place / "taken" / "notes.txt").touch()
    with pytest.raises(ConfigError, match=r"taken: holds other files and no run\.json; choose another --run"):
        kit.train(str(place / "tiny"), data, run=place / "taken", quiet=True, **SETTINGS)
    assert [path.name for path in (place / "taken").iterdir()] == ["notes.txt"]


def test_two_trainings_of_one_model_do_not_meet(place: Path, data: Dataset) -> None:
    target = place / "busy"
    with locked(target / "full"), pytest.raises(LockError, match=r"another process is at work on it"):
        kit.train(str(place / "tiny"), data, run=target, quiet=True, **SETTINGS)


@pytest.mark.slow
def test_folds_side_by_side_give_the_same_run(place: Path, folded: Path, data: Dataset) -> None:
    kit.train(str(place / "tiny"), data, run=place / "side", folds=3, fold=1, quiet=True, **SETTINGS)
    words = ["train", place / "tiny", "--data", data.path, "--folds", 3, *flags(SETTINGS)]
    done = run_kit(*words, "--run", "side", "--jobs", 2, "--json", cwd=place)
    assert done.returncode == 0, done.stderr
    assert "2 folds, 2 at a time, one a process: fold 0, 2" in done.stderr
    assert "fold 2: " in done.stderr
    assert kit.decode(place / "side", data) == kit.decode(folded, data)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux forgets a peak")
def test_a_records_memory_is_its_own_trainings(place: Path, data: Dataset) -> None:
    much = np.ones(600_000_000 // 8)  # of something else in this process, and gone before
    del much
    held = held_memory()
    kit.train(str(place / "tiny"), data, run=place / "memory", quiet=True, **SETTINGS | {"epochs": 1.0})
    peak = record_of(place / "memory").folds["full"].peak_bytes
    assert held is not None
    assert peak < held + 300_000_000


# ---- early stopping


def test_early_stopping_stops_and_restores_the_best(place: Path, data: Dataset) -> None:
    settings = SETTINGS | {"epochs": 30.0, "lr": 2e-2, "evaluations": 2, "early_stopping": 3, "warmup": 0.0}
    kit.train(str(place / "tiny"), data, run=place / "early", folds=2, fold=0, quiet=True, **settings)
    record = record_of(place / "early")
    fold = record.folds["0"]
    scores = [entry["edit"] for entry in fold.history]
    best = int(np.argmin(scores))
    assert len(scores) == best + 1 + 3
    assert fold.kept_step == fold.history[best]["step"] < fold.steps
    # chosen on a tenth of the training questions, not on the fold that is scored
    assert 0 < fold.chosen_on < fold.held_out
    plan = read_plan(place / "early")
    assert plan is not None
    assert fold.held_out == sum(number == 0 for number in plan.fold_of(data.sha256) or ())
    # the kept model is the best one, not the last: it scores the inner questions as it did then
    from kit.training.splits import fold_part

    part = fold_part([data], plan, 0, record.settings)
    assert not {question.guid for question in part.dev} & {q.guid for q in part.test}
    (path,) = kit.predict(place / "early", data, fold=0, quiet=True)
    from kit.decoding.default import default_decoding
    from kit.metrics.edit_distance import edit_distances
    from kit.spans.lengths import answer_lengths

    lengths = answer_lengths(part.train)
    own = aligned(read_spans(path), tuple(question.guid for question in part.dev), "early")
    answers = default_decoding(lengths).answers(own, part.dev, lengths)
    distances = edit_distances(answers, [question.golds for question in part.dev])
    assert distances.mean() == pytest.approx(min(scores))


# ---- kill and resume


def killed(place: Path, how: str, number: int, run: Path, settings: dict[str, Any]) -> str:
    words = (how, number, place / "tiny-dropout", place / "data/train.json", run, json.dumps(settings))
    done = run_program("tests.killed", *words, cwd=place)
    assert done.returncode == -9, (done.returncode, done.stderr)
    return done.stdout


def resumed(place: Path, run: Path, settings: dict[str, Any]) -> str:
    """What the same command says that goes on, to a good end."""
    words = ["train", place / "tiny-dropout", "--data", "data/train.json", *flags(settings)]
    done = run_kit(*words, "--run", run, "--resume", "--json", cwd=place)
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def whole(place: Path) -> Callable[[dict[str, Any]], Path]:
    """An undisturbed run with dropout, in a process of its own."""

    def make(settings: dict[str, Any]) -> Path:
        target = place / "-".join(["whole", *(settings.keys() - SETTINGS.keys())])
        if not target.exists():
            words = ["train", place / "tiny-dropout", "--data", "data/train.json", *flags(settings)]
            done = run_kit(*words, "--run", target, "--json", cwd=place)
            assert done.returncode == 0, done.stderr
        return target

    return make


RESUMED = SETTINGS | {"evaluations": 3}
OPTIONS = {"ema": 0.9, "layer_decay": 0.8, "soften": 0.2, "r_drop": 0.5, "adversarial": 0.5}


@pytest.mark.parametrize(
    ("how", "number"),
    [
        pytest.param("at", 4, marks=pytest.mark.slow),  # inside the first epoch
        pytest.param("at", "end", marks=pytest.mark.slow),  # with its last step
        ("at", "second"),  # inside the second
        ("write", 2),  # in the middle of the second checkpoint
    ],
)
def test_a_killed_training_ends_in_the_same_weights(
    place: Path, whole: Callable[[dict[str, Any]], Path], tmp_path: Path, how: str, number: int | str
) -> None:
    undisturbed = whole(RESUMED)
    epoch = record_of(undisturbed).folds["full"].steps // 2
    step = {"end": epoch, "second": epoch + 3}.get(str(number), number)
    run = tmp_path / "run"
    killed(place, how, int(step), run, RESUMED)
    checkpoints = sorted(run.glob("full/checkpoints/checkpoint-*"))
    assert checkpoints
    if how == "write":
        torn = [path for path in checkpoints if not (path / "complete").exists()]
        assert len(torn) == 1
        with pytest.raises(RuntimeError, match=r"."):  # really torn
            torch.load(torn[0] / "optimizer.pt", weights_only=True)
    with pytest.raises(ConfigError, match="holds an unfinished training"):
        kit.train(str(place / "tiny-dropout"), place / "data/train.json", run=run, quiet=True, **RESUMED)
    with pytest.raises(ModelError, match="no training has finished"):
        kit.predict(run, place / "data/test.json", quiet=True)
    resumed(place, run, RESUMED)
    assert weights(run / "full") == weights(undisturbed / "full")
    assert not (run / "full" / "checkpoints").exists()
    assert record_of(run).folds["full"].history == record_of(undisturbed).folds["full"].history


class _Gone(TrainerCallback):
    """Ends a process when its training is over, and before its model is written."""

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"epochs": 2.0, "ema": 0.9}, marks=pytest.mark.slow),
        {"epochs": 1.5, "ema": 0.9},  # ends within an epoch
        pytest.param(
            {"epochs": 30.0, "lr": 2e-2, "evaluations": 2, "early_stopping": 3, "warmup": 0.0},
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_training_that_was_over_when_it_was_killed_learns_no_more(
    place: Path, data: Dataset, tmp_path: Path, more: dict[str, Any]
) -> None:
    def train(run: Path, *trainer_callbacks: TrainerCallback, resume: bool = False) -> None:
        job = training_job(str(place / "tiny"), data, {**SETTINGS, **more, "run": run, "resume": resume})
        train_run(job, Callbacks(trainer_callbacks=trainer_callbacks))

    train(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "killed", _Gone())
    train(tmp_path / "killed", resume=True)
    whole, resumed = (record_of(tmp_path / name).folds["full"] for name in ("whole", "killed"))
    told = {"seconds", "peak_bytes"}
    assert resumed.model_dump(exclude=told) == whole.model_dump(exclude=told)
    assert weights(tmp_path / "killed/full") == weights(tmp_path / "whole/full")


@pytest.mark.slow
def test_a_checkpoint_that_cannot_be_read_is_passed_over(
    place: Path, whole: Callable[[dict[str, Any]], Path], tmp_path: Path
) -> None:
    undisturbed, run = whole(RESUMED), tmp_path / "run"
    killed(place, "at", record_of(undisturbed).folds["full"].steps // 2 + 3, run, RESUMED)
    *_, earlier, newest = complete_checkpoints(run / "full" / "checkpoints")
    (newest / "optimizer.pt").write_bytes(b"of a failing disk")
    said = resumed(place, run, RESUMED)
    assert "optimizer.pt: cannot be read" in said
    assert f"; trying {earlier.name}" in said
    assert weights(run / "full") == weights(undisturbed / "full")


@pytest.mark.slow
def test_a_token_budget_goes_on_to_the_same_weights(
    place: Path, whole: Callable[[dict[str, Any]], Path], tmp_path: Path
) -> None:
    settings = RESUMED | {"token_budget": 400, "batch_size": 16}
    undisturbed = whole(settings)
    run = tmp_path / "run"
    killed(place, "at", record_of(undisturbed).folds["full"].steps // 2 + 2, run, settings)
    resumed(place, run, settings)
    assert weights(run / "full") == weights(undisturbed / "full")


@pytest.mark.slow
def test_a_run_killed_in_its_second_fold_keeps_the_first(
    place: Path, whole: Callable[[dict[str, Any]], Path], tmp_path: Path
) -> None:
    settings = RESUMED | {"folds": 2, "limit": 24, **OPTIONS}
    undisturbed = whole(settings)
    steps = record_of(undisturbed).folds["0"].steps
    run = tmp_path / "run"
    checkpoints = -(-steps // max(steps // 2 // 3, 1))  # every so many steps, and the last
    said = killed(place, "write", checkpoints + 2, run, settings)
    assert "fold 1 of 2" in said
    assert sorted(record_of(run).folds) == ["0"]
    before = {path: path.stat().st_mtime_ns for path in (run / "fold-0").iterdir()}
    resumed(place, run, settings)
    assert {path: path.stat().st_mtime_ns for path in (run / "fold-0").iterdir()} == before
    for fold in ("fold-0", "fold-1"):
        assert weights(run / fold) == weights(undisturbed / fold)
    spans = [path.read_bytes() for path in sorted((run / "spans").iterdir())]
    assert len(spans) == 1
    questions = open_run(run).used(kit.load(place / "data/train.json"))
    scores = [member_scores(open_run(folder), "oof", questions) for folder in (run, undisturbed)]
    assert np.array_equal(scores[0].start, scores[1].start)


def test_a_checkpoint_by_the_clock(place: Path, data: Dataset) -> None:
    seen: list[int] = []

    class Watch(TrainerCallback):
        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            seen.append(state.global_step)

    options = {**SETTINGS, "folds": 2, "fold": 0, "save_minutes": 1e-6, "run": place / "clock"}
    watching = Callbacks(trainer_callbacks=(Watch(),))
    train_run(training_job(str(place / "tiny"), data, options), watching)
    assert seen == list(range(1, record_of(place / "clock").folds["0"].steps + 1))


# ---- memory, and how it is carried out


class ShortOfMemory(TrainerCallback):
    """Lets the device run out of memory on more than *most* windows (or padded tokens) at once."""

    def __init__(self, most: int, *, tokens: bool = False) -> None:
        self.most, self.tokens, self.sizes = most, tokens, set[int]()

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        def refuse(module: torch.nn.Module, positional: Any, named: dict[str, torch.Tensor]) -> None:
            if module.training:
                size = named["input_ids"].numel() if self.tokens else len(named["input_ids"])
                self.sizes.add(size)
                if size > self.most:
                    raise torch.OutOfMemoryError("out of memory")

        model.register_forward_pre_hook(refuse, with_kwargs=True)


def short_run(
    place: Path, data: Dataset, name: str, most: int, budget: int | None = None, limit: int = 40
) -> tuple[FoldRecord, ShortOfMemory, list[str]]:
    said: list[str] = []
    short = ShortOfMemory(most, tokens=budget is not None)
    options = {"micro_batch_size": 8, "token_budget": budget, "limit": limit, "run": place / name}
    callbacks = Callbacks(said.append, trainer_callbacks=(short,))
    train_run(training_job(str(place / "tiny"), data, SETTINGS | options), callbacks)
    return record_of(place / name).folds["full"], short, said


@pytest.fixture(scope="module")
def plenty(place: Path, data: Dataset) -> FoldRecord:
    """What a training with enough memory records."""
    return short_run(place, data, "plenty", 8)[0]


def test_out_of_memory_halves_the_micro_batch_and_keeps_the_effective_batch(
    place: Path, data: Dataset, plenty: FoldRecord
) -> None:
    assert plenty.micro_batch_size == 8
    record, short, said = short_run(place, data, "short", 2)
    assert record.micro_batch_size == 2
    assert max(short.sizes) == 8
    heard = [line for line in said if "out of memory" in line]
    assert [line.split("continuing ")[1] for line in heard] == [
        "with micro-batches of 4 (the effective batch stays 8)",
        "with micro-batches of 2 (the effective batch stays 8)",
    ]
    assert record.steps == plenty.steps
    assert record.metrics["edit"] == pytest.approx(plenty.metrics["edit"], rel=0.05)


@pytest.mark.slow
def test_out_of_memory_halves_the_token_budget_too(place: Path, data: Dataset, plenty: FoldRecord) -> None:
    record, short, said = short_run(place, data, "short-budget", 300, budget=1000)
    assert record.token_budget == 250
    assert 500 < max(short.sizes) <= 1000
    heard = [line.split(": ")[1] for line in said if "out of memory" in line]
    assert [line.split(" (")[0] for line in heard] == [
        "out of memory with 1,000 tokens at once; continuing with 500 tokens at once",
        "out of memory with 500 tokens at once; continuing with 250 tokens at once",
    ]
    assert record.steps == plenty.steps
    assert record.metrics["edit"] == pytest.approx(plenty.metrics["edit"], rel=0.05)
    with pytest.raises(ModelError, match=r"single windows of 160 tokens; use --gradient-checkpointing"):
        short_run(place, data, "hopeless-budget", 20, budget=400, limit=12)


def test_out_of_memory_with_single_windows_names_the_cure(place: Path, data: Dataset) -> None:
    with pytest.raises(ModelError, match=r"single windows of 160 tokens; use --gradient-checkpointing"):
        short_run(place, data, "hopeless", 0, limit=12)


@pytest.mark.parametrize(
    "how",
    [
        {"gradient_checkpointing": True},
        {"micro_batch_size": 2},
        pytest.param({"token_budget": 400}, marks=pytest.mark.slow),
        pytest.param({"save_minutes": 9.0}, marks=pytest.mark.slow),
    ],
)
def test_how_a_training_is_carried_out_does_not_change_what_it_is(
    place: Path, folded: Path, data: Dataset, how: dict[str, Any]
) -> None:
    target = place / f"how-{next(iter(how))}"
    settings = SETTINGS | how
    kit.train(str(place / "tiny"), data, run=target, folds=3, fold=0, quiet=True, **settings)
    a, b = (record_of(folder).folds["0"].metrics["edit"] for folder in (target, folded))
    assert a == pytest.approx(b, rel=0.02)
    # and the run continues in the other way
    kit.train(str(place / "tiny"), data, run=target, folds=3, fold=0, quiet=True, **SETTINGS)


def test_dropout_on_attention_can_be_turned_off(place: Path, data: Dataset) -> None:
    said: list[str] = []
    for name, value in (("with", None), ("without", 0.0)):
        target = place / f"{name}-dropout"
        options = {"limit": 12, "epochs": 1.0, "attention_dropout": value, "run": target}
        train_run(training_job(str(place / "tiny-dropout"), data, SETTINGS | options), Callbacks(said.append))
        config = json.loads((target / "full" / "config.json").read_text(encoding="utf-8"))
        assert config["attention_probs_dropout_prob"] == (0.1 if value is None else 0.0)
    assert sum("--attention-dropout 0 trains about twice as fast here" in line for line in said) == 1


# ---- several processes


@pytest.mark.slow
def test_two_processes_train_and_predict_as_one(
    place: Path, folded: Path, data: Dataset, tmp_path: Path
) -> None:
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", 2, "-m", "--", "kit")
    words = ("train", place / "tiny", "--data", data.path, "--folds", 3, "--fold", "0", *flags(SETTINGS))
    done = run_python(*launcher, *words, "--run", "two", cwd=place, TMPDIR=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Edit Score (characters)") == 1  # one process speaks
    assert "2 processes share each batch of 8 in micro-batches of 4" in done.stderr
    one, two = (record_of(folder).folds["0"] for folder in (folded, place / "two"))
    assert two.processes == 2
    assert two.steps == one.steps
    assert two.metrics == pytest.approx(one.metrics, abs=1e-9)
    test = kit.load(place / "data/test.json")
    done = run_program("kit.cli", "predict", "two", "--data", test.path, cwd=place, processes=2)
    assert done.returncode == 0, done.stderr
    (together,) = (place / "two" / "spans").glob("test-*")
    shared = read_spans(together)
    (alone,) = kit.predict(place / "two", test, again=True, quiet=True)
    single = read_spans(alone)
    assert shared.guids == single.guids
    assert np.array_equal(shared.char_begin, single.char_begin)
    assert np.allclose(shared.start, single.start, atol=1e-5)


SHORT = """
import torch
from transformers import BertForQuestionAnswering


class Short(BertForQuestionAnswering):
    def forward(self, input_ids, **named):
        if self.training and len(input_ids) > 2:
            raise torch.OutOfMemoryError("out of memory")
        return super().forward(input_ids, **named)
"""


@pytest.mark.slow
def test_several_processes_cope_with_little_memory(
    place: Path, folded: Path, data: Dataset, tmp_path: Path
) -> None:
    """All of them stop, and leave word for the one that started them, which tries again."""
    backbone = place / "short-backbone"
    shutil.copytree(place / "tiny", backbone)
    (backbone / "modeling_short.py").write_text(SHORT, encoding="utf-8")
    config = json.loads((backbone / "config.json").read_text(encoding="utf-8"))
    config["auto_map"] = {"AutoModelForQuestionAnswering": "modeling_short.Short"}
    (backbone / "config.json").write_text(json.dumps(config), encoding="utf-8")
    options = {"folds": 3, "fold": 0, "trust_remote_code": True, "jobs": 1, "run": place / "launched"}
    words = training_job(str(backbone), data, SETTINGS | options).argv()
    note = tmp_path / "note"
    environment = {"HF_MODULES_CACHE": str(place / "code"), OUT_OF_MEMORY: str(note)}
    done = run_program("kit.cli", *words, cwd=place, processes=2, **environment)
    assert done.returncode != 0
    smaller, told = note.read_text(encoding="utf-8").split("\n")
    assert (smaller, told) == ("--micro-batch-size 2", "micro-batches of 2")
    words += [*smaller.split(), "--resume"]
    done = run_program("kit.cli", *words, cwd=place, processes=2, **environment)
    assert done.returncode == 0, done.stderr
    one, two = (record_of(folder).folds["0"] for folder in (folded, place / "launched"))
    assert (two.processes, two.micro_batch_size) == (2, 2)
    assert two.metrics == pytest.approx(one.metrics, abs=1e-9)


def test_a_batch_that_cannot_be_shared_is_refused_once(place: Path, data: Dataset) -> None:
    words = ("train", place / "tiny", "--data", data.path, *flags(SETTINGS), "--run", "three")
    done = run_program("kit.cli", *words, cwd=place, processes=3)
    assert done.returncode == 1
    said = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert said == ["error: --batch-size 8 cannot be shared by 3 processes; choose a multiple of 3"]


# ---- the estimate


def test_a_submission_is_estimated_out_of_fold(place: Path, folded: Path, data: Dataset) -> None:
    test = kit.load(place / "data/test.json")
    kit.predict(folded, test, quiet=True)
    made = kit.ensemble(folded, test, out=place / "estimated.csv")
    estimate = made.card.estimate
    (score,) = kit.out_of_fold(folded, data).values()
    assert estimate.edit == pytest.approx(score.edit)
    assert estimate.interval is not None
    # wider than the interval of the mean: the test set is a sample too
    assert estimate.interval.high - estimate.interval.low > score.interval.high - score.interval.low
    assert "out of fold on train.json" in estimate.reason
    assert len(made.card.members) == 3
