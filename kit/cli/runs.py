"""``kit runs``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import kit
from kit import terminal
from kit.cli.app import Json
from kit.cli.tables import explain_scores, print_json
from kit.settings.paths import RUNS


def runs(
    folder: Annotated[Path, typer.Argument(help="The folder of runs.")] = RUNS,
    compare: Annotated[
        list[Path] | None, typer.Option(metavar="RUN", help="Compare runs, by name or path: --compare A B C.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="With --compare: questions with answers [a file that all runs were trained on]."),
    ] = None,
    as_json: Json = False,
) -> None:
    """List the runs of a folder with their settings and held-out scores, or compare some of them.

    A comparison shows the settings that differ and paired scores on questions that no run has learned.

    Example: kit runs --compare e5 e5-seed1
    """
    if compare or data is not None:
        _compare(folder, compare or [], data, as_json)
        return
    found = kit.runs(folder)
    if as_json:
        print_json(found.as_dict())
        return
    terminal.show(found.tables())
    if any(record.folds for record in found.records.values()) or found.sweeps:
        explain_scores(None)
    decodings: dict[str, list[str]] = {}
    for name, record in found.records.items():
        for decoding in dict.fromkeys(result.decoding for result in record.folds.values()):
            decodings.setdefault(decoding, []).append(name)
    if len(decodings) > 1:
        terminal.say("these Edit Scores compare only among runs whose answers were decoded alike")
        for decoding, names in decodings.items():
            terminal.say(f"decoded by {decoding}: {', '.join(names)}")
    for reason in found.unreadable.values():
        terminal.say(reason)


def _compare(folder: Path, names: list[Path], data: Path | None, as_json: bool) -> None:
    found = kit.runs(folder, compare=names, data=data)
    if as_json:
        print_json(found.as_dict())
        return
    terminal.show(found.tables())
    scores = [score for score in found.scores if score is not None]
    explain_scores(scores[0].blank_edit if scores else None, [score.edit for score in scores])
    for name, reason in found.reasons.items():
        terminal.say(f"{name}: no score: {reason}")
    for remark in found.remarks:
        terminal.say(remark)
