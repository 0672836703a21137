"""Three ways to make the scores of a question's windows comparable, and the usual decoding, by Edit Score.

``python -m tools.experiments.window_scores RUN DATA`` prints a table in Markdown, the ways compared with
"minus null", paired, grouped by article.  RUN holds out-of-fold scores on DATA, or scores of unseen DATA.
"""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

import kit
from kit.data.folds import groups
from kit.decoding.decoders import argmax_answers
from kit.metrics.bootstrap import bootstrap, paired
from kit.metrics.edit_distance import edit_distances
from kit.spans.lengths import log_length_prior
from kit.spans.recipe_members import answer_lengths_of
from kit.spans.run_folder import member_scores, open_run, stored_folds
from kit.spans.span_scores import SpanScores
from tools.benchmarks.baselines import usual_decoding
from tools.benchmarks.results import ROW, table

CAP = 60
TEMPERATURE = 1.33


def raw(scores: SpanScores) -> SpanScores:
    """Start + end logits: what the usual scripts compare across windows."""
    return replace(scores, null=np.zeros_like(scores.null))


def log_softmax(scores: SpanScores) -> SpanScores:
    """Log probabilities within each window, of its tokens and its null.

    The null is stored as the sum of two logits; half of it stands for each.
    """
    counts = np.diff(scores.tokens)
    heads = scores.tokens[:-1]
    half = scores.null.astype(np.float64) / 2
    total = np.zeros(len(counts))
    for logits in (scores.start, scores.end):
        top = np.maximum(np.maximum.reduceat(logits.astype(np.float64), heads), half)
        inside = np.add.reduceat(np.exp(logits - np.repeat(top, counts)), heads)
        total += top + np.log(inside + np.exp(half - top))
    return replace(scores, null=total.astype(np.float32))


def main(folder: str, data: str) -> None:
    dataset = kit.load(data)
    run = open_run(folder)
    (fold,) = stored_folds(run, None, dataset)
    scores = member_scores(run, fold, dataset)
    golds = [question.golds for question in dataset]
    grouped = groups(dataset.questions)
    several = float((np.diff(scores.windows) > 1).mean())

    def distances(own: SpanScores, bonus: NDArray[np.float64] | None) -> NDArray[np.float64]:
        temperature = 1.0 if bonus is None else TEMPERATURE
        questions = dataset.questions
        texts = argmax_answers(own, questions, length_cap=CAP, temperature=temperature, bonus=bonus)
        return edit_distances(texts, golds)

    def row(label: str, name: str, own: NDArray[np.float64], reference: NDArray[np.float64]) -> ROW:
        score, versus = bootstrap(own, grouped), ""
        if not (own == reference).all():
            found = paired(reference, own, grouped)
            versus = f"{found.mean:+.3f} ({found.interval.low:+.3f} to {found.interval.high:+.3f})"
        edit = f"{own.mean():.3f} ({score.low:.3f}–{score.high:.3f})"
        return label, name, edit, f"{float((own == 0).mean()):.3f}", versus

    lengths = answer_lengths_of([] if run.record is None else [run.record])
    print(f"{len(dataset):,} questions, {several:.0%} of them in several windows\n")
    rows = []
    ways = {"minus null": scores, "raw logits": raw(scores), "log-softmax": log_softmax(scores)}
    decodings: dict[str, NDArray[np.float64] | None] = {"argmax": None}
    if lengths:
        decodings[f"argmax, prior 0.5, T {TEMPERATURE}"] = 0.5 * log_length_prior(lengths, CAP)
    for label, bonus in decodings.items():
        reference = distances(scores, bonus)
        rows += [row(label, name, distances(own, bonus), reference) for name, own in ways.items()]
    spans = usual_decoding(raw(scores), CAP)
    texts = [question.context[begin:end] for question, (begin, end) in zip(dataset, spans, strict=True)]
    usual = edit_distances(texts, golds)
    rows.append(row("the usual top-20 loop", "raw logits", usual, distances(scores, None)))
    columns = ("decoding", "windows compared by", "Edit Score (95 %)", "EM", "to minus null (95 %)")
    print(table(columns, rows))


if __name__ == "__main__":
    main(*sys.argv[1:])
