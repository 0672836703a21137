"""Tables of questions as CSV or TSV: one question a line, its answer in separate columns."""

from __future__ import annotations

import ast
import csv
import io
import json
import re
import warnings
from collections.abc import Sequence
from typing import Literal

from kit.data.readers import gold_keys
from kit.data.readers.display import MISSING, plain
from kit.data.readers.raw import FaultKind, Mistake
from kit.errors import DataError

_DELIMITERS = {",": "csv", "\t": "tsv", ";": "csv", "|": "csv"}
# Excel's own first line, which names the delimiter.
_NAMED = re.compile(r'"?sep=(.)"?\r?\n')
_KNOWN = frozenset(
    {"id", "guid", "question_id", "title", "context", "question", "answers", "answer", "answer_text",
     "answer_start", "text", "is_impossible"}
)  # fmt: skip
_GOLDS = ("answers", "answer", "answer_text", "text")
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}(\.0*)?", re.ASCII)
_NO_NUMBER = frozenset({"", "nan", "none", "null", "na", "<na>"})


def is_table(text: str) -> bool:
    """Whether the first line names columns of questions."""
    header = _header(text)[1]
    return len(header) > 1 and not {"question", "context"}.isdisjoint(header)


def rows(text: str, name: str) -> tuple[list[object], str]:
    """The rows as dicts from column to value, and ``"csv"`` or ``"tsv"``.

    A row of another number of cells than the header's is a Mistake in its place.  Texts are as in
    the file; numbers, flags, and answers written as JSON or as Python prints them are read.  Raises
    DataError for a file that no CSV reader can take apart.
    """
    begin, header, delimiter = _header(text)
    twice = sorted({column for column in header if column and header.count(column) > 1})
    if twice:
        raise DataError(f"{name}: its column {plain(twice[0])} stands twice; remove one of them")
    found = _rows(text[begin:], header, delimiter, name)
    sound = [row for row in found if isinstance(row, dict)]
    withheld = [key for key in _GOLDS if key in header and not any(row[key] for row in sound)]
    for row in sound:
        _read_cells(row, withheld)
    return found, _DELIMITERS[delimiter]


def _header(text: str) -> tuple[int, list[str], str]:
    """Where the header begins, its columns in small letters, and the delimiter that fits them best."""
    named = _NAMED.match(text)
    begin = named.end() if named else 0
    first = text[begin : begin + 10_000].lstrip("\r\n").split("\n", 1)[0]
    headers = {
        delimiter: [cell.strip().strip('"').strip().lower() for cell in first.split(delimiter)]
        for delimiter in ([named[1]] if named and named[1] in _DELIMITERS else _DELIMITERS)
    }
    best = max(headers, key=lambda delimiter: len(_KNOWN.intersection(headers[delimiter])))
    return begin, headers[best], best


def _rows(text: str, header: list[str], delimiter: str, name: str) -> list[object]:
    """A dict or a Mistake for every row after the header."""
    # The limit is the process's; a context of HTML is longer than its default.
    csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))
    try:
        found = _cut(text, header, delimiter, csv.QUOTE_MINIMAL)
        sound = all(isinstance(row, dict) for row in found)
        error = ""
    except csv.Error as problem:
        found, sound, error = [], False, str(problem)
    if not sound and delimiter == "\t":
        # Many write tabs without quoting anything; then a quotation mark is a character like others.
        plainly = _cut(text, header, delimiter, csv.QUOTE_NONE)
        if all(isinstance(row, dict) for row in plainly):
            return plainly
    if error:
        raise DataError(
            f"{name}: is no sound CSV: {error}; write it with a CSV library, which quotes texts that hold "
            "quotes, delimiters or line ends"
        )
    return found


def _cut(text: str, header: list[str], delimiter: str, quoting: Literal[0, 3]) -> list[object]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True, quoting=quoting)
    found: list[object] = []
    line = 0
    try:
        for number, cells in enumerate(row for row in reader if row and row != [""]):
            if number and len(cells) == len(header):
                found.append(dict(zip(header, cells, strict=True)))
            elif number:
                message = (
                    f"(line {line + 1:,}) has {len(cells)} cells and the header {len(header)}; put texts "
                    'with a delimiter or a line end between double quotes, and write a quote in them as ""'
                )
                found.append(Mistake(FaultKind.STRUCTURE, "", message))
            line = reader.line_num
    except csv.Error as error:
        raise csv.Error(f"line {line + 1:,}: {error}") from None
    return found


def _read_cells(row: dict[str, object], withheld: Sequence[str]) -> None:
    """Turn a row's cells into what JSON would hold, in place."""
    for key in withheld:
        row[key] = None
    start = row.get(gold_keys.START)
    if isinstance(start, str):
        row[gold_keys.START] = start = _number(start)
    flag = row.get("is_impossible")
    if isinstance(flag, str):
        number = _number(flag)
        row["is_impossible"] = number if number in (None, 0, 1) else flag
    if isinstance(start, list):
        row |= {key: _listed(row[key]) for key in ("answer_text", "text") if isinstance(row.get(key), str)}
    for key in ("answers", "answer", "plausible_answers"):
        value = row.get(key)
        # Beside its own start an answer is a text, even if it looks like a list.
        if isinstance(value, str) and not (isinstance(start, int) and key == "answer"):
            row[key] = _golds(value)
    # A column of plain texts is called so by some.
    if isinstance(row.get("answers"), str) and row.get("answer") is None:
        row["answer"] = row.pop("answers")


def _golds(cell: str) -> object:
    """Golds written as JSON or as Python prints them; every other cell is an answer's text."""
    value = _literal(cell) if cell.lstrip()[:1] in ("{", "[") else cell
    if isinstance(value, dict):
        return value if gold_keys.text_of(value) is not MISSING else cell
    if isinstance(value, list):
        return value if all(isinstance(item, dict) for item in value) else _listed(cell)
    return cell


def _listed(cell: object) -> object:
    """A list of texts, or the unchanged cell."""
    value = _literal(cell) if isinstance(cell, str) and cell.lstrip().startswith("[") else None
    return value if value == [] or gold_keys.lists_texts(value) else cell


def _number(cell: str) -> object:
    """A start: a number, None for an empty cell, a list of several, else the unchanged text."""
    text = cell.strip()
    if text.lower() in _NO_NUMBER:
        return None
    if _INTEGER.fullmatch(text):
        return int(text.split(".")[0])
    return _literal(text) if text.startswith("[") else cell


def _literal(cell: str) -> object:
    """A cell's JSON, or what Python prints for lists, dicts and arrays; else the text itself."""
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        pass
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a backslash in somebody's text
            return _value(ast.parse(cell.strip(), mode="eval").body)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return cell


def _value(node: ast.expr) -> object:
    """A literal's value; nothing is ever called."""
    match node:
        case ast.Constant(value=str() | int() | float() | None as value):
            return value
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [_value(item) for item in items]
        case ast.Dict(keys=keys, values=values):
            return {str(_value(key)): _value(value) for key, value in zip(keys, values, strict=True) if key}
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return -value
        case ast.Call(func=ast.Name(id="array"), args=[items, *_]):
            return _value(items)
        case ast.Name(id="nan"):
            return None
    raise ValueError("no literal")
