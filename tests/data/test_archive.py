"""Question files that still lie in their zip archive."""

from __future__ import annotations

import copy
import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kit.data.readers import load, read
from kit.errors import DataError

Json = dict[str, Any]
Write = Callable[..., Path]


def zipped(members: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return data.getvalue()


def renamed(corpus: Json, prefix: str) -> bytes:
    corpus = copy.deepcopy(corpus)
    for document in corpus["data"]:
        for paragraph in document["paragraphs"]:
            for row in paragraph["qas"]:
                row["guid"] = prefix + row["guid"]
    return json.dumps(corpus, ensure_ascii=False).encode()


def test_all_members_with_questions_are_read_in_name_order(
    corpus: Json, write: Write, tmp_path: Path
) -> None:
    data = zipped(
        {
            "라벨/VL_b.json": renamed(corpus, "b"),
            "라벨/TL_a.json": renamed(corpus, "a"),
            "라벨/meta.json": b'{"license": "x"}',
            "__MACOSX/._TL_a.json": b"\0\0",
            "readme.txt": b"hello",
        }
    )
    path = write(data, "TL.zip")
    raw = read(path)
    dataset = load(path)
    assert [question.guid for question in dataset] == ["ag1", "ag2", "ag3", "ag4", "bg1", "bg2", "bg3", "bg4"]
    assert dataset.sha256 == hashlib.sha256(data).hexdigest()
    assert dataset.questions[0].context is dataset.questions[4].context
    assert [(remark.text, remark.count) for remark in raw.remarks] == [
        ("archive member that holds no questions", 1)
    ]
    assert list(tmp_path.iterdir()) == [path]  # nothing was extracted


def test_a_mistake_names_the_member(corpus: Json, write: Write) -> None:
    del corpus["data"][0]["paragraphs"][0]["qas"][0]["question"]
    path = write(zipped({"01/squad.json": json.dumps(corpus).encode()}), "a.zip")
    with pytest.raises(
        DataError, match=r"a\.zip: 01/squad\.json: data\[0\]\.paragraphs\[0\]\.qas\[0\]\.question is"
    ):
        load(path)


def test_korean_windows_names_are_readable(corpus: Json, write: Write) -> None:
    data = zipped({"XXXX.json": b"{"}).replace(b"XXXX", "정상".encode("cp949"))
    with pytest.raises(DataError, match=r"정상\.json: is not valid JSON"):
        load(write(data, "01.Normal.zip"))


def test_training_and_test_members_are_not_mixed(corpus: Json, write: Write) -> None:
    train = renamed(corpus, "a")
    for document in corpus["data"]:
        for paragraph in document["paragraphs"]:
            for row in paragraph["qas"]:
                row["answers"] = None
    path = write(zipped({"test.json": renamed(corpus, "b"), "train.json": train}), "all.zip")
    with pytest.raises(
        DataError, match=r"not of one kind .*\(test\.json, train\.json\); unpack it and give one"
    ):
        load(path)


def test_layouts_are_not_mixed(corpus: Json, write: Write) -> None:
    other = renamed(corpus, "b").replace(b'"guid"', b'"id"')
    path = write(zipped({"a.json": renamed(corpus, "a"), "b.json": other}), "all.zip")
    with pytest.raises(DataError, match=r"not of one layout \(a\.json, b\.json\)"):
        load(path)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (zipped({}), "holds no JSON file (inside: nothing)"),
        (zipped({"a.csv": b"", "b.txt": b""}), "holds no JSON file (inside: a.csv, b.txt)"),
        (zipped({"a.json": b"[]" * 500})[:-30], "is a damaged zip archive"),
        (zipped({"a.json": b"[1]", "b.json": b"{}"}), "a.json: is of an unknown layout"),
    ],
    ids=["empty", "no JSON", "damaged", "unknown layout"],  # a zip's bytes hold the time
)
def test_archives_without_questions(data: bytes, expected: str, write: Write) -> None:
    with pytest.raises(DataError) as caught:
        load(write(data, "a.zip"))
    assert expected in str(caught.value)


def test_a_damaged_member(corpus: Json, write: Write) -> None:
    data = bytearray(zipped({"a.json": renamed(corpus, "a")}))
    data[200] ^= 0xFF
    with pytest.raises(DataError, match="is a damaged zip archive"):
        load(write(bytes(data), "a.zip"))


def test_an_encrypted_member(write: Write) -> None:
    data = bytearray(zipped({"a.json": b"[]"}))
    data[6] |= 1  # the flag in the member's own header
    data[data.index(b"PK\x01\x02") + 8] |= 1  # and in the directory
    with pytest.raises(DataError, match=r"a\.json is encrypted; unpack it with its password"):
        load(write(bytes(data), "a.zip"))


def test_a_zip_bomb_is_refused(write: Write) -> None:
    path = write(zipped({"a.json": b" " * (48 << 20)}), "a.zip")
    assert path.stat().st_size < 1 << 20
    with pytest.raises(DataError, match="as a zip bomb does; unpack it yourself if you trust it"):
        load(path)
