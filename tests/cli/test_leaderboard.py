"""The leaderboard: places, scores from Kaggle, the board as a file; both commands as a user types them."""

from __future__ import annotations

import csv as csv_module
import io
import json
import re
import sys
from pathlib import Path

import pytest

import kit
from kit.errors import DownloadError
from kit.kaggle.leaderboard import Board, board_scores
from kit.submission.checked_csv import check_csv
from kit.submission.csv import write_submission
from kit.submission.submit import submit
from tests.kaggle.server import Fault, Kaggle
from tests.kaggle.serving_submissions import records, score

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


def kit_command(monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    from kit.cli import main

    monkeypatch.setattr(sys, "argv", ["kit", *words])
    try:
        main()
    except SystemExit as end:
        if end.code:
            raise


def test_a_place_counts_the_teams_in_front() -> None:
    board = Board((1.0, 2.0, 2.0, 3.0))
    assert [board.place(value) for value in (0.5, 1.0, 2.0, 2.5, 9.0)] == [1, 1, 2, 4, 5]


def test_refresh_asks_kaggle_and_finds_what_was_made_elsewhere(kaggle: Kaggle, csvs: dict[str, Path]) -> None:
    submit(check_csv(csvs["one"]), "one")
    score(kaggle, records(kaggle)[0], 2.25)
    elsewhere = {**records(kaggle)[0], "ref": 7, "description": "by hand", "publicScore": "3.5"}
    records(kaggle).insert(0, elsewhere)
    kaggle.state["board"] = [1.5, 2.0, 2.25, 3.0, "", 9.0]
    standing = kit.leaderboard(refresh=True)
    assert [(e.ref, e.public, e.message) for e in standing.entries] == [
        (1000, 2.25, "one"),
        (7, 3.5, "by hand"),
    ]
    assert standing.ranks == {1: 3, 2: 5}
    assert standing.teams == 5
    before = Path("submissions/ledger.jsonl").read_bytes()
    kit.leaderboard(refresh=True)
    assert Path("submissions/ledger.jsonl").read_bytes() == before


def test_a_board_that_may_not_be_read_hides_only_the_places(kaggle: Kaggle, csvs: dict[str, Path]) -> None:
    submit(check_csv(csvs["one"]), "one")
    score(kaggle, records(kaggle)[0], 2.25)
    kaggle.fail("GetLeaderboard", Fault("status", 403, "not visible"))
    standing = kit.leaderboard(refresh=True)
    assert (standing.entries[0].public, standing.ranks, standing.teams) == (2.25, {}, 0)
    assert list(standing.unread) == ["public"]
    assert "not visible" in standing.unread["public"]


# ---- after the end of a contest


def test_each_score_has_its_place_on_its_own_board(kaggle: Kaggle, csvs: dict[str, Path]) -> None:
    """After the end Kaggle answers with the private board, unless it is asked for the public one."""
    for name in ("one", "two"):
        submit(check_csv(csvs[name]), name)
    score(kaggle, records(kaggle)[0], 2.25, 1.0)
    score(kaggle, records(kaggle)[1], 1.5, 9.0)
    kaggle.state.update({"board": [1.0, 1.5, 2.0, 3.0], "private board": [5.0, 6.0, 7.0, 8.0, 8.5]})
    standing = kit.leaderboard(refresh=True)
    assert (standing.ranks, standing.teams) == ({1: 4, 2: 2}, 4)
    assert (standing.private_ranks, standing.private_teams) == ({1: 1, 2: 6}, 5)
    assert standing.unread == {}
    asked = [call.body.get("overridePublic") for call in kaggle.calls if call.method == "GetLeaderboard"]  # type: ignore[union-attr]
    assert asked == [True, True, None, None, None]  # two and three pages


def test_before_the_end_the_private_board_is_not_asked_for(kaggle: Kaggle, csvs: dict[str, Path]) -> None:
    submit(check_csv(csvs["one"]), "one")
    score(kaggle, records(kaggle)[0], 2.25)
    kaggle.state["board"] = [1.5]
    standing = kit.leaderboard(refresh=True)
    assert (standing.ranks, standing.private_ranks, standing.private_teams) == ({1: 2}, {}, 0)
    assert kaggle.count("GetLeaderboard") == 1


def test_a_private_board_that_is_not_out_gives_no_place(kaggle: Kaggle, csvs: dict[str, Path]) -> None:
    """Private scores show before the board: Kaggle goes on answering with the public one."""
    submit(check_csv(csvs["one"]), "one")
    score(kaggle, records(kaggle)[0], 2.25, 1.0)
    kaggle.state["board"] = [1.5, 2.0]
    standing = kit.leaderboard(refresh=True)
    assert (standing.ranks, standing.private_ranks) == ({1: 3}, {})
    assert standing.unread == {"private": "Kaggle shows no private board yet"}
    # Where both scores are the same, so are the boards: such a contest has no private part.
    score(kaggle, records(kaggle)[0], 2.25, 2.25)
    standing = kit.leaderboard(refresh=True)
    assert (standing.ranks, standing.private_ranks, standing.unread) == ({1: 3}, {1: 3}, {})


def test_several_lost_answers_are_found_again(kaggle: Kaggle, csvs: dict[str, Path]) -> None:
    for name in ("one", "two"):
        submit(check_csv(csvs[name]), name)
    path = Path("submissions/ledger.jsonl")
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text(
        "".join(line for line in lines if json.loads(line)["event"] == "intent"), encoding="utf-8"
    )
    assert [one.ref for one in kit.leaderboard(refresh=True).entries] == [1000, 1001]


# ---- the whole board


@pytest.mark.parametrize(
    ("content", "scores"),
    [
        (b"\xef\xbb\xbfRank,TeamName,Score\r\n1,a,2.5\r\n2,b,1.5\r\n", [1.5, 2.5]),
        (b'Score,TeamName\n2.5,"two\nlines, and a comma"\n1.5,\n', [1.5, 2.5]),
        (b"TeamName,Score\na\nb,\nc,nan\nd,inf\ne,1,extra\n", [1.0]),
        (b"Score\n", []),
        (b"", []),
        (b"\xff\xfeS\x00", "cannot be read"),
        (b"Score\n" + b"1" * 200_000, "cannot be read"),
        (b"Id,Predicted\na,b\n", r"has no column Score \(columns: Id, Predicted\)"),
    ],
)
def test_the_scores_of_a_board(content: bytes, scores: list[float] | str) -> None:
    if isinstance(scores, str):
        with pytest.raises(DownloadError, match=rf"^leaderboard of c: {scores}"):
            board_scores(content, "c")
    else:
        assert board_scores(content, "c") == scores


@pytest.mark.parametrize("ended", [False, True])
def test_the_whole_board_is_downloaded_and_named(kaggle: Kaggle, csvs: dict[str, Path], ended: bool) -> None:
    kaggle.state["board"] = [1.5, "", 2.5]
    if ended:
        kaggle.state["private board"] = [3.5]
    found = kit.download_leaderboard()
    board = "private" if ended else "public"
    assert found.path == Path(f"submissions/leaderboard-goorm-2-{board}.csv")
    assert (found.board, found.teams) == (board, 1 if ended else 2)
    rows = list(csv_module.DictReader(io.StringIO(found.path.read_text(encoding="utf-8-sig"))))
    assert [row["Score"] for row in rows] == (["3.5"] if ended else ["1.5", "", "2.5"])
    assert not list(Path("submissions").glob("*.zip"))
    kaggle.state.update({"board": [9.0], "private board": [9.5] if ended else None})
    assert kit.download_leaderboard().path == found.path  # a later one replaces it
    assert found.path.read_text(encoding="utf-8-sig").splitlines()[1].endswith("9.5" if ended else "9.0")


@pytest.mark.parametrize(
    ("slug", "name", "scores", "board"),
    [
        ("goorm-2", "board.csv", [1.5, 2.5], "public"),
        ("goorm-2", "board.csv", [3.5], "private"),
        ("goorm-2", "board.csv", [4.5], "unknown"),
        ("public-speech", "public-speech-privateleaderboard.csv", [3.5], "private"),
        ("private-speech", "private-speech-publicleaderboard.csv", [3.5], "public"),
        ("public-speech", "public-speech.csv", [3.5], "private"),
    ],
)
def test_which_board_a_file_is(
    kaggle: Kaggle, csvs: dict[str, Path], slug: str, name: str, scores: list[float], board: str
) -> None:
    """By its name, where that says it and not only the competition does; else by its scores."""
    text = "\n".join(["Score", *map(str, scores)])
    kaggle.state.update({"board": [1.5, 2.5], "private board": [3.5], "board files": {name: text.encode()}})
    found = kit.download_leaderboard(competition=slug, to="boards")
    assert found.board == board
    assert found.path == Path("boards") / f"leaderboard-{slug}{'' if board == 'unknown' else '-' + board}.csv"


def test_the_commands_say_what_was_done(
    kaggle: Kaggle, csvs: dict[str, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kit_command(monkeypatch, "submit", str(csvs["one"]), "--message", "one", "--dry-run")
    output = capsys.readouterr()
    assert "no: a dry run" in output.out
    assert "signed in with the legacy key of person from KAGGLE_USERNAME and KAGGLE_KEY" in output.err
    assert "secret" not in output.err
    for name, path in csvs.items():
        kit_command(monkeypatch, "submit", str(path), "--message", name, "--no-wait")
    assert re.findall(r"left today +(\d)\n", capsys.readouterr().out) == ["4", "3", "2"]
    for number, one in enumerate(records(kaggle)):
        score(kaggle, one, 2.0 + number)
    kit_command(monkeypatch, "submit", str(csvs["one"]), "--message", "one")
    output = capsys.readouterr().out
    assert "already, " in output
    assert "2.000" in output
    kit_command(monkeypatch, "leaderboard", "--refresh", "--pick", "2")
    output = capsys.readouterr().out
    assert [name for name in ANSWERS if f"{name}.csv" in output] == list(ANSWERS)
    assert "pick 1: submissions/one.csv" in output
    kit_command(monkeypatch, "leaderboard", "--csv")
    rows = list(csv_module.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["public"] for row in rows] == ["2.0", "3.0", "4.0"]
    kit_command(monkeypatch, "leaderboard", "--json")
    assert [one["status"] for one in json.loads(capsys.readouterr().out)["submissions"]] == ["complete"] * 3


def test_a_failure_is_one_line_and_exit_code_1(
    kaggle: Kaggle, csvs: dict[str, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kaggle.fail("ListSubmissions", Fault("status", 403, "You must accept this competition's rules"))
    with pytest.raises(SystemExit) as end:
        kit_command(monkeypatch, "submit", str(csvs["one"]), "--message", "one")
    assert end.value.code == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.splitlines()[-1].startswith(
        "error: listing submissions: the rules of k-digital-goorm-2"
    )
    assert f"https://www.kaggle.com/c/{SLUG}/rules" in output.err


def test_an_empty_ledger_says_how_to_begin(
    csvs: dict[str, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kit_command(monkeypatch, "leaderboard")
    assert "kit submit makes the first" in capsys.readouterr().err
