"""Results in Python and in a notebook: short reprs, aligned text, HTML that obeys no text of the data."""

from __future__ import annotations

from dataclasses import dataclass
from html.parser import HTMLParser

import pytest

from kit.display import (
    Brief,
    Displayed,
    Table,
    duration,
    escaped,
    html_of,
    quoted,
    shortened,
    text_of,
    visible,
)

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</td></table><b>",
    "a\x1b[31m\u202eb",
    "&lt;",
]


class Parsed(HTMLParser):
    """The tags and the text of HTML, as a browser reads them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert all(name in {"style"} for name, _ in attrs), attrs

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_text_becomes_html(hostile: str) -> None:
    table = Table(hostile, ("run", hostile), [(hostile, "1.500")])
    parsed = Parsed(html_of([table, Table(hostile, (), [(hostile, hostile)])]))
    assert set(parsed.tags) <= {"div", "table", "b", "thead", "tbody", "tr", "th", "td"}
    assert parsed.tags.count("table") == 2
    assert parsed.texts.count(visible(hostile)) == 6
    assert escaped(hostile).isprintable()
    assert not set('<>"') & set(escaped(hostile))


def test_text_is_aligned_by_columns_of_a_terminal() -> None:
    table = Table(
        "점수", ("run", "Edit Score", "model"), [("한국", "1.500", "full"), ("e5", "12.250", "0")], ("model",)
    )
    assert text_of(table).splitlines() == [
        "점수",
        "run   Edit Score  model",
        "한국       1.500  full",
        "e5        12.250  0",
    ]
    assert (
        text_of(Table("facts", (), [("kit", "0.2"), ("device", "CPU\n")]))
        == "facts\nkit     0.2\ndevice  CPU⏎"
    )
    assert text_of(Table("nothing", (), ())) == "nothing"


@dataclass(frozen=True, slots=True, repr=False)
class _Plain(Brief):
    name: str
    answers: dict[str, str]


@dataclass(frozen=True, slots=True, repr=False)
class _Shown(Displayed):
    rows: tuple[str, ...]

    @property
    def headline(self) -> str:
        return f"{len(self.rows)} rows\n"

    def tables(self) -> list[Table]:
        return [Table("rows", ("n", "row"), [(str(n), row) for n, row in enumerate(self.rows)])] * 2


def test_a_record_is_one_short_line() -> None:
    plain = repr(_Plain("a", {str(number): "x" * 500 for number in range(9999)}))
    assert plain.startswith("<_Plain: name='a', answers={")
    assert len(plain) < 260
    shown = _Shown(("<b>",))
    assert repr(shown) == "<_Shown: 1 rows⏎>"
    assert str(shown) == "rows\nn  row\n0  <b>\n\nrows\nn  row\n0  <b>"
    assert shown._repr_html_().count("&lt;b&gt;") == 2
    assert not hasattr(_Plain("a", {}), "_repr_html_")


def test_cells() -> None:
    assert [duration(seconds) for seconds in (40.4, 89, 90, 720, 11100)] == [
        "40 s",
        "89 s",
        "2 min",
        "12 min",
        "3 h 5 min",
    ]
    assert (quoted(""), quoted("가나다라", 3)) == ("(blank)", "“가나…”")
    assert (shortened("가나다라", 8), shortened("가나다라", 7), shortened("a\nb", 5)) == (
        "가나다라",
        "가나다…",
        "a⏎b",
    )
