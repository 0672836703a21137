"""JSON by columns, as pandas and `datasets` write tables, turned into rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kit.data.readers.display import plain
from kit.errors import DataError

_LEVELS = ("question", "context", "paragraphs", "qas")
"""Keys of which a table of questions or of documents has one."""


def from_columns(table: Mapping[str, Any], name: str) -> list[object] | None:
    """The rows of a JSON object in any of pandas' orientations; None for an object that is no table.

    Raises DataError where its columns are not equally long.
    """
    data, header = table.get("data"), table.get("columns")
    if isinstance(data, list):
        if isinstance(header, list) and all(isinstance(row, list) for row in data):
            return [_row(header, row, number, name) for number, row in enumerate(data)]  # split
        return data  # records beside a schema, or documents
    if data is not None:
        return from_columns(data, name) if isinstance(data, dict) and "data" not in data else None
    if not table:
        return None
    columns = list(table.values())
    if not any(key in table for key in _LEVELS):
        if all(isinstance(row, dict) and any(key in row for key in _LEVELS) for row in columns):
            return columns  # index
        return None
    if all(isinstance(column, dict) for column in columns):  # columns
        labels = list(dict.fromkeys(label for column in columns for label in column))
        return [{key: column[label] for key, column in table.items() if label in column} for label in labels]
    if all(isinstance(column, list) for column in columns) and not _is_document(table):  # list
        lengths = {len(column) for column in columns}
        if len(lengths) > 1:
            counted = ", ".join(f"{plain(key)} {len(column):,}" for key, column in table.items())
            raise DataError(f"{name}: its columns are not equally long ({counted}); write the table again")
        return [dict(zip(table, row, strict=True)) for row in zip(*columns, strict=True)]
    return None


def _is_document(table: Mapping[str, Any]) -> bool:
    """Whether an object of lists is a document: its paragraphs are objects, not lists of them."""
    return any(isinstance(row, dict) for key in ("paragraphs", "qas") for row in table.get(key, ()))


def _row(header: list[Any], cells: list[Any], number: int, name: str) -> dict[str, object]:
    if len(header) != len(cells):
        raise DataError(
            f"{name}: data[{number}] has {len(cells)} values and columns {len(header)}; write the table again"
        )
    return {str(key): cell for key, cell in zip(header, cells, strict=True)}
