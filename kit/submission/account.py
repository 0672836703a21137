"""The account's submissions on Kaggle beside the ledger: where each was made, and its CSV brought back."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from kit.errors import ConfigError, DownloadError, NoSuchCompetitionError, RulesNotAcceptedError
from kit.files import locked, replacing, sha256_file
from kit.kaggle.client import Client, connect
from kit.kaggle.compression import suffix_of
from kit.kaggle.submissions import ListedSubmission, description, fetch, submissions
from kit.submission.ledger import OPEN, Entry, Ledger, split_description, tagged_hash

HERE, OTHER_LEDGER, ELSEWHERE = "here", "kit, elsewhere", "elsewhere"
"""By this ledger; by the kit, but not written in this ledger; without the kit."""


@dataclass(frozen=True, slots=True)
class Made:
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
        """Its CSV here, or the kernel it came from; for one made elsewhere, the name that Kaggle shows."""
        return self.entry.name if self.entry is not None and self.entry.tag else self.listed.file_name


@dataclass(frozen=True, slots=True)
class Submissions:
    """Kaggle's list for a competition, the latest first; ``unlisted``: what only the ledger has."""

    competition: str
    made: tuple[Made, ...]
    unlisted: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class FetchedCsv:
    """A submission's file.  ``expected``: the hash (or its first 16 digits) it was compared with, "" where
    nobody knows it; ``fresh`` is False where the file was there already."""

    ref: int
    path: Path
    size: int
    sha256: str
    expected: str
    fresh: bool


def list_submissions(ledger: Ledger, competition: str, client: Client | None = None) -> Submissions:
    """Every submission to *competition* that Kaggle lists, joined with the ledger by number or by hash.

    Nothing is written.
    """
    listed = submissions(connect() if client is None else client, competition)
    entries = [entry for entry in ledger.entries() if entry.competition == competition]
    by_ref = {entry.ref: entry for entry in entries if entry.ref is not None}
    # Sent, and the answer lost: only the hash in the description tells.
    open_ones = [entry for entry in entries if entry.ref is None and entry.tag]
    made = []
    for one in sorted(listed, key=lambda one: one.ref):
        entry = by_ref.pop(one.ref, None)
        if entry is None:
            entry = next((e for e in open_ones if one.description.startswith(e.tag)), None)
            if entry is not None:
                open_ones.remove(entry)
        made.append(Made(one, entry))
    unlisted = (*by_ref.values(), *(entry for entry in open_ones if entry.status == OPEN))
    return Submissions(competition, tuple(reversed(made)), unlisted)


def fetch_csv(ledger: Ledger, ref: int, folder: Path, client: Client | None = None) -> FetchedCsv:
    """Bring the file of submission *ref* back, as ``folder/REF.csv`` (``.csv.zip``, ``.csv.gz``).

    Its hash is compared with the ledger's, else with the one in its description.  A file that is there and
    the same is left alone.  Raises DownloadError where the hashes differ (nothing is written), ConfigError
    where another file has the name, a KaggleError by kind.
    """
    client = connect() if client is None else client
    entry = next((entry for entry in ledger.entries() if entry.ref == ref), None)
    try:
        if entry is not None and entry.sha256:
            expected = entry.sha256
        else:
            expected = tagged_hash(description(client, ref))
        content = fetch(client, ref)
    except (NoSuchCompetitionError, RulesNotAcceptedError) as error:
        raise NoSuchCompetitionError(
            f"submission {ref}: Kaggle does not give it to this account ({error}); kit submissions lists "
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
