"""The official client's class, without what importing it does."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import io
import sys
from typing import Any

from kit.errors import KaggleError

_PACKAGE = "kaggle"


def kaggle_api_class() -> type[Any]:
    """``KaggleApi`` of the official client.

    ``import kaggle`` authenticates there and then: it prints to standard output, asks the network and
    may end the process.  The package is therefore entered by its inner module, with an empty package
    in front that goes again, so that a later ``import kaggle`` of the user's own is the real one.
    """
    name = f"{_PACKAGE}.api.kaggle_api_extended"
    if name not in sys.modules:
        package = importlib.util.find_spec(_PACKAGE)
        if package is None:
            raise KaggleError("the kaggle package is missing: pip install kaggle six")
        before = sys.modules.get(_PACKAGE)
        sys.modules[_PACKAGE] = importlib.util.module_from_spec(package)
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                importlib.import_module(name)
        except ImportError as error:
            raise KaggleError(
                f"the kaggle package cannot be imported ({error}): pip install kaggle six"
            ) from error
        finally:
            if before is None:
                del sys.modules[_PACKAGE]
            else:
                sys.modules[_PACKAGE] = before
    found: type[Any] = sys.modules[name].KaggleApi
    return found
