"""A backbone of this machine on Kaggle: checked, uploaded once, resumed, attached, and compared there."""

from __future__ import annotations

import ast
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import kit
from kit.cli import main
from kit.data import demo_corpus
from kit.errors import (
    ConfigError,
    OutcomeUnknownError,
    RejectedError,
    UnavailableError,
    UploadFailedError,
)
from kit.kaggle.kernels.history import FILE, PushRecord, all_pushed
from kit.kaggle.kernels.runner import Session
from kit.kaggle.kernels.weights import RECORD, dataset_slug, read_backbone
from kit.modeling.tiny import Shape, make_backbone
from tests.kaggle.kernels.test_output import SLUG, TRAINING, Host
from tests.kaggle.server import Fault, Kaggle
from tests.kaggle.serving_datasets import Dataset, blobs, datasets, received
from tests.kaggle.serving_kernels import kernels, saved

NAME = "person/kit-weights-mine"
KERNEL = "person/kit-five"
RUNS = Path("runs")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backbone as save_pretrained leaves it."""
    folder = tmp_path_factory.mktemp("tiny") / "mine"
    texts = ["한국어 문장을 읽는 작은 백본", "서울은 1394년에 도읍이 되었다"]
    make_backbone(folder, texts, "wordpiece", Shape(600, 32, 2, 2, 64, 160), seed=1)
    return folder


@pytest.fixture
def mine(kaggle: Kaggle, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it in an empty working folder, and a temporary folder of this test's own."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    shutil.copytree(tiny, work / "models" / "mine")
    return Path("models/mine")


def push(folder: Path, run: str = "five", **options: Any) -> PushRecord:
    done = kit.push_kernel(run_name=run, weights=folder, quiet=True, **options)
    assert isinstance(done, PushRecord)
    return done


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def plan_of(kaggle: Kaggle) -> dict[str, Any]:
    text = kernels(kaggle)[KERNEL].saved["text"]
    (line,) = [line for line in text.splitlines() if line.startswith("PLAN: ")]
    found: dict[str, Any] = json.loads(ast.parse(line).body[0].value.args[0].value)  # type: ignore[attr-defined]
    return found


# ---- uploaded


def test_a_backbone_becomes_a_private_data_set_that_the_kernel_trains(kaggle: Kaggle, mine: Path) -> None:
    done = push(mine, epochs=1.0)
    found = datasets(kaggle)[NAME]
    assert found.private
    assert [files for _, files in found.versions] == [contents(mine)]
    sha256 = read_backbone(mine).sha256
    assert f"[sha256:{sha256}]" in found.description
    saved_kernel = kernels(kaggle)[KERNEL].saved
    assert saved_kernel["datasetDataSources"] == [NAME]
    plan = plan_of(kaggle)
    assert plan["backbone"] == f"/kaggle/input/datasets/{NAME}"
    assert {file["name"] for file in plan["weights"]} == set(contents(mine))
    assert (done.dataset, done.weights_sha256) == (NAME, sha256)
    (line,) = (RUNS / RECORD).read_text().splitlines()
    assert (json.loads(line)["dataset"], json.loads(line)["sha256"]) == (NAME, sha256)
    assert all_pushed(RUNS) == [done]


def test_the_same_bytes_are_never_sent_twice(kaggle: Kaggle, mine: Path) -> None:
    push(mine)
    sent = received(kaggle)
    assert sent == sum(map(len, contents(mine).values()))
    kernels(kaggle)[KERNEL].state = "COMPLETE"
    push(mine)
    copy = Path("elsewhere/mine")
    shutil.copytree(mine, copy)
    push(copy, "six")
    shutil.rmtree(RUNS)  # another machine
    push(copy, "seven")
    assert received(kaggle) == sent
    assert len(datasets(kaggle)[NAME].versions) == 1
    assert kaggle.count("CreateDataset") == 1
    assert kernels(kaggle)["person/kit-seven"].saved["datasetDataSources"] == [NAME]


def test_other_bytes_become_a_new_version(kaggle: Kaggle, mine: Path) -> None:
    push(mine)
    (mine / "extra.txt").write_text("more")
    push(mine, "six")
    found = datasets(kaggle)[NAME]
    assert [files for _, files in found.versions] == [
        {name: content for name, content in contents(mine).items() if name != "extra.txt"},
        contents(mine),
    ]
    sha256 = read_backbone(mine).sha256
    assert found.versions[1][0] == f"[sha256:{sha256}]"
    assert f"[sha256:{sha256}]" in found.description
    push(mine, "seven")
    assert len(found.versions) == 2
    assert kaggle.count("CreateDatasetVersion") == 1


def test_a_preset_lends_its_settings_to_the_weights(kaggle: Kaggle, mine: Path) -> None:
    push(mine, backbone="koelectra", lr=1e-4)
    words = plan_of(kaggle)["train"]
    chosen = kit.settings_for("koelectra")
    assert words[words.index("--epochs") + 1] == str(chosen.epochs)
    assert words[words.index("--lr") + 1] == "0.0001"
    assert plan_of(kaggle)["backbone"] == f"/kaggle/input/datasets/{NAME}"


def test_as_a_command(
    kaggle: Kaggle, mine: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (mine / "pytorch_model.bin").write_bytes(b"\x80\x02pickle")
    (mine / "checkpoints").mkdir()
    for words in (["--weights", str(mine), "--run-name", "five", "--folds", "5"], ["--replace"]):
        command = ["kit", "kernel", "push", *words]
        if words == ["--replace"]:
            command = [
                "kit",
                "kernel",
                "push",
                "klue-bert",
                "--run-name",
                "five",
                "--weights",
                str(mine),
                *words,
            ]
        monkeypatch.setattr(sys, "argv", command)
        with pytest.raises(SystemExit) as done:
            main()
        said = capsys.readouterr()
        assert not done.value.code, said.err
        assert f"weights  {NAME} (" in said.out
        assert "not uploaded: checkpoints; pytorch_model.bin" in said.err
    assert "has this backbone already" in said.err
    assert "pytorch_model.bin" not in datasets(kaggle)[NAME].versions[0][1]
    assert "--folds" in kernels(kaggle)[KERNEL].earlier[1].saved["text"]


def test_names_of_data_sets(tmp_path: Path) -> None:
    names = ["mine", "Mine", "my_model", "my-model", "한국어", "x" * 80, "x" * 81]
    slugs = [dataset_slug(tmp_path / name) for name in names]
    assert slugs[0] == "kit-weights-mine"
    assert slugs[3] == "kit-weights-my-model"
    assert len(set(slugs)) == len(names)
    assert all(6 <= len(slug) <= 50 for slug in slugs)


# ---- what is no backbone


def spoil(name: str, content: bytes | None) -> Callable[[Path], object]:
    return lambda folder: (
        (folder / name).unlink() if content is None else (folder / name).write_bytes(content)
    )


@pytest.mark.parametrize(
    ("spoiled", "says"),
    [
        (spoil("config.json", None), "there is no config.json"),
        (spoil("config.json", b"{"), "config.json cannot be read"),
        (spoil("config.json", b"[]"), "config.json names no model_type"),
        (spoil("model.safetensors", None), "there is no .safetensors file"),
        (spoil("model.safetensors", b"\x80\x02pickle"), "model.safetensors is damaged"),
        (spoil("model.safetensors", b""), "model.safetensors is damaged"),
        (
            spoil("model.safetensors.index.json", b'{"weight_map": {"a": "model-2.safetensors"}}'),
            "model-2.safetensors, which model.safetensors.index.json names, is missing",
        ),
        (spoil("model.safetensors.index.json", b"{}"), "model.safetensors.index.json cannot be read"),
    ],
)
def test_a_folder_that_is_no_backbone(
    kaggle: Kaggle, mine: Path, spoiled: Callable[[Path], object], says: str
) -> None:
    spoiled(mine)
    with pytest.raises(ConfigError) as error:
        push(mine)
    assert f"--weights {mine}: {says}" in str(error.value)
    assert saved(kaggle) == kaggle.count("StartBlobUpload") == 0


def test_pickles_alone_are_refused_by_name(kaggle: Kaggle, mine: Path) -> None:
    (mine / "model.safetensors").rename(mine / "pytorch_model.bin")
    with pytest.raises(ConfigError, match=r"no \.safetensors file .pytorch_model\.bin may hold a pickle"):
        push(mine)


def test_without_a_tokenizer(kaggle: Kaggle, mine: Path) -> None:
    for name in ("tokenizer.json", "vocab.txt"):
        (mine / name).unlink(missing_ok=True)
    with pytest.raises(ConfigError, match="there is no tokenizer"):
        push(mine)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"weights": "nowhere"}, "--weights nowhere: is no folder"),
        ({"weights": "models/mine", "out": "k"}, "--weights uploads and --out only writes files"),
        ({}, "BACKBONE is missing"),
        ({"backbone": "models/mine"}, "give it as --weights models/mine, which uploads it"),
    ],
)
def test_options_that_do_not_go_together(
    kaggle: Kaggle, mine: Path, options: dict[str, Any], says: str
) -> None:
    with pytest.raises(ConfigError) as error:
        kit.push_kernel(run_name="five", quiet=True, **options)
    assert says in str(error.value)
    assert not kaggle.count("StartBlobUpload")


def test_a_data_set_that_the_kit_did_not_make_is_left_alone(kaggle: Kaggle, mine: Path) -> None:
    datasets(kaggle)[NAME] = Dataset(True, "holiday pictures", [("", {"a.jpg": b"x"})])
    with pytest.raises(ConfigError, match=f"{NAME}: is a data set that kit did not make"):
        push(mine)
    assert kaggle.count("StartBlobUpload") == 0
    assert len(datasets(kaggle)[NAME].versions) == 1


def test_a_public_data_set_is_named_so(
    kaggle: Kaggle, mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    push(mine)
    datasets(kaggle)[NAME].private = False
    (mine / "extra.txt").write_text("more")
    kit.push_kernel(run_name="six", weights=mine)
    assert f"{NAME}: is public, and so is its new version" in capsys.readouterr().err


# ---- interrupted


@pytest.mark.parametrize("fault", [Fault("reset", recorded=True), Fault("status", 503, recorded=True)])
def test_an_upload_goes_on_where_it_broke_off(kaggle: Kaggle, mine: Path, fault: Fault) -> None:
    """Within one command: of the first file half arrives, then the connection fails."""
    first = sorted(contents(mine))[0]
    half = (mine / first).stat().st_size // 2
    kaggle.state["store keeps"] = half
    kaggle.fail("blob-1", fault)
    push(mine)
    assert datasets(kaggle)[NAME].versions[0][1] == contents(mine)
    assert len(blobs(kaggle)) == len(contents(mine))
    pieces = [call.content_range for call in kaggle.calls if call.verb == "PUT" and call.method == "blob-1"]
    size = (mine / first).stat().st_size
    assert pieces == ["", f"bytes */{size}", f"bytes {half}-{size - 1}/{size}"]


def test_a_later_command_sends_only_the_rest(kaggle: Kaggle, mine: Path) -> None:
    names = sorted(contents(mine))
    kaggle.fail("blob-2", *[Fault("status", 500)] * 4)
    with pytest.raises(
        UploadFailedError, match=rf"{names[1]}: did not arrive .*; give the same command again"
    ):
        push(mine)
    assert saved(kaggle) == 0
    assert not datasets(kaggle)
    assert not (RUNS / FILE).exists()
    kaggle.faults.clear()
    push(mine)
    assert datasets(kaggle)[NAME].versions[0][1] == contents(mine)
    sent = [len(call.body) for call in kaggle.calls if call.verb == "PUT" and call.method == "blob-1"]
    assert sent == [(mine / names[0]).stat().st_size, 0]  # the second time it was only asked for
    assert len(blobs(kaggle)) == len(names)


def test_an_upload_that_expired_begins_again(kaggle: Kaggle, mine: Path) -> None:
    kaggle.fail("blob-2", *[Fault("status", 500)] * 4)
    with pytest.raises(UploadFailedError):
        push(mine)
    kaggle.faults.clear()
    blobs(kaggle)["blob-2"].content = b""
    kaggle.fail("blob-1", Fault("status", 404))
    push(mine)
    assert datasets(kaggle)[NAME].versions[0][1] == contents(mine)


@pytest.mark.parametrize("method", ["CreateDataset", "CreateDatasetVersion"])
@pytest.mark.parametrize(
    ("fault", "recorded"),
    [
        (Fault("status", 503, recorded=True), True),
        (Fault("reset", recorded=True), True),
        (Fault("html", recorded=True), True),
        (Fault("status", 503), False),
        (Fault("reset"), False),
    ],
    ids=str,
)
def test_a_lost_answer_uploads_nothing_twice(
    kaggle: Kaggle, mine: Path, method: str, fault: Fault, recorded: bool
) -> None:
    if method == "CreateDatasetVersion":
        push(mine, "one")
        (mine / "extra.txt").write_text("more")
    sent, versions = received(kaggle), len(datasets(kaggle)[NAME].versions) if datasets(kaggle) else 0
    kaggle.fail(method, fault)
    if recorded:
        push(mine)
    else:
        with pytest.raises(
            OutcomeUnknownError, match=r"whether the data set was saved .*datasets/person/kit-w"
        ):
            push(mine)
        assert KERNEL not in kernels(kaggle)
    after = received(kaggle)
    assert after == sent + sum(map(len, contents(mine).values()))
    if not recorded:
        push(mine)
    assert received(kaggle) == after
    assert kaggle.count(method) == (1 if recorded else 2)
    assert len(datasets(kaggle)[NAME].versions) == versions + 1


@pytest.mark.parametrize(
    "answer",
    [{"status": "error", "error": "The title is\nnot allowed"}, {"error": "The title is not allowed"}],
)
def test_a_data_set_that_kaggle_refuses(kaggle: Kaggle, mine: Path, answer: dict[str, str]) -> None:
    kaggle.state["dataset answer"] = answer
    with pytest.raises(RejectedError, match=r"did not make the data set .The title is not allowed.;"):
        push(mine)
    assert saved(kaggle) == 0
    assert not (RUNS / RECORD).exists()


def test_a_data_set_is_waited_for_before_it_is_attached(
    kaggle: Kaggle, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kaggle.state["dataset states"] = ["NOT_YET_PERSISTED", "BLOBS_RECEIVED"]
    push(mine)
    assert kaggle.count("GetDatasetStatus") == 4  # is there one, and three looks
    kaggle.state["dataset states"] = ["FAILED"]
    with pytest.raises(RejectedError, match="Kaggle could not use the files"):
        push(mine, "six")
    monkeypatch.setenv("KIT_KAGGLE_TIMEOUT", "0.05")
    datasets(kaggle)[NAME].state = "REPROCESSING"
    with pytest.raises(UnavailableError, match=r"is not ready yet .*nothing is uploaded twice"):
        push(mine, "seven")
    assert set(kernels(kaggle)) == {KERNEL}


def test_a_slug_of_another_run_is_found_before_anything_is_sent(kaggle: Kaggle, mine: Path) -> None:
    kit.push_kernel("klue-bert", run_name="k.b", quiet=True)
    with pytest.raises(ConfigError, match=r"belongs to the run k\.b"):
        push(mine, "k-b")
    assert kaggle.count("StartBlobUpload") == 0


def test_where_no_notes_can_be_kept(kaggle: Kaggle, mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = mine / "blocked"
    blocked.write_text("a file")
    monkeypatch.setattr(tempfile, "tempdir", str(blocked))
    with pytest.raises(kit.KitError, match="TMPDIR"):
        push(mine)


# ---- on Kaggle


@pytest.mark.parametrize("mount", [f"datasets/{NAME}", "kit-weights-mine"])
def test_the_kernel_finds_and_compares_them(kaggle: Kaggle, mine: Path, tmp_path: Path, mount: str) -> None:
    push(mine)
    session = Session(plan_of(kaggle), tmp_path / "input", tmp_path / "working", tmp_path / "scratch")
    shutil.copytree(mine, session.input / mount)
    assert session.backbone == str(session.input / mount)
    session.compare_weights()
    with (session.input / mount / "config.json").open("a") as file:
        file.write(" ")
    with pytest.raises(
        ConfigError, match=r"config\.json has .* bytes, not .*; its data set was updated since"
    ):
        session.compare_weights()


@pytest.mark.slow
def test_the_kernel_trains_them(kaggle: Kaggle, mine: Path, tmp_path: Path) -> None:
    """The script that was pushed, on a machine that mounts the data set as Kaggle does."""
    machine = Host(tmp_path / "machine")
    files = demo_corpus.write(machine.input / "competitions" / SLUG, train_contexts=24, test_contexts=8)
    files.test_answers.unlink()
    push(mine, allow_unknown=True, **TRAINING)  # its vocabulary is of other texts
    shutil.copytree(mine, machine.input / "datasets" / NAME)
    script = tmp_path / "kernel.py"
    script.write_text(kernels(kaggle)[KERNEL].saved["text"], encoding="utf-8")
    code, log = machine.run(script)
    assert code == 0, log
    assert machine.manifest()["state"] == "finished"
    kernels(kaggle)[KERNEL].state = "COMPLETE"
    kernels(kaggle)[KERNEL].take_output(machine.working)
    assert kit.kernel_output(quiet=True).folder == Path("runs/five")
    (machine.input / "datasets" / NAME / "config.json").write_text("{}")
    shutil.rmtree(machine.scratch)
    code, log = machine.run(script)
    assert code == 1, log
    assert "its data set was updated since: push again" in str(machine.manifest()["message"])
