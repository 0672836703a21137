"""The application and the options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kit.cli.lazy import PLAIN, LazyGroup
from kit.settings.paths import LEDGER
from kit.version import __version__

app = typer.Typer(
    name="kit",
    cls=LazyGroup,
    no_args_is_help=True,
    **PLAIN,
    help="Korean question answering scored by edit distance: from competition files to a submission.",
)

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON instead of a table.")]
Trust = Annotated[
    bool, typer.Option("--trust-remote-code", help="Run the code of a hub model. Read it first.")
]
Competition = Annotated[
    str | None, typer.Option(help="Slug, or a short name such as goorm-2 [the CSV's card's].")
]
To = Annotated[Path, typer.Option(help="The folder for downloaded files.")]
LedgerPath = Annotated[Path | None, typer.Option(help=f"The ledger [{LEDGER}].")]
Precision = Annotated[str, typer.Option(help="auto, fp32, bf16 or fp16.")]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"kit {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def several_after(arguments: list[str], command: str, *options: str, positional: bool = True) -> list[str]:
    """Let each of *options* of *command* take several values, as in ``--data a.json b.json``.

    The parser knows only the option given again for each.  With *positional*, only where that came first:
    otherwise it could not be told from one more value.
    """
    if arguments[:1] != [command] or not arguments[1:] or (positional and arguments[1].startswith("-")):
        return arguments
    expanded: list[str] = []
    inside = ""
    for argument in arguments:
        if argument.startswith("-"):
            inside = argument if argument in options else ""
        elif inside and expanded[-1] != inside:
            expanded.append(inside)
        expanded.append(argument)
    return expanded


def words_of(arguments: list[str]) -> list[str]:
    """The command line as the parser takes it: an option that was given several values, once for each."""
    words = several_after(arguments, "train", "--data", "--before")
    words = several_after(words, "sweep", "--data")
    return several_after(words, "runs", "--compare", positional=False)
