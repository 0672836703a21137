"""A CSV reaches Kaggle once: whatever fails, whoever else tries, and wherever the process dies."""

from __future__ import annotations

import gzip
import json
import os
import zipfile
from pathlib import Path

import pytest

from kit.data.readers import load
from kit.errors import (
    DailyLimitError,
    KaggleError,
    NoCredentialsError,
    NoSuchCompetitionError,
    NotAuthenticatedError,
    OutcomeUnknownError,
    RateLimitedError,
    RejectedError,
    RulesNotAcceptedError,
    SubmissionError,
    UnavailableError,
    UploadFailedError,
)
from kit.files import sha256_file
from kit.metrics.bootstrap import Interval
from kit.submission.card import Card, CardData, Estimate, write_card
from kit.submission.checked_csv import CheckedCsv, check_csv
from kit.submission.csv import write_submission
from kit.submission.ledger import NOT_SENT, OPEN, Entry, Ledger, tag_of
from kit.submission.submit import Outcome, submit
from tests.commands import run_program
from tests.kaggle.conftest import clean
from tests.kaggle.server import Fault, Kaggle
from tests.kaggle.serving_submissions import bytes_of, records, score

SLUG = "k-digital-goorm-2-korean-mrc"
GUIDS = ["a", "b", "c"]


@pytest.fixture
def csv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A CSV for three questions, and the sample submission that names them."""
    monkeypatch.chdir(tmp_path)
    write_submission(Path("data/goorm-2/sample_submission.csv"), GUIDS, ["", "", ""])
    write_submission(Path("submissions/one.csv"), GUIDS, ["서울", "", "부산, 대구"])
    return Path("submissions/one.csv")


def send(csv: Path, **options: object) -> Outcome:
    return submit(check_csv(csv), "first try", **options)  # type: ignore[arg-type]


def entries() -> tuple[Entry, ...]:
    return Ledger().entries()


def test_exactly_these_bytes_are_sent_once_and_written_down(kaggle: Kaggle, csv: Path) -> None:
    outcome = send(csv)
    (record,) = records(kaggle)
    assert bytes_of(kaggle, record) == csv.read_bytes()
    assert record["description"] == f"{tag_of(sha256_file(csv))} first try"
    assert outcome.entry is not None
    assert (outcome.already, outcome.entry.ref, outcome.entry.status) == (False, 1000, "pending")
    assert entries() == (outcome.entry,)
    assert (outcome.entry.csv, outcome.entry.message, outcome.entry.card) == (str(csv), "first try", None)
    events = [json.loads(line)["event"] for line in Path("submissions/ledger.jsonl").read_text().splitlines()]
    assert events == ["intent", "sent"]


def test_a_csv_is_checked_against_the_test_file_that_is_named(csv: Path) -> None:
    rows = [{"guid": guid, "context": "가", "question": "?", "answers": None} for guid in GUIDS]
    Path("test.json").write_text(json.dumps(rows))
    for data in (Path("test.json"), load(Path("test.json"))):
        checked = check_csv(csv, data=data)
        assert (checked.checked_against, checked.questions, checked.blanks) == ("test.json", 3, 1)
    Path("test.json").write_text(json.dumps(rows[1:]))
    with pytest.raises(SubmissionError, match="1 Id is not in the test file: a"):
        check_csv(csv, data=Path("test.json"))


def test_the_score_is_waited_for_and_written_down(kaggle: Kaggle, csv: Path) -> None:
    kaggle.state["scores"] = {sha256_file(csv): 1.75}
    outcome = send(csv, wait=5.0)
    assert outcome.entry is not None
    assert (outcome.entry.status, outcome.entry.public, outcome.entry.private) == ("complete", 1.75, None)
    assert entries()[0].public == 1.75


def test_the_wait_ends_without_a_score(kaggle: Kaggle, csv: Path) -> None:
    outcome = send(csv, wait=0.2)
    assert outcome.entry is not None
    assert outcome.entry.status == "pending"


def test_the_same_bytes_again_are_not_sent(kaggle: Kaggle, csv: Path) -> None:
    send(csv)
    score(kaggle, records(kaggle)[0], 2.5)
    copied = csv.with_name("copy.csv")
    copied.write_bytes(csv.read_bytes())
    for path in (csv, copied):
        outcome = send(path)
        assert outcome.entry is not None
        assert (outcome.already, outcome.entry.ref, outcome.entry.public) == (True, 1000, 2.5)
    assert len(records(kaggle)) == 1
    assert len(entries()) == 1


def test_unless_asked_to(kaggle: Kaggle, csv: Path) -> None:
    send(csv)
    outcome = send(csv, again=True)
    assert outcome.entry is not None
    assert (outcome.already, outcome.entry.ref) == (False, 1001)
    assert [entry.ref for entry in entries()] == [1000, 1001]


def test_what_another_machine_sent_is_found_by_its_tag(kaggle: Kaggle, csv: Path) -> None:
    send(csv)
    Path("submissions/ledger.jsonl").unlink()
    outcome = send(csv)
    assert outcome.entry is not None
    assert (outcome.already, outcome.entry.ref, outcome.entry.message) == (True, 1000, "first try")
    assert len(records(kaggle)) == 1


def test_a_dry_run_does_all_but_send(kaggle: Kaggle, csv: Path) -> None:
    outcome = send(csv, dry_run=True)
    assert outcome.entry is None
    assert outcome.allowance is not None
    assert outcome.allowance.left == 5
    assert not records(kaggle)
    assert kaggle.count("StartSubmissionUpload") == 0
    assert not entries()


def test_no_submission_left_today_is_said_before_anything_is_sent(kaggle: Kaggle, csv: Path) -> None:
    send(csv)
    kaggle.state["left"] = 0
    write_submission(csv, GUIDS, ["다른", "", ""])
    with pytest.raises(DailyLimitError, match="resets at 00:00 UTC"):
        send(csv)
    kaggle.state["by_total"] = True
    with pytest.raises(DailyLimitError, match=r"all submissions of the competition are made \(1\)"):
        send(csv)
    assert kaggle.count("StartSubmissionUpload") == 1
    assert len(entries()) == 1


def test_a_submission_that_cannot_be_scored_says_why(kaggle: Kaggle, csv: Path) -> None:
    send(csv)
    records(kaggle)[0].update(status="ERROR", errorDescription="Evaluation failed")
    with pytest.raises(RejectedError, match="could not score submission 1000: Evaluation failed"):
        send(csv, wait=5.0)
    assert (entries()[0].status, entries()[0].reason) == ("error", "Evaluation failed")


# Method that fails, how, the error, Kaggle's record of it in the end, the ledger's status then.
LOST = "CreateSubmission"
FAULTS = [
    ("ListSubmissions", Fault("status", 401, "Unauthenticated"), NotAuthenticatedError, 0, None),
    ("ListSubmissions", Fault("status", 403, "You must accept the rules"), RulesNotAcceptedError, 0, None),
    ("ListSubmissions", Fault("status", 403, "Permission denied"), NoSuchCompetitionError, 0, None),
    ("ListSubmissions", Fault("status", 404, "Not found"), NoSuchCompetitionError, 0, None),
    ("ListSubmissions", Fault("status", 429, "Slow"), RateLimitedError, 0, None),
    ("ListSubmissions", Fault("status", 429, "Slow", {"Retry-After": "99"}), RateLimitedError, 0, None),
    ("ListSubmissions", Fault("status", 500), UnavailableError, 0, None),
    ("ListSubmissions", Fault("html"), UnavailableError, 0, None),
    ("ListSubmissions", Fault("refuse"), UnavailableError, 0, None),
    ("ListSubmissions", Fault("reset"), UnavailableError, 0, None),
    ("ListSubmissions", Fault("silence"), UnavailableError, 0, None),
    ("ListSubmissions", Fault("truncate"), UnavailableError, 0, None),
    ("StartSubmissionUpload", Fault("status", 403, "accept the rules"), RulesNotAcceptedError, 0, NOT_SENT),
    ("StartSubmissionUpload", Fault("silence"), UnavailableError, 0, NOT_SENT),
    ("1", Fault("status", 500), UploadFailedError, 0, NOT_SENT),
    ("1", Fault("reset"), UploadFailedError, 0, NOT_SENT),
    ("1", Fault("silence"), UploadFailedError, 0, NOT_SENT),
    (LOST, Fault("status", 400, "daily Submission allowance reached"), DailyLimitError, 0, NOT_SENT),
    (LOST, Fault("status", 400, "Bad token"), RejectedError, 0, NOT_SENT),
    (LOST, Fault("status", 403, "accept the rules"), RulesNotAcceptedError, 0, NOT_SENT),
    (LOST, Fault("status", 429, "Slow"), OutcomeUnknownError, 0, OPEN),
    (LOST, Fault("status", 408, "Request timeout"), OutcomeUnknownError, 0, OPEN),
    (LOST, Fault("status", 501, "Not implemented"), OutcomeUnknownError, 0, OPEN),
    (LOST, Fault("status", 503, "Busy"), OutcomeUnknownError, 0, OPEN),
    (LOST, Fault("reset"), OutcomeUnknownError, 0, OPEN),
    (LOST, Fault("silence"), OutcomeUnknownError, 0, OPEN),
    (LOST, Fault("html"), OutcomeUnknownError, 0, OPEN),
    (LOST, Fault("status", 503, "Busy", recorded=True), None, 1, "pending"),
    (LOST, Fault("status", 429, "Slow", recorded=True), None, 1, "pending"),
    (LOST, Fault("status", 408, "Request timeout", recorded=True), None, 1, "pending"),
    (LOST, Fault("reset", recorded=True), None, 1, "pending"),
    (LOST, Fault("refuse", recorded=True), None, 1, "pending"),
    (LOST, Fault("silence", recorded=True), None, 1, "pending"),
    (LOST, Fault("html", recorded=True), None, 1, "pending"),
    (LOST, Fault("truncate"), None, 1, "pending"),
]


def _named(value: object) -> str | None:
    if isinstance(value, Fault):
        wait = "-after" if value.headers else ""
        return f"{value.kind}-{value.status}{wait}{'-recorded' if value.recorded else ''}"
    return getattr(value, "__name__", None)


@pytest.mark.parametrize(("method", "fault", "kind", "recorded", "status"), FAULTS, ids=_named)
def test_no_failure_loses_or_doubles_a_submission(
    kaggle: Kaggle,
    csv: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    fault: Fault,
    kind: type[KaggleError] | None,
    recorded: int,
    status: str | None,
) -> None:
    kaggle.fail(method, *[fault] * (1 if method == LOST else 4))
    if fault.kind == "silence" and kind is not None:
        monkeypatch.setenv("KIT_KAGGLE_TIMEOUT", "0.2")
    if kind is None:
        assert send(csv).already is False
    else:
        with pytest.raises(kind) as error:
            send(csv)
        assert "\n" not in str(error.value)
    assert len(records(kaggle)) == recorded
    assert kaggle.count(LOST) == (method == LOST)
    assert [entry.status for entry in entries()] == ([] if status is None else [status])
    assert capfd.readouterr().out == ""
    # Once all is well again, the same command ends with one submission.
    kaggle.faults.clear()
    monkeypatch.setenv("KIT_KAGGLE_TIMEOUT", "0.6")
    assert send(csv).entry is not None
    assert len(records(kaggle)) == 1
    assert [entry.ref for entry in entries() if entry.status != NOT_SENT] == [1000]


def test_a_submission_listed_late_is_not_sent_again(kaggle: Kaggle, csv: Path) -> None:
    """Recorded, its answer lost, and shown in the list only after the command gave up."""
    kaggle.fail(LOST, Fault("reset", recorded=True))
    hidden: list[dict[str, object]] = []
    create = Kaggle.methods[LOST]

    def late(server: Kaggle, body: dict[str, object]) -> object:
        answer = create(server, body)
        hidden.extend(records(server))
        records(server).clear()
        return answer

    Kaggle.methods[LOST] = late  # type: ignore[assignment]
    try:
        with pytest.raises(OutcomeUnknownError, match="nothing is sent again by itself"):
            send(csv)
    finally:
        Kaggle.methods[LOST] = create
    records(kaggle).extend(hidden)
    outcome = send(csv)
    assert outcome.entry is not None
    assert (outcome.already, outcome.entry.ref) == (True, 1000)
    assert kaggle.count(LOST) == 1


def test_two_processes_make_one_submission(kaggle: Kaggle, csv: Path) -> None:
    done = run_program("tests.submission.sender", cwd=Path.cwd(), processes=2)
    assert done.returncode == 0, done.stderr
    assert len(records(kaggle)) == 1
    assert [entry.ref for entry in entries()] == [1000]


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL there")
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("name", ["intend", "upload", "create", "changed"])
def test_killed_at_any_moment_a_second_run_finds_out(kaggle: Kaggle, csv: Path, name: str, when: str) -> None:
    done = run_program("tests.submission.sender", f"{name}-{when}", cwd=Path.cwd())
    assert done.returncode == -9, done.stderr
    arrived = (name, when) in {("create", "after"), ("changed", "before"), ("changed", "after")}
    assert len(records(kaggle)) == arrived
    outcome = send(csv)
    assert outcome.already is arrived
    assert len(records(kaggle)) == 1
    assert [entry.ref for entry in entries() if entry.status != NOT_SENT] == [1000]


def test_a_torn_last_line_harms_nothing(kaggle: Kaggle, csv: Path) -> None:
    send(csv)
    path = Path("submissions/ledger.jsonl")
    whole = path.read_bytes()
    for cut in (1, 20, len(whole.splitlines()[-1]) + 1):
        path.write_bytes(whole[:-cut])
        assert send(csv).already
        assert [entry.ref for entry in entries() if entry.ref] == [1000]
        assert len(records(kaggle)) == 1
    path.write_bytes(whole + b'{"event": "intent", "num')
    before = entries()
    assert len(before) == 1
    send(csv, again=True)
    assert entries()[0] == before[0]
    assert len(entries()) == 2


def test_the_ledger_only_grows(kaggle: Kaggle, csv: Path) -> None:
    path = Path("submissions/ledger.jsonl")
    before = b""
    for step in range(3):
        send(csv, again=step == 1)
        score(kaggle, records(kaggle)[0], 2.0 + step)
        after = path.read_bytes()
        assert after.startswith(before)
        before = after


def test_a_csv_that_kaggle_would_refuse_is_never_sent(kaggle: Kaggle, csv: Path) -> None:
    good = csv.read_text()
    for text, says in (
        (good.replace("Predicted", "Answer"), "header"),
        (good.replace("b,\n", ""), "1 test guid is missing: b"),
        (good.replace("a,", "z,"), "not in the test file: z"),
        ("", "is empty"),
    ):
        csv.write_text(text)
        with pytest.raises(SubmissionError, match=says):
            send(csv)
    assert not kaggle.calls


def test_rows_in_any_order_are_sent_and_said(kaggle: Kaggle, csv: Path) -> None:
    content = "Id,Predicted\nc,서울\na,\nb,부산\n"
    csv.write_text(content, encoding="utf-8")
    checked = check_csv(csv)
    assert not checked.in_order
    said: list[str] = []
    submit(checked, "shuffled", say=said.append)
    assert said[0] == (
        f"{csv}: its rows are in another order than data/goorm-2/sample_submission.csv; Kaggle goes by Id"
    )
    assert bytes_of(kaggle, records(kaggle)[0]) == content.encode()


@pytest.mark.parametrize("suffix", [".zip", ".gz"])
def test_a_compressed_csv_is_checked_and_sent_as_it_is(kaggle: Kaggle, csv: Path, suffix: str) -> None:
    packed = csv.with_name(f"{csv.name}{suffix}")
    if suffix == ".gz":
        packed.write_bytes(gzip.compress(csv.read_bytes()))
    else:
        with zipfile.ZipFile(packed, "w") as archive:
            archive.write(csv, csv.name)
    write_card(csv, _card(csv))
    checked = check_csv(packed, data=Path("data/goorm-2/sample_submission.csv"))
    assert (checked.questions, checked.blanks, checked.packed) == (3, 1, suffix)
    assert checked.competition == "another-contest"  # of the card of the CSV inside
    said: list[str] = []
    submit(checked, "packed", say=said.append)
    assert said[0] == f"{packed}: is sent as it is, compressed ({suffix}); Kaggle unpacks it"
    (record,) = records(kaggle)
    assert bytes_of(kaggle, record) == packed.read_bytes()
    (started,) = [call.body for call in kaggle.calls if call.path.endswith("StartSubmissionUpload")]
    assert started["fileName"] == packed.name  # type: ignore[index, call-overload]


def test_a_compressed_csv_under_another_name_is_not_sent(csv: Path) -> None:
    csv.write_bytes(gzip.compress(csv.read_bytes()))
    with pytest.raises(SubmissionError, match=r"Kaggle goes by the name; rename it to one\.csv\.gz"):
        check_csv(csv)


@pytest.mark.parametrize("name", ["one.csv.gz", "one.zip", "ONE.CSV.GZ"])
def test_a_plain_csv_under_the_name_of_another_format_is_not_sent(csv: Path, name: str) -> None:
    named = csv.rename(csv.with_name(name))
    with pytest.raises(SubmissionError, match=r"(?i)Kaggle goes by the name; name it \S*one\.csv$"):
        check_csv(named)


def test_a_dry_run_without_credentials_checks_all_that_needs_no_account(
    tmp_path: Path, csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clean(tmp_path, monkeypatch)
    outcome = send(csv, dry_run=True)
    assert (outcome.entry, outcome.allowance, outcome.already) == (None, None, False)
    assert outcome.left_out == (
        "credentials",
        "whether the competition's rules are accepted",
        "submissions left today",
        "whether Kaggle has these bytes already (only this ledger was searched)",
    )
    with pytest.raises(NoCredentialsError, match="no Kaggle credentials found"):
        send(csv)
    csv.write_text("Id,Predicted\na,\n")
    with pytest.raises(SubmissionError, match="2 test guids are missing"):
        send(csv, dry_run=True)
    Path(".kaggle").mkdir()
    Path(".kaggle/kaggle.json").write_text("{")
    with pytest.raises(NotAuthenticatedError, match="is not JSON"):  # there are some, and they are wrong
        submit(check_csv(Path("data/goorm-2/sample_submission.csv")), "", dry_run=True)


def test_a_dry_run_without_credentials_knows_what_this_ledger_sent(
    kaggle: Kaggle, tmp_path: Path, csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(csv)
    clean(tmp_path, monkeypatch)
    outcome = send(csv, dry_run=True)
    assert outcome.already
    assert outcome.entry is not None
    assert outcome.entry.ref == 1000


def _card(csv: Path, **changes: object) -> Card:
    card = Card(
        name="one", csv_sha256=sha256_file(csv), recipe={}, members=(), kit_version="1",
        data=CardData(path="test.json", sha256="0" * 64, questions=3),
        estimate=Estimate(edit=2.0, interval=Interval(1.8, 2.2, 0.95), reason="out of fold"),
        competition="another-contest",
    )  # fmt: skip
    return card.model_copy(update=changes)


def test_the_card_names_competition_and_estimate(kaggle: Kaggle, csv: Path) -> None:
    write_card(csv, _card(csv))
    checked = check_csv(csv, data=Path("data/goorm-2/sample_submission.csv"))
    assert checked.competition == "another-contest"
    said: list[str] = []
    entry = submit(checked, "with a card", say=said.append).entry
    assert said[1] == "5 submissions left today; local estimate: Edit Score 2.000 (95 %: 1.800 to 2.200)"
    assert entry is not None
    assert (entry.estimate, entry.low, entry.high, entry.card) == (2.0, 1.8, 2.2, "submissions/one.json")
    assert kaggle.calls[-1].body["competitionName"] == "another-contest"  # type: ignore[index, call-overload]


def test_a_card_of_other_bytes_is_refused(csv: Path) -> None:
    write_card(csv, _card(csv, csv_sha256="1" * 64))
    with pytest.raises(SubmissionError, match="is not the CSV that submissions/one"):
        check_csv(csv)


def test_without_a_test_file_nothing_is_sent(csv: Path) -> None:
    Path("data/goorm-2/sample_submission.csv").unlink()
    with pytest.raises(SubmissionError, match="name the test file with --data"):
        check_csv(csv)


def test_what_was_read_is_what_is_sent(kaggle: Kaggle, csv: Path) -> None:
    """The file changes between the check and the sending."""
    checked: CheckedCsv = check_csv(csv)
    before = csv.read_bytes()
    csv.write_text("Id,Predicted\n")
    submit(checked, "first try")
    assert bytes_of(kaggle, records(kaggle)[0]) == before
