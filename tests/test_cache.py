"""The cache: entries whole or not there, made once, bounded, and never in the way."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit import cache
from kit.cache import cached, content_key

KEY = content_key("test", ["가"])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KIT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def read(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    if not text.endswith("."):
        raise ValueError("cut off")
    return text


class Writer:
    """Writes a text and counts how often it was asked to."""

    def __init__(self, text: str = "whole.") -> None:
        self.text, self.calls = text, 0

    def __call__(self, path: Path) -> None:
        self.calls += 1
        path.write_text(self.text, encoding="utf-8")


def test_an_entry_is_made_once_and_found_again(folder: Path) -> None:
    writer = Writer()
    assert cached("texts", KEY, read, writer, make=False) is None
    assert [cached("texts", KEY, read, writer) for _ in range(3)] == ["whole."] * 3
    assert writer.calls == 1
    assert [path.name for path in folder.rglob("*") if path.is_file()] == [f"{KEY}.kit"]
    assert cached("texts", KEY, read, writer, make=False) == "whole."


def test_a_damaged_entry_is_made_again(folder: Path) -> None:
    writer = Writer()
    cached("texts", KEY, read, writer)
    (folder / "texts" / f"{KEY}.kit").write_text("who", encoding="utf-8")
    assert cached("texts", KEY, read, writer) == "whole."
    assert writer.calls == 2


def test_what_reads_back_otherwise_is_not_kept(folder: Path) -> None:
    assert cached("texts", KEY, read, Writer("cut")) is None
    assert not [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("where", ["", "file", "read-only"])
def test_without_a_usable_folder_nothing_is_kept_and_nothing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    (tmp_path / "file").touch()
    if where == "read-only":
        if os.geteuid() == 0:
            where = "/proc/kit-cache"  # where even root may not make a folder
        else:
            (tmp_path / where).mkdir(mode=0o500)
    monkeypatch.setenv("KIT_CACHE", str(tmp_path / where / "below") if where else "")
    writer = Writer()
    assert cached("texts", KEY, read, writer) is None
    assert writer.calls == 0


def test_a_full_disk_leaves_nothing_behind(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path) -> None:
        path.write_text("half", encoding="utf-8")
        raise OSError(28, "No space left on device")

    assert cached("texts", KEY, read, full) is None
    assert not [path for path in folder.rglob("*") if path.is_file()]
    writer = Writer()
    assert cached("texts", KEY, read, writer, size=1 << 60) is None  # known beforehand
    assert writer.calls == 0


def test_the_entries_used_longest_ago_go_first(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "LIMIT", 25)
    *keys, unmade, unmade_today = [content_key("test", [str(number)]) for number in range(6)]
    (folder / "texts").mkdir(parents=True)
    strangers = [folder / "texts" / "mine.kit", folder / "notes.txt", folder / "texts" / ".mine.kit.a.part"]
    for stranger in strangers:
        stranger.write_text("x" * 100)
    torn = [folder / "texts" / f".{key}.kit.abc.part" for key in (unmade, unmade_today)]
    for path in torn:
        path.touch()
    now = time.time()
    os.utime(torn[0], (now - 2 * 86_400,) * 2)
    for age, key in zip((30, 20, 10), keys, strict=False):
        cached("texts", key, read, Writer("ten bytes."))
        os.utime(folder / "texts" / f"{key}.kit", (now - age,) * 2)
    assert cached("texts", keys[0], read, Writer(), make=False) is None
    assert cached("texts", keys[1], read, Writer(), make=False)  # used again just now
    cached("texts", keys[3], read, Writer("ten bytes."))
    assert [cached("texts", key, read, Writer(), make=False) is not None for key in keys] == [
        False, True, False, True,
    ]  # fmt: skip
    assert all(stranger.exists() for stranger in strangers)
    assert [path.exists() for path in torn] == [False, True]


def test_several_processes_make_an_entry_once(folder: Path, tmp_path: Path) -> None:
    program = (
        "import sys, time\n"
        "from kit.cache import cached\n"
        "def write(path):\n"
        "    open(sys.argv[2], 'a').write('made\\n')\n"
        "    time.sleep(0.5)\n"
        "    path.write_text('whole.')\n"
        "print(cached('texts', sys.argv[1], lambda path: path.read_text(), write))\n"
    )
    words = [sys.executable, "-c", program, KEY, str(tmp_path / "log")]
    environment = {**os.environ, "PYTHONPATH": str(Path(cache.__file__).parent.parent)}
    running = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(4)]
    assert [process.communicate(timeout=60)[0] for process in running] == ["whole.\n"] * 4
    assert (tmp_path / "log").read_text() == "made\n"


@given(st.lists(st.text()), st.lists(st.text()), st.lists(st.text()), st.lists(st.text()))
def test_other_texts_have_another_key(a: list[str], b: list[str], c: list[str], d: list[str]) -> None:
    assert (content_key("x", a, b) == content_key("x", c, d)) == ((a, b) == (c, d))
    assert content_key("x", a, b) == content_key("x", iter(a), iter(b)) != content_key("y", a, b)


def test_keys_see_borders_and_lone_surrogates() -> None:
    texts = [["ab"], ["a", "b"], ["", "ab"], ["ab", ""], [], [""], ["\ud800"], ["가" * 2000], ["가"] * 2000]
    assert len({content_key("x", one) for one in texts}) == len(texts)
    assert content_key("x", [], ["a"]) != content_key("x", ["a"], [])
    assert content_key("x", ["a"], []) != content_key("x", ["a"])
