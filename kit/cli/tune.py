"""``kit tune``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import kit
from kit import terminal
from kit.cli.app import Json
from kit.cli.tables import EDIT, INTERVAL, difference, edit, print_json, share

_FEATURES = 10


def tune(
    recipe: Annotated[Path, typer.Argument(help="A recipe whose members were trained with --folds.")],
    out: Annotated[Path | None, typer.Option(help="The tuned recipe [tuned/NAME.yaml beside it].")] = None,
    data: Annotated[
        Path | None, typer.Option(help="The members' training file [found below this folder by its hash].")
    ] = None,
    all_rows: Annotated[
        bool, typer.Option("--all", help="Show every row, also those without evidence of a difference.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Fit temperatures, weights, prior and rules out of fold; show what each part gains.

    Example: kit tune ensembles/five-backbones.yaml
    """
    made = kit.tune(recipe, data, out=out, say=terminal.say)
    rows = made.tuned.rows
    if as_json:
        print_json(
            {
                "recipe": str(made.path),
                "method": made.tuned.method,
                "verdict": made.tuned.verdict,
                "estimate": {"kind": "nested", "edit": float(made.tuned.distances.mean())},
                "calibration": [
                    {"questions": row.questions, "expected": row.expected, "actual": row.actual}
                    for row in made.tuned.deciles
                ],
                "importances": dict(made.tuned.importances),
                "rows": [
                    {
                        "label": row.label,
                        "edit": row.edit,
                        "interval": row.interval.as_dict(),
                        "exact": row.exact,
                        "versus_given": None if row.versus is None else row.versus.as_dict(),
                        "evidence": row.evidence,
                    }
                    for row in rows
                ],
            }
        )
        return
    terminal.line(f"{recipe.name} on {made.data}: {made.tuned.verdict}")
    shown = [
        row
        for row in rows
        if all_rows or row.evidence or row.versus is None or row.label == made.tuned.method
    ]
    table = [
        (
            row.label,
            edit(row.edit),
            str(row.interval),
            share(row.exact),
            "" if row.versus is None else f"{difference(row.versus.mean)} (95 %: {row.versus.interval})",
            "" if row.versus is None else _verdict(row.versus.mean, row.evidence),
        )
        for row in shown
    ]
    columns = (
        "nested, out of fold",
        EDIT,
        INTERVAL,
        "equal to gold",
        "against as given (characters)",
        "by Holm",
    )
    terminal.table(
        "ways that differ" if len(shown) < len(rows) else "all ways", columns, table, words=("by Holm",)
    )
    if len(shown) < len(rows):
        terminal.say(f"{len(rows) - len(shown)} more show no evidence of a difference; --all shows them")
    terminal.say(
        "nested: each question is answered by settings that were fitted without its fold; "
        "by Holm: evidence that holds for all rows together"
    )
    deciles = [
        (f"{number + 1}", f"{row.questions:,}", edit(row.expected), edit(row.actual))
        for number, row in enumerate(made.tuned.deciles)
    ]
    heads = ("decile", "questions", "expected (characters)", "actual (characters)")
    terminal.table("calibration: the distance that the blend itself expects, by decile", heads, deciles)
    if made.tuned.importances:
        best = list(made.tuned.importances.items())[:_FEATURES]
        gains = [(name, share(gain)) for name, gain in best]
        terminal.table("the second stage's features", ("feature", "share of the gain"), gains)
    terminal.say(
        f"{made.path}: the tuned recipe, fitted on all folds; `{made.tuned.method}` above is its estimate"
    )


def _verdict(mean: float, evidence: bool) -> str:
    if not evidence:
        return "no evidence"
    return "better" if mean < 0 else "worse"
