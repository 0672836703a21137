"""``kit runs`` and ``kit doctor``."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
from collections.abc import Sequence
from pathlib import Path

from kit import terminal
from kit.errors import ConfigError, KaggleError, ModelError, NotAuthenticatedError, counted
from kit.kaggle.auth import find_credentials, home_folder
from kit.settings.runs import read_run
from kit.version import __version__
from kit.views.output import EDIT, edit, print_json, share

_LIBRARIES = (
    "torch",
    "transformers",
    "accelerate",
    "tokenizers",
    "numpy",
    "pandas",
    "python-Levenshtein",
)


def runs(folder: Path, as_json: bool) -> None:
    """Every run below *folder*: backbone, data, held-out score of each model."""
    if not folder.is_dir():
        raise ConfigError(f"{folder}: no such folder; kit train --run {folder}/NAME makes the first run")
    found, unreadable = {}, {}
    for path in sorted(path for path in folder.iterdir() if path.is_dir()):
        try:
            if (record := read_run(path)) is not None:
                found[path.name] = record
        except ConfigError as error:  # the other runs are listed all the same
            unreadable[path.name] = str(error)
    if as_json:
        listed: dict[str, object] = {name: record.model_dump(mode="json") for name, record in found.items()}
        print_json(listed | {name: {"error": reason} for name, reason in unreadable.items()})
        return
    rows = []
    for name, record in found.items():
        for fold, result in record.folds.items() or ():
            rows.append(
                (
                    name,
                    record.backbone,
                    fold,
                    edit(result.metrics["edit"]) if "edit" in result.metrics else "",
                    share(result.metrics["exact"]) if "exact" in result.metrics else "",
                    f"{result.held_out:,}",
                    terminal.duration(result.seconds),
                )
            )
        if not record.folds:
            rows.append((name, record.backbone, "unfinished", "", "", "", ""))
    rows += [(name, "", "cannot be read", "", "", "", "") for name in unreadable]
    columns = ("run", "backbone", "model", EDIT, "equal to gold", "questions held out", "time")
    terminal.table(f"{counted(len(found), 'run')} in {folder}", columns, rows, words=("backbone", "model"))
    for reason in unreadable.values():
        terminal.say(reason)


def doctor(as_json: bool) -> None:
    """What this machine would do, and with what."""
    from kit.modeling.devices import choose_device

    device = choose_device()
    facts = {
        "kit": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        **{name: _installed(name) for name in _LIBRARIES},
        "kaggle": _client(),
        "device": device.name,
        "number format": device.precision,
        "Kaggle": _credentials(),
        "home folder": _home(),
        "free disk": f"{shutil.disk_usage('.').free / 1e9:.0f} GB",
    }
    if as_json:
        print_json(facts)
    else:
        terminal.facts("kit doctor", list(facts.items()))


def _client() -> str:
    """Which official client there is, or why it cannot be imported."""
    from kit.kaggle.import_client import kaggle_api_class

    try:
        kaggle_api_class()
    except KaggleError as error:
        return str(error)
    return _installed("kaggle")


def models(references: Sequence[str], trust_remote_code: bool, as_json: bool) -> None:
    """What each of *references* is and can take, and how it was found out.

    Raises ModelError, after all others are shown, where one of them cannot be used.
    """
    from kit.modeling.description import describe

    described, refused = {}, {}
    for reference in references:
        try:
            described[reference] = describe(reference, trust_remote_code=trust_remote_code)
        except ModelError as error:
            refused[reference] = str(error)
    if as_json:
        listed: dict[str, object] = {
            name: {found.name: {"value": found.value, "source": found.source} for found in findings}
            for name, findings in described.items()
        }
        print_json(listed | {name: {"error": reason} for name, reason in refused.items()})
    else:
        for name, findings in described.items():
            rows = [(found.name, found.value, found.source) for found in findings]
            terminal.table(name, ("", "what", "found in"), rows, words=("what", "found in"))
    if refused:
        raise ModelError("; ".join(refused.values()))


def _credentials() -> str:
    try:
        found = find_credentials()
    except NotAuthenticatedError as error:
        return str(error)
    return "; ".join((str(found), *found.warnings))


def _home() -> str:
    """Where settings and caches are looked for, and what an unwritable one means."""
    home = home_folder()
    if not home.is_absolute():
        return "none, HOME is not set: Kaggle credentials are read from variables only, and no cache is kept"
    if not os.access(home, os.W_OK | os.X_OK):
        return (
            f"{home} cannot be written: no cache is kept there; set KIT_CACHE and HF_HOME to folders that "
            "can, and Kaggle credentials as variables"
        )
    return str(home)


def _installed(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
