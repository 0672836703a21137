"""Studies made for tests, without a training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kit.settings.searching import Search, named, parse_search
from kit.settings.training import training_settings
from kit.sweeps.spec import About, shared_settings
from kit.sweeps.storage import OpenStudy, open_study, quiet

RANGES = ("lr=1e-5:1e-3:log", "batch_size=8,16")
GRID = ("batch_size=8,16", "epochs=1:3")


def search_of(*ranges: str) -> Search:
    return parse_search(named(ranges, "--range"), [], training_settings)


def about(search: Search, **other: Any) -> About:
    given: dict[str, Any] = {
        "reference": "models/tiny",
        "paths": ["data/train.json"],
        "backbone": "tiny",
        "backbone_version": "0" * 64,
        "data": [("train.json", "a" * 64)],
        "valid": None,
        "settings": shared_settings(training_settings(), search.ranges),
        "ranges": {one.name: str(one).partition("=")[2] for one in search.ranges},
    }
    return About(**{**given, **other})


def begin(folder: Path, search: Search, storage: str | None = None) -> OpenStudy:
    with quiet():
        return open_study(folder, storage, about(search))
