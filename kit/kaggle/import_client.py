"""Import the official client's class without the side effects of ``import kaggle``."""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import importlib.util
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kit.errors import KaggleError
from kit.kaggle.auth import CONFIG_FOLDER, config_folder, home_folder

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
        before = sys.modules.get(_PACKAGE)
        sys.modules[_PACKAGE] = importlib.util.module_from_spec(package)
        try:
            with contextlib.redirect_stdout(io.StringIO()), _existing_folder():
                importlib.import_module(name)
        except ImportError as error:
            missing = (error.name or "").split(".")[0] if isinstance(error, ModuleNotFoundError) else ""
            needed = "kaggle six" if missing in ("", _PACKAGE) else missing
            raise KaggleError(
                f"the kaggle package ({client_version()}) cannot be imported ({error}): pip install {needed}"
            ) from error
        except (Exception, SystemExit) as error:
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            cure = (
                "give this user that file or folder"
                if isinstance(error, OSError)
                else "pip install -U kaggle"
            )
            raise KaggleError(
                f"the kaggle package ({client_version()}) cannot be imported ({reason}): {cure}"
            ) from error
        finally:
            if before is None:
                del sys.modules[_PACKAGE]
            else:
                sys.modules[_PACKAGE] = before
        _use_real_folder(sys.modules[name].KaggleApi)
    found: type[Any] = sys.modules[name].KaggleApi
    return found


def client_version() -> str:
    """Which client is installed, as in "kaggle 2.2.5, kagglesdk 0.1.38"."""
    found = []
    for name in (_PACKAGE, "kagglesdk"):
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            found.append(f"{name} of an unknown version")
    return ", ".join(found)


@contextlib.contextmanager
def _existing_folder() -> Iterator[None]:
    """The client creates its configuration folder when it is imported, and HOME may be read-only."""
    before = os.environ.get(CONFIG_FOLDER)
    os.environ[CONFIG_FOLDER] = str(Path(__file__).parent)
    try:
        yield
    finally:
        if before is None:
            del os.environ[CONFIG_FOLDER]
        else:
            os.environ[CONFIG_FOLDER] = before


def _use_real_folder(client: type[Any]) -> None:
    """Set what the class would have found at its import, for an ``import kaggle`` of the user."""
    folder = config_folder(os.environ, home_folder())
    client.config_dir = str(folder)
    client.config = str(folder / getattr(client, "config_file", "kaggle.json"))
