"""``kit.check`` and ``kit.check_files``: reports, repairs and leaks without a shell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import kit
from kit.errors import ConfigError, DataError

CONTEXT = "바람마을 축제는 10월 9일 시작한다."


def row(guid: str, start: int = 9, text: str = "10월 9일") -> dict[str, Any]:
    answers = [{"text": text, "answer_start": start}]
    return {"guid": guid, "context": CONTEXT, "question": "축제는 언제인가?", "answers": answers}


def written(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    return path


def test_a_repair_writes_a_copy_that_loads(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", row("a"), row("b", start=3))
    assert kit.check(path).repaired is None
    report = kit.check(path, repair=tmp_path / "out.json")
    assert len(report.faults) == 1
    assert report.repaired is not None
    assert [change.start for change in report.repaired.moved] == [9]
    assert kit.check(tmp_path / "out.json").clean
    with pytest.raises(ConfigError, match=r"--strict: says what a repair leaves out; give --repair"):
        kit.check(path, strict=True)


def test_a_repair_that_fails_is_raised(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", row("a", text="없는 말"))
    with pytest.raises(DataError, match="no sound question would be left of 1"):
        kit.check(path, repair=tmp_path / "out.json")
    with pytest.raises(DataError, match="there is no such file"):
        kit.check(tmp_path / "none.json")


def test_several_files_are_reported_whatever_fails(tmp_path: Path) -> None:
    clean = written(tmp_path / "clean.json", row("a"))
    faulty = written(tmp_path / "faulty.json", row("b", start=3))
    found = kit.check_files([clean, faulty, tmp_path / "none.json"], against=clean)
    assert [report.path for report in found.files] == [clean, faulty]
    assert found.compared
    assert found.leaks is not None
    assert found.leaks.leaking
    assert [type(failure) for failure in found.failures] == [DataError]
    assert "none.json: there is no such file" in str(found.refusal())
    assert "1 fault in" in str(kit.check_files([clean, faulty]).refusal())
    alone = kit.check_files([clean])
    assert (alone.refusal(), alone.leaks, alone.repair) == (None, None, None)
    assert list(alone.as_dict()) == ["files", "leaks", "repair"]
