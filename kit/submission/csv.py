"""The submission CSV: ``Id,Predicted``, one row a guid, where a blank is an answer.

Two readers check every file that is written and every file from elsewhere: pandas, because scorers use it,
and the csv module, because pandas silently pads a short row and truncates a long one.  They must agree.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kit.data.readers.display import lone_surrogate
from kit.errors import SubmissionError, all_of, counted, listed
from kit.files import read_file, replacing
from kit.kaggle.compression import unpacked
from kit.submission.header import HEADER, check_header, separator_of

_CURE = "write it with `kit ensemble`, or with pandas: to_csv(path, index=False)"
# A lone \r must be quoted too: readers take it for a line end.
_QUOTED = re.compile('[",\r\n]')
_OTHER_FORMATS = {".zip", ".gz", ".bz2", ".xz", ".7z", ".xlsx", ".parquet", ".json", ".yaml", ".html"}


def write_submission(path: Path, guids: Sequence[str], texts: Sequence[str]) -> str:
    """Write one row a guid, in the given order, and read the file back before it takes its name.

    The bytes depend on the arguments alone: UTF-8 without byte-order mark, ``\\n`` line ends, a blank
    as an empty field, quotes only around fields with a comma, quote or line end.  Texts are written
    unchanged: an answer that looks like a spreadsheet formula is an answer.

    Returns the SHA-256 (hex) of the file's bytes.  Raises SubmissionError for the name of another format,
    for a guid that is blank or repeated and for an answer that is not text or not valid Unicode, WriteError
    where the file cannot be written, ValueError where the lengths differ; an earlier file stays untouched.
    """
    content = encoded(path, guids, texts)
    given = dict(zip(guids, texts, strict=True))

    def verify(written: Path) -> None:
        if parse_submission(written.read_bytes(), path) != given:
            raise SubmissionError(f"{path}: not written: it reads back otherwise than it was written")

    with replacing(path, verify) as temporary:
        temporary.write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def check_name(path: Path) -> None:
    """Raises SubmissionError where *path* has the name of another format than a plain CSV."""
    if path.suffix.lower() in _OTHER_FORMATS:
        stem = path.with_suffix("")
        raise SubmissionError(
            f"{path}: a submission is a plain CSV, and Kaggle goes by the name; name it "
            f"{stem if stem.suffix.lower() == '.csv' else stem.with_name(stem.name + '.csv')}"
        )


def encoded(path: Path, guids: Sequence[str], texts: Sequence[str]) -> bytes:
    """The bytes that `write_submission` writes as *path*; raises what it raises before it writes."""
    check_name(path)
    if len(guids) != len(texts):
        raise ValueError(f"{len(guids)} guids but {len(texts)} texts; give one text a guid")
    mistakes = [fault for guid, text in zip(guids, texts, strict=True) for fault in _faults(guid, text)]
    mistakes += _id_faults([(guid, f"row {row}") for row, guid in enumerate(guids, start=1)])
    if mistakes:
        raise SubmissionError(f"{path}: not written: {all_of(mistakes)}; mend these answers first")
    return _written([HEADER, *zip(guids, texts, strict=True)]).encode()


def read_submission(path: Path) -> dict[str, str]:
    """guid → answer text, in file order, every text unchanged.

    Raises SubmissionError, with all of a file's mistakes at once: not a file, empty, not UTF-8, a
    byte-order mark, another header, a row of other than two fields, a blank or repeated Id.
    """
    return parse_submission(read_csv(path), path, twice=False)


def read_csv(path: Path) -> bytes:
    """The bytes of a submission.  Raises SubmissionError where it is missing or cannot be read."""
    cure = "check the name, or make it with `kit ensemble`"
    return read_file(path, SubmissionError, missing=cure, folder="name the CSV inside it")


def parse_submission(content: bytes, path: Path, *, twice: bool = True) -> dict[str, str]:
    """guid → answer text from a CSV's bytes, compressed or not; *path* only names it.

    Without *twice*, a file in the exact form that `write_submission` writes is not read by pandas as well.
    Raises as `read_submission`.
    """
    text = _decode(unpacked(content, path), path)
    rows = _rows(text, path)
    if not rows:
        raise SubmissionError(f"{path}: is empty; {_CURE}")
    check_header(rows[0].fields, text, path)
    body = rows[1:]
    odd = [row for row in body if len(row.fields) != 2]
    mistakes = [f"line {row.line} has {counted(len(row.fields), 'field')} instead of 2" for row in odd]
    mistakes += _id_faults([(row.fields[0], f"line {row.line}") for row in body if len(row.fields) == 2])
    if mistakes:
        cure = separator_of([row.fields for row in odd]) or _CURE
        raise SubmissionError(f"{path}: {all_of(mistakes)}; {cure}")
    if not twice and "\0" not in text and text == _written([row.fields for row in rows]):
        return dict(row.fields for row in body)
    ids, texts = _columns(text, path)
    for row, guid, answer in zip(body, ids, texts, strict=False):
        if row.fields != [guid, answer]:
            raise SubmissionError(
                f"{path}: line {row.line} means different things to different readers; {_CURE}"
            )
    if not len(body) == len(ids) == len(texts):
        raise SubmissionError(f"{path}: has {len(body)} or {len(ids)} rows, depending on the reader; {_CURE}")
    return dict(zip(ids, texts, strict=True))


def check_submission(
    answers: Mapping[str, str],
    guids: Sequence[str],
    where: str | Path = "submission",
    *,
    any_order: bool = False,
) -> None:
    """Check that *answers* has every test guid once and, unless *any_order*, in the test file's order.

    Raises SubmissionError naming missing, unknown and misplaced guids in one message that *where* leads.
    """
    faults = _set_faults(answers, guids)
    known = set(guids)
    if faults and any_order and len(known & set(answers.values())) * 2 > len(known):
        raise SubmissionError(
            f"{where}: the test file's ids stand under {HEADER[1]}; swap the two columns below the header"
        )
    ours = [guid for guid in answers if guid in known]
    theirs = ours if any_order else [guid for guid in guids if guid in answers]
    misplaced = [
        f"{mine!r} where the test file has {yours!r}"
        for mine, yours in zip(ours, theirs, strict=False)
        if mine != yours
    ]
    if misplaced:
        faults.append(f"{_count(misplaced, 'row')} out of order: {all_of(misplaced)}")
    if faults:
        order = "" if any_order else ", in the test file's order"
        raise SubmissionError(
            f"{where}: {'; '.join(faults)}; write one row a guid{order}, or name the test file that it was "
            "made for"
        )


def check_sample(sample_path: Path, guids: Sequence[str]) -> None:
    """Check that a sample submission has exactly the test file's guids, in any order.

    Raises SubmissionError naming guids missing from either side, and as `read_submission`.
    """
    faults = _set_faults(read_submission(sample_path), guids)
    if faults:
        raise SubmissionError(
            f"{sample_path}: {'; '.join(faults)}; sample and test file belong to different competitions or "
            "versions: download both again"
        )


@dataclass(frozen=True, slots=True)
class _Row:
    """One row as the csv module sees it, and the line of the file where it begins."""

    line: int
    fields: list[str]


def _decode(content: bytes, path: Path) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise SubmissionError(f"{path}: is UTF-16; save it as UTF-8 without byte-order mark")
    if content.startswith(b"\xef\xbb\xbf"):
        raise SubmissionError(
            f"{path}: begins with a byte-order mark (BOM), which becomes part of the first column's name; "
            "save it as UTF-8 without BOM"
        )
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SubmissionError(
            f"{path}: line {line} is not UTF-8 (byte 0x{content[error.start]:02x}); "
            "save it as UTF-8, not as CP949"
        ) from None


def _rows(text: str, path: Path) -> list[_Row]:
    """All rows but blank lines, header first."""
    reader = csv.reader(io.StringIO(text, newline=""))
    rows, line = [], 1
    try:
        for fields in reader:
            if fields:
                rows.append(_Row(line, fields))
            line = reader.line_num + 1
    except csv.Error as error:
        raise SubmissionError(
            f"{path}: the row that begins in line {line} cannot be read ({error}); "
            "look for a quote that is never closed"
        ) from None
    return rows


def _columns(text: str, path: Path) -> tuple[list[str], list[str]]:
    """Ids and answers below the header, as pandas reads them."""
    # Importing pandas takes longer than everything else here, and --help does not need it.
    import pandas as pd

    try:
        # Everything stays text: "", "NA" and "null" are answers.  Without a header pandas neither renames
        # columns nor turns one into an index.
        frame = pd.read_csv(
            io.StringIO(text, newline=""), header=None, names=list(HEADER), index_col=False, dtype=str,
            na_filter=False,
        )  # fmt: skip
    except pd.errors.ParserError as error:
        raise SubmissionError(
            f"{path}: cannot be read ({str(error).strip()}); look for a quote that is never closed"
        ) from None
    return frame[HEADER[0]].tolist()[1:], frame[HEADER[1]].tolist()[1:]


def _written(rows: Iterable[Sequence[str]]) -> str:
    """*rows* of two fields as one file, header included."""
    return "".join(f"{_field(guid)},{_field(text)}\n" for guid, text in rows)


def _field(text: str) -> str:
    if _QUOTED.search(text):
        doubled = text.replace('"', '""')
        return f'"{doubled}"'
    return text


def _faults(guid: str, text: object) -> list[str]:
    """Why one answer cannot be written."""
    if not isinstance(text, str):
        return [f"the answer of {guid!r} is {text!r}, which is not text (a blank is '')"]
    for name, value in (("guid", guid), ("answer of", text)):
        if half := lone_surrogate(value):
            return [f"the {name} {guid!r} holds half a surrogate pair ({half})"]
    return []


def _id_faults(ids: Sequence[tuple[str, str]]) -> list[str]:
    """Blank and repeated Ids, with their places."""
    faults = []
    first: dict[str, str] = {}
    for guid, place in ids:
        if not guid.strip():
            faults.append(f"{place} has a blank Id")
        elif guid in first:
            faults.append(f"{place} repeats the Id {guid!r} of {first[guid]}")
        else:
            first[guid] = place
    return faults


def _set_faults(answers: Mapping[str, str], guids: Sequence[str]) -> list[str]:
    wanted = dict.fromkeys(guids)
    missing = [guid for guid in wanted if guid not in answers]
    unknown = [guid for guid in answers if guid not in wanted]
    faults = []
    if missing:
        faults.append(f"{_count(missing, 'test guid')} missing: {listed(missing)}")
    if unknown:
        faults.append(f"{_count(unknown, 'Id')} not in the test file: {listed(unknown)}")
    return faults


def _count(things: Sequence[str], noun: str) -> str:
    return f"1 {noun} is" if len(things) == 1 else f"{len(things)} {noun}s are"
