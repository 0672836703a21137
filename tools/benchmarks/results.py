"""RESULTS.md: a section for each part, between markers, so that a part can be measured alone."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Sequence
from pathlib import Path

import kit

RESULTS = Path(__file__).parent / "RESULTS.md"
ROW = tuple[str, ...]


def table(columns: ROW, rows: Sequence[ROW]) -> str:
    """A table in Markdown."""
    lines = [columns, tuple("---" for _ in columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def machine() -> str:
    """Versions and machine of a measurement."""
    return (
        f"kit {kit.__version__}, Python {platform.python_version()}, {platform.machine()}, "
        f"{os.cpu_count()} cores"
    )


def write_section(name: str, text: str, path: Path = RESULTS) -> None:
    """Put *text* between the markers of *name*; a new section goes to the end."""
    content = path.read_text(encoding="utf-8") if path.exists() else "# Benchmarks\n"
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    section = f"{begin}\n{text.strip()}\n{end}"
    if begin in content:
        pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.S)
        content = pattern.sub(lambda _: section, content)
    else:
        content = f"{content.rstrip()}\n\n{section}\n"
    path.write_text(content, encoding="utf-8")
    print(f"{text.strip()}\n", flush=True)
