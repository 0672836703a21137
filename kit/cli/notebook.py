"""``kit notebook``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

import kit
from kit import terminal

if TYPE_CHECKING:
    from kit.notebooks.chapters import Host, Language

_NEXT = {
    "local": "open it with jupyter lab {path}",
    "colab": "upload it at https://colab.research.google.com and choose a GPU",
    "kaggle": "import it on kaggle.com (File, Import Notebook) and add the competition as input",
}


def notebook(
    out: Annotated[Path | None, typer.Option(help="The file [korean-mrc-HOST.ipynb].")] = None,
    host: Annotated[str, typer.Option("--for", help="Where it runs: colab, kaggle or local.")] = "local",
    language: Annotated[str, typer.Option(help="Language of the explanations: both, ko or en.")] = "both",
    install: Annotated[
        str | None, typer.Option(help="What pip installs there, as in git+URL [the kit inside the notebook].")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that differs.")] = False,
) -> None:
    """Write a Jupyter notebook that explains and runs every step, in Korean and English.

    Example: kit notebook --for colab
    """
    path = kit.notebook(
        out, host=cast("Host", host), language=cast("Language", language), install=install, force=force
    )
    terminal.say(f"{path} written; {_NEXT[host].format(path=path)}")
