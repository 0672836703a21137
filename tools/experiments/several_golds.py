"""Several gold forms on the built-in corpus: which of them to train on, scored by `first` and by `min`.

``python -m tools.experiments.several_golds [SEEDS]`` trains one tiny encoder for each way and seed, a minute
each on two cores, and prints a table in Markdown: means over the seeds, lowest and highest of them.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

import kit
from kit.data import demo_corpus
from kit.modeling.tiny import Shape, make_backbone
from kit.settings.recipe import Member, Recipe

WAYS = ("all", "first", "shortest", "longest")


def main(seeds: int = 2) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = demo_corpus.write(folder / "corpus")
        train, test, truth = (kit.load(path) for path in (files.train, files.test, files.test_answers))
        several = sum(len(question.golds) > 1 for question in truth)
        print(f"{len(truth):,} questions, {several:,} of them with several golds; {seeds} seeds\n")
        print("| learned from | Edit Score, first | Edit Score, min | exact, first |")
        print("| --- | --- | --- | --- |")
        contexts = list(dict.fromkeys(question.context for question in train))
        for way in WAYS:
            found: dict[str, list[float]] = {"first": [], "min": [], "exact": []}
            for seed in range(1, seeds + 1):
                backbone, run = folder / f"{way}-{seed}", folder / f"run-{way}-{seed}"
                make_backbone(backbone, contexts, "wordpiece", Shape(vocabulary=2000, spread=0.12), seed=seed)
                trained = kit.train(
                    str(backbone), train, run=run, epochs=2.0, lr=2e-3, batch_size=16, micro_batch_size=16,
                    max_length=256, stride=64, targets=way, seed=seed, attention_dropout=0.0,
                )  # fmt: skip
                kit.predict(trained, test)
                recipe = Recipe(members=(Member(run=str(run)),), length_prior=1.0)
                kit.ensemble(recipe, test, out=folder / "answers.csv")
                for reference in ("first", "min"):
                    scored = kit.score(folder / "answers.csv", truth, reference=reference)
                    found[reference].append(scored.edit)
                    if reference == "first":
                        found["exact"].append(scored.exact)
            print(f"| {way} | {' | '.join(map(_spread, found.values()))} |", flush=True)


def _spread(values: list[float]) -> str:
    return f"{statistics.mean(values):.3f} ({min(values):.3f}–{max(values):.3f})"


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
