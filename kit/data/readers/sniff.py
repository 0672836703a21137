"""A look at the first rows of a file: enough to tell its layout, whatever it is called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from kit.data.readers.builder import QuestionBuilder
from kit.data.readers.display import plain
from kit.data.readers.json_text import from_columns
from kit.errors import DataError

_ROWS = 100
_SHOWN_KEYS = 8
ID_KEYS = ("guid", "id", "question_id")
ACCEPTED = (
    'accepted are {"data": [{"paragraphs": [{"context": …, "qas": [{"guid" or "id" or "question_id", '
    '"question", "answers"}]}]}]} (the competition, KorQuAD, KLUE, AI Hub), documents of {"context", "qas"} '
    '(KorQuAD 2), and rows of {"guid" or "id", "context", "question", "answers"}, as a list, as JSON lines, '
    "by columns as pandas writes them, as CSV, TSV, Parquet or Arrow"
)


@dataclass(frozen=True, slots=True)
class Sample:
    """The keys that the first rows use, by level; ``id_key`` is "" where no question is among them.

    ``parts`` are lists of rows with their paths: ``data``, or "" where they stand at the top; a file
    put together from several has one for each.
    """

    parts: tuple[tuple[str, list[object]], ...]
    nested: bool
    top: frozenset[str]
    documents: frozenset[str]
    questions: frozenset[str]
    id_key: str

    def objects(self, builder: QuestionBuilder, prefix: str) -> Iterator[tuple[str, Mapping[str, object]]]:
        """Every row that is an object, with its path behind *prefix*; the others are mistakes."""
        for root, rows in self.parts:
            yield from builder.objects(rows, f"{prefix}{root}")


def sample(values: tuple[object, ...], name: str) -> Sample:
    """Find the rows of a parsed file and look at the first of them.

    Raises DataError, which says the keys seen, their level and the layouts accepted, where none is known.
    """
    parts, top = _parts(values, name)
    first = [row for _, rows in parts for row in rows[:_ROWS] if isinstance(row, dict)]
    nested = any("paragraphs" in row or "qas" in row for row in first)
    if any(rows for _, rows in parts) and not nested:
        missing = [key for key in ("question", "context") if not any(key in row for row in first)]
        if len(missing) == 2:
            raise DataError(f"{name}: is of an unknown layout ({_seen(top, first)}); {ACCEPTED}")
        if missing:
            raise DataError(f"{name}: its rows have no {missing[0]} ({_seen(top, first)}); {ACCEPTED}")
    questions = list(_questions(first) if nested else first)
    if not questions and (departure := _departure(parts)):
        raise DataError(f"{name}: {departure}; {ACCEPTED}")
    ids = Counter(key for question in questions for key in ID_KEYS if key in question)
    keys = frozenset(key for question in questions for key in question)
    if questions and not ids:
        raise DataError(
            f"{name}: its questions have no guid, id or question_id (keys seen: {_keys(keys)}); {ACCEPTED}"
        )
    return Sample(
        parts=parts,
        nested=nested,
        top=top,
        documents=frozenset(key for row in first for key in row),
        questions=keys,
        id_key=max(ids, key=lambda key: (ids[key], -ID_KEYS.index(key)), default=""),
    )


def _parts(
    values: tuple[object, ...], name: str
) -> tuple[tuple[tuple[str, list[object]], ...], frozenset[str]]:
    only = values[0] if len(values) == 1 else None
    if isinstance(only, dict) and "data" in only:
        rows = from_columns(only, name)
        if rows is None:
            raise DataError(f"{name}: data is no list (keys seen: {_keys(only)}); {ACCEPTED}")
        return (("data", rows),), frozenset(only)
    if isinstance(only, dict) and (rows := from_columns(only, name)) is not None:
        return (("", rows),), frozenset()
    # JSON lines, of which one line alone looks like a document.
    listed = only if isinstance(only, list) else list(values)
    if listed and all(isinstance(value, dict) and isinstance(value.get("data"), list) for value in listed):
        whole = [value for value in listed if isinstance(value, dict)]
        parts = tuple((f"[{number}].data", value["data"]) for number, value in enumerate(whole))
        return parts, frozenset(key for value in whole for key in value)
    return (("", listed),), frozenset()


def _questions(documents: list[dict[str, object]]) -> Iterator[Mapping[str, object]]:
    for document in documents:
        for paragraph in (document, *_objects(document.get("paragraphs"))):
            yield from _objects(paragraph.get("qas"))


def _departure(parts: tuple[tuple[str, list[object]], ...]) -> str:
    """The first place at which documents have something else than questions; "" where they are empty."""
    for root, rows in parts:
        for number, document in enumerate(rows):
            where = f"{root}[{number}]"
            if not isinstance(document, dict):
                continue
            if "qas" not in document and not isinstance(document.get("paragraphs"), list):
                return f"{where} has no list of paragraphs (keys seen: {_keys(document)})"
            for place, paragraph in enumerate(_objects(document.get("paragraphs"))):
                if not isinstance(paragraph.get("qas"), list):
                    keys = _keys(paragraph)
                    return f"{where}.paragraphs[{place}] has no list of qas (keys seen: {keys})"
    return ""


def _objects(value: object) -> list[Mapping[str, object]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _seen(top: frozenset[str], first: list[dict[str, object]]) -> str:
    rows = f"keys of its first row: {_keys(first[0])}" if first else "no row is an object"
    return f"keys seen: {_keys(top)}; {rows}" if top else rows


def _keys(keys: Iterable[str]) -> str:
    return ", ".join(plain(key) for key in sorted(keys)[:_SHOWN_KEYS]) or "none"
