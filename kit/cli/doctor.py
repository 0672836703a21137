"""``kit doctor``."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

import kit
from kit import terminal
from kit.cli.app import Json, Trust
from kit.cli.tables import print_json
from kit.errors import ModelError


def doctor(
    models: Annotated[
        list[str] | None,
        typer.Argument(metavar="[MODEL]...", help="Presets, hub ids or folders to look at instead."),
    ] = None,
    trust_remote_code: Trust = False,
    as_json: Json = False,
) -> None:
    """Print versions, the device and number format that training would use, and free disk.

    With models: what each is, what it can take and needs, and how that was found out, without any data.

    Example: kit doctor klue-bert
    """
    if models:
        _models(models, trust_remote_code, as_json)
        return
    found = kit.doctor()
    if as_json:
        print_json(dict(found.facts))
    else:
        terminal.show(found.tables())


def _models(references: list[str], trust_remote_code: bool, as_json: bool) -> None:
    """Print the usable models; raises ModelError for the others afterwards."""
    found = kit.models(*references, trust_remote_code=trust_remote_code)
    if as_json:
        print_json(found.as_dict())
    else:
        terminal.show(replace(found, refused={}).tables())  # their reasons are the error below
    if found.refused:
        raise ModelError("; ".join(found.refused.values()))
