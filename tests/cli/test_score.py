"""``kit score``: one CSV, and its paired difference to another."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import kit
from kit.cli.score import score
from kit.errors import SubmissionError

CONTEXT = "바람마을 축제는 10월 9일 시작한다."


@pytest.fixture
def answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Six questions on articles of their own, all answered by 10월 9일 (6 characters), and two CSVs."""
    monkeypatch.chdir(tmp_path)
    rows = [
        {
            "guid": f"q{number}", "context": f"{number}째 {CONTEXT}", "question": "언제?",
            "answers": [{"text": "10월 9일", "answer_start": f"{number}째 {CONTEXT}".index("10월")}],
        }
        for number in range(6)
    ]  # fmt: skip
    Path("answers.json").write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    write("right.csv", ["10월 9일"] * 6)
    write("half.csv", ["10월 9일"] * 3 + [""] * 3)
    return Path("answers.json")


def write(path: str, texts: list[str]) -> None:
    lines = "".join(f"q{number},{text}\n" for number, text in enumerate(texts))
    Path(path).write_text(f"Id,Predicted\n{lines}", encoding="utf-8")


def test_json_has_the_other_score_and_the_difference(
    answers: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    score(Path("right.csv"), answers, as_json=True)
    alone = json.loads(capsys.readouterr().out)
    assert (alone["label"], alone["edit"], alone["exact"]) == ("right.csv", 0.0, 1.0)
    score(Path("right.csv"), answers, versus=Path("half.csv"), as_json=True)
    found = json.loads(capsys.readouterr().out)
    other = found.pop("versus")
    assert found == alone
    assert (other["label"], other["edit"], other["difference"]["mean"]) == ("half.csv", 3.0, -3.0)


def test_the_difference_is_printed_in_words(answers: Path, capsys: pytest.CaptureFixture[str]) -> None:
    score(Path("half.csv"), answers, versus=Path("right.csv"))
    output = capsys.readouterr()
    rows = [line.split()[0] for line in output.out.splitlines() if ".csv" in line]
    assert "lower is better; all blank would score 6.000" in output.out.splitlines()[-1]
    assert rows == ["half.csv", "right.csv"]
    said = " ".join(output.err.split())
    assert "half.csv against right.csv: 3.000 higher (95 %: " in said or "chance explains" in said
    assert said.endswith("next: kit report half.csv --data answers.json --versus right.csv")


def test_the_function_compares_mappings_too(answers: Path) -> None:
    blank = {f"q{number}": "" for number in range(6)}
    found = kit.score("half.csv", answers, versus=blank)
    assert found.versus is not None
    assert (found.edit, found.versus.score.edit, found.versus.difference.mean) == (3.0, 6.0, -3.0)
    assert found.versus.score.label == "versus"
    assert kit.score("half.csv", answers).versus is None
    with pytest.raises(SubmissionError, match="versus: is a list of 6; a mapping guid → text is wanted"):
        kit.score("half.csv", answers, versus=list(blank))  # type: ignore[arg-type]
