"""``kit predict``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import kit
from kit import terminal
from kit.cli.json_output import print_json


def run(folder: Path, data: Path, as_json: bool, **options: Any) -> None:
    """Write the span files and say where they are."""
    dataset = kit.load(data)
    written = kit.predict(folder, dataset, **options)
    if as_json:
        print_json({"run": str(folder), "data": str(data), "spans": [str(path) for path in written]})
        return
    rows = [
        (str(path), f"{len(dataset):,}", f"{path.stat().st_size / len(dataset) / 1000:.1f}")
        for path in written
    ]
    terminal.table("span scores", ("file", "questions", "kB a question"), rows)
