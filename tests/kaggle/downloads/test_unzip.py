"""Archives from elsewhere: what is damaged, lies, or would leave the folder is refused."""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import Path

import pytest

from kit.errors import DownloadError
from kit.kaggle.downloads.unzip import unpack, unsafe_name
from tests.kaggle.serving_data import zipped

GOOD = {"train.json": b"[1, 2, 3]" * 100, "folder/test.json": b"[]"}
SIZES = {name: len(content) for name, content in GOOD.items()}


def put(tmp_path: Path, content: bytes) -> tuple[Path, Path]:
    archive, folder = tmp_path / "a.zip", tmp_path / "inner" / "out"
    archive.write_bytes(content)
    folder.mkdir(parents=True)
    return archive, folder


def everything(tmp_path: Path) -> set[str]:
    return {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}


def test_a_sound_archive(tmp_path: Path) -> None:
    archive, folder = put(tmp_path, zipped(GOOD))
    unpack(archive, folder, SIZES)
    assert {name: (folder / name).read_bytes() for name in GOOD} == GOOD


def member(name: str, content: bytes = b"x", mode: int | None = None) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    if mode is not None:
        info.external_attr = mode << 16
    return info


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("../evil.txt", "leads out of the folder"),
        ("a/../../evil.txt", "leads out of the folder"),
        ("/etc/evil.txt", "has an absolute path"),
        ("..\\evil.txt", "backslash or colon"),
        ("C:\\evil.txt", "backslash or colon"),
        ("C:/evil.txt", "backslash or colon"),
        ("a.txt:stream", "backslash or colon"),
        ("a\x00../evil.txt", "control character"),
        ("a\n.txt", "control character"),
        ("a//b.txt", "empty part"),
        ("./a.txt", "empty part"),
        ("folder/nul.txt", "Windows cannot store"),
        ("folder/a. ", "Windows cannot store"),
    ],
)
def test_names_that_leave_the_folder(tmp_path: Path, name: str, says: str) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("placeholder")
        info.filename = info.orig_filename = name
        archive.writestr(info, b"x")
    path, folder = put(tmp_path, out.getvalue())
    with pytest.raises(DownloadError, match=says):
        unpack(path, folder, {name: 1})
    assert everything(tmp_path) == {"a.zip"}


@pytest.mark.parametrize("mode", [stat.S_IFLNK | 0o777, stat.S_IFIFO | 0o644, stat.S_IFCHR | 0o644])
def test_links_and_devices(tmp_path: Path, mode: int) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(member("train.json", mode=mode), b"/etc/passwd")
    path, folder = put(tmp_path, out.getvalue())
    with pytest.raises(DownloadError, match="is a link or a device"):
        unpack(path, folder, {"train.json": 11})
    assert everything(tmp_path) == {"a.zip"}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("second", ["train.json", "TRAIN.json", "Train.JSON"])
def test_one_name_twice(tmp_path: Path, second: str) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("train.json", b"x")
        archive.writestr(second, b"y")
    path, folder = put(tmp_path, out.getvalue())
    with pytest.raises(DownloadError, match="is there twice"):
        unpack(path, folder, {"train.json": 1, second: 1})
    assert everything(tmp_path) == {"a.zip"}


def test_a_name_composed_and_decomposed_is_one(tmp_path: Path) -> None:
    path, folder = put(tmp_path, zipped({"\uac00.csv": b"x", "\u1100\u1161.csv": b"y"}))
    with pytest.raises(DownloadError, match="is there twice"):
        unpack(path, folder, {"\uac00.csv": 1, "\u1100\u1161.csv": 1})


@pytest.mark.parametrize("name", ["train.json", "a/b/c.csv", "한글 이름.json", "a..b.txt", ".hidden"])
def test_names_that_are_fine(name: str) -> None:
    assert unsafe_name(name) is None


def test_every_flipped_byte_of_the_content_is_noticed(tmp_path: Path) -> None:
    sound = zipped(GOOD)
    start = sound.index(b"train.json") + len("train.json")
    archive, folder = put(tmp_path, sound)
    for place in range(start, start + 8):
        damaged = bytearray(sound)
        damaged[place] ^= 0x10
        archive.write_bytes(bytes(damaged))
        with pytest.raises(DownloadError, match=r"damaged zip archive|bytes came out|more than"):
            unpack(archive, folder, SIZES)
        for path in folder.rglob("*.json"):
            path.unlink()


def test_a_flipped_bit_anywhere_is_noticed_or_does_no_harm(tmp_path: Path) -> None:
    sound = zipped(GOOD)
    archive, folder = put(tmp_path, sound)
    noticed = 0
    for place in range(len(sound)):
        for bit in (0, 3, 7):
            damaged = bytearray(sound)
            damaged[place] ^= 1 << bit
            archive.write_bytes(bytes(damaged))
            try:
                unpack(archive, folder, SIZES)
            except DownloadError:
                noticed += 1
            else:
                # Times and other attributes of a member may change; what it holds may not.
                assert {name: (folder / name).read_bytes() for name in GOOD} == GOOD
            assert everything(tmp_path) <= {"a.zip", *(f"inner/out/{name}" for name in GOOD)}
            for path in folder.rglob("*.json"):
                path.unlink()
    assert noticed > len(sound)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.99])
def test_a_cut_archive(tmp_path: Path, share: float) -> None:
    sound = zipped(GOOD)
    path, folder = put(tmp_path, sound[: int(len(sound) * share)])
    with pytest.raises(DownloadError, match=r"is no zip archive|damaged zip archive"):
        unpack(path, folder, SIZES)


def test_an_error_page_of_the_right_size(tmp_path: Path) -> None:
    page = b"<?xml version='1.0'?><Error><Code>ExpiredToken</Code></Error>"
    path, folder = put(tmp_path, page.ljust(len(zipped(GOOD))))
    with pytest.raises(DownloadError, match=r"is no zip archive but begins with .<\?xml"):
        unpack(path, folder, SIZES)


def test_a_bomb_that_says_what_it_is(tmp_path: Path) -> None:
    bomb = bytes(64 << 20)
    path, folder = put(tmp_path, zipped({"train.json": bomb}))
    with pytest.raises(DownloadError, match="as a zip bomb does"):
        unpack(path, folder, {"train.json": len(bomb)})


def test_a_bomb_that_lies_about_its_size(tmp_path: Path) -> None:
    content = zipped({"train.json": bytes(100_000)})
    lying = content.replace((100_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    assert lying != content
    path, folder = put(tmp_path, lying)
    with pytest.raises(DownloadError, match=r"damaged zip archive|more than|bytes came out"):
        unpack(path, folder, {"train.json": 10})
    assert sum(path.stat().st_size for path in folder.rglob("*.json")) <= 10


def test_more_than_was_listed(tmp_path: Path) -> None:
    path, folder = put(tmp_path, zipped({"train.json": bytes(100_000)}))
    with pytest.raises(DownloadError, match="has 100,000 bytes, listed with 10"):
        unpack(path, folder, {"train.json": 10})
    assert everything(tmp_path) == {"a.zip"}


def test_an_encrypted_member(tmp_path: Path) -> None:
    content = bytearray(zipped({"train.json": b"x"}))
    at = content.index(b"PK\x01\x02") + 8  # general purpose flags in the directory
    content[at] |= 1
    path, folder = put(tmp_path, bytes(content))
    with pytest.raises(DownloadError, match="is encrypted"):
        unpack(path, folder, {"train.json": 1})
