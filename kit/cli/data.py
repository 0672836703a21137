"""Commands about data files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kit.cli.app import Json, app


@app.command()
def download(
    what: Annotated[str, typer.Argument(help="goorm-2, another cohort, korquad, or a competition's slug.")],
    to: Annotated[Path | None, typer.Option(help="The folder [data/NAME].", show_default=False)] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Download again, replacing what was changed since.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Download a competition's files, or KorQuAD 1.0, complete and checked. Again: verify them.

    Example: kit download goorm-2
    """
    from kit.views import downloads

    downloads.run(what, to, force, as_json)


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="Data files of any known format, zipped or not.")],
    against: Annotated[Path | None, typer.Option(help="A test file; reports what leaks into it.")] = None,
    repair: Annotated[
        Path | None, typer.Option(help="Write a copy that loads: answers moved or left out.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="With --repair: leave out answers whose place had to be chosen.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Report what data files hold and what is wrong with them. Exit code 1 if anything is.

    Example: kit check data/goorm-2/train.json --against data/goorm-2/test.json
    """
    from kit.views import checks

    checks.run(files, against, repair, as_json, strict=strict)
