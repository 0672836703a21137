"""The ledger of submissions: one JSON line per event, append-only, so that no crash loses what was sent.

An intent is written before a file is sent, its outcome after; scores follow when they are known.
"""

from __future__ import annotations

import json
import re
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from kit.errors import WriteError
from kit.files import append_line, locked, now
from kit.settings.paths import LEDGER

OPEN, NOT_SENT = "outcome unknown", "not sent"
_TAG = re.compile(r"(\[(?:sha256:([0-9a-f]{16})|kernel:[^\]]+)\]) ?")


class Entry(BaseModel):
    """One submission: the sum of all its events.

    ``estimate``, ``low``, ``high``: the local estimate when it was sent, in code points; ``estimate_kind``
    as on the card.  ``public``, ``private``: Kaggle's scores.  None means unknown.  ``status``: OPEN between
    the intent and its outcome, NOT_SENT, or Kaggle's own: pending, complete, error.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", allow_inf_nan=False)

    number: int
    """Counts the ledger's submissions, from 1."""
    at: str
    """UTC, ISO 8601: when the intent was written, or when Kaggle got it."""
    competition: str
    sha256: str | None = None
    """Of the CSV's bytes, hex; None for a submission that was made without the kit."""
    csv: str = ""
    kernel: str = ""
    """OWNER/SLUG/VERSION:FILE of a kernel's output that was submitted in place of a CSV."""
    card: str | None = None
    message: str = ""
    estimate: float | None = None
    estimate_kind: str = ""
    low: float | None = None
    high: float | None = None
    ref: int | None = None
    """Kaggle's number for it."""
    status: str = OPEN
    public: float | None = None
    private: float | None = None
    reason: str = ""

    @property
    def tag(self) -> str:
        """The tag in its description on Kaggle: the hash of the CSV, or the kernel; "" if unknown."""
        if self.kernel:
            return kernel_tag(self.kernel)
        return tag_of(self.sha256) if self.sha256 else ""

    @property
    def name(self) -> str:
        """What was submitted, for a message."""
        return self.csv or self.kernel or f"submission {self.ref}"


class _Event(BaseModel):
    """The fields of every line; the first line of a number holds a whole `Entry`, later ones changes."""

    model_config = ConfigDict(strict=True, extra="allow")

    number: int
    event: str


def tag_of(sha256: str) -> str:
    """``[sha256:…]`` with 16 hex digits: the start of a submission's description."""
    return f"[sha256:{sha256[:16]}]"


def split_description(description: str) -> tuple[str, str]:
    """A submission's description as its tag ("" without one) and its message."""
    found = _TAG.match(description)
    return (found[1], description[found.end() :]) if found else ("", description)


def tagged_hash(description: str) -> str:
    """The 16 hex digits of the CSV's hash in a submission's description; "" without them."""
    found = _TAG.match(description)
    return (found[2] or "") if found else ""


def kernel_tag(kernel: str) -> str:
    """``[kernel:OWNER/SLUG/VERSION:FILE]``: the same for the output of a kernel."""
    return f"[kernel:{kernel}]"


class Ledger:
    """The ledger file."""

    def __init__(self, path: Path = LEDGER) -> None:
        self.path = path

    def held(self) -> AbstractContextManager[None]:
        """Hold the lock on submitting with this ledger; waits for it."""
        return locked(self.path, purpose="submit")

    def entries(self) -> tuple[Entry, ...]:
        """All submissions, by number.

        A line that is not an event (half-written in a crash) is ignored: what it recorded is found again on
        Kaggle by its tag.
        """
        found: dict[int, Entry] = {}
        for line in self._lines():
            with suppress(ValidationError):
                event = _Event.model_validate_json(line)
                before = found[event.number].model_dump() if event.number in found else {}
                changes = {**(event.model_extra or {}), "number": event.number}
                found[event.number] = Entry.model_validate({**before, **changes})
        return tuple(found[number] for number in sorted(found))

    def of_tag(self, competition: str, tag: str) -> list[Entry]:
        """The entries with this tag in this competition, without those that were not sent."""
        wanted = competition, tag
        entries = (entry for entry in self.entries() if entry.status != NOT_SENT)
        return [entry for entry in entries if (entry.competition, entry.tag) == wanted]

    def intend(self, **entry: object) -> Entry:
        """Record that a submission with these fields of `Entry` is about to be sent."""
        return self._first("intent", at=now(), **entry)

    def found(self, **entry: object) -> Entry:
        """Record a submission that Kaggle has and the ledger did not have."""
        return self._first("found", **entry)

    def changed(self, entry: Entry, event: str, **changes: object) -> Entry:
        """Record the *changes* of *entry*, if there are any; returns it with them."""
        after = Entry.model_validate({**entry.model_dump(), **changes})
        if after == entry:
            return entry
        with locked(self.path):
            self._append({"number": entry.number, "event": event, "when": now(), **changes})
        return after

    def _first(self, event: str, **fields: object) -> Entry:
        with locked(self.path):
            number = max((entry.number for entry in self.entries()), default=0) + 1
            entry = Entry.model_validate({"number": number, **fields})
            self._append({"number": number, "event": event, **entry.model_dump(exclude_defaults=True)})
        return entry

    def _lines(self) -> list[bytes]:
        try:
            return self.path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return []
        except OSError as error:
            raise WriteError(
                f"{self.path}: cannot be read ({error.strerror}); name another ledger with --ledger"
            ) from error

    def _append(self, event: dict[str, object]) -> None:
        try:
            append_line(self.path, json.dumps(event, allow_nan=False).encode())
        except OSError as error:
            raise WriteError(
                f"{self.path}: cannot be written ({error.strerror or error}); free space, or name another "
                "ledger with --ledger"
            ) from error
