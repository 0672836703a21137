"""Files that are whole or not there, what killed processes leave, and locks that cannot be had."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

import pytest

from kit.errors import DataError, LockError, WriteError
from kit.files import (
    did_you_mean,
    fresh_beside,
    is_temporary,
    likely_path,
    locked,
    read_file,
    replacing,
    replacing_folder,
    sweep_beside,
    write_text,
)

posix = pytest.mark.skipif(os.name == "nt", reason="temporary files are not held there")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@posix
def test_what_a_killed_process_left_goes_with_the_next_write(tmp_path: Path) -> None:
    for name in (".a.csv.k1lled00.part", ".a.csv.k1lled01.part", ".b.csv.k1lled00.part", ".a.csv.notes"):
        (tmp_path / name).write_text("half")
    write_text(tmp_path / "a.csv", "whole")
    assert names(tmp_path) == [".a.csv.notes", ".b.csv.k1lled00.part", "a.csv"]
    assert (tmp_path / "a.csv").read_text() == "whole"


@posix
def test_what_a_living_process_writes_stays(tmp_path: Path) -> None:
    path = tmp_path / "a[1].csv"
    with replacing(path) as slow:
        slow.write_text("slow")
        write_text(path, "quick")
        assert slow.read_text() == "slow"
    assert names(tmp_path) == ["a[1].csv"]
    assert path.read_text() == "slow"


def test_a_failed_write_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    write_text(path, "earlier")

    def refuse(written: Path) -> None:
        raise ValueError(written.read_text())

    with pytest.raises(ValueError, match="later"), replacing(path, refuse) as temporary:
        temporary.write_text("later")
    with pytest.raises(WriteError, match=r"a\.csv: cannot be written \(No space left"), replacing(path):
        raise OSError(28, "No space left on device")
    assert names(tmp_path) == ["a.csv"]
    assert path.read_text() == "earlier"


def test_folders_that_killed_processes_left(tmp_path: Path) -> None:
    for name in ("run/.4711.part", ".data.k1lled00.part", ".other.k1lled00.part"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "model.safetensors").write_text("half")
    assert all(map(is_temporary, (tmp_path / "run").iterdir()))
    assert not is_temporary(tmp_path / "run")
    replacing_folder(tmp_path / "run", lambda folder: (folder / "model.safetensors").write_text("whole"))
    assert names(tmp_path / "run") == ["model.safetensors"]
    with fresh_beside(tmp_path / "data") as fresh:
        assert names(tmp_path) == sorted([".other.k1lled00.part", "run", fresh.name])
    (tmp_path / ".data.k1lled01.part").mkdir()
    sweep_beside(tmp_path / "data")
    assert names(tmp_path) == [".other.k1lled00.part", "run"]


def test_a_lock_that_is_held_and_one_that_cannot_be_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with locked(tmp_path / "run"):
        with pytest.raises(LockError, match="run: another process is at work on it"):
            locked(tmp_path / "run", wait=False).__enter__()
        with locked(tmp_path / "run", wait=False, purpose="other"):
            pass
    (tmp_path / "file").touch()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "file"))
    with pytest.raises(WriteError, match="run: cannot be locked, for lack of a temporary file"):
        locked(tmp_path / "run").__enter__()


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("data/goorm-2/trian.json", "data/goorm-2/train.json"),
        ("dta/goorm-2/train.json", "data/goorm-2/train.json"),
        ("data/goorm2/train.json", "data/goorm-2/train.json"),
        ("e5", "runs/e5"),
        ("train.json", "data/goorm-2/train.json"),
        ("runs/e5/", ""),
        ("zzz", ""),
        ("zzz/train.json", ""),
        ("data/goorm-2/none.json", ""),
        ("a\0b", ""),
        ("가" * 300, ""),
    ],
)
def test_a_misspelt_path_is_recognised(
    given: str, meant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for path in ("data/goorm-2/train.json", "runs/e5/run.json"):
        write_text(Path(path), "{}")
    assert likely_path(Path(given)) == meant
    assert did_you_mean(Path(given)) == (f"did you mean {meant}?" if meant else "")
    if given.endswith(".json"):
        cure = re.escape(f"did you mean {meant}?" if meant else "check the path")
        with pytest.raises(DataError, match=f"there is no such file; {cure}$"):
            read_file(Path(given), DataError)
    absolute = tmp_path / "data" / "goorm-2" / "trian.json"
    assert likely_path(absolute) == str(absolute.with_name("train.json"))
