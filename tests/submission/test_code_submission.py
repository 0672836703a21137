"""A kernel's output reaches a code competition once, whatever fails."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

import kit
from kit.cli import main
from kit.errors import (
    ConfigError,
    DailyLimitError,
    KaggleError,
    KernelError,
    NotAuthenticatedError,
    OutcomeUnknownError,
    RejectedError,
)
from kit.kaggle.kernels.history import PushRecord, remember
from kit.submission.ledger import NOT_SENT, OPEN, Entry, Ledger
from kit.submission.submit import Outcome
from tests.kaggle import serving_code
from tests.kaggle.server import Fault, Kaggle
from tests.kaggle.serving_kernels import Kernel, kernels
from tests.kaggle.serving_submissions import records, score

__all__ = ["serving_code"]
NAME = "person/kit-five"
CONTEST = "some-code-contest"
LOST = "CreateCodeSubmission"


@pytest.fixture(autouse=True)
def _kernel(kaggle: Kaggle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel with three versions: two that made a CSV, and a third that runs."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    output = {"submission.csv": b"Id,Predicted\n", "other.csv": b"", "x": b"", "y": b""}
    versions = {
        number: Kernel({}, version=number, state="COMPLETE", output=dict(output)) for number in (1, 2)
    }
    kernels(kaggle)[NAME] = Kernel({}, version=3, state="RUNNING", earlier=versions)
    remember(
        Path("runs"),
        PushRecord(
            kernel=NAME, version=2, url="u", run="five", backbone="b", competition=CONTEST, pushed="t",
            revision="r",
        ),
    )  # fmt: skip


def send(kernel: str = "five/2", **options: object) -> Outcome:
    return kit.submit(message="first try", kernel=kernel, wait=0.0, **options)  # type: ignore[arg-type]


def entries() -> tuple[Entry, ...]:
    return Ledger().entries()


def test_all_submissions_show_which_kernel_one_came_from(kaggle: Kaggle) -> None:
    send()
    (one,) = kit.submissions(competition=CONTEST).made
    assert (one.origin, one.name, one.message) == ("here", f"{NAME}/2:submission.csv", "first try")
    Path("submissions/ledger.jsonl").unlink()
    (one,) = kit.submissions(competition=CONTEST).made
    assert (one.origin, one.name, one.message) == ("kit, elsewhere", "submission.csv", "first try")


def test_a_version_is_sent_once_and_written_down(kaggle: Kaggle) -> None:
    outcome = send()
    (record,) = records(kaggle)
    assert record["kernel"] == f"{NAME}/2"
    assert record["fileName"] == "submission.csv"
    assert record["description"] == f"[kernel:{NAME}/2:submission.csv] first try"
    (entry,) = entries()
    assert (entry.kernel, entry.ref, entry.status) == (f"{NAME}/2:submission.csv", 1000, "pending")
    assert (entry.competition, entry.message, entry.csv, entry.sha256) == (CONTEST, "first try", "", None)
    assert outcome.entry == entry
    for _ in range(2):
        assert send().already
    assert len(records(kaggle)) == 1
    assert not send("five/1").already  # another version is another submission
    assert not send(file="other.csv").already
    assert send(again=True).already is False
    assert len(records(kaggle)) == 4


def test_what_another_machine_sent_is_found(kaggle: Kaggle) -> None:
    send()
    Path("submissions/ledger.jsonl").unlink()
    outcome = send()
    assert outcome.already
    assert outcome.entry is not None
    assert (outcome.entry.kernel, outcome.entry.ref, outcome.entry.message) == (
        f"{NAME}/2:submission.csv", 1000, "first try",
    )  # fmt: skip
    score(kaggle, records(kaggle)[0], 2.5)
    assert send().entry.public == 2.5  # type: ignore[union-attr]
    assert kit.leaderboard(competition=CONTEST, refresh=True).entries[0].public == 2.5


@pytest.mark.parametrize(
    ("kernel", "options", "kind", "says"),
    [
        ("five", {}, KernelError, f"{NAME}/3: is running; only a finished version can be submitted"),
        ("five/9", {}, KaggleError, "404"),
        (
            "five/2",
            {"file": "none.csv"},
            KernelError,
            "its output has no none.csv .it has other.csv; submission",
        ),
        ("six", {}, ConfigError, "six: no kernel or run of this name"),
        ("a/b", {}, ConfigError, "is no kernel"),
        ("five/2", {"csv": "one.csv"}, ConfigError, "leave out the CSV"),
        ("five/2", {"data": "test.json"}, ConfigError, "leave out the CSV and --data"),
    ],
)
def test_what_cannot_be_submitted(
    kaggle: Kaggle, kernel: str, options: dict[str, object], kind: type[Exception], says: str
) -> None:
    with pytest.raises(kind, match=says):
        send(kernel, **options)
    assert not records(kaggle)
    assert not entries()


def test_the_latest_version_is_the_accounts(kaggle: Kaggle) -> None:
    kernels(kaggle)[NAME].state = "COMPLETE"
    kernels(kaggle)[NAME].output = {"submission.csv": b""}
    send("five")
    assert records(kaggle)[0]["kernel"] == f"{NAME}/3"


def test_options_without_a_kernel() -> None:
    with pytest.raises(ConfigError, match="CSV is missing; name a submission, or give --kernel NAME"):
        kit.submit(message="x")
    with pytest.raises(ConfigError, match="give it with --kernel NAME"):
        kit.submit("one.csv", "x", file="submission.csv")


def test_a_dry_run_sends_nothing(kaggle: Kaggle) -> None:
    outcome = send(dry_run=True)
    assert outcome.entry is None
    assert outcome.allowance is not None
    assert not records(kaggle)
    kaggle.state["left"] = 0
    send_one = {"competition": CONTEST}
    records(kaggle).append({**_record(), "description": "by hand"})
    with pytest.raises(DailyLimitError):
        send(**send_one)
    assert kaggle.count(LOST) == 0


def _record() -> dict[str, object]:
    return {
        "ref": 999, "date": "2026-11-25T09:00:00Z", "status": "COMPLETE", "fileName": "a.csv",
        "publicScore": "1", "privateScore": "",
    }  # fmt: skip


# How the call fails, the error, Kaggle's records in the end, the ledger's status then.
FAULTS = [
    (Fault("status", 401), NotAuthenticatedError, 0, NOT_SENT),
    (Fault("status", 400, "This is not a code competition"), RejectedError, 0, NOT_SENT),
    (Fault("status", 503), OutcomeUnknownError, 0, OPEN),
    (Fault("reset"), OutcomeUnknownError, 0, OPEN),
    (Fault("html"), OutcomeUnknownError, 0, OPEN),
    (Fault("silence"), OutcomeUnknownError, 0, OPEN),
    (Fault("status", 503, recorded=True), None, 1, "pending"),
    (Fault("reset", recorded=True), None, 1, "pending"),
    (Fault("silence", recorded=True), None, 1, "pending"),
    (Fault("truncate"), None, 1, "pending"),
]


@pytest.mark.parametrize(("fault", "kind", "recorded", "status"), FAULTS, ids=str)
def test_no_failure_loses_or_doubles_one(
    kaggle: Kaggle,
    monkeypatch: pytest.MonkeyPatch,
    fault: Fault,
    kind: type[KaggleError] | None,
    recorded: int,
    status: str,
) -> None:
    monkeypatch.setenv("KIT_KAGGLE_TIMEOUT", "0.3")
    kaggle.fail(LOST, fault)
    if kind is None:
        assert send().already is False
    else:
        with pytest.raises(kind) as error:
            send()
        assert "\n" not in str(error.value)
        if kind is OutcomeUnknownError:
            assert str(error.value).startswith(f"{NAME}/2:submission.csv: was sent, but the answer was lost")
    assert len(records(kaggle)) == recorded
    assert kaggle.count(LOST) == 1
    assert [entry.status for entry in entries()] == [status]
    kaggle.faults.clear()
    assert send().entry is not None
    assert len(records(kaggle)) == 1
    assert [entry.ref for entry in entries() if entry.status != NOT_SENT] == [1000]


def test_as_a_command(
    kaggle: Kaggle, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["kit", "submit", "--kernel", "five/2", "--message", "first", "--no-wait"]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit) as done:
        main()
    said = capsys.readouterr()
    assert not done.value.code, said.err
    assert f"{NAME}, version 2" in said.out
    assert "submission.csv" in said.out
    monkeypatch.setattr(sys, "argv", [*command, "--json"])
    with pytest.raises(SystemExit):
        main()
    found = json.loads(capsys.readouterr().out)
    assert (found["kernel"], found["version"], found["file"]) == (NAME, 2, "submission.csv")
    assert found["already"]
    assert found["entry"]["ref"] == 1000
    monkeypatch.setattr(sys, "argv", ["kit", "leaderboard", "--competition", CONTEST])
    with pytest.raises(SystemExit):
        main()
    assert f"{NAME}/2:submission.csv" in capsys.readouterr().out
