"""``kit kernel``: what its commands print."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import kit
from kit.errors import NotAuthenticatedError, UnavailableError
from kit.kaggle.kernels.history import PushRecord, remember
from tests.kaggle.kernels.commands import run
from tests.kaggle.server import Fault, Kaggle
from tests.kaggle.serving_kernels import Kernel, kernels


@pytest.fixture(autouse=True)
def _here(kaggle: Kaggle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")


def test_the_state_of_the_latest_push(
    kaggle: Kaggle, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "person/kit-five"
    kernels(kaggle)[name] = Kernel({}, version=1, state="COMPLETE", output={})
    pushed = PushRecord(
        kernel=name,
        version=1,
        url="u",
        run="five",
        backbone="b",
        competition="goorm-2",
        pushed="t",
        revision="r",
    )
    remember(Path("runs"), pushed)
    code, out, err = run(capsys, monkeypatch, "status")
    assert code == 0, err
    assert "state" in out
    assert f"next: kit kernel output {name}" in err
    code, out, _ = run(capsys, monkeypatch, "status", "five", "--json")
    assert (json.loads(out)["kernel"], json.loads(out)["state"]) == (name, "COMPLETE")
    assert kit.kernel_status().state == "COMPLETE"


def test_the_command(
    kaggle: Kaggle, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, err = run(capsys, monkeypatch, "quota")
    assert code == 0, err
    assert ["GPU", "19.5", "10.0", "0.5", "30.0"] in [line.split() for line in out.splitlines()]
    assert "the next week begins on 2026-11-28 at 00:00 UTC" in err
    code, out, _ = run(capsys, monkeypatch, "quota", "--json")
    found = json.loads(out)
    assert found["resets"] == "2026-11-28T00:00:00Z"
    assert found["quotas"][0] == {
        "accelerator": "GPU", "used": 10.0, "reserved": 0.5, "allowed": 30.0, "left": 19.5
    }  # fmt: skip
    kaggle.state["quota"] = {}
    code, out, err = run(capsys, monkeypatch, "quota")
    assert (code, out) == (0, "")
    assert "Kaggle does not say how much of any accelerator is left" in err


def test_the_quota_fails_with_the_call(kaggle: Kaggle) -> None:
    kaggle.fail("GetAcceleratorQuotaStatistics", *[Fault("status", 500)] * 4)
    with pytest.raises(UnavailableError, match="asking for the week's quota: Kaggle answered 500"):
        kit.kernel_quota()
    kaggle.fail("GetAcceleratorQuotaStatistics", Fault("status", 401))
    with pytest.raises(NotAuthenticatedError):
        kit.kernel_quota()
