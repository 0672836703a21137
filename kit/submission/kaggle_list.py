"""Kaggle's list of the account's submissions beside the ledger: which entry each has, and its CSV."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kit.display import Brief, Displayed, Table, edit, shortened
from kit.errors import ConfigError, DownloadError, NoSuchCompetitionError, RulesNotAcceptedError, counted
from kit.files import locked, replacing, sha256_file
from kit.kaggle.client import connect
from kit.kaggle.compression import suffix_of
from kit.kaggle.leaderboard import Board, private_board, public_board
from kit.kaggle.submissions import PENDING, ListedSubmission, description, fetch, submissions
from kit.submission.ledger import OPEN, Entry, Ledger, split_description, tagged_hash
from kit.submission.submission_table import MESSAGE, SCORES, status_cells, submission_table, when

HERE, OTHER_LEDGER, ELSEWHERE = "here", "kit, elsewhere", "elsewhere"
"""Submitted with this ledger; by the kit with another ledger; without the kit."""


@dataclass(frozen=True, slots=True, repr=False)
class Made(Brief):
    """One submission in Kaggle's list, and its entry in the ledger (None without one)."""

    listed: ListedSubmission
    entry: Entry | None

    @property
    def origin(self) -> str:
        """HERE, OTHER_LEDGER or ELSEWHERE."""
        if self.entry is not None and self.entry.tag:
            return HERE
        return OTHER_LEDGER if split_description(self.listed.description)[0] else ELSEWHERE

    @property
    def message(self) -> str:
        """The description without the tag in front."""
        return split_description(self.listed.description)[1]

    @property
    def name(self) -> str:
        """Its CSV or kernel; for one submitted elsewhere, the name that Kaggle shows."""
        return self.entry.name if self.entry is not None and self.entry.tag else self.listed.file_name


@dataclass(frozen=True, slots=True, repr=False)
class Submissions(Displayed):
    """Kaggle's list for a competition, the latest first; ``unlisted``: entries that only the ledger has."""

    competition: str
    made: tuple[Made, ...]
    unlisted: tuple[Entry, ...]

    @property
    def headline(self) -> str:
        """The competition, and how much Kaggle lists."""
        return f"{self.competition}: {counted(len(self.made), 'submission')}"

    def tables(self) -> list[Table]:
        """Kaggle's list; who made a submission, where several people did."""
        if not self.made:
            return [Table(f"Kaggle lists no submission to {self.competition}", (), ())]
        team = len({made.listed.by for made in self.made}) > 1
        return [submission_table(f"{self.headline} ({SCORES})", [_cells(made, team) for made in self.made])]


def _cells(made: Made, team: bool) -> dict[str, str]:
    one = made.listed
    return {
        "ref": str(one.ref),
        "CSV": shortened(Path(made.name).name, MESSAGE),
        "public": edit(one.public),
        "private": edit(one.private),
        **status_cells(one.status, one.reason),
        "message": shortened(made.message, MESSAGE),
        "made": made.origin,
        "by": one.by if team else "",
        "submitted (UTC)": when(one.at),
    }


@dataclass(frozen=True, slots=True)
class FetchedCsv:
    """A submission's file; ``fresh`` is False where it was there already.

    ``expected``: the hash, or its first 16 digits, that it was compared with, "" if unknown.
    """

    ref: int
    path: Path
    size: int
    sha256: str
    expected: str
    fresh: bool


def matched(
    entries: Sequence[Entry], listed: Sequence[ListedSubmission]
) -> tuple[list[tuple[ListedSubmission, Entry | None]], list[Entry]]:
    """Kaggle's submissions, the earliest first, each with its entry; and the entries that have none.

    They match by number.  An entry without a number was sent and its answer lost: it matches by its tag in
    the description.
    """
    by_ref = {entry.ref: entry for entry in entries if entry.ref is not None}
    open_ones = [entry for entry in entries if entry.ref is None and entry.tag]
    pairs = []
    for one in sorted(listed, key=lambda one: one.ref):
        entry = by_ref.pop(one.ref, None)
        if entry is None:
            entry = next((e for e in open_ones if one.description.startswith(e.tag)), None)
            if entry is not None:
                open_ones.remove(entry)
        pairs.append((one, entry))
    return pairs, [*by_ref.values(), *open_ones]


def recorded(
    ledger: Ledger, competition: str, one: ListedSubmission, entry: Entry | None, **made_from: str
) -> Entry:
    """The entry of *one*, brought up to date; a new one with *made_from* where the ledger has none."""
    if entry is None:
        message = split_description(one.description)[1]
        entry = ledger.found(
            at=one.at, competition=competition, message=message, ref=one.ref, status=PENDING, **made_from
        )
    elif entry.ref is None:
        entry = ledger.changed(entry, "sent", ref=one.ref, status=PENDING)
    return ledger.changed(
        entry, "scored", status=one.status, public=one.public, private=one.private, reason=one.reason
    )


def list_submissions(ledger: Ledger, competition: str) -> Submissions:
    """Every submission to *competition* that Kaggle lists, joined with the ledger by number or by hash.

    Nothing is written.
    """
    listed = submissions(connect(), competition)
    pairs, rest = matched([e for e in ledger.entries() if e.competition == competition], listed)
    made = tuple(Made(one, entry) for one, entry in reversed(pairs))
    return Submissions(competition, made, tuple(e for e in rest if e.ref is not None or e.status == OPEN))


def refresh(ledger: Ledger, competition: str) -> tuple[Board, Board]:
    """Bring the ledger up to date with Kaggle, submissions made elsewhere among them.

    Returns the public board, and the private one (empty while no submission has a private score).
    """
    client = connect()
    listed = submissions(client, competition)
    with ledger.held():
        entries = [entry for entry in ledger.entries() if entry.competition == competition]
        for one, entry in matched(entries, listed)[0]:
            recorded(ledger, competition, one, entry, csv=one.file_name)
    public = public_board(client, competition)
    scores = [(one.public, one.private) for one in listed if one.private is not None]
    return public, private_board(client, competition, public, scores) if scores else Board()


def fetch_csv(ledger: Ledger, ref: int, folder: Path) -> FetchedCsv:
    """Bring the file of submission *ref* back, as ``folder/REF.csv`` (``.csv.zip``, ``.csv.gz``).

    Its hash is compared with the ledger's, else with the one in its description.  A file that is there and
    the same is left alone.  Raises DownloadError where the hashes differ (nothing is written), ConfigError
    where another file has the name, a KaggleError by kind.
    """
    client = connect()
    known = next((entry.sha256 for entry in ledger.entries() if entry.ref == ref), None)
    try:
        expected = known or tagged_hash(description(client, ref))
        content = fetch(client, ref)
    except (NoSuchCompetitionError, RulesNotAcceptedError) as error:
        raise NoSuchCompetitionError(
            f"submission {ref}: Kaggle does not give it to this account ({error}); `kit submissions` lists "
            "those that it gives"
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if not found.startswith(expected):
        raise DownloadError(
            f"submission {ref}: what came has the sha256 {found[:16]}, and {expected[:16]} was sent; nothing "
            "was written; look at the file on the competition's page"
        )
    path = folder / f"{ref}.csv{suffix_of(content)}"
    with locked(path, purpose="fetch"):
        fresh = not path.exists()
        if not fresh and (not path.is_file() or sha256_file(path) != found):
            raise ConfigError(f"{path}: is another file; move it away, or give another folder with --to")
        if fresh:
            with replacing(path) as temporary:
                temporary.write_bytes(content)
    return FetchedCsv(ref, path, len(content), found, expected, fresh)
