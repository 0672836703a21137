"""What a file is that holds no JSON and no table, told from its first bytes, and how to get its questions."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable

_TAR_AT = 257
_JSON_LINES = "write it as JSON lines where it was made"
_PICKLE = f"is a Python pickle, which may run any code when it is opened; {_JSON_LINES} (pandas: to_json)"
_TEXT_OF = "copy its questions into a JSON or CSV file"
_PICTURE = "is a picture; give the JSON file with the questions"
_TENSORS = "is a safetensors file (weights or span scores); give the JSON file with the questions"
_WORD_PROCESSOR = f"is a Hangul document (HWP); {_TEXT_OF}"
_UTF_16 = "is UTF-16, not UTF-8; save it as UTF-8"

# The longer of two that begin alike comes first.
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b", "is gzip-compressed; unpack it with gunzip first"),
    (b"BZh", "is bzip2-compressed; unpack it with bunzip2 first"),
    (b"\xfd7zXZ\0", "is xz-compressed; unpack it with unxz first"),
    (b"\x28\xb5\x2f\xfd", "is Zstandard-compressed; unpack it with unzstd first"),
    (b"\x04\x22\x4d\x18", "is LZ4-compressed; unpack it with unlz4 first"),
    (b"7z\xbc\xaf\x27\x1c", "is a 7-Zip archive; unpack it with 7z x and give the JSON file"),
    (b"Rar!\x1a\x07", "is a RAR archive; unpack it with unrar x and give the JSON file"),
    (b"EGGA", "is an ALZip archive (EGG); unpack it with ALZip and give the JSON file"),
    (b"ALZ\x01", "is an ALZip archive; unpack it with ALZip and give the JSON file"),
    (b"%PDF-", f"is a PDF; {_TEXT_OF}"),
    (b"{\\rtf", f"is a Rich Text document; {_TEXT_OF}"),
    (b"HWP Document File", _WORD_PROCESSOR),
    (b"SQLite format 3\0", "is an SQLite database; write its table as CSV with sqlite3 -header -csv"),
    (b"\x89HDF\r\n\x1a\n", f"is an HDF5 file; {_JSON_LINES} (pandas: to_json)"),
    (b"\x93NUMPY", f"is a NumPy array; {_JSON_LINES}"),
    (b"PARE", "is an encrypted Parquet file; write it without encryption"),
    (b"FEA1", "is a Feather file of version 1; write it as Parquet or JSON lines"),
    (b"ORC", f"is an ORC file; {_JSON_LINES} or as Parquet"),
    (b"Obj\x01", f"is an Avro file; {_JSON_LINES}"),
    (b"\x89PNG\r\n", _PICTURE),
    (b"\xff\xd8\xff", _PICTURE),
    (b"GIF8", _PICTURE),
    (b"\x7fELF", "is a program; give the JSON file with the questions"),
    (b"version https://git-lfs", "is a Git LFS pointer, not the file itself; fetch it with git lfs pull"),
    # Protocols 0 and 1 have no mark; these begin the objects that people pickle.
    *((mark, _PICKLE) for mark in (b"(dp", b"(lp", b"ccopy_reg\n", b"cpandas.", b"cnumpy.", b"}q\0")),
)  # fmt: skip
_ENCODINGS: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xfe\0\0", "is UTF-32, not UTF-8; save it as UTF-8"),
    (b"\0\0\xfe\xff", "is UTF-32, not UTF-8; save it as UTF-8"),
    (b"\xff\xfe", _UTF_16),
    (b"\xfe\xff", _UTF_16),
    *((mark, "is UTF-16 without a byte-order mark, not UTF-8; save it as UTF-8")
      for mark in (b"{\0", b"[\0", b"\0{", b"\0[")),
)  # fmt: skip
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_STREAMS = (
    (b"HWP Document File", _WORD_PROCESSOR),
    ("Workbook".encode("utf-16-le"), "is an Excel workbook (xls); save its sheet as CSV UTF-8"),
    ("WordDocument".encode("utf-16-le"), f"is a Word document (doc); {_TEXT_OF}"),
)
_ZIPPED = (
    (re.compile(r"xl/"), "is an Excel workbook (xlsx); save its sheet as CSV UTF-8"),
    (re.compile(r"word/"), f"is a Word document (docx); {_TEXT_OF}"),
    (re.compile(r"ppt/"), f"is a PowerPoint file (pptx); {_TEXT_OF}"),
    (re.compile(r"Contents/section[0-9]+\.xml|version\.xml"), f"is a Hangul document (HWPX); {_TEXT_OF}"),
    (re.compile(r"META-INF/manifest\.xml|content\.xml"), "is an OpenDocument file; save its table as CSV"),
    (re.compile(r"(.*/)?data\.pkl"), "is a PyTorch checkpoint, which holds a pickle; give the JSON file"),
    (re.compile(r"[^/]+\.npy"), f"is a file of NumPy arrays (npz); {_JSON_LINES}"),
)  # fmt: skip
_CONTROLS = bytes(code for code in range(32) if code not in b"\t\n\v\f\r\x1b")
_LOOKED_AT = 4096
_MOST_CONTROLS = 0.05


def signature(data: bytes) -> str | None:
    """What *data* is and the cure, to be read after the file's name; None for what may be UTF-8."""
    return _of_no_text(data) or _marked(data, _ENCODINGS)


def kind(data: bytes) -> str | None:
    """What *data* is, without a cure; None for what may be text in any encoding."""
    found = _of_no_text(data)
    return found and found.split("; ", 1)[0]


def _of_no_text(data: bytes) -> str | None:
    if _is_tar(data):
        return "is a tar archive; unpack it with tar -xf and give the JSON file"
    if data.startswith(b"\x1f\x8b") and _is_tar(_gunzipped(data)):
        return "is a compressed tar archive; unpack it with tar -xzf and give the JSON file"
    if data.startswith(_OLE):
        found = (message for stream, message in _OLE_STREAMS if stream in data)
        return next(found, f"is an old Office document (OLE); {_TEXT_OF}")
    if data[:1] == b"\x80" and data[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return _PICKLE
    if data[8:10] == b'{"' and int.from_bytes(data[:8], "little") <= len(data):
        return _TENSORS
    return _marked(data, _SIGNATURES)


def _marked(data: bytes, table: tuple[tuple[bytes, str], ...]) -> str | None:
    return next((message for mark, message in table if data.startswith(mark)), None)


def zipped_signature(members: Iterable[str]) -> str | None:
    """What a zip archive is that is no archive of questions, from its members' names."""
    names = list(members)
    return next((what for pattern, what in _ZIPPED if any(map(pattern.match, names))), None)


def is_binary(data: bytes) -> bool:
    """Whether the first bytes can be no text in any encoding that has ASCII."""
    begin = data[:_LOOKED_AT]
    controls = len(begin) - len(begin.translate(None, _CONTROLS))
    return b"\0" in begin or controls > _MOST_CONTROLS * len(begin)


def _is_tar(data: bytes) -> bool:
    """Whether a tar archive begins with *data*."""
    return data[_TAR_AT : _TAR_AT + 5] == b"ustar" and b"\0" in data[:_TAR_AT]


def _gunzipped(data: bytes) -> bytes:
    """The first bytes of what gzip packed; b"" where it is damaged."""
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(data[: 1 << 16], 512)
    except zlib.error:
        return b""
