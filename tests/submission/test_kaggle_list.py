"""All submissions of the account beside the ledger, and a CSV brought back from Kaggle."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

import pytest

import kit
from kit.errors import ConfigError, DownloadError, NoSuchCompetitionError, UnavailableError
from kit.files import sha256_file
from kit.submission.checked_csv import check_csv
from kit.submission.csv import write_submission
from kit.submission.ledger import tag_of
from kit.submission.submit import submit
from tests.kaggle.server import Fault, Kaggle
from tests.kaggle.serving_submissions import bytes_of, records, score

GUIDS = ["a", "b", "c", "d"]


@pytest.fixture
def csvs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    monkeypatch.chdir(tmp_path)
    write_submission(Path("data/goorm-2/sample_submission.csv"), GUIDS, [""] * 4)
    paths = {name: Path(f"submissions/{name}.csv") for name in ("one", "two")}
    for name, path in paths.items():
        write_submission(path, GUIDS, [name] * 4)
    return paths


def ledger() -> bytes:
    return Path("submissions/ledger.jsonl").read_bytes()


def elsewhere(kaggle: Kaggle, ref: int, description: str, content: bytes = b"Id,Predicted\na,x\n") -> None:
    """A submission that somebody made without this ledger."""
    kaggle.stored[f"/upload/else-{ref}"] = content
    records(kaggle).append(
        {
            "ref": ref, "date": "2026-11-26T10:00:00Z", "status": "COMPLETE", "description": description,
            "fileName": "mine.csv", "publicScore": "3.5", "privateScore": "", "blob": f"else-{ref}",
            "submittedBy": "friend",
        }
    )  # fmt: skip


def test_all_are_listed_and_joined_with_the_ledger(kaggle: Kaggle, csvs: dict[str, Path]) -> None:
    for name, path in csvs.items():
        submit(check_csv(path), name)
    score(kaggle, records(kaggle)[0], 2.25)
    elsewhere(kaggle, 2000, "by hand")
    elsewhere(kaggle, 2001, f"{tag_of('f' * 64)} from the server")
    elsewhere(kaggle, 2002, "[sha256:beef] no tag of the kit")
    before = ledger()
    found = kit.submissions()
    assert [(one.listed.ref, one.origin, one.name, one.message) for one in found.made] == [
        (2002, "elsewhere", "mine.csv", "[sha256:beef] no tag of the kit"),
        (2001, "kit, elsewhere", "mine.csv", "from the server"),
        (2000, "elsewhere", "mine.csv", "by hand"),
        (1001, "here", "submissions/two.csv", "two"),
        (1000, "here", "submissions/one.csv", "one"),
    ]
    assert [one.listed.public for one in found.made] == [3.5, 3.5, 3.5, None, 2.25]
    assert found.unlisted == ()
    assert ledger() == before
    # A refresh writes them down; they stay what they are.
    kit.leaderboard(refresh=True)
    assert [one.origin for one in kit.submissions().made] == [one.origin for one in found.made]
    assert [one.message for one in kit.leaderboard().entries][2:] == [
        "by hand",
        "from the server",
        "[sha256:beef] no tag of the kit",
    ]


def test_a_lost_answer_is_joined_by_the_hash(kaggle: Kaggle, csvs: dict[str, Path]) -> None:
    submit(check_csv(csvs["one"]), "one")
    submit(check_csv(csvs["two"]), "two")
    path = Path("submissions/ledger.jsonl")
    lines = ledger().splitlines(keepends=True)
    path.write_bytes(b"".join(line for line in lines if json.loads(line)["event"] == "intent"))
    del records(kaggle)[1]
    found = kit.submissions()
    assert [(one.listed.ref, one.origin, one.entry and one.entry.number) for one in found.made] == [
        (1000, "here", 1)
    ]
    assert [(entry.number, entry.ref) for entry in found.unlisted] == [(2, None)]


def test_of_another_competition(kaggle: Kaggle, csvs: dict[str, Path]) -> None:
    submit(check_csv(csvs["one"]), "one")
    found = kit.submissions(competition="goorm-4")
    assert found.competition == "k-digital-goorm-4-korean-mrc"
    assert kaggle.calls[-1].body["competitionName"] == found.competition  # type: ignore[index, call-overload]
    assert [one.entry for one in found.made] == [None]  # the ledger's entry is of another competition


# ---- fetched


def test_a_csv_is_brought_back(kaggle: Kaggle, csvs: dict[str, Path]) -> None:
    submit(check_csv(csvs["one"]), "one")
    sent = csvs["one"].read_bytes()
    csvs["one"].unlink()
    found = kit.fetch_submission(1000)
    assert found.path == Path("submissions/1000.csv")
    assert found.path.read_bytes() == sent
    assert (found.sha256, found.expected, found.size, found.fresh) == (
        hashlib.sha256(sent).hexdigest(), hashlib.sha256(sent).hexdigest(), len(sent), True,
    )  # fmt: skip
    again = kit.fetch_submission(1000)
    assert (again.fresh, again.path) == (False, found.path)


def test_a_packed_one_keeps_its_ending(kaggle: Kaggle, csvs: dict[str, Path]) -> None:
    packed = csvs["one"].with_name("one.csv.gz")
    packed.write_bytes(gzip.compress(csvs["one"].read_bytes()))
    submit(check_csv(packed), "packed")
    found = kit.fetch_submission(1000, to="back")
    assert found.path == Path("back/1000.csv.gz")
    assert sha256_file(found.path) == sha256_file(packed)


def test_without_a_ledger_the_description_has_the_hash(kaggle: Kaggle, csvs: dict[str, Path]) -> None:
    submit(check_csv(csvs["one"]), "one")
    Path("submissions/ledger.jsonl").unlink()
    found = kit.fetch_submission(1000)
    assert found.expected == sha256_file(csvs["one"])[:16]
    elsewhere(kaggle, 2000, "by hand")
    found = kit.fetch_submission(2000)
    assert (found.expected, found.path.read_bytes()) == ("", b"Id,Predicted\na,x\n")


@pytest.mark.parametrize("known", ["ledger", "description"])
def test_other_bytes_than_were_sent_are_not_written(
    kaggle: Kaggle, csvs: dict[str, Path], known: str
) -> None:
    submit(check_csv(csvs["one"]), "one")
    if known == "description":
        Path("submissions/ledger.jsonl").unlink()
    kaggle.stored[f"/upload/{records(kaggle)[0]['blob']}"] = b"Id,Predicted\na,other\n"
    with pytest.raises(DownloadError) as error:
        kit.fetch_submission(1000, to="back")
    wrong = hashlib.sha256(b"Id,Predicted\na,other\n").hexdigest()
    assert str(error.value) == (
        f"submission 1000: what came has the sha256 {wrong[:16]}, and {sha256_file(csvs['one'])[:16]} was "
        "sent; nothing was written; look at the file on the competition's page"
    )
    assert not Path("back").exists()


def test_another_file_of_that_name_is_kept(kaggle: Kaggle, csvs: dict[str, Path]) -> None:
    submit(check_csv(csvs["one"]), "one")
    Path("submissions/1000.csv").write_text("mine")
    with pytest.raises(ConfigError, match=r"submissions/1000\.csv: is another file; move it away"):
        kit.fetch_submission(1000)
    assert Path("submissions/1000.csv").read_text() == "mine"
    Path("back/1000.csv").mkdir(parents=True)
    with pytest.raises(ConfigError, match="is another file"):
        kit.fetch_submission(1000, to="back")


def test_a_number_that_kaggle_does_not_give(kaggle: Kaggle, csvs: dict[str, Path]) -> None:
    with pytest.raises(
        NoSuchCompetitionError, match=r"^submission 7: Kaggle does not give it to this account"
    ):
        kit.fetch_submission(7)
    assert not list(Path("submissions").glob("7*"))


@pytest.mark.parametrize(
    ("method", "faults"),
    [
        ("DownloadSubmission", [Fault("status", 503), Fault("reset")]),
        ("answers.csv", [Fault("truncate"), Fault("silence")]),
        ("answers.csv", [Fault("status", 500), Fault("html", 403)]),
    ],
)
def test_what_breaks_off_is_fetched_again(
    kaggle: Kaggle, csvs: dict[str, Path], method: str, faults: list[Fault]
) -> None:
    submit(check_csv(csvs["one"]), "one")
    kaggle.fail(method, *faults)
    assert kit.fetch_submission(1000).path.read_bytes() == bytes_of(kaggle, records(kaggle)[0])
    kaggle.fail(method, *faults, *faults)
    with pytest.raises(UnavailableError):
        kit.fetch_submission(1000, to="back")
    assert not Path("back").exists()
