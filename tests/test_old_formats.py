"""Files that version 0.1.0 wrote are still read: its runs, scores, recipes, cards, ledger, pushes and sweep.

They lie in fixtures/v0.1 beside make.py, the program that made them.  None is ever made again: a format that
cannot be read any more must fail here.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kit
from kit.data.records import Dataset
from kit.decoding.recipes import load_recipe
from kit.kaggle.kernels.history import all_pushed, locate
from kit.settings.folds import read_plan
from kit.settings.runs import RunRecord, read_run
from kit.spans.run_folder import open_run
from kit.spans.store import read_provenance, read_spans
from kit.submission.card import Estimate, Revision, read_card
from kit.submission.ledger import Ledger

FIXTURES = Path(__file__).parent / "fixtures" / "v0.1"
SETTINGS = {
    "epochs": 8.0, "lr": 2e-3, "batch_size": 8, "micro_batch_size": 4, "max_length": 96, "stride": 32
}  # fmt: skip
"""What all runs were trained with, apart from the defaults."""
ANSWERS = {
    "both": "억 원|숲파트|고 온|온 서|야 할|을 올|을 올|는 새|앱 ‘|을 투자|억 원",
    "one": "20억 원을|투자받았다|두고 온 서|서랍의 기억|내년 12월|내년 12월|내년 12월|"
    "을 돕는 앱|4500원이|을 투자하|은 200쪽",
    "vote": "20억 원을|투자받았다|두고 온 서|서랍의 기억|내년 12월|내년 12월|내년 12월|"
    "을 돕는 앱|4500원이|을 투자하|내용은 2",
    "tuned/one": "기록 서|여름숲파트|온 서|두고 온|12월|시 문화예|야 할 일|00원|00원|억 원|00쪽",
}
"""By recipe, in the order of the test file."""


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy, since reading may leave locks and pictures behind."""
    folder = tmp_path_factory.mktemp("old") / "v0.1"
    shutil.copytree(FIXTURES, folder)
    return folder


@pytest.fixture(autouse=True)
def here(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The working folder: the files name each other relative to it."""
    monkeypatch.chdir(old)


@pytest.fixture
def test() -> Dataset:
    return kit.load("data/test.json")


def record_of(run: str) -> RunRecord:
    record = read_run(Path("runs") / run)
    assert record is not None
    return record


def set_in(record: RunRecord) -> dict[str, Any]:
    return record.settings.model_dump(exclude_defaults=True)


def test_they_are_small_and_hold_no_weights() -> None:
    files = [path for path in FIXTURES.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 300_000
    assert {path.parent.name for path in files if path.suffix == ".safetensors"} == {"spans"}


# Runs


def test_a_plain_run() -> None:
    record = record_of("plain")
    assert record.backbone == "tiny"
    assert set_in(record) == {**SETTINGS, "evaluations": 2}
    assert [(file.name, file.sha256[:8], file.questions) for file in record.data] == [
        ("train.json", "892b8ca4", 29)
    ]
    assert record.answer_lengths == {"3": 9, "4": 5, "5": 5, "6": 11, "7": 1, "9": 4, "10": 1}
    assert record.versions == {"kit": "0.1.0", "torch": "2.13.0+cpu", "transformers": "5.24.0"}
    fold = record.folds["full"]
    assert fold.metrics == {"edit": 12.0, "exact": 0.0, "blank_edit": 8.0}
    assert (fold.steps, fold.kept_step, fold.chosen_on, fold.held_out, fold.windows) == (32, 2, 2, 2, 27)
    assert [entry["step"] for entry in fold.history] == [float(step) for step in range(2, 33, 2)]


def test_a_run_with_folds(test: Dataset) -> None:
    record = record_of("folds")
    assert set_in(record) == {**SETTINGS, "folds": 2}
    assert [(name, fold.held_out) for name, fold in record.folds.items()] == [("0", 15), ("1", 14)]
    assert record.folds["0"].metrics["edit"] == 18.2
    plan = read_plan(Path("runs/folds"))
    assert plan is not None
    assert (plan.folds, plan.split_seed) == (2, 42)
    assert [plan.files[0].fold_of.count(fold) for fold in (0, 1)] == [15, 14]
    run = open_run("runs/folds")
    assert run.folds == ("0", "1")
    assert run.learned(kit.load("data/train.json"))
    assert not run.learned(test)


def test_a_run_of_several_files_with_one_learned_before() -> None:
    record = record_of("mixed")
    assert set_in(record) == {**SETTINGS, "soften": 0.1, "layer_decay": 0.9, "ema": 0.9}
    assert [file.name for file in record.data] == ["train.json", "more.json"]
    assert record.mixture.shares == {"more.json": 0.5}
    assert record.mixture.judge == "train.json"
    assert record.before is not None
    assert (record.before.epochs, record.before.lr, record.before.left_out) == (2.0, 1e-3, 0)
    assert [(file.name, file.questions) for file in record.before.data] == [("outside.json", 9)]
    assert record.folds["full"].metrics["edit"] == 10.0
    first = record_of("mixed/before")
    assert set_in(first) == {**set_in(record), "epochs": 2.0, "lr": 1e-3}
    assert first.folds["full"].metrics["blank_edit"] == 6.5
    assert open_run("runs/mixed").learned(kit.load("data/outside.json"))


def test_a_run_with_a_joint_head() -> None:
    assert set_in(record_of("joint")) == {**SETTINGS, "head": "joint"}
    assert record_of("joint").folds["full"].metrics["edit"] == 9.0


# Scores


def test_span_scores(test: Dataset) -> None:
    path = open_run("runs/folds").find_spans(test, "1")
    assert path == Path("runs/folds/spans/test-59abfd52.fold-1.safetensors")
    scores = read_spans(path)
    assert scores.guids == tuple(question.guid for question in test)
    assert scores.windows.tolist() == list(range(12))
    assert (len(scores.start), int(scores.tokens[-1])) == (551, 551)
    assert scores.char_begin[:3].tolist() == [0, 1, 3]
    assert scores.char_end[:3].tolist() == [1, 2, 5]
    assert scores.start[:2].tolist() == [0.4121631681919098, 0.6394209861755371]
    assert scores.end[-2:].tolist() == [0.7953321933746338, 0.3463810086250305]
    assert scores.null[:2].tolist() == [0.00320318341255188, 0.00015604496002197266]
    assert scores.joint is None
    made = scores.provenance
    assert (made.run, made.fold, made.max_length, made.stride, made.kit_version) == (
        "folds", "1", 96, 32, "0.1.0"
    )  # fmt: skip
    assert made.data_sha256 == test.sha256
    assert made.model_sha256 == record_of("folds").folds["1"].weights_sha256
    assert read_provenance(path) == made


def test_joint_span_scores(test: Dataset) -> None:
    path = open_run("runs/joint").find_spans(test, "full")
    assert path is not None
    scores = read_spans(path)
    assert scores.joint is not None
    assert scores.joint.offsets[:3].tolist() == [0, 209, 419]
    assert scores.joint.first[:3].tolist() == [0, 1, 1]
    assert scores.joint.last[:3].tolist() == [40, 1, 3]
    assert scores.joint.score[:2].tolist() == [0.3099000155925751, 1.9865152835845947]
    assert len(scores.joint.score) == 2313
    assert scores.null[0] == np.float32(-0.7279824018478394)


def test_out_of_fold_scores() -> None:
    (score,) = kit.out_of_fold("runs/folds", "data/train.json", plain=True).values()
    assert score.questions == 29
    assert score.edit == pytest.approx(14.379310344827585)
    (default,) = kit.out_of_fold("runs/folds", "data/train.json").values()
    assert default.edit < 8


# Recipes and what they answer


def test_a_recipe() -> None:
    recipe = load_recipe("ensembles/both.yaml")
    assert [(one.run, one.fold, one.weight, one.temperature) for one in recipe.members] == [
        ("runs/folds", None, 2.0, 1.5),
        ("runs/joint", None, 1.0, 1.0),
    ]
    assert (recipe.blend, recipe.decoder, recipe.length_cap, recipe.length_prior, recipe.candidates) == (
        "product", "edit", 40, 0.5, 20
    )  # fmt: skip
    assert recipe.rules == ("strip_special_tokens", "trim", {"blank_long": 20})
    vote = load_recipe("ensembles/vote.yaml")
    assert (vote.blend, vote.lengths, vote.members[1].fold) == ("vote", "data/train.json", 1)
    assert vote.members[2].csv == "submissions/both.csv"


def test_a_tuned_recipe() -> None:
    recipe = load_recipe("ensembles/tuned/one.yaml")
    assert recipe.decoder == "ranked"
    assert recipe.ranker == "ensembles/tuned/one-5c7a0ef3.ranker"
    assert recipe.members[0].temperature == 2.213
    assert recipe.rules == (
        "trim", "balance_quotes", "tighten_symbols", "strip_particles", {"blank_long": 20}, {"blank_long": 30}
    )  # fmt: skip


@pytest.mark.parametrize("name", ANSWERS)
def test_recipes_give_the_same_submission(name: str, test: Dataset, tmp_path: Path) -> None:
    if "tuned" in name:
        pytest.importorskip("lightgbm")
    made = kit.ensemble(f"ensembles/{name}.yaml", test, out=tmp_path / "again.csv")
    assert "|".join(made.answers.values()) == ANSWERS[name]
    stored = Path("submissions") / ("tuned.csv" if "tuned" in name else f"{name}.csv")
    assert made.path.read_bytes() == stored.read_bytes()
    before = read_card(stored)
    assert made.card.members == before.members
    assert made.card.recipe == before.recipe
    if "tuned" in name:  # earlier versions called the score on the rows of the fit an estimate
        assert (made.card.estimate.kind, made.card.estimate.edit) == ("nested", pytest.approx(4.759))
    else:
        assert (made.card.estimate.kind == "out of fold") == (before.estimate.edit is not None)
        assert made.card.estimate.edit == before.estimate.edit
        assert made.card.estimate.interval == before.estimate.interval


def test_a_run_with_a_joint_head_gives_the_same_submission_by_plain_argmax(
    test: Dataset, tmp_path: Path
) -> None:
    made = kit.ensemble(
        "runs/joint", test, plain=True, out=tmp_path / "again.csv", answers="data/test_answers.json"
    )
    assert made.path.read_bytes() == Path("submissions/joint.csv").read_bytes()
    assert made.answers["d64d89e1"] == "두고 온 서랍의 기억"


# Submissions


def test_a_submission_and_its_card() -> None:
    card = read_card(Path("submissions/tuned.csv"))
    assert card.describes(Path("submissions/tuned.csv"))
    assert (card.name, card.data.path, card.data.questions) == ("tuned", "data/test.json", 11)
    assert [(one.label, one.fold, one.span_file, one.weight, one.temperature) for one in card.members] == [
        ("folds fold 0", 0, "test-59abfd52.fold-0.safetensors", 0.5, 2.213),
        ("folds fold 1", 1, "test-59abfd52.fold-1.safetensors", 0.5, 2.213),
    ]
    assert card.recipe["ranker"] == "ensembles/tuned/one-5c7a0ef3.ranker"
    assert card.estimate.edit == pytest.approx(4.241379310344827)
    assert card.estimate.interval is not None
    assert (card.estimate.interval.low, card.estimate.interval.high) == pytest.approx((2.85862, 5.741650))
    assert card.revision == Revision(commit="8d3411301fcf92271e1af7f7df99da16f3cdc6e2", dirty=False)
    assert (card.kit_version, card.competition) == ("0.1.0", "k-digital-goorm-2-korean-mrc")
    assert kit.score("submissions/tuned.csv", "data/test_answers.json").edit == pytest.approx(42 / 11)


def test_a_card_without_an_estimate() -> None:
    reason = (
        "no estimate: out-of-fold scores are needed and missing: runs/joint: has no out-of-fold scores; "
        "train it with --folds 5"
    )
    assert read_card(Path("submissions/joint.csv")).estimate == Estimate(reason=reason)


def test_the_ledger() -> None:
    sent, lost, kernel, elsewhere, unknown = Ledger().entries()
    assert (sent.ref, sent.status, sent.public, sent.private) == (501, "complete", 2.625, 2.75)
    assert (sent.csv, sent.card, sent.message) == ("submissions/both.csv", "submissions/both.json", "첫 제출")
    assert (sent.estimate, sent.low, sent.high) == (2.5, 2.125, 2.875)
    assert (sent.tag, sent.at) == ("[sha256:1111111111111111]", "2026-11-27T04:58:43Z")
    assert (lost.ref, lost.status) == (None, "not sent")
    assert lost.reason == "HTTP 400: the file has no column Id"
    assert kernel.tag == "[kernel:hong/kit-folds/3:submission.csv]"
    assert (kernel.competition, kernel.ref, kernel.status, kernel.reason) == (
        "other-contest", 502, "error", "Submission Scoring Error"
    )  # fmt: skip
    assert (elsewhere.at, elsewhere.csv, elsewhere.sha256) == ("2026-01-31T12:00:00Z", "old.csv", None)
    assert (elsewhere.public, elsewhere.private) == (3.5, 3.75)
    assert (unknown.number, unknown.status, unknown.public) == (5, "outcome unknown", None)


# Kernels and sweeps


def test_pushed_kernels() -> None:
    folds, joint, plain = all_pushed(Path("runs"))
    assert (folds.kernel, folds.version, folds.run, folds.state) == ("hong/kit-folds", 3, "folds", "saved")
    assert (folds.backbone, folds.pushed, folds.revision) == (
        "klue-bert", "2026-02-01T09:30:00Z", "wheel 0.1.0"
    )  # fmt: skip
    assert (joint.version, joint.state, joint.dataset) == (0, "unknown", "hong/kit-weights")
    assert joint.weights_sha256 == "4" * 64
    assert (plain.kernel, plain.version, plain.id) == ("hong/kit-plain", 1, "")
    assert locate(Path("runs"), "joint").kernel == "hong/kit-joint"


def test_a_sweep() -> None:
    pytest.importorskip("optuna")
    pytest.importorskip("matplotlib")
    sweep = kit.sweep("runs/sweep")
    assert (sweep.backbone, sweep.data, sweep.held_out) == ("tiny", ("train.json",), 11)
    assert [str(one) for one in sweep.ranges] == ["lr=0.0001:0.005:log", "batch_size=4,8"]
    assert [(trial.name, trial.state, trial.varied, trial.steps) for trial in sweep.trials] == [
        ("trial-0001", "finished", {"lr": 0.00439, "batch_size": 8}, 4),
        ("trial-0000", "finished", {"lr": 0.000863, "batch_size": 4}, 8),
        ("trial-0002", "finished", {"lr": 0.000238, "batch_size": 4}, 8),
    ]
    assert [trial.edit for trial in sweep.trials] == pytest.approx([15.0, 191 / 11, 191 / 11])
    assert sweep.trials[0].curve == ((0.5, 15.0), (1.0, 169 / 11))
    assert sweep.blank_edit == pytest.approx(57 / 11)
    assert sweep.command == (
        "kit train models/tiny --data data/train.json --run runs/sweep-best --epochs 1.0 "
        "--lr 0.00439 --batch-size 8 --max-length 96 --stride 32 --folds 5"
    )
    record = record_of("sweep/trial-0001")
    assert (record.settings.lr, record.settings.epochs, record.settings.evaluations) == (0.00439, 1.0, 2)
