"""A kernel's session: what it finds among its inputs, what it leaves in its output, and when it ends."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from kit.errors import ConfigError
from kit.kaggle.kernels import runner as module
from kit.kaggle.kernels.bootstrap import MANIFEST, NO_INTERNET
from kit.kaggle.kernels.runner import Session, run_kit
from kit.modeling import load_errors

SLUG = "k-digital-goorm-2-korean-mrc"
PLAN: dict[str, Any] = {
    "run": "five",
    "backbone": "klue-bert",
    "competition": SLUG,
    "train": [],
    "hours": 1.0,
    "began": 0.0,
    "with_weights": False,
    "datasets": [],
    "continue": "person/kit-five",
    "kit": "0",
    "revision": "abc",
}
FILES = (
    "run.json",
    "folds.json",
    "spans/test-1.safetensors",
    "fold-0/model.safetensors",
    "fold-0/config.json",
    "fold-1/checkpoints/checkpoint-5/complete",
    "logs/events",
)
LIGHT = {"run/run.json", "run/folds.json", "run/spans/test-1.safetensors"}


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """A session with its folders, and a run in the scratch folder."""
    folders = [tmp_path / name for name in ("input", "working", "scratch")]
    for folder in folders:
        folder.mkdir()
    made = Session(dict(PLAN), *folders)
    for name in FILES:
        path = made.run / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return made


def contents(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()
    }


def packed(session: Session) -> tuple[set[str], dict[str, Any]]:
    """The names in the output but for the manifest, and the manifest, which is held to be right."""
    manifest = json.loads((session.working / MANIFEST).read_text(encoding="utf-8"))
    found = contents(session.working)
    del found[MANIFEST]
    assert {file["name"]: file["sha256"] for file in manifest["files"]} == {
        name: hashlib.sha256(text.encode()).hexdigest() for name, text in found.items()
    }
    return set(found), manifest


# ---- inputs


@pytest.mark.parametrize("linked", [False, True])
@pytest.mark.parametrize("mount", [SLUG, f"competitions/{SLUG}"])
def test_the_data_are_found_wherever_they_are_mounted(
    session: Session, tmp_path: Path, mount: str, linked: bool
) -> None:
    for folder in ("another", "datasets/person/another", mount):
        place = session.input / folder
        place.parent.mkdir(parents=True, exist_ok=True)
        if linked:
            (tmp_path / folder.replace("/", "_")).mkdir()
            place.symlink_to(tmp_path / folder.replace("/", "_"))
        else:
            place.mkdir()
        (place / "train.json").write_text("[]")
    (session.input / "another" / "test.json").write_text("[]")
    assert session.data_file("train.json") == session.input / mount / "train.json"
    with pytest.raises(ConfigError, match=rf"{SLUG}: has no test\.json; it holds train\.json"):
        session.data_file("test.json")


@pytest.mark.parametrize("mount", ["tiny", "datasets/person/tiny"])
def test_folders_among_the_inputs(session: Session, mount: str) -> None:
    (session.input / mount / "model").mkdir(parents=True)
    (session.input / "datasets" / "other" / "tiny" / "model").mkdir(parents=True)
    for backbone, expected in (
        ("/kaggle/input/tiny/model", str(session.input / mount / "model")),
        ("/kaggle/input/datasets/person/tiny/model", str(session.input / mount / "model")),
        ("klue/bert-base", "klue/bert-base"),
    ):
        plan = {**PLAN, "backbone": backbone, "datasets": ["person/tiny"]}
        assert dataclasses.replace(session, plan=plan).backbone == expected


def test_what_is_not_mounted_fails_in_one_line(session: Session) -> None:
    (session.input / "datasets" / "other" / "tiny").mkdir(parents=True)
    plan = {**PLAN, "backbone": "/kaggle/input/tiny", "datasets": ["person/tiny"], "continue": None}
    (session.input / SLUG).mkdir()
    for name in ("train.json", "test.json"):
        (session.input / SLUG / name).write_text("[]")
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM,)}
    try:
        assert dataclasses.replace(session, plan=plan).execute() == "failed"
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    manifest = json.loads((session.working / MANIFEST).read_text(encoding="utf-8"))
    assert manifest["message"] == (
        f"tiny is not mounted below {session.input}; mounted: datasets/other/tiny, {SLUG}; attach it "
        "(--dataset OWNER/NAME, or Add Input)"
    )


def test_a_hub_out_of_reach_gets_the_cure_of_kaggle() -> None:
    last = "klue/bert-base cannot be fetched: the Hugging Face hub is not reachable; check the network"
    assert module.with_cure(last) == f"{last}; {NO_INTERNET}"
    assert module.with_cure("CUDA out of memory") == "CUDA out of memory"
    assert module._UNREACHABLE in Path(load_errors.__file__).read_text(encoding="utf-8")


def test_the_installation_counts(session: Session) -> None:
    for began, left in ((time.time(), 3600.0), (time.time() - 600, 3000.0), (0.0, 0.0)):
        timed = dataclasses.replace(session, plan={**PLAN, "began": began})
        assert timed.seconds_left == pytest.approx(left, abs=5)


# ---- output


def test_a_finished_run_leaves_its_models_behind_unless_asked(session: Session) -> None:
    session.pack("finished", "", 7.4)
    names, manifest = packed(session)
    assert names == LIGHT
    assert (manifest["state"], manifest["seconds"], manifest["run"]) == ("finished", 7, "five")
    dataclasses.replace(session, plan={**PLAN, "with_weights": True}).pack("finished", "", 7.4)
    assert packed(session)[0] == {f"run/{name}" for name in FILES}


@pytest.mark.parametrize("mount", ["kit-five", "notebooks/person/kit-five"])
def test_an_unfinished_run_is_kept_whole_and_taken_over(session: Session, mount: str) -> None:
    place = session.input / mount
    session.pack("unfinished", "time", 7.4)
    assert packed(session)[0] == {f"run/{name}" for name in FILES}
    before = contents(session.run)
    shutil.copytree(session.working, place)
    for path in (place).rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    shutil.rmtree(session.run)
    session.restore_run()
    assert contents(session.run) == before
    assert all(path.stat().st_mode & 0o200 for path in session.run.rglob("*"))
    for path in (place).rglob("*"):
        path.chmod(0o755)
    (place / "run" / "run.json").write_text("changed")
    with pytest.raises(ConfigError, match=r"run/run\.json has .* bytes.* since person/kit-five ended"):
        session.restore_run()
    assert contents(session.run) == before
    with pytest.raises(ConfigError, match="person/kit-five trained five, not six"):
        dataclasses.replace(session, plan={**PLAN, "run": "six"}).restore_run()
    with pytest.raises(ConfigError, match=rf"^person/kit-six is not mounted .*; mounted: {mount}; "):
        dataclasses.replace(session, plan={**PLAN, "continue": "person/kit-six"}).restore_run()
    (place / MANIFEST).unlink()
    with pytest.raises(ConfigError, match=r"has no kit-kernel\.json; continue a kernel"):
        session.restore_run()


@pytest.mark.parametrize("weights", [False, True])
def test_more_than_kaggle_keeps(session: Session, monkeypatch: pytest.MonkeyPatch, weights: bool) -> None:
    monkeypatch.setattr(module, "MOST_OUTPUT", 30)
    session.plan["with_weights"] = weights
    session.pack("finished" if weights else "unfinished", "" if weights else "time", 7.4)
    names, manifest = packed(session)
    assert names == LIGHT
    said = "models left out: more than Kaggle keeps"
    assert manifest["message"] == (said if weights else f"time; {said}")


# ---- commands


@pytest.fixture
def other_kit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program that `python -m kit` starts."""
    (tmp_path / "kit").mkdir()
    (tmp_path / "kit" / "__init__.py").write_text("")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "kit" / "__main__.py"


def test_a_commands_exit_code_and_last_words(other_kit: Path) -> None:
    other_kit.write_text("import sys; print('one'); print(sys.argv[1]); sys.exit(3)")
    assert run_kit(["two"], 60) == (3, "two")


@pytest.mark.parametrize("heeds", [True, False])
def test_a_command_ends_in_time_with_all_it_started(
    other_kit: Path, heeds: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command and a child of its own get SIGTERM, and SIGKILL where they do not heed it."""
    monkeypatch.setattr(module, "_GRACE", 0.3)
    deaf = "" if heeds else "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    other_kit.write_text(
        f"import subprocess, sys, time\n{deaf}"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print('child', child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    began = time.monotonic()
    code, last = run_kit(["train"], 1.5)
    assert time.monotonic() - began < 20
    assert code is None
    child = last.split()[1]
    state = subprocess.run(["ps", "-o", "stat=", "-p", child], capture_output=True, text=True, check=False)
    assert state.stdout.strip()[:1] in ("", "Z")
