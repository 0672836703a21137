"""A look at the first rows of a file: enough to tell its layout, whatever it is called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from kit.data.formats.wording import plain
from kit.errors import DataError

_ROWS = 100
_SHOWN_KEYS = 8
ID_KEYS = ("guid", "id", "question_id")
ACCEPTED = (
    'accepted are {"data": [{"paragraphs": [{"context": …, "qas": [{"guid" or "id" or "question_id", '
    '"question", "answers"}]}]}]} (the competition, KorQuAD, KLUE, AI Hub) and rows of '
    '{"guid" or "id", "context", "question", "answers"} as a list or as JSON lines'
)


@dataclass(frozen=True, slots=True)
class Sample:
    """The keys that the first rows use, by level; ``id_key`` is "" where no question is among them.

    ``root`` is the path of ``rows``: ``data``, or "" where they stand at the top.
    """

    root: str
    rows: list[object]
    nested: bool
    top: frozenset[str]
    documents: frozenset[str]
    questions: frozenset[str]
    id_key: str


def sample(values: tuple[object, ...], name: str) -> Sample:
    """Find the rows of a parsed JSON text and look at the first of them.

    Raises DataError, which says the keys seen and the layouts accepted, where none is known.
    """
    root, rows, top = _rows(values, name)
    first = [row for row in rows[:_ROWS] if isinstance(row, dict)]
    nested = any("paragraphs" in row for row in first)
    if rows and not nested and not any("question" in row or "context" in row for row in first):
        raise DataError(f"{name}: is of an unknown layout ({_seen(top, first)}); {ACCEPTED}")
    questions = list(_questions(first) if nested else first)
    ids = Counter(key for question in questions for key in ID_KEYS if key in question)
    if questions and not ids:
        keys = _keys({key for question in questions for key in question})
        raise DataError(
            f"{name}: its questions have no guid, id or question_id (keys seen: {keys}); {ACCEPTED}"
        )
    return Sample(
        root=root,
        rows=rows,
        nested=nested,
        top=top,
        documents=frozenset(key for row in first for key in row),
        questions=frozenset(key for question in questions for key in question),
        id_key=max(ids, key=lambda key: (ids[key], -ID_KEYS.index(key)), default=""),
    )


def _rows(values: tuple[object, ...], name: str) -> tuple[str, list[object], frozenset[str]]:
    only = values[0] if len(values) == 1 else None
    if isinstance(only, list):
        return "", only, frozenset()
    if isinstance(only, dict) and "data" in only:
        data = only["data"]
        if not isinstance(data, list):
            raise DataError(f"{name}: data is no list (keys seen: {_keys(only)}); {ACCEPTED}")
        return "data", data, frozenset(only)
    # JSON lines, of which one line alone looks like a document.
    return "", list(values), frozenset()


def _questions(documents: list[dict[str, object]]) -> Iterator[Mapping[str, object]]:
    for document in documents:
        for paragraph in _objects(document.get("paragraphs")):
            yield from _objects(paragraph.get("qas"))


def _objects(value: object) -> list[Mapping[str, object]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _seen(top: frozenset[str], first: list[dict[str, object]]) -> str:
    rows = f"keys of its first row: {_keys(first[0])}" if first else "no row is an object"
    return f"keys seen: {_keys(top)}; {rows}" if top else rows


def _keys(keys: Iterable[str]) -> str:
    return ", ".join(plain(key) for key in sorted(keys)[:_SHOWN_KEYS]) or "none"
