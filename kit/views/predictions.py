"""``kit predict``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kit import terminal, verbs
from kit.views.output import print_json


def run(folder: Path, data: Path, as_json: bool, **options: Any) -> None:
    """Write the span files and say where they are."""
    from kit.spans.members import chosen_folds, open_run

    opened = open_run(folder)
    dataset = verbs.load(data)
    folds = chosen_folds(opened, options["fold"])
    from kit.models.prediction import predict_run

    with terminal.progress(f"predicting {opened.name}", len(dataset) * len(folds)) as advance:
        written = predict_run(opened, dataset, say=terminal.say, advance=advance, **options)
    if as_json:
        print_json({"run": str(folder), "data": str(data), "spans": [str(path) for path in written]})
        return
    rows = [
        (str(path), f"{len(dataset):,}", f"{path.stat().st_size / len(dataset) / 1000:.1f}")
        for path in written
    ]
    terminal.table("span scores", ("file", "questions", "kB a question"), rows)
