"""How results look to a person: a short repr, tables as plain text, and tables in a notebook.

Text from data is escaped in both: a terminal obeys none of it, and a notebook reads none of it as HTML.
"""

from __future__ import annotations

import dataclasses
import html
import reprlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size

_GAP = "  "
_LONGEST = 200
"""Characters of a repr."""
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 60
_SHORT.maxtuple = _SHORT.maxlist = _SHORT.maxdict = 3
_SHORT.maxlevel = 2


@dataclass(frozen=True, slots=True)
class Table:
    """A table of text.  Without *columns* its rows are names and values.

    The first column and those in *words* are aligned left, the others right.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: Sequence[str] = ()

    @property
    def left(self) -> tuple[bool, ...]:
        """Which columns are aligned left."""
        if not self.columns:
            return (True, True)
        return tuple(not number or column in self.words for number, column in enumerate(self.columns))


class Brief:
    """Gives a record a repr of one short line: ``<NAME: headline>``."""

    __slots__ = ()

    @property
    def headline(self) -> str:
        """What the repr says: the fields, shortened, where a class says nothing better."""
        names = [one.name for one in dataclasses.fields(self) if one.repr]  # type: ignore[arg-type]
        return ", ".join(f"{name}={_SHORT.repr(getattr(self, name))}" for name in names)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {shortened(self.headline, _LONGEST)}>"


class Displayed(Brief):
    """A result with tables: ``print`` writes them as text, a notebook shows them as HTML."""

    __slots__ = ()

    def tables(self) -> Sequence[Table]:
        """What a person wants to see of it."""
        raise NotImplementedError

    def __str__(self) -> str:
        return "\n\n".join(map(text_of, self.tables()))

    def _repr_html_(self) -> str:
        return html_of(self.tables())


def text_of(table: Table) -> str:
    """The table as plain text, columns aligned."""
    head = [table.columns] if table.columns else []
    rows = [[visible(cell) for cell in row] for row in (*head, *table.rows)]
    lines = [visible(table.title)] if table.title else []
    if rows:
        widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            cells = zip(row, widths, table.left, strict=True)
            lines.append(_GAP.join(_padded(*cell) for cell in cells).rstrip())
    return "\n".join(lines)


def _padded(cell: str, width: int, left: bool) -> str:
    return set_cell_size(cell, width) if left else " " * (width - cell_len(cell)) + cell


def html_of(tables: Iterable[Table]) -> str:
    """The tables as HTML that needs no style sheet."""
    return "".join(map(_html, tables))


def _html(table: Table) -> str:
    def row(tag: str, cells: Sequence[str]) -> str:
        written = (
            f'<{tag} style="text-align:{"left" if left else "right"}">{escaped(cell)}</{tag}>'
            for cell, left in zip(cells, table.left, strict=True)
        )
        return f"<tr>{''.join(written)}</tr>"

    head = f"<thead>{row('th', table.columns)}</thead>" if table.columns else ""
    body = "".join(row("td", cells) for cells in table.rows)
    return (
        # No caption: it would be as narrow as the table, which may be empty.
        f'<div><b>{escaped(table.title)}</b></div><div style="overflow-x:auto"><table>'
        f"{head}<tbody>{body}</tbody></table></div>"
    )


def escaped(text: str) -> str:
    """*text* as HTML, in an element or an attribute, with control characters made visible."""
    return html.escape(visible(text))


def visible(text: str) -> str:
    """*text* with control characters (terminal escapes, line ends, bidi overrides) made visible."""
    return "".join(c if c.isprintable() or c == " " else _shown(c) for c in text)


def _shown(character: str) -> str:
    return {"\n": "⏎", "\t": "⇥"}.get(character) or f"\\u{{{ord(character):x}}}"


def shortened(text: str, most: int) -> str:
    """*text* in at most *most* columns of a terminal (Hangul takes two), with … where it was cut."""
    shown = visible(text)
    return shown if cell_len(shown) <= most else set_cell_size(shown, most - 1) + "…"


def duration(seconds: float) -> str:
    """Seconds in readable form: 40 s, 12 min, 3 h 5 min."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


EDIT, INTERVAL = "Edit Score (characters)", "95 % interval"
"""Column names that most tables have."""
BLANK = "if all blank"


def edit(value: float | None) -> str:
    """An Edit Score, in characters; nothing where there is none."""
    return "" if value is None else f"{value:.3f}"


def share(value: float | None) -> str:
    """A share as per cent; nothing where there is none."""
    return "" if value is None else f"{value * 100:.1f} %"


def difference(value: float) -> str:
    """By how many characters one Edit Score is above another (+) or below it."""
    return f"{value:+.3f}"


def quoted(text: str, longest: int | None = None) -> str:
    """An answer in quotation marks, cut after *longest* characters."""
    short = text if longest is None or len(text) <= longest else f"{text[: longest - 1]}…"
    return f"“{short}”" if text else "(blank)"
