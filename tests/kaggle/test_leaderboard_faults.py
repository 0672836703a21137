"""What a person sees of a contest that has ended, of boards, and of files that come back: the fault table.

Each row: what Kaggle does, the command, its exit code, what it says, what it leaves, and that nothing was
submitted meanwhile.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from kit.submission.checked_csv import check_csv
from kit.submission.csv import write_submission
from kit.submission.submit import submit
from tests.kaggle.server import Fault, Kaggle
from tests.kaggle.serving_submissions import records, score

SLUG = "k-digital-goorm-2-korean-mrc"
GUIDS = ["a", "b"]
LONG = "한 줄에 다 들어가지 않을 만큼 아주 긴 설명 " * 4
BOARD = "submissions/leaderboard-goorm-2"
DOWNLOAD, OF = "leaderboard --download", f"leaderboard of {SLUG}"


@dataclass(frozen=True)
class Row:
    """``says``: parts of standard output or error, in order; ``files``: what the command adds."""

    name: str
    kaggle: Callable[[Kaggle], object]
    command: str
    code: int
    says: tuple[str, ...]
    files: tuple[str, ...] = ()
    hides: tuple[str, ...] = ()


def _ended(kaggle: Kaggle) -> None:
    score(kaggle, records(kaggle)[0], 9.0, 1.0)
    kaggle.state.update({"board": [1.0, 2.0, 3.0], "private board": [5.0, 6.0]})


def _unreadable(kaggle: Kaggle) -> None:
    score(kaggle, records(kaggle)[0], 2.0)
    kaggle.fail("GetLeaderboard", Fault("status", 403, "The leaderboard is hidden"))


def _private_unreadable(kaggle: Kaggle) -> None:
    _ended(kaggle)
    kaggle.fail("GetLeaderboard", *[Fault("status", 500)] * 4)  # the public board: it is asked for first


def _wrong(kaggle: Kaggle) -> None:
    records(kaggle)[0].update(status="ERROR", errorDescription="Evaluation failed: 2 rows are missing")


def _no_board(kaggle: Kaggle) -> None:
    kaggle.fail("DownloadLeaderboard", Fault("status", 404, "Not found"))


def _files(files: dict[str, bytes] | bytes) -> Callable[[Kaggle], object]:
    return lambda kaggle: kaggle.state.update({"board files": files})


def _other_bytes(kaggle: Kaggle) -> None:
    kaggle.stored[f"/upload/{records(kaggle)[0]['blob']}"] = b"other"


ROWS = [
    Row(
        "ended: each place by its own board", _ended, "leaderboard --refresh", 0,
        ("public place", "private place", "4 of 4", "1 of 2"),
    ),
    Row(
        "ended: late submission", _ended, "submit submissions/one.csv --message late", 0,
        ("public score", "9.000 characters", "private score", "1.000 characters"),
    ),
    Row(
        "board hidden", _unreadable, "leaderboard --refresh", 0,
        ("no places on the public board: ", "The leaderboard is hidden", "2.000"), hides=("place ",),
    ),
    Row(
        "board silent", _private_unreadable, "leaderboard --refresh", 0,
        ("no places on the public board: ", "500", "private place", "1 of 2"),
    ),
    Row(
        "board empty", lambda kaggle: score(kaggle, records(kaggle)[0], 2.0), "leaderboard --refresh", 0,
        ("no places on the public board: no team has a score on it", "2.000"),
    ),
    Row(
        "not scored", _wrong, "leaderboard --refresh", 0,
        ("error", "Evaluation failed: 2 rows are missing"),
    ),
    Row("not scored, listed", _wrong, "submissions", 0, ("error", "Evaluation failed: 2 rows are missing")),
    Row(
        "long message", lambda kaggle: None, "leaderboard", 0, (LONG[:20], "…"), hides=(LONG,),
    ),
    Row("long message, listed", lambda kaggle: None, "submissions", 0, (LONG[:20], "…"), hides=(LONG,)),
    Row("long message, JSON", lambda kaggle: None, "leaderboard --json", 0, (LONG.strip(),)),
    Row(
        "board, running", lambda kaggle: kaggle.state.update(board=[1.0]), DOWNLOAD, 0,
        ("board  public", f"{BOARD}-public.csv"), (f"{BOARD}-public.csv",),
    ),
    Row(
        "board, ended", _ended, DOWNLOAD, 0,
        ("board  private", f"{BOARD}-private.csv"), (f"{BOARD}-private.csv",),
    ),
    Row(
        "board, nameless", _files({"x.csv": b"Score\n1"}), DOWNLOAD, 0,
        ("Kaggle does not say whether public or private", f"{BOARD}.csv"), (f"{BOARD}.csv",),
    ),
    Row(
        "board, a name that leads out", _files({"../../evil-public.csv": b"Score\n1"}), DOWNLOAD, 0,
        ("board  public",), (f"{BOARD}-public.csv",),
    ),
    Row(
        "board, a page", _files(b"<html>sign in</html>"), DOWNLOAD, 1,
        (f"{OF}: is no zip archive but begins with '<html>sign in</html>'; download again",),
    ),
    Row(
        "board, cut off", _files(b"PK\x03\x04 damaged"), DOWNLOAD, 1,
        (f"{OF}: is a damaged zip archive", "nothing was written, download again"),
    ),
    Row(
        "board, two files", _files({"a.csv": b"Score\n1", "b.csv": b"Score\n1"}), DOWNLOAD, 1,
        (f"{OF}: holds 2 CSVs", "nothing was written, download again"),
    ),
    Row(
        "board, no scores", _files({"a.csv": b"Team\nx"}), DOWNLOAD, 1,
        (f"{OF}: has no column Score (columns: Team)",),
    ),
    Row("board, refused", _no_board, DOWNLOAD, 1, ("downloading the leaderboard", "404")),
    Row(
        "fetched", lambda kaggle: None, "submissions --fetch 1000", 0,
        ("submissions/1000.csv", "as in the ledger"), ("submissions/1000.csv",),
    ),
    Row(
        "fetched, other bytes", _other_bytes, "submissions --fetch 1000", 1,
        ("submission 1000: what came has the sha256", "nothing was written"),
    ),
    Row(
        "fetched, unknown", lambda kaggle: None, "submissions --fetch 7", 1,
        ("submission 7: Kaggle does not give it to this account", "Permission 'submissions.get' was denied"),
    ),
    Row(
        "another ledger's", lambda kaggle: None, "submissions --competition else --json", 0,
        ('"made": "kit, elsewhere"',),
    ),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_fault_table(
    kaggle: Kaggle,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    row: Row,
) -> None:
    monkeypatch.chdir(tmp_path)
    write_submission(Path("data/goorm-2/sample_submission.csv"), GUIDS, [""] * 2)
    write_submission(Path("submissions/one.csv"), GUIDS, ["서울", "부산"])
    submit(check_csv(Path("submissions/one.csv")), LONG.strip())
    before = {path.as_posix() for path in Path().rglob("*") if path.is_file()}
    sent = Path("submissions/one.csv").read_bytes()
    row.kaggle(kaggle)
    code, said = kit_command(monkeypatch, capsys, row.command)
    assert code == row.code, said
    place = 0
    for part in row.says:
        assert part in said[place:], said
        place = said.index(part, place)
    for part in row.hides:
        assert part not in said
    if code:
        assert said.count("error: ") == 1
        assert "Traceback" not in said
    assert {path.as_posix() for path in Path().rglob("*") if path.is_file()} - before == set(row.files)
    assert not list(tmp_path.parent.rglob("evil-public.csv"))
    assert Path("submissions/one.csv").read_bytes() == sent
    assert len(records(kaggle)) == 1
    assert kaggle.count("CreateSubmission") == 1


def kit_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: str
) -> tuple[int, str]:
    """`kit LINE` in this process: exit code, and standard error before standard output."""
    from kit.cli import main

    monkeypatch.setattr(sys, "argv", ["kit", *line.split()])
    with pytest.raises(SystemExit) as done:
        main()
    said = capsys.readouterr()
    return int(done.value.code or 0), said.err + said.out


def test_json_says_which_board(
    kaggle: Kaggle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_submission(Path("data/goorm-2/sample_submission.csv"), GUIDS, [""] * 2)
    write_submission(Path("submissions/one.csv"), GUIDS, ["서울", "부산"])
    submit(check_csv(Path("submissions/one.csv")), "one")
    _ended(kaggle)
    code, said = kit_command(monkeypatch, capsys, "leaderboard --refresh --json")
    found = json.loads(said)
    assert code == 0
    assert (found["teams"], found["submissions"][0]["place"], found["submissions"][0]["private_place"]) == (
        3,
        4,
        1,
    )
    assert found["boards"] == {
        "public": {"teams": 3, "unread": None},
        "private": {"teams": 2, "unread": None},
    }
    _, said = kit_command(monkeypatch, capsys, "leaderboard --csv")
    assert said.splitlines()[0].endswith(",reason,place,private_place")
    assert json.loads(kit_command(monkeypatch, capsys, "leaderboard --download --json")[1]) == {
        "file": f"{BOARD}-private.csv", "board": "private", "teams": 2,
    }  # fmt: skip
    listed = json.loads(kit_command(monkeypatch, capsys, "submissions --json")[1])
    (one,) = listed["submissions"]
    assert (one["ref"], one["made"], one["entry"]["number"], one["private"]) == (1000, "here", 1, 1.0)
    fetched = json.loads(kit_command(monkeypatch, capsys, "submissions --fetch 1000 --json")[1])
    assert (fetched["path"], fetched["compared"], fetched["fresh"]) == ("submissions/1000.csv", True, True)
