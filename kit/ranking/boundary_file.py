"""The file of a boundary model: one safetensors array and a line about it, checked when it is read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from kit.errors import ConfigError
from kit.files import replacing
from kit.ranking.boundary import BoundaryModel

_FORMAT = "kit boundary 1"
_FEWEST, _MOST = 1 << 8, 1 << 24
_LARGEST = 1e6


def write_boundary_beside(recipe: Path, model: BoundaryModel) -> Path:
    """Write *model* beside *recipe*, named by its content: ``five.yaml`` → ``five-1a2b3c4d.boundary``."""
    path = recipe.with_name(f"{recipe.stem}-{model.digest[:8]}.boundary")
    write_boundary(path, model)
    return path


def write_boundary(path: Path, model: BoundaryModel) -> None:
    """Write *model*: whole or not at all."""
    about = {
        "format": _FORMAT, "morphology": model.morphology, "fitted_on": model.fitted_on, "l2": model.l2,
        "weights_sha256": model.digest,
    }  # fmt: skip
    # One metadata value: the library orders several at random, and the same model must give the same bytes.
    content = save({"weights": model.weights}, {"about": json.dumps(about)})
    with replacing(path, verify=read_boundary) as temporary:
        temporary.write_bytes(content)


def read_boundary(path: Path) -> BoundaryModel:
    """Raises ConfigError where the file is missing, damaged, or no boundary model."""
    try:
        with safe_open(path, framework="numpy") as file:
            about = json.loads((file.metadata() or {})["about"])
            if about["format"] != _FORMAT:
                raise ValueError(f"format {about['format']!r}, this version reads {_FORMAT!r}")
            weights = file.get_tensor("weights")
        count = len(weights)
        if weights.dtype != np.float32 or weights.ndim != 1 or count & (count - 1):
            raise ValueError("weights are not a row of float32 numbers, a power of two of them")
        if not _FEWEST <= count <= _MOST or not (np.abs(weights) < _LARGEST).all():
            raise ValueError("weights are too many, too few or too large")
        if not isinstance(about["morphology"], bool):
            raise ValueError("morphology is neither true nor false")
        model = BoundaryModel(weights, about["morphology"], str(about["fitted_on"]), float(about["l2"]))
        if model.digest != about["weights_sha256"]:
            raise ValueError("weights are not those that were written")
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such boundary model; kit tune writes it beside the recipe") from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError, SafetensorError) as error:
        reason = str(error).partition("\n")[0]
        raise ConfigError(
            f"{path}: is not a boundary model of this kit ({reason}); make it with kit tune"
        ) from None
    return model
