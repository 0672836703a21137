"""The card: the JSON file beside a submission CSV that records exactly how the CSV was made.

The CSV's bytes depend on its inputs alone; what else changes between two runs (time, git revision) is kept
here.
"""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, ValidationError, model_validator

from kit.display import Brief
from kit.errors import SubmissionError, all_of
from kit.files import read_file, replacing, sha256_file
from kit.metrics.bootstrap import Interval
from kit.settings.validation import Settings, Sha256, mistakes_in
from kit.version import __version__

DEFAULT_COMPETITION = "k-digital-goorm-2-korean-mrc"
FORMAT = 1
_CURE = "make CSV and card again with `kit ensemble`"
_SURROGATE = re.compile("[\ud800-\udfff]")


class _CardPart(Settings):
    model_config = ConfigDict(allow_inf_nan=False)  # JSON has no infinite numbers


class Member(_CardPart):
    """One model that took part, by the span file (or, for a vote, the CSV) that was blended.

    ``fold`` is None for a run trained on everything, or for a CSV.
    """

    label: str
    run: str
    fold: int | None
    span_file: str
    span_sha256: Sha256
    weight: float
    temperature: float


class CardData(_CardPart):
    """The test file that was answered: its path as given, SHA-256 (hex) and number of questions."""

    path: str
    sha256: Sha256
    questions: int


class Estimate(_CardPart):
    """The Edit Score to expect, in code points.

    Where ``edit`` or ``interval`` is None, ``reason`` says why; an unknown interval becomes None
    and leaves its reason here.  ``kind``: "out of fold", "nested" or "fit", as
    `kit.tuning.figures` decides, "scored" where answers were given; "" on cards of earlier versions.
    """

    edit: float | None = None
    interval: Interval | None = None
    kind: str = ""
    reason: str = ""

    def __str__(self) -> str:
        return f"no local estimate: {self.reason}" if self.edit is None else self.in_words(" characters")

    def in_words(self, unit: str = "") -> str:
        """The score with its interval, *unit* and kind, or why there is none."""
        if self.edit is None:
            return self.reason
        interval = "" if self.interval is None else f" (95 %: {self.interval})"
        return f"Edit Score {self.edit:.3f}{interval}{unit}" + (f", {self.kind}" if self.kind else "")

    @model_validator(mode="after")
    def _only_a_known_interval(self) -> Self:
        if self.interval is not None and not self.interval.known:
            object.__setattr__(self, "reason", self.reason or self.interval.reason)
            object.__setattr__(self, "interval", None)
        return self


NO_ESTIMATE = Estimate(reason="no estimate")


class Revision(_CardPart):
    """A git commit (hex) and whether tracked files differed from it; None where git did not say."""

    commit: str
    dirty: bool | None


class Card(Brief, _CardPart):
    """How a CSV was made.  ``recipe`` is the recipe as run, in JSON types; ``made_at`` is UTC."""

    name: str
    csv_sha256: Sha256
    data: CardData
    recipe: dict[str, Any]
    members: Annotated[tuple[Member, ...], Field(strict=False)]
    estimate: Estimate = NO_ESTIMATE
    competition: str
    revision: Revision | None = None
    kit_version: str
    made_at: str | None = None
    made_from: str = ""
    """The recipe or runs as they were named, "" where unknown: a default name replaces only the same."""

    @property
    def headline(self) -> str:
        """The submission, its data, and what is expected of it."""
        return f"{self.name} for {self.data.path}: {self.estimate}"

    def describes(self, csv_path: Path) -> bool:
        """Whether the CSV still has the bytes that the card was written for."""
        return sha256_file(csv_path) == self.csv_sha256


def card_path(csv_path: Path) -> Path:
    """The path of a CSV's card: ``five.csv`` → ``five.json`` in the same folder."""
    if csv_path.suffix.lower() == ".csv":
        return csv_path.with_suffix(".json")
    return csv_path.with_name(f"{csv_path.name}.json")


def git_revision(folder: Path | None = None) -> Revision | None:
    """The commit that *folder* (default: the working folder) is at; None outside git.  Never fails."""
    commit = _git(folder, "rev-parse", "--verify", "HEAD")
    if commit is None:
        return None
    changes = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return Revision(commit=commit.strip(), dirty=None if changes is None else bool(changes.strip()))


def write_card(csv_path: Path, card: Card) -> Path:
    """Write the card beside its CSV and return its path.

    Raises WriteError where the folder cannot be written, and TypeError or ValueError for a recipe
    with values that JSON does not have.
    """
    with writing_card(csv_path, card) as path:
        return path


@contextlib.contextmanager
def writing_card(csv_path: Path, card: Card) -> Iterator[Path]:
    """Write the card; the block writes its CSV.  The card replaces an earlier one when the block succeeds.

    So a full disk leaves an earlier CSV and its card unchanged.  Raises what `write_card` raises.
    """
    content = {"card": FORMAT, **card.model_dump()}
    text = json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False)
    if _SURROGATE.search(text):
        # A path whose bytes are not UTF-8 reaches Python as surrogates, which only escapes carry.
        text = json.dumps(content, indent=2, allow_nan=False)
    path = card_path(csv_path)
    with replacing(path) as temporary:
        temporary.write_text(f"{text}\n", encoding="utf-8", newline="\n")
        yield path


def read_card(path: Path) -> Card:
    """The card of a CSV, by the CSV's path or the card's own.

    Raises SubmissionError, with all mistakes at once, for a card that is missing, not JSON, of
    another format version, or has fields missing, unknown or of the wrong type.
    """
    if path.suffix.lower() != ".json":
        path = card_path(path)
    text = read_file(path, SubmissionError, missing=_CURE)
    try:
        content = json.loads(text.decode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise SubmissionError(f"{path}: is not valid JSON ({error}); {_CURE}") from None
    version = content.pop("card", None) if isinstance(content, dict) else None
    if type(version) is not int:
        raise SubmissionError(f"{path}: is not a card (no format version under 'card'); {_CURE}")
    if version != FORMAT:
        raise SubmissionError(
            f"{path}: is a card of format {version}, and kit {__version__} reads format {FORMAT}; "
            "use the kit version that wrote it, or make it again"
        )
    try:
        return Card.model_validate(content)
    except ValidationError as error:
        # Half a surrogate pair in the file must not break the terminal that prints it.
        mistakes = all_of(mistakes_in(error, Card)).encode(errors="backslashreplace").decode()
        raise SubmissionError(f"{path}: {mistakes}; {_CURE}") from None


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _git(folder: Path | None, *arguments: str) -> str | None:
    """What a git command prints; None where git is missing, slow or fails."""
    try:
        done = subprocess.run(  # noqa: S603  (fixed arguments, no shell)
            ["git", "--no-optional-locks", *arguments],  # noqa: S607  (whatever git the user has)
            cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
            timeout=10, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout
