"""The .ipynb file made of the chapters: nbformat 4, the same bytes for the same kit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from kit.errors import WriteError
from kit.files import write_text
from kit.kaggle.kernels.wheel import build_wheel
from kit.notebooks.chapters import Host, Language, Part, chapters, code, prose

_PYTHON = {"display_name": "Python 3", "language": "python", "name": "python3"}
_METADATA: dict[Host, dict[str, Any]] = {
    "colab": {"accelerator": "GPU", "colab": {"gpuType": "T4", "provenance": []}},
    "kaggle": {
        "kaggle": {
            "accelerator": "nvidiaTeslaT4",
            "dataSources": [],
            "isGpuEnabled": True,
            "isInternetEnabled": True,
            "language": "python",
            "sourceType": "notebook",
        }
    },
    "local": {},
}
# A long encoded wheel: both hosts fold such a cell.
_FOLDED = {"cellView": "form", "jupyter": {"source_hidden": True}, "_kg_hide-input": True}


def write_notebook(path: Path, host: Host, language: Language, requirement: str | None, force: bool) -> None:
    """Write the notebook for *host* to *path*.

    Raises WriteError where *path* has other content, unless *force*: the user may have edited it.
    """
    text = notebook_text(host, language, requirement)
    if path.exists() and not force and path.read_bytes() != text.encode():
        raise WriteError(f"{path}: exists and differs; give another --out, or replace it with --force")
    write_text(path, text)


def notebook_text(host: Host, language: Language, requirement: str | None) -> str:
    """The notebook's JSON; on *host* it installs *requirement*, or the kit inside it if None."""
    import nbformat
    from nbformat import v4

    cells = [
        cell
        for name, parts in chapters().items()
        for cell in _cells(name, [part for part in parts if host in part.hosts], language, requirement)
    ]
    metadata = {"kernelspec": _PYTHON, "language_info": {"name": "python"}, **_METADATA[host]}
    made = v4.new_notebook(cells=cells, metadata=metadata)
    nbformat.validate(made)
    return f"{nbformat.writes(made)}\n"


def _cells(name: str, parts: list[Part], language: Language, requirement: str | None) -> Iterator[Any]:
    from nbformat import v4

    texts: dict[str, str] = {}
    for number, part in enumerate(_joined(parts), start=1):
        key = f"{name}-{number}"
        if part.kind == "code":
            yield v4.new_code_cell(code(part.text, language), id=key)
        elif part.kind == "kit":
            yield v4.new_code_cell(_the_kit(requirement), id=key, metadata={} if requirement else _FOLDED)
        else:
            texts[part.kind] = part.text
            if len(texts) == 2:
                yield v4.new_markdown_cell(prose(texts, language), id=key)
                texts = {}
    if texts:
        raise ValueError(f"chapter {name}: {', '.join(texts)} has no counterpart in the other language")


def _joined(parts: list[Part]) -> list[Part]:
    """The parts, with each ``and`` part joined to the code before it."""
    joined: list[Part] = []
    for part in parts:
        if part.kind == "and":
            joined[-1] = replace(joined[-1], text=f"{joined[-1].text}\n{part.text}")
        else:
            joined.append(part)
    return joined


def _the_kit(requirement: str | None) -> str:
    """The code of a function that returns what pip installs: *requirement*, or a wheel inside the cell."""
    if requirement is not None:
        return f"def the_kit():\n    return {requirement!r}"
    wheel = build_wheel()
    return (
        "# @title the kit itself, as a wheel: nothing to read here\n"
        "import base64\nimport bz2\n\n\n"
        "def the_kit():\n"
        f'    wheel = Path("{wheel.name}")\n'
        "    wheel.write_bytes(bz2.decompress(base64.b64decode(WHEEL)))\n"
        "    return str(wheel)\n\n\n"
        f'WHEEL = """\n{wheel.packed}\n"""'
    )
