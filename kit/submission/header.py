"""The CSV header ``Id,Predicted`` and the separator: each mistake and its cure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kit.errors import SubmissionError

HEADER = ("Id", "Predicted")
WANTED = ",".join(HEADER)
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
_LONGEST = 80


def check_header(found: Sequence[str], text: str, path: Path) -> None:
    """Check that *found*, the first row of *text*, is the header.

    Raises SubmissionError with a cure for the header it has.
    """
    if tuple(found) == HEADER:
        return
    if text.lstrip()[:1] in ("{", "["):
        raise SubmissionError(f"{path}: looks like JSON, not a CSV with the header {WANTED}; give the CSV")
    first = text.lstrip("\r\n").split("\n", 1)[0].rstrip("\r")
    if first.strip('"').lower().startswith("sep="):
        raise SubmissionError(
            f"{path}: the first line is {first!r}, which only Excel understands; remove it, so that the file "
            f"begins with {WANTED}"
        )
    for separator, name in _SEPARATORS.items():
        parts = [part.strip(' "') for part in first.split(separator)]
        if separator in first and set(HEADER) <= set(parts):
            raise SubmissionError(
                f"{path}: its fields are separated by {name}, not by commas; write it with pandas: "
                "to_csv(path, index=False), without sep="
            )
    shown = ",".join(found)
    shown = shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"
    raise SubmissionError(f"{path}: the header is {shown!r}, not {WANTED!r}; {_cure(found)}")


def _cure(found: Sequence[str]) -> str:
    if list(found) in (["", *HEADER], ["Unnamed: 0", *HEADER]):
        return "it was written with pandas' index: use to_csv(path, index=False)"
    columns = 'frame[["Id", "Predicted"]].to_csv(path, index=False)'
    if tuple(found) == HEADER[::-1]:
        return f"the columns are swapped: use {columns}"
    if set(HEADER) < set(found):
        return f"write these two columns alone: {columns}"
    return f"write {WANTED} in the first line"


def separator_of(rows: Sequence[Sequence[str]]) -> str:
    """The cure for *rows* of one field each that are separated by something other than commas; else ""."""
    for separator, name in _SEPARATORS.items():
        if rows and all(len(row) == 1 and separator in row[0] for row in rows):
            return f"these rows are separated by {name}: use commas there, as in the header"
    return ""
