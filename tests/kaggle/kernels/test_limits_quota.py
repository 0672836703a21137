"""The week's hours: as a command, as a function, and before a push."""

from __future__ import annotations

from pathlib import Path

import pytest

import kit
from kit.kaggle.kernels.limits import Quota, Quotas, quota_line
from tests.kaggle.kernels.commands import run
from tests.kaggle.server import Fault, Kaggle
from tests.kaggle.serving_kernels import saved


@pytest.fixture(autouse=True)
def _here(kaggle: Kaggle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")


def test_hours_used_reserved_and_left(kaggle: Kaggle) -> None:
    found = kit.kernel_quota()
    assert found.resets == "2026-11-28T00:00:00Z"
    gpu = found.of("GPU")
    assert gpu == Quota("GPU", 10.0, 0.5, 30.0)
    assert gpu.left == 19.5
    assert found.of("TPU") == Quota("TPU", 0.0, 0.0, 20.0)
    assert Quota("GPU", 31.0, 0.0, 30.0).left == 0.0


def test_what_is_left_is_said_before_a_push(
    kaggle: Kaggle, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, _, err = run(capsys, monkeypatch, "push", "klue-bert", "--run-name", "five")
    assert code == 0, err
    assert "GPU quota: 19.5 of 30.0 h left until 2026-11-28 00:00 UTC\n" in err
    kaggle.state["quota"] = {"gpuQuota": {"timeUsed": "90000s", "totalTimeAllowed": "108000s"}}
    code, _, err = run(capsys, monkeypatch, "push", "klue-bert", "--run-name", "six")
    assert code == 0, err
    assert "GPU quota: 5.0 of 30.0 h left; this kernel may take 8.5 h (--hours)" in err


@pytest.mark.parametrize(
    "fault", [Fault("status", 404, "no such method"), Fault("status", 500), Fault("html"), Fault("reset")]
)
def test_an_unavailable_quota_stops_no_push(
    kaggle: Kaggle, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    kaggle.fail("GetAcceleratorQuotaStatistics", *[fault] * 4)
    code, _, err = run(capsys, monkeypatch, "push", "klue-bert", "--run-name", "five")
    assert code == 0, err
    assert "GPU quota: not known (asking for the week's quota: " in err
    assert saved(kaggle) == 1


def test_without_a_gpu_quota_nothing_is_said() -> None:
    assert quota_line(Quotas("", ()), 8.5) == ""
