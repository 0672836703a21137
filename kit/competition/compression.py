"""CSVs as Kaggle takes them: plain, or compressed by zip or gzip; whatever else a file is gets its name."""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path

from kit.data.formats.archive import DAMAGED
from kit.errors import SubmissionError

MOST_BYTES = 256 << 20
"""A submission of 4,008 answers has 0.3 MB; what unpacks to more than this is a zip bomb."""
_GZIP = b"\x1f\x8b"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_OTHERS = {
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"BZh": "compressed by bzip2",
    b"\xfd7zXZ": "compressed by xz",
    b"\x28\xb5\x2f\xfd": "compressed by zstd",
    b"PAR1": "a Parquet file",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"%PDF": "a PDF",
    b"\x80\x04": "a pickle",
    b"\x80\x05": "a pickle",
}


def suffix_of(content: bytes) -> str:
    """``.zip`` or ``.gz``, which Kaggle goes by; "" for content that is not compressed by either."""
    if content.startswith(_ZIP):
        return ".zip"
    return ".gz" if content.startswith(_GZIP) else ""


def unpacked(content: bytes, path: Path) -> bytes:
    """The CSV inside *content*, or *content* itself where it is not compressed.

    Raises SubmissionError for damage, for an archive with no CSV or several, and for another kind of file.
    """
    if content.startswith(_ZIP):
        return _unzipped(content, path)
    if content.startswith(_GZIP):
        return _gunzipped(content, path)
    for begin, kind in _OTHERS.items():
        if content.startswith(begin):
            raise SubmissionError(f"{path}: is {kind}, not a CSV; give the CSV, or zip it (.csv.zip)")
    return content


def _unzipped(content: bytes, path: Path) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = [info.filename for info in archive.infolist() if not info.is_dir()]
            if "[Content_Types].xml" in names:
                raise SubmissionError(f"{path}: is an Excel workbook; save it as CSV UTF-8")
            # macOS puts a binary "._name" beside every file.
            names = [name for name in names if not name.rpartition("/")[2].startswith(".")]
            csvs = [name for name in names if name.lower().endswith(".csv")]
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
                return _limited(member.read(MOST_BYTES + 1), path)
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
