"""``kit doctor`` as functions: what this machine would do, and what a model is."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kit.api.arguments import text_given
from kit.display import Displayed, Table
from kit.errors import KaggleError, ModelError, NotAuthenticatedError
from kit.kaggle.auth import find_credentials, home_folder
from kit.kaggle.import_client import kaggle_api_class
from kit.modeling.references import refuse_unknown
from kit.version import __version__

if TYPE_CHECKING:
    from kit.modeling.description import Finding

_LIBRARIES = ("torch", "transformers", "accelerate", "tokenizers", "numpy", "pandas", "python-Levenshtein")


@dataclass(frozen=True, slots=True, repr=False)
class Diagnosis(Displayed):
    """What is installed and found here, by name, in words."""

    facts: Mapping[str, str]

    @property
    def headline(self) -> str:
        facts = self.facts
        return (
            f"kit {facts['kit']}, Python {facts['python']}, {facts['device']} ({facts['number format']}), "
            f"{facts['free disk']} free"
        )

    def tables(self) -> list[Table]:
        return [Table("kit doctor", (), list(self.facts.items()))]


@dataclass(frozen=True, slots=True, repr=False)
class Models(Displayed):
    """What was found out about each model; ``refused`` has the reason for each that cannot be used."""

    described: Mapping[str, Sequence[Finding]]
    refused: Mapping[str, str]

    @property
    def headline(self) -> str:
        refused = f"; refused: {', '.join(self.refused)}" if self.refused else ""
        return f"{', '.join(self.described) or 'none'}{refused}"

    def tables(self) -> list[Table]:
        columns = ("", "what", "found in")
        found = [
            Table(name, columns, [(one.name, one.value, one.source) for one in findings], words=columns)
            for name, findings in self.described.items()
        ]
        return [*found, *([Table("refused", (), list(self.refused.items()))] if self.refused else [])]

    def as_dict(self) -> dict[str, object]:
        described = {
            name: {found.name: {"value": found.value, "source": found.source} for found in findings}
            for name, findings in self.described.items()
        }
        return {**described, **{name: {"error": reason} for name, reason in self.refused.items()}}


def doctor() -> Diagnosis:
    """Versions, the device and number format that training would use, Kaggle credentials, and free disk."""
    from kit.modeling.devices import choose_device

    device = choose_device()
    return Diagnosis(
        {
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
    )


def models(*references: str, trust_remote_code: bool = False) -> Models:
    """What each preset, hub id or folder is, what it can take and needs, and how that was found out.

    No data are read.  *trust_remote_code*: run the code of a hub model.
    """
    described, refused = {}, {}
    for reference in references:
        try:
            refuse_unknown(text_given(reference, "model"))
            from kit.modeling.description import describe  # only now: it imports torch

            described[reference] = describe(reference, trust_remote_code=trust_remote_code)
        except ModelError as error:
            refused[reference] = str(error)
    return Models(described, refused)


def _client() -> str:
    """Which official client there is, or why it cannot be imported."""
    try:
        kaggle_api_class()
    except KaggleError as error:
        return str(error)
    return _installed("kaggle")


def _credentials() -> str:
    try:
        found = find_credentials()
    except NotAuthenticatedError as error:
        return str(error)
    return "; ".join((str(found), *found.warnings))


def _home() -> str:
    """The folder of settings and caches, and what follows where it cannot be written."""
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
