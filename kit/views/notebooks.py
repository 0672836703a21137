"""``kit notebook``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from kit import api, terminal

if TYPE_CHECKING:
    from kit.notebooks.chapters import Host, Language

_NEXT = {
    "local": "open it with jupyter lab {path}",
    "colab": "upload it at https://colab.research.google.com and choose a GPU",
    "kaggle": "import it on kaggle.com (File, Import Notebook) and add the competition as input",
}


def run(out: Path | None, host: str, language: str, install: str | None, force: bool) -> None:
    """Write the notebook and say what to do with it."""
    path = api.notebook(
        out, host=cast("Host", host), language=cast("Language", language), install=install, force=force
    )
    terminal.say(f"{path} written; {_NEXT[host].format(path=path)}")
