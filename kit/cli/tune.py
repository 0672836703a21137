"""``kit tune``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

import kit
from kit import terminal
from kit.cli.app import Json
from kit.cli.tables import explain_scores, print_json
from kit.hints import next_step
from kit.settings.paths import own_test_file


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
                "calibration": [asdict(decile) for decile in made.tuned.deciles],
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
    scores, *others = made.tuned.tables(every_row=all_rows)
    terminal.show([scores])
    if hidden := len(rows) - len(scores.rows):
        terminal.say(f"{hidden} more rows show no evidence of a difference; --all shows them")
    terminal.say(
        "nested: each question is answered by settings that were fitted without its fold; "
        "Holm: chance that allows for the number of rows"
    )
    explain_scores(None)
    terminal.show(others)
    terminal.say(
        f"{made.path}: the tuned recipe, fitted on all folds; `{made.tuned.method}` above is its estimate"
    )
    if (test := own_test_file(made.data)) is not None:
        terminal.say(next_step("ensemble", made.path, data=test))
