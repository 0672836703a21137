"""``kit submit``: what is printed about a CSV."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kit.cli.submit import submit
from kit.submission.csv import write_submission
from tests.kaggle.conftest import clean


@pytest.fixture
def csv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A CSV for three questions, and the sample submission that names them."""
    monkeypatch.chdir(tmp_path)
    write_submission(Path("data/goorm-2/sample_submission.csv"), ["a", "b", "c"], ["", "", ""])
    write_submission(Path("submissions/one.csv"), ["a", "b", "c"], ["서울", "", "부산, 대구"])
    return Path("submissions/one.csv")


def test_the_dry_run_without_credentials_as_a_command(
    tmp_path: Path, csv: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clean(tmp_path, monkeypatch)
    csv.write_text("Id,Predicted\nc,서울\na,\nb,부산\n", encoding="utf-8")
    submit("first", csv, dry_run=True, no_wait=True)
    shown = capsys.readouterr().out
    assert "3, as in data/goorm-2/sample_submission.csv, in another order" in shown
    assert "submissions left today: needs Kaggle credentials" in shown
    assert "no: a dry run" in shown
    submit("first", csv, dry_run=True, no_wait=True, as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert (found["in_order"], found["left"], len(found["not_checked"])) == (False, None, 4)
