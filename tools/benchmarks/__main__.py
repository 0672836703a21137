"""``make bench``: the kit and its baselines in the same run; medians and ratios, written to RESULTS.md.

``python -m tools.benchmarks [PART ...]`` measures only these: everyday, training, cpu, growth, first-step,
tuning.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import kit
from kit.data import demo_corpus
from kit.modeling.tiny import Shape, make_backbone
from tools.benchmarks import ensembles, everyday, first_step, gpu, growth, tuning
from tools.benchmarks import training as trainings
from tools.benchmarks.measurement import RUNS
from tools.benchmarks.results import machine, table, write_section


def every_day() -> None:
    """Commands and stages beside the usual way, and a blend of five members."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = everyday.all_rows(folder)
        (folder / "blend").mkdir()
        rows += ensembles.compare(*ensembles.invented(folder / "blend"), folder / "blend")
        profile = ensembles.profile(folder / "blend")
    text = f"Written by `make bench`; medians of {RUNS} runs in turns, {machine()}."
    write_section("everyday", f"{text}\n\n{table(everyday.COLUMNS, rows)}\n\n{profile}")


def training() -> None:
    """A small encoder on the built-in corpus; the module can be run on any encoder and data."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = demo_corpus.write(folder / "corpus", train_contexts=60, test_contexts=1)
        texts = [question.context for question in kit.load(files.train)]
        make_backbone(folder / "encoder", texts, "wordpiece", Shape(2000, 256, 4, 4, 1024, 384), seed=1)
        rows = trainings.compare(str(folder / "encoder"), str(files.train), 384, 128, 200, "fp32")
    text = "## Training beside a plain Trainer\n\nThe same model, data, precision and effective batch."
    write_section("training", f"{text} {machine()}.\n\n{table(everyday.COLUMNS, rows)}")


PARTS = {
    "everyday": every_day,
    "training": training,
    "cpu": lambda: gpu.main(minutes=2.0),
    "growth": growth.main,
    "first-step": first_step.write_table,
    "tuning": tuning.write_table,
}


def main(*wanted: str) -> None:
    for name in wanted or PARTS:
        PARTS[name]()


if __name__ == "__main__":
    main(*sys.argv[1:])
