"""``kit doctor``: this machine, and models."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import kit
from kit.cli.doctor import doctor
from tests.commands import run_kit
from tests.modeling.conftest import wordpiece_folder

__all__ = ["wordpiece_folder"]


def test_the_function_has_what_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    facts = kit.doctor().facts
    assert facts["kit"] == kit.__version__
    assert facts["number format"] in {"fp32", "bf16", "fp16"}
    doctor(as_json=True)
    printed = json.loads(capsys.readouterr().out)
    assert list(printed) == list(facts)
    assert {name: printed[name] for name in printed if name != "free disk"} == {
        name: facts[name] for name in facts if name != "free disk"
    }


def test_models_are_described_or_refused(wordpiece_folder: Path, tmp_path: Path) -> None:
    good, bad = str(wordpiece_folder), str(tmp_path)
    found = kit.models(good, bad)
    assert [one.value for one in found.described[good] if one.name == "family"] == ["bert"]
    assert "holds no config.json" in found.refused[bad]
    assert found.as_dict()[bad] == {"error": found.refused[bad]}


def test_the_doctor_looks_at_several(wordpiece_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    good = run_kit("doctor", wordpiece_folder, "--json", cwd=tmp_path)
    assert good.returncode == 0, good.stderr
    (listed,) = json.loads(good.stdout).values()
    assert listed["family"] == {
        "value": "bert",
        "source": "config.json, whose architectures say BertForQuestionAnswering",
    }
    both = run_kit("doctor", tmp_path / "none", wordpiece_folder, cwd=tmp_path)
    assert both.returncode == 1
    assert "BertForQuestionAnswering" in both.stdout
    assert both.stderr.strip().endswith("holds no config.json; give the folder of a Hugging Face model")
    assert len(both.stderr.strip().splitlines()) == 1
