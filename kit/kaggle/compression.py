"""CSVs as Kaggle accepts them: plain, or compressed by zip or gzip; errors name other kinds of files."""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path

from kit.data.readers import parquet
from kit.data.readers.archive import DAMAGED, is_archive
from kit.data.readers.signatures import kind, zipped_signature
from kit.errors import SubmissionError

MOST_BYTES = 256 << 20
"""A submission of 4,008 answers has 0.3 MB; an archive that unpacks to more than this is a zip bomb."""
_GZIP = b"\x1f\x8b"


def suffix_of(content: bytes) -> str:
    """``.zip`` or ``.gz``, as Kaggle expects; "" for content without such compression."""
    if is_archive(content):
        return ".zip"
    return ".gz" if content.startswith(_GZIP) else ""


def unpacked(content: bytes, path: Path) -> bytes:
    """The CSV inside *content*, or *content* itself where it is not compressed.

    Raises SubmissionError for damage, for an archive with no CSV or several, and for another kind of file.
    """
    packed = suffix_of(content)
    if packed:
        content = csv_member(content, path)[1] if packed == ".zip" else _gunzipped(content, path)
    table = parquet.kind(content)
    other = f"is {parquet.SHOWN[table]}" if table else kind(content)
    if other is not None:
        what = f"its content {other}" if packed else other
        raise SubmissionError(f"{path}: {what}, not a CSV; give the CSV, or zip it (.csv.zip)")
    return content


def csv_member(content: bytes, path: Path) -> tuple[str, bytes]:
    """Name and bytes of the only CSV in a zip archive.

    Raises SubmissionError for damage, encryption, no CSV or several, and for what unpacks to too much.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = [info.filename for info in archive.infolist() if not info.is_dir()]
            # macOS puts a binary "._name" beside every file.
            names = [name for name in names if not name.rpartition("/")[2].startswith(".")]
            csvs = [name for name in names if name.lower().endswith(".csv")]
            if not csvs and (known := zipped_signature(names)):
                raise SubmissionError(f"{path}: {known}")
            if len(csvs) != 1:
                inside = ", ".join(repr(name) for name in names[:5]) or "nothing"
                raise SubmissionError(
                    f"{path}: holds {len(csvs) or 'no'} CSV{'s' * (len(csvs) > 1)} (inside: {inside}); "
                    "zip exactly one CSV"
                )
            if archive.getinfo(csvs[0]).flag_bits & 0x1:
                raise SubmissionError(
                    f"{path}: is encrypted, which Kaggle cannot read; zip it without password"
                )
            with archive.open(csvs[0]) as member:
                return csvs[0], _limited(member.read(MOST_BYTES + 1), path)
    except DAMAGED as error:
        raise SubmissionError(f"{path}: is a damaged zip archive ({error}); zip the CSV again") from None


def _gunzipped(content: bytes, path: Path) -> bytes:
    data = b""
    try:
        while content:  # a file may have several members, one after another
            stream = zlib.decompressobj(wbits=31)
            data = _limited(data + stream.decompress(content, MOST_BYTES + 1 - len(data)), path)
            if not stream.eof:
                raise SubmissionError(f"{path}: its gzip data end early; compress the CSV again")
            content = stream.unused_data
    except zlib.error as error:
        raise SubmissionError(f"{path}: has damaged gzip data ({error}); compress the CSV again") from None
    return data


def _limited(data: bytes, path: Path) -> bytes:
    if len(data) > MOST_BYTES:
        raise SubmissionError(
            f"{path}: unpacks to more than {MOST_BYTES >> 20} MiB, more than any submission; give the CSV"
        )
    return data
