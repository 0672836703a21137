"""``kit submissions``: the table of what Kaggle lists."""

from __future__ import annotations

from pathlib import Path

import pytest

from kit.submission.checked_csv import check_csv
from kit.submission.submit import submit
from tests.kaggle.server import Kaggle
from tests.kaggle.serving_submissions import records
from tests.kaggle.test_leaderboard_faults import kit_command
from tests.submission.test_kaggle_list import csvs, elsewhere

__all__ = ["csvs"]


def test_the_table_says_where_each_was_made_and_by_whom(
    kaggle: Kaggle,
    csvs: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def shown() -> list[str]:
        said = kit_command(monkeypatch, capsys, "submissions")[1]
        return [" ".join(line.split()) for line in said.splitlines()[1:]]

    submit(check_csv(csvs["one"]), "one")
    assert shown() == [
        "ref CSV status message made submitted (UTC)",
        "1000 one.csv pending one here 2026-11-25 10:00",
    ]
    elsewhere(kaggle, 2000, "by hand")
    assert shown() == [
        "ref CSV public status message made by submitted (UTC)",
        "2000 mine.csv 3.500 by hand elsewhere friend 2026-11-26 10:00",
        "1000 one.csv pending one here 2026-11-25 10:00",
    ]
    records(kaggle).clear()
    said = kit_command(monkeypatch, capsys, "submissions")[1]
    assert said.splitlines() == [
        "Kaggle lists no submission to k-digital-goorm-2-korean-mrc",
        "submissions/one.csv: is in the ledger as 1000, and Kaggle does not list it",
    ]
