"""A CSV that is ready to submit: its bytes, read once and checked against the test file."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from kit.data.readers import load
from kit.data.records import Dataset
from kit.display import Brief
from kit.errors import SubmissionError
from kit.kaggle.compression import suffix_of, unpacked
from kit.settings.paths import COMPETITION_DATA, SAMPLE, TEST
from kit.submission.card import DEFAULT_COMPETITION, Card, card_path, read_card
from kit.submission.csv import check_name, check_submission, parse_submission, read_csv, read_submission
from kit.submission.ledger import tag_of


@dataclass(frozen=True, slots=True, repr=False)
class CheckedCsv(Brief):
    """A CSV that is ready to submit: exactly these bytes, valid for their test file."""

    path: Path
    content: bytes
    sha256: str
    competition: str
    card: Card | None
    """The card beside the CSV, where it describes exactly these bytes."""
    questions: int
    blanks: int
    checked_against: str
    in_order: bool
    """Whether the rows have the order of the test file; Kaggle accepts any order."""
    packed: str
    """``.zip`` or ``.gz`` where the CSV is compressed, else ""."""

    @property
    def tag(self) -> str:
        """The start of its description on Kaggle."""
        return tag_of(self.sha256)

    @property
    def identity(self) -> dict[str, str]:
        """The ledger fields that identify it."""
        return {"csv": str(self.path), "sha256": self.sha256}

    def notes(self) -> list[str]:
        """What is unusual about it but accepted by Kaggle, one line each."""
        notes = []
        if not self.in_order:
            notes.append(
                f"{self.path}: its rows are in another order than {self.checked_against}; Kaggle goes by Id"
            )
        if self.packed:
            notes.append(f"{self.path}: is sent as it is, compressed ({self.packed}); Kaggle unpacks it")
        return notes


def check_csv(path: Path, competition: str | None = None, data: Path | Dataset | None = None) -> CheckedCsv:
    """Read the bytes of *path* once and check that they answer every question of the test file, in any order.

    The CSV may be compressed (``.csv.zip``, ``.csv.gz``).  Competition and test file come from the card
    beside the CSV unless given; without a card from data/goorm-2, as ``kit download`` leaves it (its test
    file, or else its sample submission).  Raises SubmissionError for what Kaggle would refuse.
    """
    content = read_csv(path)
    answers = parse_submission(content, path)
    sha256 = hashlib.sha256(content).hexdigest()
    packed = suffix_of(content)
    if packed and path.suffix.lower() != packed:
        raise SubmissionError(
            f"{path}: is compressed, and Kaggle goes by the name; rename it to {path.name}{packed}"
        )
    if not packed:
        check_name(path)
    inside = hashlib.sha256(unpacked(content, path)).hexdigest()
    card = _card(path, sha256) or (_card(path.with_suffix(""), inside) if packed else None)
    guids, against = _guids(path, card, data)
    check_submission(answers, guids, path, any_order=True)
    return CheckedCsv(
        path=path, content=content, sha256=sha256,
        competition=competition or (card.competition if card else DEFAULT_COMPETITION),
        card=card, questions=len(answers), blanks=sum(not text for text in answers.values()),
        checked_against=against, in_order=list(answers) == guids, packed=packed,
    )  # fmt: skip


def _card(path: Path, sha256: str) -> Card | None:
    if not card_path(path).is_file():
        return None
    card = read_card(path)
    if card.csv_sha256 != sha256:
        raise SubmissionError(
            f"{path}: is not the CSV that {card_path(path)} describes; make it again with `kit ensemble`, or "
            "remove the card if the CSV was changed on purpose"
        )
    return card


def _guids(path: Path, card: Card | None, data: Path | Dataset | None) -> tuple[list[str], str]:
    """The ids wanted, in order, and the name of the file that says so."""
    if isinstance(data, Dataset):
        return [question.guid for question in data], str(data.path)
    places = [COMPETITION_DATA / TEST, COMPETITION_DATA / SAMPLE]
    if data is not None:
        places = [data]
    elif card is not None:
        places = [Path(card.data.path), *places]
    for place in places:
        if not place.is_file():
            continue
        if place.suffix.lower() == ".csv":
            return list(read_submission(place)), str(place)
        dataset = load(place)
        if card is not None and data is None and dataset.sha256 != card.data.sha256:
            raise SubmissionError(
                f"{place}: is not the file that {path} was made for; make the CSV again, or name its test "
                "file with --data"
            )
        return [question.guid for question in dataset], str(place)
    named = " or ".join(map(str, places))
    raise SubmissionError(f"{path}: cannot be checked, there is no {named}; name the test file with --data")
