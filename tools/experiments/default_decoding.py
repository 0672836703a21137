"""Which decoding a run gets that nothing was tuned for: decoder, length prior and cap, by Edit Score.

``python -m tools.experiments.default_decoding DATA RUN ...`` prints a table in Markdown: every setting,
compared with plain argmax, paired, grouped by article. A run with folds that trained on DATA is scored
out of fold, and the length prior of each fold is made from the answers of the others; ``nested``
chooses a setting by the mean of all such runs on all folds but one, and is scored on that one. Any
other run or checkpoint is scored by what ``kit predict`` stored for DATA, on the answers of ``--answers
FILE``, with the lengths of its record or of ``--lengths FILE``. ``--copies N`` prints instead how long
DATA, repeated N times, take to decode.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import kit
from kit.data.folds import groups
from kit.data.records import Dataset, Question
from kit.decoding.default import PLAIN, Decoding
from kit.metrics.bootstrap import paired
from kit.metrics.edit_distance import edit_distances
from kit.reports.source import with_answers
from kit.settings.folds import read_plan
from kit.spans.lengths import answer_lengths
from kit.spans.out_of_fold import OUT_OF_FOLD
from kit.spans.run_folder import member_scores, open_run, stored_folds
from kit.spans.span_scores import SpanScores
from tools.benchmarks.results import table

SETTINGS = [Decoding(*one) for one in product(("argmax", "edit"), (0.0, 0.25, 0.5, 1.0), (60, 30))]


@dataclass(frozen=True, slots=True)
class Reader:
    """A run's scores on DATA; fold_of: int64 (Q,), 0 without folds; lengths: for each fold, of the others."""

    name: str
    scores: SpanScores
    fold_of: NDArray[np.int64]
    lengths: Mapping[int, Mapping[int, int]]
    nested: bool

    def texts(self, setting: Decoding, questions: tuple[Question, ...]) -> list[str]:
        """One answer for each question, each fold's with its own length prior."""
        found = [""] * len(questions)
        for fold in np.unique(self.fold_of).tolist():
            chosen = np.flatnonzero(self.fold_of == fold)
            own = [questions[index] for index in chosen]
            texts = setting.answers(self.scores.select(chosen), own, self.lengths[fold])
            for index, text in zip(chosen, texts, strict=True):
                found[index] = text
        return found


def reader_of(folder: Path, dataset: Dataset, lengths: Dataset | None) -> Reader:
    run = open_run(folder)
    fold, *more = stored_folds(run, None, dataset)
    if more:
        raise SystemExit(f"{folder}: has several folds and did not train on {dataset.path}; give one model")
    guids = [question.guid for question in dataset]
    scores = member_scores(run, fold, dataset)
    place = {guid: index for index, guid in enumerate(scores.guids)}
    scores = scores.select(np.array([place[guid] for guid in guids]))
    if fold == OUT_OF_FOLD:
        plan = read_plan(run.folder)
        assert plan is not None
        fold_of = np.array(plan.fold_of(dataset.sha256))
        others = {
            number: answer_lengths(q for q, own in zip(dataset, fold_of, strict=True) if own != number)
            for number in np.unique(fold_of).tolist()
        }
        return Reader(run.name, scores, fold_of, others, nested=True)
    if lengths is not None:
        own = answer_lengths(lengths)
    elif run.record is not None:
        own = {int(length): count for length, count in run.record.answer_lengths.items()}
    else:
        raise SystemExit(f"{folder}: has no record of answer lengths; name the training file with --lengths")
    return Reader(run.name, scores, np.zeros(len(guids), np.int64), {0: own}, nested=False)


def show(readers: list[Reader], dataset: Dataset) -> None:
    golds, grouped = [question.golds for question in dataset], groups(dataset.questions)
    distances = {
        setting: [edit_distances(one.texts(setting, dataset.questions), golds) for one in readers]
        for setting in SETTINGS
    }
    plain = distances[PLAIN]
    blank = edit_distances([""] * len(golds), golds).mean()
    print(f"{len(dataset):,} questions, all blank {blank:.3f}")
    rows = [(str(setting), *_cells(own, plain, grouped)) for setting, own in distances.items()]
    nested = [index for index, one in enumerate(readers) if one.nested]
    if nested:
        fold_of = readers[nested[0]].fold_of
        chosen = [np.zeros(len(golds)) for _ in nested]
        for fold in np.unique(fold_of).tolist():
            fitting = fold_of != fold
            means = {
                setting: np.mean([own[index][fitting].mean() for index in nested])
                for setting, own in distances.items()
            }
            best = min(means, key=lambda setting: means[setting])
            print(f"nested, without fold {fold}: {best} ({means[best]:.3f})")
            for own, index in zip(chosen, nested, strict=True):
                own[~fitting] = distances[best][index][~fitting]
        rows.append(("nested", *_cells(chosen, [plain[index] for index in nested], grouped)))
    columns = ("setting", *(column for one in readers for column in (one.name, "to plain argmax")))
    print(f"\n{table(columns, rows)}")


def _cells(
    found: list[NDArray[np.float64]], plain: list[NDArray[np.float64]], grouped: NDArray[np.int64]
) -> Iterator[str]:
    """Two for each reader."""
    for own, reference in zip(found, plain, strict=True):
        yield f"{own.mean():.3f} ({float((own == 0).mean()):.1%} equal)"
        difference = paired(reference, own, grouped)
        yield f"{difference.mean:+.3f} ({difference.interval})" if own is not reference else ""


def seconds(readers: list[Reader], dataset: Dataset, copies: int) -> None:
    for one in readers:
        again = np.tile(np.arange(len(dataset)), copies)
        questions = tuple(dataset.questions[index] for index in again)
        many = Reader(one.name, one.scores.select(again), one.fold_of[again], one.lengths, one.nested)
        for setting in SETTINGS:
            began = time.perf_counter()
            many.texts(setting, questions)
            spent = time.perf_counter() - began
            print(f"{one.name}, {setting}: {spent:.2f} s for {len(questions):,}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data")
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--answers")
    parser.add_argument("--lengths")
    parser.add_argument("--copies", type=int)
    given = parser.parse_args()
    dataset = kit.load(given.data)
    lengths = None if given.lengths is None else kit.load(given.lengths)
    readers = [reader_of(folder, dataset, lengths) for folder in given.runs]
    if given.answers is not None:
        dataset = with_answers(dataset, kit.load(given.answers))
    if given.copies:
        seconds(readers, dataset, given.copies)
    else:
        show(readers, dataset)


if __name__ == "__main__":
    main()
