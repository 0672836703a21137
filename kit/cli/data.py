"""Commands about data files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kit.cli.app import Json, app


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="Data files of any known format, zipped or not.")],
    against: Annotated[Path | None, typer.Option(help="A test file; reports what leaks into it.")] = None,
    repair: Annotated[
        Path | None, typer.Option(help="Write a copy that loads: answers moved or left out.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Report what data files hold and what is wrong with them. Exit code 1 if anything is.

    Example: kit check data/goorm-2/train.json --against data/goorm-2/test.json
    """
    from kit.views import checks

    checks.run(files, against, repair, as_json)
