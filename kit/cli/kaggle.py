"""Commands that talk to Kaggle about submissions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kit.cli.app import Json, app

Competition = Annotated[str | None, typer.Option(help="Slug, or goorm-2 and the like [the CSV's card's].")]
To = Annotated[Path, typer.Option(help="The folder for what is downloaded.")]
LedgerPath = Annotated[Path | None, typer.Option(help="The ledger [submissions/ledger.jsonl].")]


@app.command()
def submit(
    message: Annotated[str, typer.Option(help="What is new about it; Kaggle shows it.")],
    csv: Annotated[
        Path | None, typer.Argument(help="A submission CSV, plain or as .csv.zip or .csv.gz.")
    ] = None,
    kernel: Annotated[
        str | None,
        typer.Option(
            metavar="NAME[/VERSION]",
            help="In a code competition: submit the output of this kernel [its latest version].",
        ),
    ] = None,
    file: Annotated[
        str | None, typer.Option(help="The file in the kernel's output [submission.csv].")
    ] = None,
    competition: Competition = None,
    data: Annotated[Path | None, typer.Option(help="Test file or sample [the card's].")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Everything but sending; works without credentials.")
    ] = False,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Do not wait for the score.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Send the same bytes once more.")] = False,
    ledger: LedgerPath = None,
    as_json: Json = False,
) -> None:
    """Check a CSV (or a kernel's output), submit it once, wait for its score and write it into the ledger.

    Example: kit submit submissions/klue-bert.csv --message "klue-bert, 5 folds"
    """
    from kit.views import kaggle

    kaggle.submit(
        csv, message, competition, data, dry_run, no_wait, again, ledger, as_json, kernel=kernel, file=file
    )


@app.command()
def leaderboard(
    refresh: Annotated[bool, typer.Option("--refresh", help="Ask Kaggle for scores and the board.")] = False,
    pick: Annotated[int, typer.Option(help="Propose so many final submissions.", min=0)] = 0,
    competition: Competition = None,
    ledger: LedgerPath = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the submissions as CSV.")] = False,
    download: Annotated[
        bool, typer.Option("--download", help="Only download the whole board, as a CSV.")
    ] = False,
    to: To = Path("submissions"),
    as_json: Json = False,
) -> None:
    """Show what was submitted: local estimate beside public and private score, and how well they agree.

    Places are on the public board for public scores, and on the private board for private scores.

    Example: kit leaderboard --refresh --pick 2
    """
    from kit.views import leaderboard as view

    if download:
        view.download(competition, to, ledger, as_json)
    else:
        view.leaderboard(refresh, pick, competition, ledger, as_csv, as_json)


@app.command()
def submissions(
    fetch: Annotated[
        int | None,
        typer.Option(metavar="REF", help="Bring this submission's CSV back, compare its hash."),
    ] = None,
    competition: Annotated[str | None, typer.Option(help="Slug, or goorm-2 [the last submission's].")] = None,
    ledger: LedgerPath = None,
    to: To = Path("submissions"),
    as_json: Json = False,
) -> None:
    """List all submissions that Kaggle has of this account, those made elsewhere too; or fetch one back.

    Example: kit submissions
    """
    from kit.views import leaderboard as view

    if fetch is None:
        view.submissions(competition, ledger, as_json)
    else:
        view.fetched(fetch, to, ledger, as_json)
