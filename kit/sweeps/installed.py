"""Whether the libraries of a sweep are here: asked before anything is trained."""

from __future__ import annotations

import importlib.util

from kit.errors import ConfigError

INSTALL = "pip install 'korean-mrc-kit[sweep]'"


def check_installed() -> None:
    """Raises ConfigError with the install command where Optuna or matplotlib is missing."""
    for module, name in (("optuna", "Optuna"), ("matplotlib", "matplotlib")):
        if importlib.util.find_spec(module) is None:
            raise ConfigError(f"kit sweep needs {name}, which is not installed; {INSTALL}")
