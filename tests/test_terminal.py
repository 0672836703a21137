"""One look: columns line up by display width, words wrap, figures stay whole, nothing shown is obeyed."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from kit import terminal
from kit.cli.tables import print_json
from kit.data import demo_corpus
from tests.examples import examples
from tests.screens import in_pipe, obeyed, on_terminal, without_colours

COLUMNS = ("answers", "Edit Score (characters)", "95 % interval", "message")
ROWS = [
    ("submissions/가나다라마바사.csv", "1.942", "1.574 to 2.299", "klue-bert, 다섯 폴드, 튜닝한 것"),
    ("a", "12.633", "11.616 to 13.559", "first"),
    ("문서 두 개", "0.000", "none: all questions form one group", ""),
]


class Screen(io.StringIO):
    """A terminal as far as a stream can be one."""

    def isatty(self) -> bool:
        return True


def shown(
    monkeypatch: pytest.MonkeyPatch, columns: int | None, rows: Sequence[Sequence[str]] = ROWS
) -> list[str]:
    """The table's lines below its title; *columns* wide, None: in a pipe."""
    stream = io.StringIO() if columns is None else Screen()
    monkeypatch.setenv("NO_COLOR", "1")
    if columns is not None:
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setenv("LINES", "40")
    monkeypatch.setattr(sys, "stdout", stream)
    terminal.table("title", COLUMNS, rows, words=("message",))
    monkeypatch.undo()
    lines = stream.getvalue().split("\n")
    assert lines[0] == "title"
    assert not obeyed(stream.getvalue())
    return lines[1:]


def edge(line: str, text: str) -> int:
    """The terminal column in which *text* ends."""
    return cell_len(line[: line.index(text) + len(text)])


def test_columns_line_up_by_display_width(monkeypatch: pytest.MonkeyPatch) -> None:
    head, *lines = shown(monkeypatch, None)
    assert [edge(head, COLUMNS[1])] * 3 == [
        edge(line, row[1]) for line, row in zip(lines, ROWS, strict=False)
    ]
    assert [edge(head, COLUMNS[2])] * 3 == [
        edge(line, row[2]) for line, row in zip(lines, ROWS, strict=False)
    ]
    begins = [cell_len(line[: line.index(word)]) for line, word in ((head, "message"), (lines[0], "klue"))]
    assert begins[0] == begins[1]


@pytest.mark.parametrize("columns", [120, 100, 80, 64])
def test_words_are_wrapped_and_figures_are_not(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    lines = shown(monkeypatch, columns)
    assert max(map(cell_len, lines)) <= columns
    text = "\n".join(lines)
    for row in ROWS:
        assert row[1] in text
        assert set(row[2].split()) <= set(text.split())
    ends = {edge(line, figure) for line in lines for _, figure, *_ in ROWS if f" {figure}" in line}
    assert len(ends) == 1
    squeezed = "".join(text.split())
    for name in "가나다라마바사":
        assert name in squeezed


def test_where_figures_do_not_fit_each_row_becomes_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown(monkeypatch, 36)
    values = [line for line in lines if line.startswith("Edit Score (characters)")]
    assert [line.split()[-1] for line in values] == ["1.942", "12.633", "0.000"]
    assert {"11.616", "13.559"} <= set(" ".join(lines).split())
    names = [line for line in lines if line.startswith("95 % interval")]
    assert len({line.index(row[2][:4]) for line, row in zip(names, ROWS, strict=True)}) == 1


@examples(60)
@given(
    st.lists(
        st.tuples(
            st.text(st.sampled_from("가나 힣漢a字-./\u202e\x1b\t\n"), max_size=30),
            st.floats(0, 99999).map("{:.3f}".format),
            st.tuples(st.floats(0, 99), st.floats(0, 99)).map(lambda two: f"{two[0]:.3f} to {two[1]:.3f}"),
            st.text(max_size=60),
        ),
        min_size=1,
        max_size=5,
    ),
    st.one_of(st.none(), st.integers(30, 160)),
)
def test_no_text_breaks_a_table(rows: list[tuple[str, str, str, str]], columns: int | None) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        lines = shown(monkeypatch, columns, rows)
    text = "\n".join(lines)
    figures = text.split()
    for row in rows:
        assert row[1] in figures
        assert set(row[2].split()) <= set(figures)
    if columns is not None:
        assert max(map(cell_len, lines)) <= columns


@pytest.mark.parametrize("shown_as_code", ["\x1b", "\u2028", "\u2e5e", "\U000e0001", "\ue000"])
def test_characters_shown_by_their_numbers_widen_no_line(
    monkeypatch: pytest.MonkeyPatch, shown_as_code: str
) -> None:
    lines = shown(monkeypatch, 30, [("", "0.000", "0.000 to 0.000", "000 " + shown_as_code * 9)])
    assert max(map(cell_len, lines)) <= 30
    at = [line.strip() for line in lines].index("message")
    assert "".join(line.strip() for line in lines[at + 1 :]) == "000" + f"\\u{{{ord(shown_as_code):x}}}" * 9


def test_long_values_are_wrapped_beside_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Screen()
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr(sys, "stdout", stream)
    terminal.facts("제목", [("이름", "가" * 40), ("question", "짧음")])
    lines = stream.getvalue().splitlines()
    assert all(cell_len(line) <= 40 for line in lines)
    assert "".join(lines).count("가") == 40
    assert [line.index("가") for line in lines[1:4]] == [8, 10, 10]  # in characters: 이름 takes four columns
    assert {cell_len(line[: line.index("가")]) for line in lines[1:4]} == {10}


@pytest.mark.parametrize(
    ("variables", "tty", "coloured"),
    [
        ({}, True, True),
        ({"NO_COLOR": "1"}, True, False),
        ({"TERM": "dumb"}, True, False),
        ({}, False, False),
        ({"FORCE_COLOR": "1"}, False, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
    ],
)
def test_colour_only_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], tty: bool, coloured: bool
) -> None:
    stream = Screen() if tty else io.StringIO()
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdout", stream)
    terminal.table("title", COLUMNS, ROWS)
    terminal.facts("title", [("name", "value")])
    assert ("\x1b" in stream.getvalue()) == coloured
    assert not obeyed(without_colours(stream.getvalue()))


HOSTILE = "가\x1b]0;x\x07\x9b2J\u202e나\r\udcff\x00\x7f\u2028"


@pytest.mark.parametrize(
    ("text", "most", "expected"),
    [
        ("short", 5, "short"),
        ("longer", 5, "long…"),
        ("서울에서", 8, "서울에서"),
        ("서울에서", 7, "서울에…"),
        ("서울에서", 6, "서울 …"),
        ("a\nb\x1b[31m", 20, "a⏎b\\u{1b}[31m"),
    ],
)
def test_a_text_is_shortened_by_display_width(text: str, most: int, expected: str) -> None:
    assert terminal.shortened(text, most) == expected


def test_what_would_be_obeyed_is_shown() -> None:
    assert terminal.visible("한글, “따옴표” … ①漢字") == "한글, “따옴표” … ①漢字"
    assert not obeyed(terminal.visible(HOSTILE))
    assert terminal.visible("a\u202eb\x1b\n") == "a\\u{202e}b\\u{1b}⏎"


def test_everything_else_that_a_process_prints_is_shown_too() -> None:
    behind = io.StringIO()
    stream = terminal.EscapedStream(behind)
    print(HOSTILE, "next\nline", file=stream)
    assert not obeyed(behind.getvalue())
    assert behind.getvalue().endswith(" next\nline\n")


def test_json_escapes_what_a_terminal_would_obey_and_reads_back_the_same(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_json({HOSTILE: [HOSTILE, "한글"]})
    told = capsys.readouterr().out
    assert not obeyed(told)
    assert "한글" in told
    assert json.loads(told) == {HOSTILE: [HOSTILE, "한글"]}


HINT = "run: kit predict 'runs/two words' --data 'my data/test.json'"


@pytest.mark.parametrize("columns", [60, 80, 120, None])
@pytest.mark.parametrize("printed", [terminal.say, terminal.error])
def test_messages_wrap_at_words_and_commands_do_not(
    monkeypatch: pytest.MonkeyPatch, columns: int | None, printed: Callable[[str], None]
) -> None:
    stream = io.StringIO() if columns is None else Screen()
    monkeypatch.setenv("NO_COLOR", "1")
    if columns is not None:
        monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr(sys, "stderr", stream)
    prose = "runs/two words: no span scores for my data/test.json, 한국어 문장도 어절에서 줄이 바뀝니다; "
    printed(f"{prose}{HINT}")
    printed("short")
    *lines, last = stream.getvalue().removeprefix("error: ").splitlines()
    assert last.endswith("short")
    text = " ".join(line.strip() for line in lines)
    assert text == f"{prose}{HINT}"
    if columns is None:
        assert lines == [f"{prose}{HINT}"]
    else:
        assert lines[-1].endswith(HINT)
        assert all(cell_len(line) <= columns for line in lines[:-1])
    if columns in (60, 80):
        assert lines[-1] == HINT
        assert set(prose.split()) == set(" ".join(lines[:-1]).split())


def test_what_a_command_works_on_is_shown_on_a_terminal_alone(tmp_path: Path) -> None:
    files = demo_corpus.write(tmp_path, train_contexts=6, test_contexts=2)
    code, said = on_terminal(["check", files.train], tmp_path, columns=200, NO_COLOR="1")
    assert code == 0
    assert f"checking {files.train}" in said
    assert "0:00:00" in said
    code, piped = in_pipe(["check", files.train], tmp_path)
    assert code == 0
    assert "checking" not in piped
