"""Compressed CSVs are read as Kaggle reads them; other files are called what they are."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from pathlib import Path

import pytest

from kit.errors import SubmissionError
from kit.kaggle import compression
from kit.submission.csv import read_submission

CSV = 'Id,Predicted\na,서울\nb,\nc,"부산, 대구"\n'.encode()
ANSWERS = {"a": "서울", "b": "", "c": "부산, 대구"}


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def refusal(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(SubmissionError) as caught:
        read_submission(path)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{path}: ")
    return message.removeprefix(f"{path}: ")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("five.csv.zip", zipped({"five.csv": CSV})),
        ("five.zip", zipped({"folder/FIVE.CSV": CSV}, zipfile.ZIP_STORED)),
        ("bz.zip", zipped({"five.csv": CSV}, zipfile.ZIP_BZIP2)),
        ("mac.zip", zipped({"five.csv": CSV, "__MACOSX/._five.csv": b"\0\5\x16\7", ".DS_Store": b"\0"})),
        ("noted.zip", zipped({"five.csv": CSV, "note.txt": "말".encode()})),
        ("five.csv.gz", gzip.compress(CSV)),
        ("two.csv.gz", gzip.compress(CSV[:20]) + gzip.compress(CSV[20:])),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_compressed_csv_is_read(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert read_submission(path) == ANSWERS
    assert compression.suffix_of(content) == path.suffix


def test_archives_without_exactly_one_csv_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "five.csv.zip"
    assert refusal(path, zipped({"a.csv": CSV, "b.csv": CSV})) == (
        "holds 2 CSVs (inside: 'a.csv', 'b.csv'); zip exactly one CSV"
    )
    assert refusal(path, zipped({"a.json": b"[]"})) == (
        "holds no CSV (inside: 'a.json'); zip exactly one CSV"
    )
    assert refusal(path, zipped({})) == "holds no CSV (inside: nothing); zip exactly one CSV"
    assert refusal(path, zipped({"[Content_Types].xml": b"", "xl/workbook.xml": b""})) == (
        "is an Excel workbook (xlsx); save its sheet as CSV UTF-8"
    )


def test_damage_is_named(tmp_path: Path) -> None:
    whole = zipped({"five.csv": CSV * 40})
    assert refusal(tmp_path / "cut.zip", whole[:60]).startswith("is a damaged zip archive (")
    flipped = bytearray(whole)
    flipped[60] ^= 0xFF
    assert refusal(tmp_path / "flipped.zip", bytes(flipped)).startswith("is a damaged zip archive (")
    packed = gzip.compress(CSV * 40)
    assert refusal(tmp_path / "cut.csv.gz", packed[:-9]) == (
        "its gzip data end early; compress the CSV again"
    )
    flipped = bytearray(packed)
    flipped[30] ^= 0xFF
    assert refusal(tmp_path / "flipped.csv.gz", bytes(flipped)).startswith("has damaged gzip data (")


def test_an_encrypted_archive_is_refused(tmp_path: Path) -> None:
    content = bytearray(zipped({"five.csv": CSV}))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    assert refusal(tmp_path / "five.zip", bytes(content)) == (
        "is encrypted, which Kaggle cannot read; zip it without password"
    )


@pytest.mark.parametrize("pack", [gzip.compress, lambda content: zipped({"five.csv": content})])
def test_what_unpacks_to_more_than_any_submission_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: object
) -> None:
    monkeypatch.setattr(compression, "MOST_BYTES", 1 << 20)
    found = refusal(tmp_path / "bomb", pack(b"\0" * (2 << 20)))  # type: ignore[operator]
    assert found == "unpacks to more than 1 MiB, more than any submission; give the CSV"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (bz2.compress(CSV), "bzip2-compressed"),
        (lzma.compress(CSV), "xz-compressed"),
        (b"7z\xbc\xaf\x27\x1c\0\4", "a 7-Zip archive"),
        (b"Rar!\x1a\7\1\0", "a RAR archive"),
        (b"PAR1\x15\4", "a Parquet file"),
        (b"ARROW1\0\0\xff", "an Arrow file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "Workbook".encode("utf-16-le"), "an Excel workbook (xls)"),
        (b"%PDF-1.7", "a PDF"),
        (b"\x80\x04\x95\x0b", "a Python pickle, which may run any code when it is opened"),
    ],
)
def test_other_files_are_called_what_they_are(tmp_path: Path, content: bytes, kind: str) -> None:
    assert refusal(tmp_path / "five.csv", content) == (
        f"is {kind}, not a CSV; give the CSV, or zip it (.csv.zip)"
    )
    for packed in (gzip.compress(content), zipped({"five.csv": content})):
        assert refusal(tmp_path / "five.csv.zip", packed) == (
            f"its content is {kind}, not a CSV; give the CSV, or zip it (.csv.zip)"
        )
