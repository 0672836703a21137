"""Bytes to JSON values; whatever is wrong with them is said in one line with the cure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from kit.data.formats.wording import quoted
from kit.errors import DataError

_BOM = b"\xef\xbb\xbf"
_SPACE = re.compile(r"[ \t\r\n]*")
_ALIEN = (
    (b"\x1f\x8b", "is gzip-compressed; unpack it with gunzip first"),
    (b"PAR1", "is a Parquet file; write it as JSON lines first, for example with datasets' to_json"),
    (b"\xff\xfe", "is UTF-16, not UTF-8; save it as UTF-8"),
    (b"\xfe\xff", "is UTF-16, not UTF-8; save it as UTF-8"),
)


@dataclass(frozen=True, slots=True)
class JsonText:
    """The values of one JSON text: one for a document, many for JSON lines."""

    values: tuple[object, ...]
    had_bom: bool


def parse(data: bytes, name: str) -> JsonText:
    """Parse a JSON document or JSON lines; *name* is what messages call the file.

    Raises DataError where *data* is empty, not UTF-8, not JSON, cut off, nested too deeply, or
    holds an integer too long to read.
    """
    had_bom = data.startswith(_BOM)
    text = _decoded(data[len(_BOM) :] if had_bom else data, name)
    begin = _after_space(text, 0)
    if begin == len(text):
        raise DataError(f"{name}: is empty; download it again")
    if text[begin] not in "{[":
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
    return JsonText(tuple(values), had_bom)


def _decoded(data: bytes, name: str) -> str:
    for magic, message in _ALIEN:
        if data.startswith(magic):
            raise DataError(f"{name}: {message}")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        at = f"byte 0x{data[error.start]:02x} at offset {error.start}"
        try:
            data.decode("cp949")
        except UnicodeDecodeError:
            cure = "save it as UTF-8"
        else:
            cure = "it reads as CP949: convert it with iconv -f cp949 -t utf-8"
        raise DataError(f"{name}: is not UTF-8 ({at}); {cure}") from None


def _after_space(text: str, begin: int) -> int:
    found = _SPACE.match(text, begin)
    return begin if found is None else found.end()


def _not_json(text: str) -> str:
    first = text.split("\n", 1)[0].rstrip("\r")
    if first.startswith("<"):
        return "is a web page, not JSON (a login or error page saved in its place?); download it again"
    if "," in first or "\t" in first:
        return f"looks like a CSV (its first line is {quoted(first)}); give the JSON file with the questions"
    return f"is not JSON (it begins with {quoted(first)}); give the JSON file with the questions"
