"""Scores on held-out questions: while training, to choose a checkpoint, and out of fold at its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from kit.data.records import Dataset, Question
from kit.decoding.default import default_decoding
from kit.metrics.edit_distance import edit_distances
from kit.modeling.backbones import Backbone
from kit.modeling.devices import Device
from kit.modeling.distributed import Processes, score_together
from kit.modeling.tokens import TokensOf
from kit.settings.runs import SourceScore
from kit.settings.training import TrainingSettings
from kit.spans.out_of_fold import oof_part
from kit.spans.span_scores import Provenance, SpanScores, joined
from kit.spans.store import write_spans
from kit.version import __version__

METRICS = ("edit", "exact", "blank_edit")
_NOWHERE = Provenance("", "", "", "", 0, 0, __version__)


def evaluate(
    model: torch.nn.Module,
    backbone: Backbone,
    questions: Sequence[Question],
    device: Device,
    settings: TrainingSettings,
    processes: Processes,
    lengths: Mapping[int, int],
    tokens_of: TokensOf | None = None,
    advance: Callable[[int], object] = lambda done: None,
) -> dict[str, float]:
    """Edit Score by the default decoding; ``blank_edit`` is what empty answers would get.

    *lengths*: gold answer length in code points → how often, of the questions that the model trains on.
    *advance*: called with how many more questions are scored.
    """
    pieces = list(
        score_together(
            processes, model, backbone, questions, device,
            max_length=settings.max_length, stride=settings.stride, provenance=_NOWHERE, tokens_of=tokens_of,
            advance=advance,
        )
    )  # fmt: skip
    found = np.zeros(len(METRICS))
    if processes.first:
        found = np.array(list(_metrics(joined(pieces, _NOWHERE), questions, lengths).values()))
    return dict(zip(METRICS, processes.agree(found, device).tolist(), strict=True))


def score_out_of_fold(
    model: torch.nn.Module,
    backbone: Backbone,
    data: Sequence[Dataset],
    held_out: Sequence[Question],
    device: Device,
    settings: TrainingSettings,
    processes: Processes,
    lengths: Mapping[int, int],
    *,
    folder: Path,
    fold: str,
    weights_sha256: str,
    tokens_of: TokensOf | None = None,
    advance: Callable[[int], object] = lambda done: None,
) -> list[SourceScore]:
    """Write the fold's share of the out-of-fold scores, a file a data file; returns the scores on each.

    *lengths* as in `evaluate`.
    """
    wanted = {id(question) for question in held_out}
    found: list[SourceScore] = []
    for dataset in data:
        own = [question for question in dataset if id(question) in wanted]
        provenance = Provenance(
            data_sha256=dataset.sha256,
            run=folder.resolve().name,
            fold=fold,
            model_sha256=weights_sha256,
            max_length=settings.max_length,
            stride=settings.stride,
            kit_version=__version__,
        )
        pieces = list(
            score_together(
                processes, model, backbone, own, device,
                max_length=settings.max_length, stride=settings.stride, provenance=provenance,
                tokens_of=tokens_of, advance=advance,
            )
        )  # fmt: skip
        metrics = dict.fromkeys(METRICS, 0.0)
        if processes.first:
            write_spans(oof_part(folder, dataset.sha256, fold), provenance, pieces)
            metrics = _metrics(joined(pieces, _NOWHERE), own, lengths) if own else metrics
        found.append(SourceScore(held_out=len(own), metrics=metrics))
    processes.wait()
    return found


def _metrics(
    scores: SpanScores, questions: Sequence[Question], lengths: Mapping[int, int]
) -> dict[str, float]:
    answers = default_decoding(lengths).answers(scores, questions, lengths)
    golds = [question.golds for question in questions]
    distances = edit_distances(answers, golds)
    blanks = edit_distances([""] * len(questions), golds)
    values = (distances.mean(), np.mean(distances == 0), blanks.mean())
    return dict(zip(METRICS, map(float, values), strict=True))
