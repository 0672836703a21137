"""``kit doctor``."""

from __future__ import annotations

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
    facts = dict(kit.doctor().facts)
    if as_json:
        print_json(facts)
    else:
        terminal.facts("kit doctor", list(facts.items()))


def _models(references: list[str], trust_remote_code: bool, as_json: bool) -> None:
    """Print the usable models; raises ModelError for the others afterwards."""
    found = kit.models(*references, trust_remote_code=trust_remote_code)
    if as_json:
        print_json(found.as_dict())
    else:
        for name, findings in found.described.items():
            rows = [(one.name, one.value, one.source) for one in findings]
            terminal.table(name, ("", "what", "found in"), rows, words=("what", "found in"))
    if found.refused:
        raise ModelError("; ".join(found.refused.values()))
