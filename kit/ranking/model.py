"""The second stage's two models: how much worse than the best a candidate is, and whether it is exact."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kit.data.records import Question
from kit.errors import ConfigError
from kit.files import write_text
from kit.metrics.edit_distance import edit_distances
from kit.ranking.features import Candidates, feature_groups

INSTALL = "pip install 'korean-mrc-kit[ranked]'"
_FORMAT = "kit ranker 2"
_NEXT_MODEL = "\n=== next model ===\n"
_ROUNDS = 150
_SETTINGS = {
    "learning_rate": 0.06,
    "num_leaves": 15,
    "min_data_in_leaf": 40,
    "feature_fraction": 0.7,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,  # the same trees on every machine; the data are small
    "verbosity": -1,
    "seed": 7,
}
_EXACT_WEIGHT = 1.0
"""Code points that being surely exact is worth beside the predicted distance."""
_WORST = 20.0
"""A candidate further off than this is simply wrong: larger distances would rule the fit."""


@dataclass(frozen=True, slots=True)
class Ranker:
    """Two boosters over the features *names*, and what they were fitted on."""

    distance: Any
    exact: Any
    names: tuple[str, ...]
    fitted_on: str
    """SHA-256 over the members' weights and the data, hex."""

    def chosen(self, candidates: Candidates) -> NDArray[np.int64]:
        """The candidate that each question is answered with, int64 (Q,): the lowest predicted loss.

        Ties go to the candidate of less expected distance.
        """
        loss = np.round(
            self.distance.predict(candidates.values)
            + _EXACT_WEIGHT * (1 - self.exact.predict(candidates.values)),
            9,
        )
        question = np.repeat(np.arange(len(candidates.offsets) - 1), np.diff(candidates.offsets))
        order = np.lexsort((np.arange(len(loss)), loss, question))
        found: NDArray[np.int64] = order[candidates.offsets[:-1]]
        return found

    def importances(self) -> dict[str, float]:
        """Share of the gain of both models by feature, the largest first."""
        total = np.zeros(len(self.names))
        for booster in (self.distance, self.exact):
            gain = np.asarray(booster.feature_importance("gain"), dtype=np.float64)
            total += gain / max(gain.sum(), 1e-12) / 2
        order = np.argsort(-total, kind="stable")
        return {self.names[index]: float(total[index]) for index in order}


def check_installed() -> None:
    """Raises ConfigError with the install command where LightGBM is missing."""
    if importlib.util.find_spec("lightgbm") is None:
        raise ConfigError(f"decoder: ranked needs LightGBM, which is not installed; {INSTALL}")


def fit_ranker(
    candidates: Candidates,
    questions: Sequence[Question],
    rows: NDArray[np.bool_],
    fitted_on: str,
    without: str | None = None,
) -> Ranker:
    """Fit both models on the candidates of the questions in *rows*, bool (Q,).

    *without*: a group of features to leave out, to see what it is worth.
    """
    check_installed()
    import lightgbm

    counts = np.diff(candidates.offsets)
    question = np.repeat(np.arange(len(counts)), counts)
    golds = [question_.golds for question_ in questions]
    distances = edit_distances(candidates.texts, [golds[index] for index in question.tolist()])
    excess = distances - np.minimum.reduceat(distances, candidates.offsets[:-1])[question]
    used = rows[question]
    values = candidates.values.copy()
    if without is not None:
        members = len([name for name in candidates.names if re.fullmatch(r"rank_\d+", name)])
        left_out = set(feature_groups(members)[without])
        values[:, [name in left_out for name in candidates.names]] = 0.0
    targets = {"regression": np.minimum(excess, _WORST), "binary": (distances == 0).astype(float)}
    boosters = [
        lightgbm.train(
            {**_SETTINGS, "objective": objective},
            lightgbm.Dataset(values[used], target[used], feature_name=list(candidates.names)),
            num_boost_round=_ROUNDS,
        )
        for objective, target in targets.items()
    ]
    return Ranker(boosters[0], boosters[1], candidates.names, fitted_on)


def write_ranker(path: Path, ranker: Ranker) -> None:
    """Both models in LightGBM's own text format, under one line of JSON; whole or not at all."""
    write_text(path, _text(ranker))


def write_ranker_beside(recipe: Path, ranker: Ranker) -> Path:
    """Write the ranker beside *recipe*, named by its content: ``five.yaml`` → ``five-1a2b3c4d.ranker``.

    So until the recipe itself is written, an earlier one keeps the ranker that it was tuned with.
    """
    digest = hashlib.sha256(_text(ranker).encode()).hexdigest()[:8]
    path = recipe.with_name(f"{recipe.stem}-{digest}.ranker")
    write_ranker(path, ranker)
    return path


def _text(ranker: Ranker) -> str:
    models = _NEXT_MODEL.join(one.model_to_string() for one in (ranker.distance, ranker.exact))
    about = {
        "format": _FORMAT,
        "fitted_on": ranker.fitted_on,
        "features": list(ranker.names),
        "models_sha256": _digest_of(models),
    }
    return f"{json.dumps(about)}\n{models}"


def _digest_of(models: str) -> str:
    return hashlib.sha256(models.encode()).hexdigest()


def read_ranker(path: Path) -> Ranker:
    """Raises ConfigError where the file is missing, damaged, or LightGBM is not installed.

    LightGBM believes what it reads, and a tree of damaged text can end the process; so it gets no text but
    what was written.
    """
    check_installed()
    import lightgbm

    try:
        head, _, models = path.read_text(encoding="utf-8").partition("\n")
        about = json.loads(head)
        if about["format"] != _FORMAT:
            raise ValueError(f"format {about['format']!r}, this version reads {_FORMAT!r}")
        if about["models_sha256"] != _digest_of(models):
            raise ValueError("its models are not those that were written")
        boosters = [lightgbm.Booster(model_str=text) for text in models.split(_NEXT_MODEL)]
        names = tuple(map(str, about["features"]))
        return Ranker(boosters[0], boosters[1], names, str(about["fitted_on"]))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such ranker; kit tune writes it beside the recipe") from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError, lightgbm.basic.LightGBMError) as error:
        reason = str(error).partition("\n")[0]
        raise ConfigError(f"{path}: is not a ranker of this kit ({reason}); make it with kit tune") from None
