"""The card beside a CSV: round trips, git, and what is refused."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

import kit
from kit.errors import SubmissionError
from kit.files import now
from kit.metrics.bootstrap import Interval, bootstrap
from kit.submission.card import (
    NO_ESTIMATE,
    Card,
    CardData,
    Estimate,
    Member,
    Revision,
    card_path,
    git_revision,
    read_card,
    write_card,
)
from kit.submission.csv import write_submission

SHA = "0123456789abcdef" * 4
CURE = "make CSV and card again with `kit ensemble`"

CARD = Card(
    name="다섯",
    csv_sha256=SHA,
    data=CardData("data/goorm-2/test.json", SHA, 4008),
    recipe={"members": [{"run": "runs/klue-bert"}], "blend": "mean", "rules": ["trim", {"blank_long": 20}]},
    members=(
        Member("klue-bert.0", "runs/klue-bert", 0, "test-01234567.fold-0.safetensors", SHA, 2.0, 1.3),
        Member("other", "submissions/other.csv", None, "other.csv", SHA),
    ),
    estimate=Estimate(1.947, Interval(1.8, 2.1, 0.95)),
    revision=Revision("abc123", True),
    made_at="2026-01-02T03:04:05Z",
)
PLAIN = Card("plain", SHA, CardData("test.json", SHA, 1), {})


@pytest.mark.parametrize("card", [CARD, PLAIN])
def test_round_trip(tmp_path: Path, card: Card) -> None:
    csv = tmp_path / "five.csv"
    path = write_card(csv, card)
    assert path == tmp_path / "five.json"
    assert read_card(csv) == card
    assert read_card(path) == card
    content = path.read_bytes()
    assert write_card(csv, card).read_bytes() == content
    assert content.endswith(b"}\n")


def test_what_the_json_says(tmp_path: Path) -> None:
    text = write_card(tmp_path / "five.csv", CARD).read_text(encoding="utf-8")
    assert '"다섯"' in text  # readable, not escaped
    content = json.loads(text)
    assert list(content) == [
        *("card", "name", "csv_sha256", "data", "recipe", "members", "estimate", "competition", "revision"),
        *("kit_version", "made_at"),
    ]
    assert content["competition"] == "k-digital-goorm-2-korean-mrc"
    assert content["kit_version"] == kit.__version__
    assert content["recipe"] == CARD.recipe
    assert content["members"][0]["span_file"] == "test-01234567.fold-0.safetensors"
    assert content["revision"] == {"commit": "abc123", "dirty": True}


def test_no_estimate_and_no_interval_are_told_apart(tmp_path: Path) -> None:
    assert PLAIN.estimate == NO_ESTIMATE == Estimate(None, None, "no estimate")
    lonely = Estimate(2.0, bootstrap([2.0, 2.0], [0, 0]))
    assert lonely == Estimate(2.0, None, "no interval: all questions form one group")
    assert read_card(write_card(tmp_path / "a.csv", replace(CARD, estimate=lonely))).estimate == lonely


def test_only_the_card_knows_the_time(tmp_path: Path) -> None:
    first = write_submission(tmp_path / "a.csv", ["a"], ["답"])
    assert write_submission(tmp_path / "b.csv", ["a"], ["답"]) == first
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", now())
    card = replace(CARD, csv_sha256=first, made_at=now())
    assert read_card(write_card(tmp_path / "a.csv", card)).describes(tmp_path / "b.csv")
    write_submission(tmp_path / "b.csv", ["a"], ["다른 답"])
    assert not card.describes(tmp_path / "b.csv")


@pytest.mark.parametrize(
    ("csv", "card"),
    [("five.csv", "five.json"), ("v1.2.csv", "v1.2.json"), ("v1.2", "v1.2.json"), ("A.CSV", "A.json")],
)
def test_card_path(csv: str, card: str) -> None:
    assert card_path(Path("submissions") / csv) == Path("submissions") / card


def test_paths_that_are_not_utf8_survive(tmp_path: Path) -> None:
    card = replace(CARD, data=CardData(os.fsdecode(b"data/\xb0\xa1.json"), SHA, 1))
    assert read_card(write_card(tmp_path / "a.csv", card)) == card
    assert card.data.name == os.fsdecode(b"\xb0\xa1.json")


def spoiled(tmp_path: Path, change: dict[str, object]) -> str:
    """The refusal of a card with some fields changed (… drops a field), less its path."""
    path = write_card(tmp_path / "five.csv", CARD)
    content = json.loads(path.read_text(encoding="utf-8"))
    for place, value in change.items():
        *parents, key = place.split("/")
        inner = content
        for parent in parents:
            inner = inner[int(parent)] if isinstance(inner, list) else inner[parent]
        if value is ...:
            del inner[key]
        else:
            inner[key] = value
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(SubmissionError) as caught:
        read_card(tmp_path / "five.csv")
    return str(caught.value).removeprefix(f"{path}: ")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": 3}, f"name is 3; it must be text; {CURE}"),
        ({"csv_sha256": "ABC"}, f'csv_sha256 is "ABC"; it must be a SHA-256 in lower-case hex; {CURE}'),
        ({"data/questions": 1.5}, f"data.questions is 1.5; it must be a whole number; {CURE}"),
        ({"data/questions": True}, f"data.questions is true; it must be a whole number; {CURE}"),
        ({"data": None}, f"data is null; it must be an object; {CURE}"),
        ({"recipe": []}, f"recipe is []; it must be an object; {CURE}"),
        ({"members": {}}, f"members is {{}}; it must be a list; {CURE}"),
        ({"members/1/weight": "2"}, f'members[1].weight is "2"; it must be a number; {CURE}'),
        ({"members/0/temperature": ...}, f"members[0].temperature is missing; {CURE}"),
        ({"members": [7]}, f"members[0] is 7; it must be an object; {CURE}"),
        ({"estimate/interval/low": None}, f"estimate.interval.low is null; it must be a number; {CURE}"),
        ({"revision/dirty": "no"}, f'revision.dirty is "no"; it must be true or false; {CURE}'),
        ({"extra": 1}, f"extra is an unknown field; {CURE}"),
        (
            {"name": None, "made_at": 5, "kit_version": ...},
            f"name is null; it must be text; made_at is 5; it must be text; kit_version is missing; {CURE}",
        ),
        ({"name": ["\ud800"]}, f'name is ["\\ud800"]; it must be text; {CURE}'),
        ({"card": ...}, f"is not a card (no format version under 'card'); {CURE}"),
        (
            {"card": 2},
            f"is a card of format 2, and kit {kit.__version__} reads format 1; "
            "use the kit version that wrote it, or make it again",
        ),
    ],
)
def test_malformed_cards_are_refused(tmp_path: Path, change: dict[str, object], message: str) -> None:
    found = spoiled(tmp_path, change)
    assert sorted(found.split("; ")) == sorted(message.split("; "))


@pytest.mark.parametrize("number", ["1" + "0" * 400, "1e999", "NaN", "-Infinity"])
def test_numbers_beyond_a_float_are_refused(tmp_path: Path, number: str) -> None:
    path = write_card(tmp_path / "five.csv", CARD)
    path.write_text(path.read_text(encoding="utf-8").replace("1.947", number), encoding="utf-8")
    with pytest.raises(SubmissionError):
        read_card(path)


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'"card"', b"null", b"\xff", b"[" * 100_000])
def test_what_is_no_card(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "five.json").write_bytes(content)
    with pytest.raises(SubmissionError, match=r"five\.json: is not .*; make CSV and card again"):
        read_card(tmp_path / "five.csv")


def test_missing_card(tmp_path: Path) -> None:
    with pytest.raises(SubmissionError) as caught:
        read_card(tmp_path / "five.csv")
    assert str(caught.value) == f"{tmp_path / 'five.json'}: there is no such card; {CURE}"
    (tmp_path / "six.json").mkdir()
    with pytest.raises(SubmissionError, match="cannot be read"):
        read_card(tmp_path / "six.csv")


def test_recipes_hold_json_only(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        write_card(tmp_path / "five.csv", replace(CARD, recipe={"lengths": {1, 2}}))
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_card(tmp_path / "five.csv", replace(CARD, recipe={"weight": float("nan")}))
    assert list(tmp_path.iterdir()) == []


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    command = ["git", *identity, *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def outside_git(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    # The tests' own folder may lie in somebody's repository.
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    return tmp_path


def test_git_revision(outside_git: Path) -> None:
    assert git_revision(outside_git) is None
    git(outside_git, "init", "-q")
    assert git_revision(outside_git) is None  # no commit yet
    (outside_git / "recipe.yaml").write_text("a")
    git(outside_git, "add", "recipe.yaml")
    git(outside_git, "commit", "-q", "-m", "a")
    commit = git(outside_git, "rev-parse", "HEAD").strip()
    (outside_git / "untracked.csv").write_text("a")
    assert git_revision(outside_git) == Revision(commit, False)
    (outside_git / "recipe.yaml").write_text("b")
    assert git_revision(outside_git) == Revision(commit, True)


def test_git_revision_never_fails(outside_git: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert git_revision(outside_git / "missing") is None
    monkeypatch.setenv("PATH", "")
    assert git_revision(outside_git) is None


def test_git_revision_of_the_working_folder(outside_git: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(outside_git)
    assert git_revision() is None
