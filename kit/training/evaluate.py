"""Scores on held-out questions: while training, to choose a checkpoint, and out of fold at its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from kit.data.records import Question
from kit.decoding.default import default_decoding
from kit.metrics.edit_distance import edit_distances
from kit.modeling.distributed import score_together
from kit.settings.runs import SourceScore
from kit.spans.lengths import answer_lengths
from kit.spans.out_of_fold import oof_part
from kit.spans.span_scores import Provenance, SpanScores, joined
from kit.spans.store import write_spans
from kit.training.callbacks import Advance
from kit.training.run_setup import Training
from kit.training.splits import Part
from kit.version import __version__

METRICS = ("edit", "exact", "blank_edit")
_NOWHERE = Provenance("", "", "", "", 0, 0, __version__)


def evaluate(
    training: Training,
    model: torch.nn.Module,
    questions: Sequence[Question],
    lengths: Mapping[int, int],
    advance: Advance,
) -> dict[str, float]:
    """Edit Score by the default decoding; ``blank_edit`` is what empty answers would get.

    *lengths*: gold answer length in code points → how often, of the questions that the model trains on.
    """
    pieces = _scores(training, model, questions, _NOWHERE, advance)
    found = np.zeros(len(METRICS))
    if training.processes.first:
        found = np.array(list(_metrics(joined(pieces, _NOWHERE), questions, lengths).values()))
    return dict(zip(METRICS, training.processes.agree(found, training.device).tolist(), strict=True))


def score_out_of_fold(
    training: Training, model: torch.nn.Module, part: Part, weights_sha256: str
) -> list[SourceScore]:
    """Write the fold's share of the out-of-fold scores, a file a data file; returns the scores on each."""
    folder, settings, processes = training.job.run, training.settings, training.processes
    lengths = answer_lengths(part.train)
    wanted = {id(question) for question in part.test}
    found: list[SourceScore] = []
    with training.callbacks.scoring(f"scoring fold {part.name} out of fold", len(part.test)) as advance:
        for dataset in training.job.data:
            own = [question for question in dataset if id(question) in wanted]
            provenance = Provenance(
                data_sha256=dataset.sha256,
                run=folder.resolve().name,
                fold=part.name,
                model_sha256=weights_sha256,
                max_length=settings.max_length,
                stride=settings.stride,
                kit_version=__version__,
            )
            pieces = _scores(training, model, own, provenance, advance)
            metrics = dict.fromkeys(METRICS, 0.0)
            if processes.first:
                write_spans(oof_part(folder, dataset.sha256, part.name), provenance, pieces)
                metrics = _metrics(joined(pieces, _NOWHERE), own, lengths) if own else metrics
            found.append(SourceScore(held_out=len(own), metrics=metrics))
        processes.wait()
    return found


def _scores(
    training: Training,
    model: torch.nn.Module,
    questions: Sequence[Question],
    provenance: Provenance,
    advance: Advance,
) -> list[SpanScores]:
    """The pieces of all processes, in the first one; the others get none."""
    return list(
        score_together(
            training.processes, model, training.backbone, questions, training.device,
            max_length=training.settings.max_length, stride=training.settings.stride,
            provenance=provenance, tokens_of=training.tokens_of, advance=advance,
        )
    )  # fmt: skip


def _metrics(
    scores: SpanScores, questions: Sequence[Question], lengths: Mapping[int, int]
) -> dict[str, float]:
    answers = default_decoding(lengths).answers(scores, questions, lengths)
    golds = [question.golds for question in questions]
    distances = edit_distances(answers, golds)
    blanks = edit_distances([""] * len(questions), golds)
    values = (distances.mean(), np.mean(distances == 0), blanks.mean())
    return dict(zip(METRICS, map(float, values), strict=True))
