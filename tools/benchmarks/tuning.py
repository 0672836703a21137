"""What `kit tune` fits, at the size of the competition: seconds, CPU seconds, peak memory.

``python -m tools.benchmarks.tuning [QUESTIONS MEMBERS]`` fits all but the second stage, for each of five
folds on the others and once on all, as `kit tune` does; then it compares the table of many weights with
the decoder.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

import kit
from kit.data.records import Question
from kit.decoding.decoders import decoded, forms_of
from kit.decoding.form_table import make_table
from kit.memory import peak_memory
from kit.metrics.edit_distance import edit_distances
from kit.spans.blending import BLENDS, KEPT, REACH, blended, likeliest_together
from kit.spans.posteriors import span_posterior
from kit.spans.span_scores import SpanScores
from kit.tuning.fitting import CANDIDATES, CAPS, Fitter
from kit.tuning.members import OutOfFold
from kit.tuning.parallel import Steps, together
from tools.benchmarks.measurement import child
from tools.benchmarks.results import ROW, machine, table, write_section
from tools.benchmarks.synthetic import background, tokens_of, write

QUESTIONS, MEMBERS, FOLDS = 12_037, 5, 5
WEIGHTS = 40
COLUMNS: ROW = ("work", "kit", "peer", "ratio")
_WORDS = 120
"""Median words of a context: 600 characters or so."""
_SURE, _NOISE = 9.0, 3.0
"""Logits at the gold above the others', and their standard deviation: half of the answers are in doubt."""


def members_of(questions: list[Question], members: int) -> OutOfFold:
    """Out-of-fold scores of invented members; a token is two characters."""
    return OutOfFold(
        labels=tuple(f"m{number}" for number in range(members)),
        runs=(),
        digests=(),
        scores=tuple(_scores(questions, seed) for seed in range(members)),
        fold_of=np.arange(len(questions)) % FOLDS,
        lengths=dict.fromkeys(range(1, 20), 1),
    )


def _scores(questions: list[Question], seed: int) -> SpanScores:
    generator = np.random.default_rng(seed)
    scores = background(np.ones(len(questions), int), tokens_of(questions), generator)
    for one, first, end in zip(questions, scores.tokens[:-1], scores.tokens[1:], strict=True):
        assert one.answers
        sure = generator.normal(_SURE, _NOISE, 2)
        scores.start[min(first + one.answers[0].start // 2, end - 1)] += sure[0]
        scores.end[min(first + (one.answers[0].end - 1) // 2, end - 1)] += sure[1]
    return replace(scores, guids=tuple(one.guid for one in questions))


def fit(questions: list[Question], members: int) -> dict[str, float]:
    """All fits of a tuning but the second stage: wall and CPU seconds, and this process's peak bytes."""
    known = members_of(questions, members)
    steps = Steps(lambda done: None)
    fitter = Fitter(known, questions, steps)

    def one(fold: int) -> None:
        rows = known.fold_of != fold  # of no fold: all
        start = fitter.start(rows)
        fitter.best(fitter.ways(start, rows).values(), rows).texts()

    began, before = time.perf_counter(), time.process_time()
    together([partial(one, fold) for fold in range(FOLDS + 1)], steps)
    return {
        "seconds": time.perf_counter() - began, "cpu": time.process_time() - before, "peak": peak_memory(),
    }  # fmt: skip


def weights(questions: list[Question], members: int) -> ROW:
    """Edit Scores for many weights: on the table, and by the decoder itself."""
    known = members_of(questions, members)
    parts = likeliest_together(
        [span_posterior(scores, CAPS[0], count=REACH * KEPT) for scores in known.scores], KEPT
    )
    generator = np.random.default_rng(0)
    chosen = generator.dirichlet(np.ones(members), WEIGHTS)
    golds = [one.golds for one in questions]
    began = time.process_time()
    made = make_table(parts, questions)
    forms = (made.chosen(own, BLENDS["mean"], forms_of("edit"), CANDIDATES[0]) for own in chosen)
    fast = [float(made.gold[own].mean()) for own in forms]
    ours = time.process_time() - began
    began = time.process_time()
    blends = (blended(parts, own.tolist()).likeliest(CANDIDATES[0]) for own in chosen)
    slow = [float(edit_distances(decoded(own, questions, "edit"), golds).mean()) for own in blends]
    peer = time.process_time() - began
    assert np.allclose(fast, slow), "the table answers otherwise than the decoder"
    return (
        f"{WEIGHTS} weights of {members} members, {len(questions):,} questions", f"{ours:.1f} CPU s",
        f"decoded for each: {peer:.1f} CPU s", f"{peer / ours:.1f} ×",
    )  # fmt: skip


def questions_of(folder: Path, count: int) -> list[Question]:
    return list(kit.load(write(folder / "train.json", count, _WORDS)))


def write_table(questions: int = QUESTIONS, members: int = MEMBERS) -> None:
    found = child("tools.benchmarks.tuning", "fit", questions, members)
    with tempfile.TemporaryDirectory() as name:
        rows = [weights(questions_of(Path(name), 1_000), members)]
    work = f"tuning without the second stage, {members} members × {questions:,} questions × {FOLDS} folds"
    cost = f"{found['seconds']:.0f} s, {found['cpu']:.0f} CPU s, {found['peak'] / 1e9:.2f} GB"
    rows.append((work, cost, "", ""))
    write_section("tuning", f"## Tuning\n\nInvented scores. {machine()}.\n\n{table(COLUMNS, rows)}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["fit"]:
        with tempfile.TemporaryDirectory() as place:
            asked = questions_of(Path(place), int(sys.argv[2]))
        print(json.dumps(fit(asked, int(sys.argv[3]))))
    else:
        write_table(*map(int, sys.argv[1:3]))
