"""The command that searches training settings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kit.cli.app import Json, Trust, app


@app.command()
def sweep(
    backbone: Annotated[
        str, typer.Argument(help="As for kit train; or a sweep's folder alone, to show what it found.")
    ],
    data: Annotated[list[Path] | None, typer.Option("--data", help="Training files.")] = None,
    run: Annotated[
        Path | None, typer.Option("--run", help="The sweep's folder, for example runs/sweep-1.")
    ] = None,
    ranges: Annotated[
        list[str] | None,
        typer.Option("--range", help="NAME=LOW:HIGH, NAME=LOW:HIGH:log or NAME=A,B,C; again for each."),
    ] = None,
    fixed: Annotated[
        list[str] | None,
        typer.Option("--set", help="NAME=VALUE, a setting of kit train for all trials; again for each."),
    ] = None,
    trials: Annotated[int, typer.Option(help="In all, earlier commands' included.")] = 20,
    valid: Annotated[
        Path | None, typer.Option(help="Held-out file; default: the same tenth of the data for all trials.")
    ] = None,
    hours: Annotated[
        float | None, typer.Option(help="Stop after so many, with a checkpoint.", show_default="none")
    ] = None,
    keep: Annotated[int, typer.Option(help="So many of the best trials keep their weights.")] = 1,
    prune_after: Annotated[
        int, typer.Option(help="Trials that run to their end before any is stopped early.")
    ] = 4,
    storage: Annotated[
        str | None,
        typer.Option(
            envvar="KIT_SWEEP_STORAGE",
            help="URL of a database that several machines share.",
            show_default="RUN/sweep.db",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the search; --set seed=7 is that of the trainings.")] = 42,
    against: Annotated[
        Path | None, typer.Option(help="Test file to check for leaks; default: test.json beside the data.")
    ] = None,
    allow_leak: Annotated[bool, typer.Option(help="Train on data that occur in the test file.")] = False,
    trust_remote_code: Trust = False,
    as_json: Json = False,
) -> None:
    """Search ranges of training settings: a run a trial, those that lag behind are stopped early.

    The same command goes on where it was interrupted, and may be given in several shells at a time.

    Example: kit sweep klue-bert --data data/goorm-2/train.json --run runs/sweep-1 --range lr=1e-5:1e-4:log
    """  # fmt: skip
    from kit.views import sweeps

    sweeps.run(
        backbone, data or [], run, ranges=ranges or [], fixed=fixed or [], trials=trials, storage=storage,
        valid=valid, hours=hours, keep=keep, prune_after=prune_after, seed=seed, against=against,
        allow_leak=allow_leak, trust_remote_code=trust_remote_code, as_json=as_json,
    )  # fmt: skip
