"""Five members' scores to a submission CSV: seconds, peak memory, and where the time goes.

``python -m tools.benchmarks.ensembles [RUN DATA]`` takes the scores that RUN (out of fold, or on unseen
data) has on DATA, repeated to 4,008 questions, five times with a little noise; without them, synthetic
scores on the built-in corpus.  The peer is the usual loop for each member and a vote on the texts.
"""

from __future__ import annotations

import cProfile
import json
import pstats
import statistics
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path
from unittest import mock

import numpy as np

import kit
from kit.data import demo_corpus
from kit.data.records import Dataset
from kit.spans.run_folder import member_scores, open_run, stored_folds
from kit.spans.span_scores import SpanScores
from kit.spans.store import write_spans
from tools.benchmarks.baselines import usual_decoding
from tools.benchmarks.measurement import RUNS, child
from tools.benchmarks.results import ROW
from tools.benchmarks.synthetic import scores_for

QUESTIONS, MEMBERS = 4008, 5


def compare(scores: SpanScores, dataset: Dataset, folder: Path) -> list[ROW]:
    """Rows for the table: medians of runs in turns, each in a new process."""
    data = _repeated(dataset, folder)
    folders = [folder / f"member-{number}" for number in range(1, MEMBERS + 1)]
    # One member is measured beside the five, for what each further one adds.
    recipes = {
        f"{count} × {decoder}": _recipe(folder, folders[:count], decoder, dataset.path)
        for count in (1, MEMBERS)
        for decoder in ("argmax", "edit")
    }
    members = [_member(own, scores, data, seed=number) for number, own in enumerate(folders)]
    found: dict[str, list[dict[str, float]]] = {name: [] for name in recipes}
    usual: list[float] = []
    for _ in range(RUNS):
        for name, recipe in recipes.items():
            found[name].append(_decoded(recipe, data, folder / "out.csv"))
        usual.append(_usual(members, data))
    peer = statistics.median(usual)
    rows = []
    for name, results in found.items():
        seconds, peak = (statistics.median(one[key] for one in results) for key in ("seconds", "peak"))
        versus = f"{peer / seconds:.1f} ×" if name.startswith(f"{MEMBERS} ") else ""
        work, usual_way = f"blend to CSV, 4,008 questions, {name}", f"five loops and a vote: {peer:.1f} s"
        rows.append((work, f"{seconds:.1f} s, {peak / 1e9:.2f} GB", usual_way, versus))
    return rows


class _OneAfterAnother(ThreadPoolExecutor):
    """A pool that starts no threads, which a profiler cannot see into."""

    map = staticmethod(map)


def profile(folder: Path) -> str:
    """Where the `edit` answers of five members spend their time, after `compare` in the same *folder*."""
    watch = cProfile.Profile()
    recipe = folder / f"{MEMBERS}-edit.yaml"
    with (
        mock.patch("kit.spans.posteriors.ThreadPoolExecutor", _OneAfterAnother),
        mock.patch("kit.decoding.ensembles.ThreadPoolExecutor", _OneAfterAnother),
    ):
        watch.runcall(kit.ensemble, recipe, folder / "test.json", out=folder / "p.csv")
    stats: dict[tuple[str, int, str], tuple[int, int, float, float, object]] = pstats.Stats(watch).stats  # type: ignore[attr-defined]
    own = Counter({place: numbers[2] for place, numbers in stats.items()})
    shares = [f"{_name(*place)} {seconds / own.total():.0%}" for place, seconds in own.most_common(10)]
    return f"Of five members' `edit` answers, in one thread, by functions' own time: {', '.join(shares)}."


def _name(file: str, line: int, function: str) -> str:
    """``posteriors.py _listed``, or the name of a C function."""
    return f"`{function}`" if file == "~" else f"`{Path(file).name} {function}`"


def _repeated(dataset: Dataset, folder: Path) -> Dataset:
    paragraphs = [
        {"context": question.context, "qas": [{"question": question.text, "guid": f"q{number}"}]}
        for number, question in enumerate(islice(cycle(dataset), QUESTIONS))
    ]
    content = {"data": [{"title": "", "paragraphs": paragraphs}]}
    path = folder / "test.json"
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return kit.load(path)


def _member(folder: Path, scores: SpanScores, data: Dataset, seed: int) -> SpanScores:
    generator = np.random.default_rng(seed)
    own = scores.select(np.arange(QUESTIONS) % len(scores))
    noise = generator.normal(0, 0.5, (2, len(own.start))).astype(np.float32)
    provenance = replace(scores.provenance, data_sha256=data.sha256, run=folder.name, fold="full")
    own = replace(
        own, guids=tuple(question.guid for question in data), provenance=provenance,
        start=own.start + noise[0], end=own.end + noise[1],
    )  # fmt: skip
    (folder / "spans").mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    write_spans(open_run(folder).span_file(data, "full"), provenance, [own])
    return own


def _recipe(folder: Path, members: list[Path], decoder: str, lengths: Path) -> Path:
    path = folder / f"{len(members)}-{decoder}.yaml"
    listed = "".join(f"  - run: {member}\n    temperature: 1.3\n" for member in members)
    prior = f"length_prior: 0.5\nlengths: {lengths}\n"
    path.write_text(f"members:\n{listed}blend: mean\ndecoder: {decoder}\nlength_cap: 60\n{prior}")
    return path


def _decoded(recipe: Path, data: Dataset, out: Path) -> dict[str, float]:
    words = "kit", "ensemble", recipe, "--data", data.path, "--out", out
    found = child("tools.benchmarks.weighed", *words)
    out.unlink()
    return found


def _usual(members: list[SpanScores], data: Dataset) -> float:
    began = time.perf_counter()
    votes: list[Counter[str]] = [Counter() for _ in data]
    for scores in members:
        for vote, question, (begin, end) in zip(votes, data, usual_decoding(scores, 60), strict=True):
            vote[question.context[begin:end]] += 1
    assert all(vote.most_common(1) for vote in votes)
    return time.perf_counter() - began


def invented(folder: Path) -> tuple[SpanScores, Dataset]:
    """Scores on the built-in corpus, shaped like a trained model's."""
    files = demo_corpus.write(folder / "corpus", train_contexts=300, test_contexts=1)
    dataset = kit.load(files.train)
    return scores_for(dataset.questions), dataset


def main(*words: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if words:
            dataset = kit.load(words[1])
            run = open_run(words[0])
            (fold,) = stored_folds(run, None, dataset)
            scores = member_scores(run, fold, dataset)
        else:
            scores, dataset = invented(folder)
        for row in compare(scores, dataset, folder):
            print(*row, sep=" | ")
        print(profile(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])
