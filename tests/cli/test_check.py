"""``kit check``: the report is shown whatever fails after it, and every cure it names works."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kit.cli.check import check
from kit.cli.score import score
from kit.data.readers import load
from kit.errors import DataError, KitError

CONTEXT = "바람마을 축제는 10월 9일 시작한다."


def row(guid: str, text: str = "10월 9일", start: object = 9, context: object = CONTEXT) -> dict[str, Any]:
    answers = [{"text": text, "answer_start": start}]
    return {"guid": guid, "context": context, "question": "축제는 언제인가?", "answers": answers}


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    return path


def failure(files: list[Path], against: Path | None = None, repair: Path | None = None) -> str:
    with pytest.raises(KitError) as caught:
        check(files, against, repair)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_one_fault_is_singular_and_its_cure_works(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", [row("a"), row("b", start=3)])
    out = tmp_path / "a-repaired.json"
    cure = f"kit check {path} --repair {out}"
    assert failure([path]) == f"1 fault in {path}; `{cure}` writes a sound copy"
    check([path], None, out)
    assert len(load(out)) == 2
    written(path, [row("a", start=1), row("b", start=3)])
    assert failure([path]).startswith(f"2 faults in {path}; ")


def test_of_several_files_each_cure_is_one_that_works(tmp_path: Path) -> None:
    """--repair takes one file at a time."""
    sound = written(tmp_path / "sound.json", [row("a")])
    mendable = written(tmp_path / "mendable.json", [row("b", start=3)])
    hopeless = written(tmp_path / "hopeless.json", [row("c", text="없는 말")])
    assert failure([sound, mendable, hopeless]) == (
        f"2 faults in {mendable}, {hopeless}; `kit check {mendable} --repair "
        f"{tmp_path / 'mendable-repaired.json'}` writes a sound copy; "
        f"{hopeless}: no question would be left by --repair; get another copy"
    )


def test_no_repair_is_promised_that_would_be_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", [row("a", text="없는 말")])
    assert "no question would be left by --repair; get another copy" in failure([path])
    with pytest.raises(DataError, match="no question could be mended, get another copy"):
        load(path)
    written(path, [row("a", text="없는 말"), row("b")])
    with pytest.raises(DataError, match=r"; run: kit check .*/a\.json --repair .*/a-repaired\.json$"):
        load(path)
    check([path], None, tmp_path / "out.json")


def test_a_failing_repair_still_shows_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path / "a.json", [row("a", text="없는 말")])
    message = failure([path], repair=tmp_path / "out.json")
    assert "no sound question would be left of 1" in message
    shown = capsys.readouterr()
    assert "questions         1" in shown.out
    assert "faults            1" in shown.out
    assert 'does not begin "없는 말"' in shown.err
    assert "itself" in failure([path], repair=path) or "to be repaired" in failure([path], repair=path)
    assert "faults            1" in capsys.readouterr().out


def test_a_failing_comparison_still_shows_the_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path / "a.json", [row("a")])
    assert "there is no such file" in failure([path], against=tmp_path / "none.json")
    assert "faults            none" in capsys.readouterr().out


def test_a_file_that_cannot_be_read_does_not_hide_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path / "a.json", [row("a")])
    message = failure([tmp_path / "none.json", path, tmp_path / "gone.json"])
    assert "none.json: there is no such file" in message
    assert "gone.json: there is no such file" in message
    assert "faults            none" in capsys.readouterr().out


def test_json_is_complete_although_the_repair_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path / "a.json", [row("a", text="없는 말")])
    with pytest.raises(DataError):
        check([path], None, tmp_path / "out.json", as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert found["repair"] is None
    assert len(found["files"][0]["faults"]) == 1


def test_changes_are_counted_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path / "a.json", [row("a", start=3)])
    check([path], None, tmp_path / "out.json")
    assert f"{tmp_path / 'out.json'}: 1 question written, 1 change" in capsys.readouterr().err


@pytest.mark.parametrize(
    "answers",
    [
        [{"text": "", "answer_start": -1}],
        [{"text": "", "answer_start": "-1"}],
        [{"text": "", "answer_start": None}],
        [{"text": ""}],
        [{"text": "", "answer_start": -1}, {"text": "", "answer_start": -1}],
        {"text": "", "answer_start": -1},
        {"text": [""], "answer_start": [-1]},
    ],
)
def test_an_empty_answer_nowhere_is_an_unanswerable_question(tmp_path: Path, answers: object) -> None:
    path = written(tmp_path / "a.json", [row("a"), row("b") | {"answers": answers}])
    first, second = load(path)
    assert len(first.answers or ()) == 1
    assert second.answers == ()
    assert second.golds == ("",)


@pytest.mark.parametrize(
    "answers",
    [
        [{"text": "", "answer_start": 0}],
        [{"text": "", "answer_start": -1}, {"text": "10월 9일", "answer_start": 9}],
        [{"text": "10월 9일", "answer_start": -1}],
    ],
)
def test_other_empty_or_negative_answers_stay_faults(tmp_path: Path, answers: object) -> None:
    path = written(tmp_path / "a.json", [row("a") | {"answers": answers}, row("b")])
    with pytest.raises(DataError):
        load(path)


def test_answers_that_are_all_empty_are_remarked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = [row("a") | {"answers": []}, row("b") | {"answers": [{"text": "", "answer_start": -1}]}]
    path = written(tmp_path / "a.json", empty)
    check([path])
    assert "no question has an answer, all are unanswerable: 2" in capsys.readouterr().out
    csv = tmp_path / "a.csv"
    csv.write_text("Id,Predicted\na,\nb,하늘\n", encoding="utf-8")
    score(csv, path)
    said = capsys.readouterr().err
    assert f"{path}: all its answers are empty, so only blanks are right" in said
    written(path, [row("a"), row("b")])
    score(csv, path)
    assert "empty" not in capsys.readouterr().err


def test_lengths_have_their_unit_and_characters_their_meaning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = row("a"), row("b")
    two["context"] += " \u200e끝\u200e"
    check([written(tmp_path / "a.json", [one, two])], None, None)
    shown = capsys.readouterr().out
    lines = {line.split("  ")[0]: " ".join(line.split()) for line in shown.splitlines()}
    length = len(one["answers"][0]["text"])
    assert lines["answer length"].startswith(
        f"answer length mean {length}.0 characters; 50 % up to {length}, 75 % up to {length}"
    )
    assert lines["answer length"].endswith(f"longest {length}")
    assert (
        lines["character"] == "character U+200E, an invisible left-to-right mark: 2 times, seen in question b"
    )
