"""Import the official client's class without the side effects of ``import kaggle``."""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import importlib.util
import io
import os
import sys
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

from kit.errors import KaggleError
from kit.kaggle.auth import CONFIG_FOLDER, config_folder

_PACKAGE = "kaggle"


def kaggle_api_class() -> type[Any]:
    """``KaggleApi`` of the official client.

    ``import kaggle`` authenticates: it prints to standard output, uses the network and may end the process.
    Therefore the inner module is imported under an empty package, which is removed afterwards, so that a
    later ``import kaggle`` of the user is the real one.  Raises KaggleError that names why the import failed.
    """
    name = f"{_PACKAGE}.api.kaggle_api_extended"
    if name not in sys.modules:
        package = importlib.util.find_spec(_PACKAGE)
        if package is None:
            raise KaggleError("the kaggle package is missing: pip install kaggle six")
        # The client creates its configuration folder when it is imported, and HOME may be read-only.
        existing = str(Path(__file__).parent)
        try:
            with (
                contextlib.redirect_stdout(io.StringIO()),
                _replaced(os.environ, CONFIG_FOLDER, existing),
                _replaced(sys.modules, _PACKAGE, importlib.util.module_from_spec(package)),
            ):
                importlib.import_module(name)
        except (Exception, SystemExit) as error:
            reason, cure = " ".join(f"{type(error).__name__}: {error}".split()), "pip install -U kaggle"
            if isinstance(error, OSError):
                cure = "give this user that file or folder"
            elif isinstance(error, ImportError):
                lacking = error.name if isinstance(error, ModuleNotFoundError) else None
                missing = (lacking or _PACKAGE).split(".")[0]
                reason, cure = str(error), f"pip install {'kaggle six' if missing == _PACKAGE else missing}"
            raise KaggleError(
                f"the kaggle package ({client_version()}) cannot be imported ({reason}): {cure}"
            ) from error
        # What the class would have found at its import, for an ``import kaggle`` of the user.
        client = sys.modules[name].KaggleApi
        client.config_dir = str(config_folder())
        client.config = str(config_folder() / getattr(client, "config_file", "kaggle.json"))
    found: type[Any] = sys.modules[name].KaggleApi
    return found


@contextlib.contextmanager
def _replaced(table: MutableMapping[str, Any], name: str, value: object) -> Iterator[None]:
    """Have *table* hold *value* under *name* inside the block."""
    before = table.get(name)
    table[name] = value
    try:
        yield
    finally:
        if before is None:
            del table[name]
        else:
            table[name] = before


def client_version() -> str:
    """Which client is installed, as in "kaggle 2.2.5, kagglesdk 0.1.38"."""
    found = []
    for name in (_PACKAGE, "kagglesdk"):
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            found.append(f"{name} of an unknown version")
    return ", ".join(found)
