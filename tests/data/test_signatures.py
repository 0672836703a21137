"""A file that holds no questions is called by its name, from its first bytes, with the cure for its kind."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import pickle
import sqlite3
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from kit.data.readers import load
from kit.errors import DataError

Write = Callable[..., Path]

ROWS = [{"id": "a", "context": "아무 말", "question": "무엇?", "answers": None}]
JSON = json.dumps(ROWS, ensure_ascii=False).encode()


def tarred(data: bytes, mode: str = "w") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
        info = tarfile.TarInfo("train.json")
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def zipped(*members: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for member in members:
            archive.writestr(member, b"x")
    return out.getvalue()


def saved_arrays() -> bytes:
    out = io.BytesIO()
    np.savez(out, a=np.zeros(3))
    return out.getvalue()


def saved_array() -> bytes:
    out = io.BytesIO()
    np.save(out, np.zeros(3))
    return out.getvalue()


def database(folder: Path) -> bytes:
    path = folder / "a.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("create table questions (id text)")
    connection.commit()
    connection.close()
    return path.read_bytes()


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 100
PICKLE = (
    "is a Python pickle, which may run any code when it is opened; write it as JSON lines where it was made"
)
KINDS: dict[str, tuple[bytes, str]] = {
    "gzip": (gzip.compress(JSON), "is gzip-compressed; unpack it with gunzip first"),
    "bzip2": (bz2.compress(JSON), "is bzip2-compressed; unpack it with bunzip2 first"),
    "xz": (lzma.compress(JSON), "is xz-compressed; unpack it with unxz first"),
    "tar": (tarred(JSON), "is a tar archive; unpack it with tar -xf and give the JSON file"),
    "tar.gz": (
        tarred(JSON, "w:gz"),
        "is a compressed tar archive; unpack it with tar -xzf and give the JSON file",
    ),
    "7z": (b"7z\xbc\xaf\x27\x1c\0\4", "is a 7-Zip archive; unpack it with 7z x"),
    "pickle 0": (pickle.dumps({"a": ROWS}, 0), PICKLE),
    "pickle 2": (pickle.dumps(ROWS, 2), PICKLE),
    "pickle 5": (pickle.dumps(ROWS, 5), PICKLE),
    "torch": (
        zipped("archive/data.pkl", "archive/data/0"),
        "is a PyTorch checkpoint, which holds a pickle; give the JSON file",
    ),
    "npz": (saved_arrays(), "is a file of NumPy arrays (npz); write it as JSON lines where it was made"),
    "npy": (saved_array(), "is a NumPy array; write it as JSON lines where it was made"),
    "safetensors": (
        safetensors.numpy.save({"a": np.zeros(3)}),
        "is a safetensors file (weights or span scores); give the JSON file with the questions",
    ),
    "xlsx": (
        zipped("[Content_Types].xml", "_rels/.rels", "xl/workbook.xml"),
        "is an Excel workbook (xlsx); save its sheet as CSV UTF-8",
    ),
    "docx": (
        zipped("[Content_Types].xml", "word/document.xml"),
        "is a Word document (docx); copy its questions",
    ),
    "hwpx": (zipped("mimetype", "Contents/section0.xml"), "is a Hangul document (HWPX); copy its questions"),
    "ods": (zipped("mimetype", "content.xml"), "is an OpenDocument file; save its table as CSV"),
    "xls": (OLE + "Workbook".encode("utf-16-le"), "is an Excel workbook (xls); save its sheet as CSV UTF-8"),
    "hwp": (OLE + b"HWP Document File V5.00", "is a Hangul document (HWP); copy its questions into a JSON"),
    "ole": (OLE, "is an old Office document (OLE); copy its questions into a JSON or CSV file"),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "is a PDF; copy its questions into a JSON or CSV file"),
    "rtf": (b"{\\rtf1\\ansi}", "is a Rich Text document; copy its questions into a JSON or CSV file"),
    "hdf5": (b"\x89HDF\r\n\x1a\n\0\0", "is an HDF5 file; write it as JSON lines where it was made"),
    "picture": (b"\x89PNG\r\n\x1a\n\0", "is a picture; give the JSON file with the questions"),
    "lfs": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n",
        "is a Git LFS pointer, not the file itself; fetch it with git lfs pull",
    ),
    "xml": (b"<?xml version='1.0'?><a/>", "is an XML file, not JSON; write its questions as JSON or CSV"),
    "utf-16 without a mark": (
        JSON.decode().encode("utf-16-le"),
        "is UTF-16 without a byte-order mark, not UTF-8; save it as UTF-8",
    ),
    "utf-32": (JSON.decode().encode("utf-32"), "is UTF-32, not UTF-8; save it as UTF-8"),
    "unknown": (
        b"\x01\x02\x03\xff\0\0\0\xc0\x11",
        "is a binary file of an unknown kind (it begins with 0x010203ff); give the JSON",
    ),
}


@pytest.mark.parametrize("name", [*KINDS, "sqlite"])
def test_a_file_is_called_by_its_name(name: str, write: Write, tmp_path: Path) -> None:
    if name == "sqlite":
        data, expected = database(tmp_path), "is an SQLite database; write its table as CSV with sqlite3"
    else:
        data, expected = KINDS[name]
    path = write(data, "train.json")  # the name says nothing
    with pytest.raises(DataError) as caught:
        load(path)
    message = str(caught.value).removeprefix(f"{path}: ")
    assert message.startswith(expected)
    assert "\n" not in message
    assert ("save it as UTF-8" in message) == name.startswith("utf-")


def test_a_pickle_is_never_opened(write: Write, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "opened",))

    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(DataError):
            load(write(pickle.dumps(Trap(), protocol)))
    assert not (tmp_path / "opened").exists()


def test_a_member_of_an_archive_is_called_by_its_name(write: Write) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("train.json", pickle.dumps(ROWS))
    with pytest.raises(DataError, match=r"a\.zip: train\.json: is a Python pickle"):
        load(write(out.getvalue(), "a.zip"))


def test_text_is_never_taken_for_something_else(write: Write) -> None:
    """Questions whose texts begin like other files, or hold what they begin with."""
    for text in ("%PDF-", "BZh", "PAR1", "\u0000\u0001", "ustar" * 99, "ORC"):
        row = ROWS[0] | {"context": text, "question": text}
        assert load(write([row])).questions[0].context == text
        table = f'id,context,question\n"{text} a","{text}","{text}"\n'.encode()
        assert load(write(table)).questions[0].context == text
