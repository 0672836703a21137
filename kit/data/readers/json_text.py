"""Bytes to JSON values, and JSON by columns, as pandas and `datasets` write tables, to rows."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from kit.data.readers.display import plain, quoted
from kit.data.readers.signatures import is_binary, signature
from kit.errors import DataError

_BOM = b"\xef\xbb\xbf"
_LEVELS = ("question", "context", "paragraphs", "qas")
"""Keys of which a table of questions or of documents has one."""
_SPACE = re.compile(r"[ \t\r\n]*")


def is_json(text: str) -> bool:
    """Whether a text begins like a JSON document of questions."""
    begin = _after_space(text, 0)
    return text[begin : begin + 1] in ("{", "[")


def parse(text: str, name: str) -> tuple[object, ...]:
    """The values of a JSON text: one for a document, many for JSON lines; messages call the file *name*.

    Raises DataError where it is not JSON, cut off, nested too deeply, or holds an integer too long
    to read.
    """
    begin = _after_space(text, 0)
    if not is_json(text):
        raise DataError(f"{name}: {_not_json(text[begin:])}")
    # One decoder call after another reads a document, JSON lines and concatenated documents
    # alike, and positions stay those of the whole text.
    decoder = json.JSONDecoder()
    values: list[object] = []
    try:
        while begin < len(text):
            value, begin = decoder.raw_decode(text, begin)
            values.append(value)
            begin = _after_space(text, begin)
    except json.JSONDecodeError as error:
        at = f"line {error.lineno} column {error.colno}"
        at_end = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string")
        cut = " (the file seems to be cut off)" if at_end else ""
        raise DataError(
            f"{name}: is not valid JSON: {at}: {error.msg}{cut}; download it again or mend that place"
        ) from None
    except RecursionError:
        raise DataError(
            f"{name}: is nested too deeply to be read; it is no question file of a known layout"
        ) from None
    except ValueError as error:  # the interpreter's limit on the digits of an integer
        raise DataError(
            f"{name}: holds a number too long to be read ({error}); write it as text or remove it"
        ) from None
    return tuple(values)


def decoded(data: bytes, name: str) -> tuple[str, bool]:
    """The text of UTF-8 bytes, and whether a byte-order mark stood before it.

    Raises DataError where *data* is empty or no UTF-8; a file of another kind is called by its name.
    """
    known = signature(data)
    if known is not None:
        raise DataError(f"{name}: {known}")
    try:
        text = data.removeprefix(_BOM).decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{name}: {_not_utf_8(data, error)}") from None
    if not text or text.isspace():
        raise DataError(f"{name}: is empty; download it again")
    return text, data.startswith(_BOM)


def _not_utf_8(data: bytes, error: UnicodeDecodeError) -> str:
    if is_binary(data):
        begin = f"it begins with 0x{data[:4].hex()}"
        return f"is a binary file of an unknown kind ({begin}); give the JSON file with the questions"
    at = f"byte 0x{error.object[error.start]:02x} at offset {error.start}"
    try:
        data.decode("cp949")
    except UnicodeDecodeError:
        cure = "save it as UTF-8"
    else:
        cure = "it reads as CP949: convert it with iconv -f cp949 -t utf-8"
    return f"is not UTF-8 ({at}); {cure}"


def _after_space(text: str, begin: int) -> int:
    found = _SPACE.match(text, begin)
    return begin if found is None else found.end()


def _not_json(text: str) -> str:
    first = text.split("\n", 1)[0].rstrip("\r")
    if first.startswith("<?xml"):
        return "is an XML file, not JSON; write its questions as JSON or CSV"
    if first.startswith("<"):
        return "is a web page, not JSON (a login or error page saved in its place?); download it again"
    if "," in first or "\t" in first:
        return (
            f"looks like a CSV without columns question and context (its first line is {quoted(first)}); "
            "name its columns id, context, question, answer_text and answer_start, or give the JSON file "
            "with the questions"
        )
    return f"is not JSON (it begins with {quoted(first)}); give the JSON file with the questions"


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
