"""The card beside a CSV: round trips, git, and what is refused."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

import kit
from kit.errors import SubmissionError
from kit.files import now
from kit.metrics.bootstrap import Interval, bootstrap
from kit.submission.card import (
    DEFAULT_COMPETITION,
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
HEX = "^[0-9a-f]{64}$"
KEYS = (
    "name, csv_sha256, data, recipe, members, estimate, competition, revision, kit_version, made_at, "
    "made_from"
)

CARD = Card(
    name="다섯",
    csv_sha256=SHA,
    data=CardData(path="data/goorm-2/test.json", sha256=SHA, questions=4008),
    recipe={"members": [{"run": "runs/klue-bert"}], "blend": "mean", "rules": ["trim", {"blank_long": 20}]},
    members=(
        Member(
            label="klue-bert.0", run="runs/klue-bert", fold=0, span_file="test-01234567.fold-0.safetensors",
            span_sha256=SHA, weight=2.0, temperature=1.3,
        ),
        Member(
            label="other", run="submissions/other.csv", fold=None, span_file="other.csv", span_sha256=SHA,
            weight=1.0, temperature=1.0,
        ),
    ),
    estimate=Estimate(edit=1.947, interval=Interval(1.8, 2.1, 0.95)),
    competition=DEFAULT_COMPETITION,
    revision=Revision(commit="abc123", dirty=True),
    kit_version=kit.__version__,
    made_at="2026-01-02T03:04:05Z",
)  # fmt: skip
PLAIN = Card(
    name="plain", csv_sha256=SHA, data=CardData(path="test.json", sha256=SHA, questions=1),
    recipe={}, members=(), competition="another-contest", kit_version="0.1.0",
)  # fmt: skip


def changed(**fields: object) -> Card:
    return CARD.model_copy(update=fields)


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
        *("kit_version", "made_at", "made_from"),
    ]
    assert content["competition"] == "k-digital-goorm-2-korean-mrc"
    assert content["kit_version"] == kit.__version__
    assert content["recipe"] == CARD.recipe
    assert content["members"][0]["span_file"] == "test-01234567.fold-0.safetensors"
    assert content["revision"] == {"commit": "abc123", "dirty": True}


def test_no_estimate_and_no_interval_are_told_apart(tmp_path: Path) -> None:
    assert PLAIN.estimate == NO_ESTIMATE == Estimate(edit=None, interval=None, reason="no estimate")
    lonely = Estimate(edit=2.0, interval=bootstrap([2.0, 2.0], [0, 0]))
    assert lonely == Estimate(edit=2.0, reason="no interval: all questions form one group")
    assert read_card(write_card(tmp_path / "a.csv", changed(estimate=lonely))).estimate == lonely


def test_only_the_card_knows_the_time(tmp_path: Path) -> None:
    first = write_submission(tmp_path / "a.csv", ["a"], ["답"])
    assert write_submission(tmp_path / "b.csv", ["a"], ["답"]) == first
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", now())
    card = changed(csv_sha256=first, made_at=now())
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
    card = changed(data=CardData(path=os.fsdecode(b"data/\xb0\xa1.json"), sha256=SHA, questions=1))
    assert read_card(write_card(tmp_path / "a.csv", card)) == card
    assert Path(card.data.path).name == os.fsdecode(b"\xb0\xa1.json")


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
        ({"name": 3}, f"name is 3; input should be a valid string; {CURE}"),
        ({"csv_sha256": "ABC"}, f'csv_sha256 is "ABC"; string should match pattern {HEX!r}; {CURE}'),
        ({"data/questions": 1.5}, f"data.questions is 1.5; input should be a valid integer; {CURE}"),
        ({"data/questions": True}, f"data.questions is true; input should be a valid integer; {CURE}"),
        ({"data": None}, f"data is null; input should be a valid dictionary; {CURE}"),
        ({"recipe": []}, f"recipe is []; input should be a valid dictionary; {CURE}"),
        ({"members": {}}, f"members is {{}}; input should be a valid tuple; {CURE}"),
        ({"members/1/weight": "2"}, f'members[1].weight is "2"; input should be a valid number; {CURE}'),
        ({"members/0/temperature": ...}, f"members[0].temperature is missing; add it; {CURE}"),
        (
            {"members": [7]},
            f"members[0] is 7; input should be a valid dictionary; {CURE}",
        ),
        (
            {"estimate/interval/low": None},
            f"estimate.interval.low is null; input should be a valid number; {CURE}",
        ),
        ({"revision/dirty": "no"}, f'revision.dirty is "no"; input should be a valid boolean; {CURE}'),
        ({"extra": 1}, f"extra is not a known key; keys are {KEYS}; {CURE}"),
        (
            {"name": None, "made_at": 5, "kit_version": ...},
            f"name is null; input should be a valid string; made_at is 5; input should be a valid string; "
            f"kit_version is missing; add it; {CURE}",
        ),
        ({"name": ["\ud800"]}, f'name is ["\\ud800"]; input should be a valid string; {CURE}'),
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
    assert str(caught.value) == f"{tmp_path / 'five.json'}: there is no such file; {CURE}"
    (tmp_path / "six.json").mkdir()
    with pytest.raises(SubmissionError, match="is a folder"):
        read_card(tmp_path / "six.csv")


def test_recipes_hold_json_only(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        write_card(tmp_path / "five.csv", changed(recipe={"lengths": {1, 2}}))
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_card(tmp_path / "five.csv", changed(recipe={"weight": float("nan")}))
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
    assert git_revision(outside_git) == Revision(commit=commit, dirty=False)
    (outside_git / "recipe.yaml").write_text("b")
    assert git_revision(outside_git) == Revision(commit=commit, dirty=True)


def test_git_revision_never_fails(outside_git: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert git_revision(outside_git / "missing") is None
    monkeypatch.setenv("PATH", "")
    assert git_revision(outside_git) is None


def test_git_revision_of_the_working_folder(outside_git: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(outside_git)
    assert git_revision() is None
