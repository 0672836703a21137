"""``kit runs`` and ``kit doctor``."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
from pathlib import Path

from kit import terminal
from kit.competition.kaggle.credentials import find_credentials
from kit.config.runs import read_run
from kit.errors import ConfigError, NotAuthenticatedError, counted
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
    "kaggle",
)


def runs(folder: Path, as_json: bool) -> None:
    """Every run below *folder*: backbone, data, held-out score of each model."""
    if not folder.is_dir():
        raise ConfigError(f"{folder}: no such folder; kit train --run {folder}/NAME makes the first run")
    found = {}
    for path in sorted(folder.iterdir()):
        if path.is_dir() and (record := read_run(path)) is not None:
            found[path.name] = record
    if as_json:
        print_json({name: record.model_dump(mode="json") for name, record in found.items()})
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
    columns = ("run", "backbone", "model", EDIT, "equal to gold", "questions held out", "time")
    terminal.table(f"{counted(len(found), 'run')} in {folder}", columns, rows, words=("backbone", "model"))


def doctor(as_json: bool) -> None:
    """What this machine would do, and with what."""
    from kit.models.devices import choose_device

    device = choose_device()
    facts = {
        "kit": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        **{name: _installed(name) for name in _LIBRARIES},
        "device": device.name,
        "number format": device.precision,
        "Kaggle": _credentials(),
        "free disk": f"{shutil.disk_usage('.').free / 1e9:.0f} GB",
    }
    if as_json:
        print_json(facts)
    else:
        terminal.facts("kit doctor", list(facts.items()))


def _credentials() -> str:
    try:
        return str(find_credentials())
    except NotAuthenticatedError as error:
        return str(error)


def _installed(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
