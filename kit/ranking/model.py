"""The second stage's model: boosted trees that correct the blend's posterior over a question's candidates.

They start from the log of the posterior and lower the cross entropy of a softmax over the candidates to those
nearest to the gold (Cao et al., Learning to Rank: From Pairwise Approach to Listwise Approach, 2007).  The
answer is the candidate of least expected edit distance under that softmax.
"""

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
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

from kit.data.records import Question
from kit.errors import ConfigError
from kit.files import write_text
from kit.metrics.edit_distance import edit_distances
from kit.ranking.features import Candidates, feature_groups
from kit.spans.span_scores import offsets_of

INSTALL = "pip install 'korean-mrc-kit[ranked]'"
_FORMAT, _FORMAT_2 = "kit ranker 3", "kit ranker 2"
_NEXT_MODEL = "\n=== next model ===\n"
_ROUNDS = 60
_SEEDS = (1, 2, 3)
"""One fit each, their scores are averaged: a fit of a few thousand questions depends on what was sampled."""
_LEAST_IN_LEAF = 100
_SETTINGS = {
    "learning_rate": 0.06,
    "num_leaves": 15,
    "min_data_in_leaf": _LEAST_IN_LEAF,
    "feature_fraction": 0.7,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,  # the same trees on every machine; the data are small
    "verbosity": -1,
    "feature_pre_filter": False,  # it ends a fit in which no feature can be split
}
_SCALE = 10.0
"""Of gradient and curvature, beside lambda_l2."""
_FLAT = 1e-3
"""The curvature is at least this: a candidate without mass would get any leaf."""
_LEAST_P = 1e-4
"""Added to the mass of each candidate, so that none without mass is lost from the start."""
_EXACT_WEIGHT = 1.0
"""Format 2: code points that being surely exact is worth beside the predicted distance."""


@dataclass(frozen=True, slots=True)
class Ranker:
    """Boosters over the features *names*, and what they were fitted on."""

    boosters: tuple[Any, ...]
    names: tuple[str, ...]
    fitted_on: str
    """SHA-256 over the members' weights and the data, hex."""
    boundary: str = ""
    """SHA-256 of the boundary model's weights that it was fitted with, hex; "" without one."""
    pointwise: bool = False
    """Of format 2: one booster predicts the distance, the other whether a candidate is exact."""

    def chosen(self, candidates: Candidates) -> NDArray[np.int64]:
        """The candidate that each question is answered with, int64 (Q,): the lowest predicted loss.

        Ties go to the candidate of less expected distance by the blend.
        """
        values = candidates.columns(self.names)
        predicted = [booster.predict(values) for booster in self.boosters]
        if self.pointwise:
            loss = predicted[0] + _EXACT_WEIGHT * (1 - predicted[1])
        else:
            score = _start(values, self.names) + np.mean(predicted, axis=0)
            loss = _expected_distance(candidates, softmax(score, candidates.offsets)[0])
        question = np.repeat(np.arange(len(candidates.offsets) - 1), np.diff(candidates.offsets))
        order = np.lexsort((np.arange(len(loss)), np.round(loss, 9), question))
        found: NDArray[np.int64] = order[candidates.offsets[:-1]]
        return found

    def importances(self) -> dict[str, float]:
        """Share of the gain of all boosters by feature, the largest first."""
        total = np.zeros(len(self.names))
        for booster in self.boosters:
            gain = np.asarray(booster.feature_importance("gain"), dtype=np.float64)
            total += gain / max(gain.sum(), 1e-12) / len(self.boosters)
        order = np.argsort(-total, kind="stable")
        return {self.names[index]: float(total[index]) for index in order}


def softmax(
    score: NDArray[np.float64], offsets: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The softmax within each question, and the log of its denominator; no question is without a score."""
    heads, counts = offsets[:-1], np.diff(offsets)
    top = np.maximum.reduceat(score, heads)
    raised = np.exp(score - np.repeat(top, counts))
    total = np.add.reduceat(raised, heads)
    return raised / np.repeat(total, counts), top + np.log(total)


def _start(values: NDArray[np.float64], names: Sequence[str]) -> NDArray[np.float64]:
    """What the trees correct: the log of the blend's mass, by the boundary model where there is one."""
    known = next((name for name in ("refined_p", "p") if name in names), None)
    p = np.ones(len(values)) if known is None else values[:, names.index(known)]
    start: NDArray[np.float64] = np.log(p + _LEAST_P)
    return start


def _expected_distance(candidates: Candidates, p: NDArray[np.float64]) -> NDArray[np.float64]:
    """The edit distance from each candidate to the others of its question, weighed by *p*."""
    risk = np.zeros(len(p))
    for first, last in zip(candidates.offsets.tolist(), candidates.offsets.tolist()[1:], strict=False):
        texts = candidates.texts[first:last]
        risk[first:last] = cdist(texts, texts, scorer=Levenshtein.distance, dtype=np.int32) @ p[first:last]
    return risk


def installed() -> bool:
    """Whether LightGBM is installed."""
    return importlib.util.find_spec("lightgbm") is not None


def check_installed() -> None:
    """Raises ConfigError with the install command where LightGBM is missing."""
    if not installed():
        raise ConfigError(f"decoder: ranked needs LightGBM, which is not installed; {INSTALL}")


def enough_to_rank(candidates: Candidates, rows: NDArray[np.bool_]) -> bool:
    """Whether trees can be fitted on the candidates of *rows*: two leaves, and a difference."""
    used = np.repeat(rows, np.diff(candidates.offsets))
    values = candidates.values[used]
    return len(values) >= 2 * _LEAST_IN_LEAF and bool((np.ptp(values, axis=0) > 0).any())


def fit_ranker(
    candidates: Candidates,
    questions: Sequence[Question],
    rows: NDArray[np.bool_],
    fitted_on: str,
    without: str | None = None,
    boundary: str = "",
) -> Ranker:
    """Fit the trees on the candidates of the questions in *rows*, bool (Q,).

    *without*: a group of features to leave out, to see what it is worth; *boundary*: the digest of the
    boundary model whose features are among them.
    """
    check_installed()
    import lightgbm

    members = len([name for name in candidates.names if re.fullmatch(r"rank_\d+", name)])
    groups = feature_groups(members, boundary="boundary" in candidates.names)
    names = tuple(name for group, own in groups.items() if group != without for name in own)
    question = np.repeat(np.arange(len(rows)), np.diff(candidates.offsets))
    used = np.flatnonzero(rows[question])
    counts = np.diff(candidates.offsets)[rows]
    offsets = offsets_of(counts)
    distances = edit_distances(
        [candidates.texts[index] for index in used.tolist()],
        [questions[index].golds for index in question[used].tolist()],
    )
    nearest = distances == np.repeat(np.minimum.reduceat(distances, offsets[:-1]), counts)
    target = nearest / np.repeat(np.add.reduceat(nearest.astype(float), offsets[:-1]), counts)
    values = candidates.columns(names)[used]

    def cross_entropy(score: NDArray[np.float64], _: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        p, _ = softmax(score, offsets)
        return (p - target) * _SCALE, np.maximum(p * (1 - p), _FLAT) * _SCALE

    boosters = tuple(
        lightgbm.train(
            {**_SETTINGS, "objective": cross_entropy, "seed": seed},
            lightgbm.Dataset(values, target, init_score=_start(values, names), feature_name=list(names)),
            num_boost_round=_ROUNDS,
        )
        for seed in _SEEDS
    )
    return Ranker(boosters, names, fitted_on, "" if without == "boundary" else boundary)


def write_ranker(path: Path, ranker: Ranker) -> None:
    """The models in LightGBM's own text format, under one line of JSON; whole or not at all."""
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
    models = _NEXT_MODEL.join(one.model_to_string() for one in ranker.boosters)
    about = {
        "format": _FORMAT_2 if ranker.pointwise else _FORMAT,
        "fitted_on": ranker.fitted_on,
        "boundary": ranker.boundary,
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
        if about["format"] not in (_FORMAT, _FORMAT_2):
            raise ValueError(f"format {about['format']!r}, this version reads {_FORMAT!r} and {_FORMAT_2!r}")
        if about["models_sha256"] != _digest_of(models):
            raise ValueError("its models are not those that were written")
        boosters = tuple(lightgbm.Booster(model_str=text) for text in models.split(_NEXT_MODEL))
        pointwise = about["format"] == _FORMAT_2
        if pointwise and len(boosters) != 2:
            raise ValueError(f"{len(boosters)} models, not 2")
        names = tuple(map(str, about["features"]))
        boundary = str(about.get("boundary", ""))
        return Ranker(boosters, names, str(about["fitted_on"]), boundary, pointwise)
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such ranker; kit tune writes it beside the recipe") from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError, lightgbm.basic.LightGBMError) as error:
        reason = str(error).partition("\n")[0]
        raise ConfigError(f"{path}: is not a ranker of this kit ({reason}); make it with kit tune") from None
