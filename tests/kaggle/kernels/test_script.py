"""The files of a kernel: what is in them, and what is refused before anything is sent."""

from __future__ import annotations

import ast
import base64
import bz2
import json
import sys
from pathlib import Path
from typing import Any

import pytest

import kit
from kit.api.kernel import WrittenKernel
from kit.cli import main
from kit.errors import ConfigError
from kit.kaggle.kernels import script
from kit.kaggle.kernels.runner import Session
from kit.kaggle.kernels.script import METADATA, SCRIPT, Plan, script_text
from kit.kaggle.kernels.wheel import build_wheel
from tests.kaggle.conftest import clean

SLUG = "k-digital-goorm-2-korean-mrc"


@pytest.fixture(autouse=True)
def _nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No account, and an empty working folder."""
    clean(tmp_path, monkeypatch)
    monkeypatch.chdir(tmp_path)


def written(**options: Any) -> tuple[dict[str, Any], dict[str, Any], str]:
    """Metadata, plan and text of a kernel."""
    done = kit.push_kernel("klue-bert", run_name="five", out="k", **options)
    assert isinstance(done, WrittenKernel)
    text = Path("k", SCRIPT).read_text(encoding="utf-8")
    (line,) = [line for line in text.splitlines() if line.startswith("PLAN: ")]
    call = ast.parse(line).body[0].value.args[0].value  # type: ignore[attr-defined]
    return json.loads(Path("k", METADATA).read_text(encoding="utf-8")), json.loads(call), text


def test_what_kaggle_is_told() -> None:
    metadata, plan, text = written(folds=5, epochs=2.0, gradient_checkpointing=True, fold="0,1")
    assert metadata == {
        "id": "USERNAME/kit-five",
        "title": "kit-five",
        "code_file": SCRIPT,
        "language": "python",
        "kernel_type": "script",
        "is_private": True,
        "enable_gpu": True,
        "enable_tpu": False,
        "enable_internet": True,
        "machine_shape": "NvidiaTeslaT4",
        "dataset_sources": [],
        "competition_sources": [SLUG],
        "kernel_sources": [],
        "model_sources": [],
    }
    words = "--fold 0,1 --epochs 2.0 --gradient-checkpointing --folds 5 --save-minutes 10.0"
    assert plan["train"] == words.split()
    assert (plan["run"], plan["backbone"], plan["competition"]) == ("five", "klue-bert", SLUG)
    assert not plan["continue"]
    assert not plan["with_weights"]
    wheel = build_wheel()
    assert plan["wheel_sha256"] == wheel.sha256
    (carried,) = [
        node.value.value  # type: ignore[attr-defined]
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign) and node.targets[0].id == "WHEEL"  # type: ignore[attr-defined]
    ]
    assert bz2.decompress(base64.b64decode(carried)) == wheel.content


def test_the_same_plan_gives_the_same_script_within_kaggles_limit() -> None:
    plan = Plan("five", "klue-bert", SLUG, ("--folds", "5"))
    text = script_text(plan, "abc")
    assert text == script_text(plan, "abc")
    assert len(text.encode()) < script.MOST_SOURCE


def test_with_git_the_kit_stays_outside() -> None:
    _, plan, text = written(git="https://example.org/kit.git@v1", with_weights=True, hours=3.0)
    assert plan["git"] == "https://example.org/kit.git@v1"
    assert plan["revision"] == "https://example.org/kit.git@v1"
    assert plan["wheel"] is None
    assert plan["with_weights"]
    assert plan["hours"] == 3.0
    assert len(text) < 20_000


def test_a_kit_too_large_for_kaggle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script, "MOST_SOURCE", 100_000)
    with pytest.raises(
        ConfigError, match=r"bytes with the kit inside, and Kaggle takes about 100,000; .*--git"
    ):
        written()
    assert not Path("k").exists()


def test_training_options_are_read_as_kit_train_reads_them(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def push(*words: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["kit", "kernel", "push", *words])
        with pytest.raises(SystemExit) as done:
            main()
        return int(done.value.code or 0), capsys.readouterr().err

    code, said = push(
        "koelectra", "--run-name", "five", "--out", "k", "--folds", "5", "--compile", "--lr", "2e-5"
    )
    assert code == 0, said
    assert "next: kaggle kernels push -p k" in said
    assert "put your account's name in place of USERNAME" in said
    text = Path("k", SCRIPT).read_text(encoding="utf-8")
    assert '"--folds", "5"' in text
    assert '"--compile"' in text
    for words, exit_code, says in (
        (["koelectra", "--epoch", "3"], 2, "No such option"),
        (["koelectra", "--lr", "fast"], 2, "--lr"),
        (["koelectra", "--data", "x.json"], 1, "x.json: is a file of this machine, which Kaggle cannot see"),
        (["koelectra", "--before", "a/x.json"], 1, "give /kaggle/input/NAME/x.json with --dataset"),
        (["koelectra", "--before-only"], 2, "--before-only: has no meaning on Kaggle"),
        (["koelectra", "--share", "more=0.5"], 1, "no --data file is called so; they are train.json"),
        (["koelectra", "--before-lr", "2"], 1, "--before-lr is 2.0; input should be less than 1"),
        (["koelectra", "--resume", "--valid", "x"], 2, "--resume, --valid: has no meaning on Kaggle"),
        (["--folds", "5", "koelectra"], 2, "BACKBONE comes first"),
        (["koelectra", "--batch-size", "7", "--micro-batch-size", "2"], 1, "does not divide"),
        (["koelectra", "--fold", "7", "--folds", "5"], 1, "is no fold"),
        (["koelectra", "--competition", "korquad"], 1, "is no competition of Kaggle's"),
        (["koelectra", "--hours", "13"], 1, "Kaggle ends a kernel after 12"),
        (["koelectra", "--dataset", "x"], 1, "is no OWNER/NAME"),
    ):
        code, said = push(*words, "--run-name", "five", "--out", "other")
        assert (code, says in said) == (exit_code, True), said
        assert not Path("other").exists()


@pytest.mark.parametrize("mount", ["more", "datasets/person/more"])
def test_data_beside_the_competitions(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mount: str
) -> None:
    """They are named as Kaggle mounts them, and the session finds them where they really are."""
    words = (
        "koelectra --run-name five --out k --dataset person/more --data /kaggle/input/more/x.json "
        "--share x=0.25 --judge train --before /kaggle/input/more/a.json /kaggle/input/more/b.json "
        "--before-epochs 2"
    )
    monkeypatch.setattr(sys, "argv", ["kit", "kernel", "push", *words.split()])
    with pytest.raises(SystemExit) as done:
        main()
    assert not done.value.code, capsys.readouterr().err
    (line,) = [
        line
        for line in Path("k", SCRIPT).read_text(encoding="utf-8").splitlines()
        if line.startswith("PLAN: ")
    ]
    plan = json.loads(ast.parse(line).body[0].value.args[0].value)  # type: ignore[attr-defined]
    expected = (
        "--data /kaggle/input/more/x.json --share x.json=0.25 --judge train "
        "--before /kaggle/input/more/a.json --before /kaggle/input/more/b.json --before-epochs 2.0 "
        "--save-minutes 10.0"
    )
    assert plan["train"] == expected.split()
    assert plan["datasets"] == ["person/more"]
    session = Session(plan, input=tmp_path / "mounts")
    for owned in (mount, "datasets/other/more"):
        (session.input / owned).mkdir(parents=True)
        (session.input / owned / "a.json").write_text("[]")
    assert session.placed("/kaggle/input/more/a.json") == str(session.input / mount / "a.json")
    assert session.placed("x.json=0.25") == "x.json=0.25"


@pytest.mark.parametrize("name", ["", "../x", "a/b", "가", "-x", "x" * 60])
def test_names_that_are_no_folder_or_kernel(name: str) -> None:
    with pytest.raises(ConfigError, match="names a folder and a kernel"):
        kit.push_kernel("klue-bert", run_name=name, out="k")


def test_a_backbone_of_this_machine_is_refused() -> None:
    Path("models/mine").mkdir(parents=True)
    with pytest.raises(
        ConfigError, match=r"models/mine: is a folder of this machine, which Kaggle cannot see"
    ):
        kit.push_kernel("models/mine", run_name="five", out="k")


def test_without_an_account_nothing_is_pushed() -> None:
    with pytest.raises(kit.KitError, match="no Kaggle credentials found"):
        kit.push_kernel("klue-bert", run_name="five")
    assert not Path("runs").exists()
