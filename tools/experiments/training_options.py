"""What each training option does to the Edit Score, compared with the plain recipe and its other seeds.

``python -m tools.experiments.training_options first ENCODER DATA RUNS`` trains a model for one epoch on two
folds of three.  ``… train DATA RUNS [NAME ...]`` continues from it for half an epoch on the same questions,
with each of OPTIONS that has no finished run: a small machine has no time for whole trainings, and an option
shows little in a model that answers hardly anything.  Two processes share the work, and the same command
resumes a killed one.  ``… show DATA RUNS`` prints the table: Edit Scores out of fold, each option paired with
the plain recipe of the same seed, intervals grouped by article.  Nothing is chosen on these rows: the length
prior's weight is fixed, and its lengths are those of the other folds.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from transformers import TrainerCallback

import kit
from kit.api.train import training_job
from kit.data.folds import groups
from kit.data.records import Dataset, Question
from kit.decoding.decoders import argmax_answers, decoded
from kit.errors import LockError
from kit.metrics.bootstrap import bootstrap, paired
from kit.metrics.edit_distance import edit_distances
from kit.modeling.backbones import load_weights, open_backbone
from kit.modeling.devices import choose_device
from kit.modeling.inference import score_questions
from kit.settings.folds import read_plan
from kit.spans.lengths import log_length_prior
from kit.spans.posteriors import span_posterior
from kit.spans.run_folder import Run, open_run
from kit.spans.span_scores import SpanScores, joined
from kit.spans.store import read_spans, write_spans
from kit.training.callbacks import Callbacks
from kit.training.run import train_run
from kit.training.run_setup import model_folder
from kit.training.splits import Part, fold_part
from tools.benchmarks.results import ROW, table

PLAIN: dict[str, Any] = {
    "folds": 3, "epochs": 0.5, "lr": 1e-4, "batch_size": 8, "micro_batch_size": 8, "max_length": 384,
    "stride": 128, "targets": "first", "precision": "fp32", "attention_dropout": 0.0, "save_minutes": 6.0,
    "seed": 42,
}  # fmt: skip
FIRST: dict[str, Any] = {"epochs": 1.0, "lr": 1.5e-4, "seed": 0}
"""Settings of the first training, where they differ from PLAIN."""
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "ema-seed-2": {"seed": 2, "ema": 0.99},
    "average-seed-3": {"seed": 3, "average": 3, "evaluations": 4},
    "soften": {"soften": 0.3},
    "joint": {"head": "joint"},
    "joint-seed-2": {"seed": 2, "head": "joint"},
    "joint-seed-3": {"seed": 3, "head": "joint"},
    "layer-decay": {"layer_decay": 0.9},
    "r-drop": {"r_drop": 0.5},
    "adversarial": {"adversarial": 0.5},
}
"""By name.  An average does not change the training, so its run has the plain weights, too."""
_CAP, _LAMBDA = 60, 0.5
COLUMNS = ("argmax", "`edit`, λ 0.5", "equal to the gold")


class _KeepLast(TrainerCallback):
    """Saves the last weights when the training ends, before an average replaces them."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def on_train_end(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        save_file({name: weight.contiguous() for name, weight in model.state_dict().items()}, self._path)


def first(encoder: str, data: Path, folder: Path) -> None:
    """Train the model that every option continues from, into ``folder / "first"``."""
    options = PLAIN | FIRST | {"run": folder / "first", "fold": 0, "resume": True}
    train_run(training_job(encoder, kit.load(data), options), Callbacks(say=print))


def train(data: Path, folder: Path, names: list[str]) -> None:
    """Train what is missing of *names* (default: all), and score an average's plain weights."""
    dataset, encoder = kit.load(data), str(model_folder(folder / "first", "0"))
    for name in names or OPTIONS:
        run = folder / name
        options = PLAIN | OPTIONS[name] | {"run": run, "fold": 0, "resume": True}
        job = training_job(encoder, dataset, options)
        run.mkdir(parents=True, exist_ok=True)
        averaged = job.settings.ema is not None or job.settings.average is not None
        last = folder / f".{name}-weights.safetensors"
        callbacks = Callbacks(say=print, trainer_callbacks=(_KeepLast(last),) if averaged else ())
        try:
            made = train_run(job, callbacks)
        except LockError:
            continue  # another process trains it
        if averaged and not (folder / f"{name}-last.safetensors").exists():
            _score_last(made, dataset, last, folder / f"{name}-last.safetensors")


def _score_last(run: Run, dataset: Dataset, weights: Path, target: Path) -> None:
    """Scores of the weights before the average, on the questions of the fold."""
    assert run.record is not None
    settings, stored = run.record.settings, _stored(run.folder)
    backbone, device = open_backbone(str(run.model_folder("0"))), choose_device(settings.precision)
    model = load_weights(backbone, head_needed=True)
    model.load_state_dict(load_file(weights))
    part = _part(run, dataset)
    pieces = score_questions(
        model.to(device.torch), backbone, part.test, device, max_length=settings.max_length,
        stride=settings.stride, provenance=stored.provenance,
    )  # fmt: skip
    write_spans(target, stored.provenance, [joined(list(pieces), stored.provenance)])


def _part(run: Run, dataset: Dataset) -> Part:
    plan = read_plan(run.folder)
    assert plan is not None
    assert run.record is not None
    return fold_part([run.used(dataset)], plan, 0, run.record.settings)


def _stored(folder: Path) -> SpanScores:
    (path,) = (folder / "spans").glob("oof-*.fold-0.safetensors")
    return read_spans(path)


@dataclass(frozen=True, slots=True)
class Result:
    """Edit distances of the questions, float64 (Q,) each: by plain argmax, and by `edit` with the prior."""

    argmax: NDArray[np.float64]
    prior: NDArray[np.float64]
    exact: float
    """Share of answers with the prior that equal a gold."""


def result_of(scores: SpanScores, judged: Sequence[Question], learned: Sequence[Question]) -> Result:
    """How well *scores* answer *judged*; the length prior's lengths are those of *learned*."""
    golds = [question.golds for question in judged]
    lengths = Counter(len(answer.text) for question in learned for answer in question.answers or ())
    bonus = _LAMBDA * log_length_prior(lengths, _CAP)
    plain = argmax_answers(scores, judged, length_cap=_CAP)
    posterior = span_posterior(scores, _CAP, bonus=bonus).likeliest(50)
    tidy = edit_distances(decoded(posterior, judged, "edit"), golds)
    return Result(edit_distances(plain, golds), tidy, float(np.mean(tidy == 0)))


def show(data: Path, folder: Path) -> str:
    """The table, in Markdown."""
    dataset = kit.load(data)
    results: dict[str, Result] = {}
    costs: dict[str, str] = {}
    part = Part("0", [], [], [])
    for name in ("first", *OPTIONS):
        if not list((folder / name / "spans").glob("oof-*.fold-0.safetensors")):
            continue
        run = open_run(folder / name)
        assert run.record is not None
        part = _part(run, dataset)
        results[name] = result_of(_stored(run.folder), part.test, part.train)
        record = run.record.folds["0"]
        costs[name] = f"{record.seconds / 60:.0f} min, {record.peak_bytes / 1e9:.1f} GB"
        if (last := folder / f"{name}-last.safetensors").exists():
            results[f"{name}-last"] = result_of(read_spans(last), part.test, part.train)
    labels = groups(part.test)
    rows = [
        (name, *cells(result, results.get(_base(name)), labels), costs.get(name, ""))
        for name, result in results.items()
    ]
    shown = table(("run", *COLUMNS, "to plain, same seed", "time, peak memory"), rows)
    return f"{shown}\n\n{over_seeds(results, labels)}".rstrip()


def cells(result: Result, base: Result | None, labels: NDArray[np.int64]) -> ROW:
    """Those of COLUMNS, and what *result* adds to *base*: "" where that is None or the result itself."""
    own, versus = bootstrap(result.prior, labels), ""
    if base is not None and base is not result:
        versus = _difference(base.prior, result.prior, labels)
    edit = f"{result.prior.mean():.3f} ({own.low:.3f} to {own.high:.3f})"
    return f"{result.argmax.mean():.3f}", edit, f"{result.exact:.1%}", versus


def over_seeds(results: dict[str, Result], labels: NDArray[np.int64]) -> str:
    """A line for each option trained with several seeds: its mean compared with the plain runs' mean."""
    lines = []
    for name, own in OPTIONS.items():
        alike = [
            other for other, its in OPTIONS.items()
            if {**its, "seed": 0} == {**own, "seed": 0} and {other, _base(other)} <= results.keys()
        ]  # fmt: skip
        if len(alike) > 1 and alike[0] == name:
            found = _difference(_mean(results, map(_base, alike)), _mean(results, alike), labels)
            lines.append(f"{name}, {len(alike)} seeds: {found}")
    return "\n".join(lines)


def _difference(base: NDArray[np.float64], own: NDArray[np.float64], labels: NDArray[np.int64]) -> str:
    found = paired(base, own, labels)
    within = f"{found.interval.low:+.3f} to {found.interval.high:+.3f}"
    return f"{found.mean:+.3f} ({within}, p = {found.p_value:.2f})"


def _mean(results: dict[str, Result], names: Iterable[str]) -> NDArray[np.float64]:
    return np.mean([results[name].prior for name in names], axis=0)


def _base(name: str) -> str:
    """The plain run with the same seed; its own name for a plain run, or for the first training."""
    if name not in OPTIONS:
        return name
    seed = OPTIONS[name].get("seed")
    if seed is None:
        return "plain"
    return next(f"{other}-last" for other, own in OPTIONS.items() if own.get("seed") == seed)


if __name__ == "__main__":
    what, *words = sys.argv[1:]
    if what == "first":
        first(words[0], Path(words[1]), Path(words[2]))
    elif what == "train":
        train(Path(words[0]), Path(words[1]), words[2:])
    else:
        print(show(Path(words[0]), Path(words[1])))
