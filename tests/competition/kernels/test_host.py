"""The program on Kaggle: what it installs and never replaces, what it leaves and takes over."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from kit.competition.kernels import host
from kit.competition.kernels.wheel import requirements

PLAN: dict[str, Any] = {
    "run": "five",
    "backbone": "klue-bert",
    "competition": "k-digital-goorm-2-korean-mrc",
    "train": [],
    "hours": 1.0,
    "with_weights": False,
    "continue": True,
    "kit": "0",
    "revision": "abc",
    "git": None,
}


@pytest.fixture(autouse=True)
def _places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "PLAN", dict(PLAN))
    for name in ("INPUT", "WORKING", "SCRATCH"):
        folder = tmp_path / name.lower()
        folder.mkdir()
        monkeypatch.setattr(host, name, folder)


HOST = {
    "torch": "2.6.0+cu124",
    "numpy": "1.26.4",
    "rich": "13.9.4",
    "transformers": "4.53.3",
    "PyYAML": "6.0.3",
}


def test_only_what_is_missing_or_too_old_is_installed() -> None:
    required = [
        "torch>=2.6",
        "numpy>=2.0",
        "rich>=13.9",
        "transformers>=5.0",
        "PyYAML>=6.0",
        "rapidfuzz>=3.6",
    ]
    assert host.lacking(required, HOST.get) == ["numpy>=2.0", "transformers>=5.0", "rapidfuzz>=3.6"]
    assert host.lacking(["kaggle>=2.2", "six>=1.16"], {}.get) == []
    assert host.lacking(['pywin32; sys_platform == "win32"'], {}.get) == []


def test_the_kits_own_requirements_are_understood() -> None:
    assert host.lacking(requirements(), host.installed_version) == []


@pytest.mark.parametrize("line", ["torch>=2.6", "torchvision", "nvidia-cublas-cu12==12.4", "triton>=3"])
def test_torch_is_never_replaced(line: str) -> None:
    with pytest.raises(ValueError, match=r"it is never replaced: choose the latest environment"):
        host.refuse_fixed(["rich>=13.9", line])


def test_other_packages_are_not_fixed() -> None:
    host.refuse_fixed(["transformers>=5.0", "torchmetrics>=1", "numpy>=2.0", "tritonclient"])


def test_pip_is_told_to_keep_the_hosts_torch() -> None:
    assert ("torch", host.installed_version("torch")) in host.fixed_here()
    assert "numpy" not in dict(host.fixed_here())


@pytest.mark.parametrize(
    "mount", ["k-digital-goorm-2-korean-mrc", "competitions/k-digital-goorm-2-korean-mrc"]
)
def test_the_data_are_found_wherever_they_are_mounted(mount: str) -> None:
    for folder in ("another", mount):
        (host.INPUT / folder).mkdir(parents=True)
        (host.INPUT / folder / "train.json").write_text("[]")
    assert host.data_file("train.json") == host.INPUT / mount / "train.json"
    with pytest.raises(ValueError, match=r"no test\.json; accept the rules of k-digital"):
        host.data_file("test.json")


def test_folders_among_the_inputs() -> None:
    assert host.on_host("/kaggle/input/tiny/model") == str(host.INPUT / "tiny" / "model")
    assert host.on_host("klue/bert-base") == "klue/bert-base"


def made_run() -> Path:
    run = host.SCRATCH / "runs" / "five"
    for name in (
        "run.json", "folds.json", "spans/test-1.safetensors", "fold-0/model.safetensors",
        "fold-0/config.json", "fold-1/checkpoints/checkpoint-5/complete", "logs/events",
    ):  # fmt: skip
        path = run / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return run


def packed() -> tuple[set[str], dict[str, Any]]:
    manifest = json.loads((host.WORKING / host.MANIFEST).read_text(encoding="utf-8"))
    files = {path for path in host.WORKING.rglob("*") if path.is_file() and path.name != host.MANIFEST}
    names = {path.relative_to(host.WORKING).as_posix() for path in files}
    assert {file["name"]: file["sha256"] for file in manifest["files"]} == {
        path.relative_to(host.WORKING).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }
    return names, manifest


def test_a_finished_run_leaves_its_models_behind_unless_asked() -> None:
    light = {"run/run.json", "run/folds.json", "run/spans/test-1.safetensors"}
    run = made_run()
    host.pack(run, "finished", "", 7.4)
    names, manifest = packed()
    assert names == light
    assert (manifest["state"], manifest["seconds"], manifest["run"]) == ("finished", 7, "five")
    host.PLAN["with_weights"] = True
    host.pack(run, "finished", "", 7.4)
    assert {"run/fold-0/model.safetensors", *light} < packed()[0]


def test_an_unfinished_run_is_kept_whole_and_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    run = made_run()
    host.pack(run, "unfinished", "time", 7.4)
    names, _ = packed()
    assert "run/fold-1/checkpoints/checkpoint-5/complete" in names
    assert len(names) == 7
    host.WORKING.rename(host.INPUT / "kit-five")
    other = host.SCRATCH / "runs" / "again"
    host.bring_back(other)
    assert {path.relative_to(other): path.read_text() for path in other.rglob("*") if path.is_file()} == {
        path.relative_to(run): path.read_text() for path in run.rglob("*") if path.is_file()
    }
    (host.INPUT / "kit-five" / "run" / "run.json").write_text("changed")
    with pytest.raises(ValueError, match=r"run/run\.json of the earlier kernel is not as it was left"):
        host.bring_back(other)
    host.PLAN["run"] = "six"
    with pytest.raises(ValueError, match="no attached kernel has begun a run called six"):
        host.bring_back(other)


def test_more_than_kaggle_keeps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "_MOST_OUTPUT", 30)
    host.pack(made_run(), "unfinished", "time", 7.4)
    names, manifest = packed()
    assert "run/fold-0/model.safetensors" not in names
    assert manifest["message"] == "time; models left out: more than Kaggle keeps"


def test_a_command_ends_at_the_deadline_with_all_it_started(tmp_path: Path) -> None:
    """Both the command and a child of its own get SIGTERM, and SIGKILL where they do not heed it."""
    (tmp_path / "kit").mkdir()
    (tmp_path / "kit" / "__init__.py").write_text("")
    (tmp_path / "kit" / "__main__.py").write_text(
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print('child', child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    environment = {"PYTHONPATH": str(tmp_path)}
    began = time.monotonic()
    code, last = host.kit(["train"], environment, time.monotonic() + 1.5)
    assert time.monotonic() - began < 20
    assert code is None
    child = int(last.split()[1])
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(child)], capture_output=True, text=True, check=False
    )
    assert state.stdout.strip() in ("", "Z")


def test_a_commands_exit_code_and_last_words(tmp_path: Path) -> None:
    (tmp_path / "kit").mkdir()
    (tmp_path / "kit" / "__main__.py").write_text("import sys; print('one'); print('two'); sys.exit(3)")
    (tmp_path / "kit" / "__init__.py").write_text("")
    assert host.kit(["x"], {"PYTHONPATH": str(tmp_path)}, time.monotonic() + 60) == (3, "two")
    assert sys.executable
