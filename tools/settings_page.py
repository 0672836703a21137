"""A hook of `make docs`: docs/settings.md gets its tables from the declarations of the options.

`python -m tools.settings_page` prints the tables.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from kit.cli.options import default_text
from kit.settings.job import TrainKeywords
from kit.settings.option import GROUPS, Option, choices_of, flag_of, options_of
from kit.settings.sweep_options import SweepOptions
from kit.settings.training import SETTINGS
from tools.benchmarks.results import ROW, table

PLACES: dict[str, type[BaseModel]] = {
    "<!-- options of kit train -->": TrainKeywords,
    "<!-- options of kit sweep -->": SweepOptions,
}
"""Lines of the page that the tables replace."""
_COLUMNS = ("option", "default", "values", "what it does")
_SIGNS = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}


def on_page_markdown(markdown: str, *, page: Any, config: Any, files: Any) -> str:
    """The page's Markdown with its tables; called by MkDocs."""
    return with_tables(markdown) if page.file.src_uri == "settings.md" else markdown


def with_tables(markdown: str) -> str:
    """*markdown* with the tables in the places of `PLACES`."""
    for place, model in PLACES.items():
        markdown = markdown.replace(place, tables(model))
    return markdown


def tables(model: type[BaseModel]) -> str:
    """The options of *model* as Markdown; those of training in a table for each group."""
    declared = options_of(model)
    if model is SweepOptions:
        rows = [_row(name, model.model_fields[name], known) for name, known in declared.items()]
        return table(_COLUMNS, rows)
    parts = []
    for group in GROUPS:
        rows = [
            (*_row(name, model.model_fields[name], known), *_marks(name, known))
            for name, known in declared.items()
            if known.group == group
        ]
        parts += [f"### {group}", table((*_COLUMNS, "searched", "resume", "Kaggle"), rows)]
    return "\n\n".join(parts)


def _row(name: str, field: FieldInfo, known: Option) -> ROW:
    default = "required" if field.is_required() else default_text(name, field, known)
    return f"`{flag_of(name, known)}`", default, _values(field), known.help


def _marks(name: str, known: Option) -> ROW:
    marks = name in SETTINGS and not known.not_searched, known.execution, known.kernel
    return tuple("yes" if mark else "" for mark in marks)


def _values(field: FieldInfo) -> str:
    """The values that an option takes: its choices or its bounds."""
    if choices := choices_of(field):
        return ", ".join(choices)
    bounds = [
        f"{sign} {getattr(rule, name)}"
        for rule in field.metadata
        for name, sign in _SIGNS.items()
        if getattr(rule, name, None) is not None
    ]
    return ", ".join(bounds)


if __name__ == "__main__":
    for model in PLACES.values():
        print(tables(model), end="\n\n")
