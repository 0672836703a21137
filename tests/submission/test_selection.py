"""Choosing the final submissions: tracking against SciPy, picks by hand, answers only as they were sent."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from kit.submission.checked_csv import check_csv
from kit.submission.csv import write_submission
from kit.submission.ledger import Entry, Ledger
from kit.submission.selection import answers_of, picks, tracking
from kit.submission.submit import submit
from tests.kaggle.server import Kaggle

SLUG = "k-digital-goorm-2-korean-mrc"
GUIDS = ["a", "b", "c", "d"]
ANSWERS = {
    "one": ["서울", "부산", "대구", "광주"],
    "two": ["서울", "부산", "대구", "광주시"],
    "three": ["평양", "원산", "대구", "나선"],
}


@pytest.fixture
def csvs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    monkeypatch.chdir(tmp_path)
    write_submission(Path("data/goorm-2/sample_submission.csv"), GUIDS, [""] * 4)
    paths = {name: Path(f"submissions/{name}.csv") for name in ANSWERS}
    for name, path in paths.items():
        write_submission(path, GUIDS, ANSWERS[name])
    return paths


def entry(number: int, **fields: object) -> Entry:
    known = {"at": "2026-11-25T10:00:00Z", "competition": SLUG, "sha256": f"{number:064x}", "ref": number}
    return Entry.model_validate({"number": number, "status": "complete", **known, **fields})


numbers = st.floats(0.5, 9.5).map(lambda value: round(value, 2))


@given(st.lists(st.tuples(numbers, numbers), min_size=2, max_size=9))
def test_tracking_is_spearman_and_the_mean_difference(pairs: list[tuple[float, float]]) -> None:
    found = tracking([entry(n, estimate=a, public=b) for n, (a, b) in enumerate(pairs, start=1)])
    assert found is not None
    local, public = np.array(pairs).T
    assert found.submissions == len(pairs)
    assert found.offset.value == pytest.approx((public - local).mean())
    if len(pairs) < 3:
        assert found.offset.low is None
        return
    assert found.offset.low is not None
    assert found.offset.high is not None
    if np.ptp(public - local) > 1e-9:
        error = stats.sem(public - local)
        expected = stats.t.interval(0.95, len(pairs) - 1, (public - local).mean(), error)
        assert (found.offset.low, found.offset.high) == pytest.approx(expected)
    if not math.isnan(found.rank_correlation.value):
        assert found.rank_correlation.value == pytest.approx(stats.spearmanr(local, public).statistic)
        assert found.rank_correlation.low is not None
        assert found.rank_correlation.low <= found.rank_correlation.value + 1e-9


def test_one_submission_tells_nothing_about_tracking() -> None:
    assert tracking([entry(1, estimate=2.0, public=2.1), entry(2, estimate=2.0)]) is None


def test_picks_are_the_best_and_the_most_different_of_the_as_good() -> None:
    entries = [
        entry(1, estimate=2.0, low=1.8, high=2.2), entry(2, estimate=2.05, low=1.9, high=2.3),
        entry(3, estimate=2.15, low=1.9, high=2.4), entry(4, estimate=2.9, low=2.7, high=3.1),
    ]  # fmt: skip
    texts = {1: ANSWERS["one"], 2: ANSWERS["two"], 3: ANSWERS["three"], 4: ["x"] * 4}

    def read(one: Entry) -> dict[str, str]:
        return dict(zip(GUIDS, texts[one.number], strict=True))

    found = picks(entries, 2, read)
    assert [one.entry.number for one in found] == [1, 3]
    assert "lowest local estimate 2.000" in found[0].reason
    assert "75 % of its answers differ" in found[1].reason
    assert [one.entry.number for one in picks(entries, 9, read)] == [1, 3, 2, 4]


def test_picks_without_an_estimate_go_by_public_less_the_offset() -> None:
    entries = [
        entry(1, estimate=2.0, public=2.5), entry(2, estimate=2.2, public=2.7), entry(3, public=2.4),
        entry(4, estimate=1.0, status="error"), entry(5, estimate=0.5, ref=None), entry(6),
    ]  # fmt: skip
    found = picks(entries, 2, lambda one: None)
    assert [one.entry.number for one in found] == [3, 1]
    assert "public score, less the mean offset, 1.900" in found[0].reason


def test_the_same_bytes_are_picked_once() -> None:
    twice = [entry(1, estimate=2.0), entry(2, estimate=2.0, sha256=f"{1:064x}")]
    assert len(picks(twice, 2, lambda one: None)) == 1


def test_answers_are_those_that_were_sent_or_none(kaggle: Kaggle, csvs: dict[str, Path]) -> None:
    submit(check_csv(csvs["one"]), "one")
    (sent,) = Ledger().entries()
    assert answers_of(sent) == dict(zip(GUIDS, ANSWERS["one"], strict=True))
    csvs["one"].write_text("Id,Predicted\na,anders\n")
    assert answers_of(sent) is None
    csvs["one"].unlink()
    assert answers_of(sent) is None
