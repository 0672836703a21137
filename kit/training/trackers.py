"""Experiment trackers that Trainer reports to, asked for by name."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Sequence
from pathlib import Path

from kit.errors import ConfigError

TRACKERS = {
    "tensorboard": "pip install 'korean-mrc-kit[tracking]'",
    "wandb": "pip install wandb",
    "mlflow": "pip install mlflow",
}


def prepare_trackers(wanted: Sequence[str], folder: Path) -> None:
    """Check that every tracker in *wanted* is known and installed; TensorBoard logs go to *folder*.

    Raises ConfigError with the install command.
    """
    for name in wanted:
        if name not in TRACKERS:
            raise ConfigError(f"--report-to is {name}; known are {', '.join(TRACKERS)}")
        if importlib.util.find_spec(name) is None:
            raise ConfigError(f"--report-to {name}: it is not installed; {TRACKERS[name]}")
    if "tensorboard" in wanted:
        # Its own default lies among the checkpoints, which go when the training is done.
        os.environ.setdefault("TENSORBOARD_LOGGING_DIR", str(folder))
