"""The time of a training before its first step, on 100,000 questions: with an empty cache and a full one.

``python -m tools.benchmarks.first_step [QUESTIONS]`` runs ``kit train`` twice with a new cache, each time
until the first optimizer step, and writes the table into RESULTS.md.
"""

from __future__ import annotations

import functools
import importlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from tools.benchmarks.measurement import Ask, child
from tools.benchmarks.results import ROW, machine, table, write_section
from tools.benchmarks.synthetic import tiny_backbone, write

QUESTIONS = 100_000
STAGES = {
    "read the training file": ("kit.api.train", "dataset_of"),
    "look for leaks": ("kit.api.train", "refuse_leaks"),
    "open the backbone": ("kit.training.run", "open_backbone"),
    "deal the folds": ("kit.training.run", "begin"),
    "inspect the tokenizer": ("kit.training.run", "inspect_tokenizer"),
    "tokens": ("kit.training.run", "known_tokens"),
    "choose the fold's questions": ("kit.training.run_setup", "fold_part"),
    "trial": ("kit.training.run", "try_training"),
    "windows": ("kit.training.fit", "make_windows"),
    "labels": ("kit.training.fit", "label_windows"),
    "load the weights": ("kit.training.fit", "load_for_training"),
    "forecast": ("kit.training.fit", "forecast"),
}
REST, TOTAL = "imports, Trainer, the step itself", "until the first step is done"


class _FirstStep(BaseException):
    """Ends the training; no handler of Exception catches it."""


def run(folder: Path, target: Path) -> None:
    """``kit train`` in this process until its first step; prints seconds a stage as JSON."""
    began = time.perf_counter()
    spent = dict.fromkeys(STAGES, 0.0)
    at_work: list[str] = []

    def watched(label: str, work: Callable[..., object]) -> Callable[..., object]:
        @functools.wraps(work)
        def timed(*words: object, **named: object) -> object:
            if at_work:  # inside another stage, which counts it: the leak check reads the test file
                return work(*words, **named)
            at_work.append(label)
            start = time.perf_counter()
            try:
                return work(*words, **named)
            finally:
                spent[at_work.pop()] += time.perf_counter() - start

        return timed

    import kit

    for label, (module, name) in STAGES.items():
        place = importlib.import_module(module)
        setattr(place, name, watched(label, getattr(place, name)))

    from transformers import TrainerCallback

    from kit.training import progress

    class Stop(TrainerCallback):
        def on_step_end(self, *_: Any, **__: Any) -> None:
            raise _FirstStep

    spoken = progress.spoken
    progress.spoken = lambda: replace(spoken(), trainer_callbacks=(Stop(),))
    try:
        given = {"run": target, "folds": 5, "fold": 0, "max_length": 512, "stride": 128}
        kit.train(str(folder / "tiny"), folder / "train.json", **given)
    except _FirstStep:
        total = time.perf_counter() - began
    print(json.dumps({**spent, REST: total - sum(spent.values()), TOTAL: total}))


def measure(questions: int = QUESTIONS, ask: Ask = child) -> tuple[list[ROW], int]:
    """Rows of the table, and the bytes of the cache."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        tiny_backbone(folder / "tiny")
        write(folder / "train.json", questions)
        write(folder / "test.json", max(questions // 25, 1), seed=1, answers=False)
        first, second = (
            ask("tools.benchmarks.first_step", folder, folder / name, KIT_CACHE=str(folder / "cache"))
            for name in ("first", "second")
        )
        kept = sum(path.stat().st_size for path in (folder / "cache").rglob("*.kit"))
    return [(label, f"{first[label]:.1f} s", f"{second[label]:.1f} s") for label in first], kept


def write_table(questions: int = QUESTIONS) -> None:
    rows, kept = measure(questions)
    write_section(
        "first step",
        f"## Before the first step\n\n`kit train` on {questions:,} generated questions (about 1,000 "
        f"characters a context, a test file of {questions // 25:,} beside them), fold 0 of 5, a tiny "
        "encoder. The second run, on the same data, finds tokens, groups and the result of the leak check in "
        f"the cache ({kept / 1e6:,.0f} MB). {machine()}.\n\n" + table(("stage", "first time", "again"), rows),
    )


def main() -> None:
    os.environ.setdefault("NO_COLOR", "1")
    if len(sys.argv) > 2:
        run(Path(sys.argv[1]), Path(sys.argv[2]))
    else:
        write_table(*map(int, sys.argv[1:]))


if __name__ == "__main__":
    main()
