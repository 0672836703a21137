"""Try every family of backbones with all that a user may ask for, and write the table docs/families.md.

`python -m tools.families` tries all that are not in families.jsonl yet, each in a process of its own with a
time limit, and writes the table; `python -m tools.families bert funnel` tries these again.
"""

from __future__ import annotations

import argparse
import copy
import json
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

import kit
import kit.training.run  # once, before families are forked from this process
from kit.data import demo_corpus
from kit.errors import KitError
from kit.settings.runs import FULL, read_run
from kit.spans.store import read_spans
from tools.benchmarks.measurement import PROJECT
from tools.benchmarks.results import table
from tools.families.tiny_models import FAMILIES, POSITIONS, make_family

PAGE = PROJECT / "docs" / "families.md"
COLUMNS = ("train", "predict", "neighbours", "reload", "joint", "checkpointing", "bf16")
SAME = 1e-3
"""Scores that differ by less are the same: batches of other shapes add numbers in another order."""
SETTINGS: dict[str, Any] = {
    "epochs": 2.0, "batch_size": 4, "micro_batch_size": 4, "max_length": POSITIONS, "stride": 24, "lr": 1e-3,
    "limit": 24, "evaluations": 2, "quiet": True, "allow_leak": True,
}  # fmt: skip
Verdict = str
"""'yes', the kit's own line that refuses it, or 'TRACEBACK: …'."""


@dataclass(frozen=True, slots=True)
class Files:
    """The data that families are tried with, and all of their texts."""

    train: Path
    judge: Path
    """Chooses the checkpoint."""
    beside: Path
    """The questions of *judge*, and a short one."""
    alone: Path
    """The short one."""
    texts: tuple[str, ...]


def make_files(folder: Path) -> Files:
    """A small corpus; among its questions for validation are short and long contexts."""
    files = demo_corpus.write(folder, train_contexts=20, test_contexts=5)
    questions = [*kit.load(files.train), *kit.load(files.test)]
    answered = json.loads(files.test_answers.read_text(encoding="utf-8"))
    shortest = min(answered["data"], key=lambda article: len(article["paragraphs"][0]["context"]))
    one = copy.deepcopy(shortest)
    # A context of one sentence: alone it is much shorter than beside the others.
    paragraph = one["paragraphs"][0]
    paragraph["context"] = paragraph["context"].split(". ")[0] + "."
    paragraph["qas"] = [{**paragraph["qas"][0], "guid": "alone", "answers": None}]
    beside = {**answered, "data": [*_without_answers(answered["data"]), one]}
    together, alone = folder / "beside.json", folder / "alone.json"
    together.write_text(json.dumps(beside, ensure_ascii=False), encoding="utf-8")
    alone.write_text(json.dumps({**answered, "data": [one]}, ensure_ascii=False), encoding="utf-8")
    texts = dict.fromkeys(text for question in questions for text in (question.context, question.text))
    return Files(files.train, files.test_answers, together, alone, tuple(texts))


def _without_answers(articles: Sequence[Mapping[str, Any]]) -> list[Any]:
    bare = copy.deepcopy(list(articles))
    for article in bare:
        for paragraph in article["paragraphs"]:
            for asked in paragraph["qas"]:
                asked["answers"] = None
    return bare


def try_family(name: str, folder: Path, files: Files, columns: Sequence[str] = COLUMNS) -> dict[str, Verdict]:
    """The verdicts on one family by *columns*; "" for what was not tried, since the training was refused."""
    model, run = folder / name, folder / "run"
    make_family(model, name, files.texts)

    def train(to: Path, **more: object) -> None:
        kit.train(str(model), files.train, valid=files.judge, run=to, **{**SETTINGS, **more})

    short = {"epochs": 0.5, "evaluations": 1}
    attempts: dict[str, Callable[[], None]] = {
        "train": lambda: train(run),
        "predict": lambda: _predict(run, files),
        "neighbours": lambda: same_alone(run, files),
        "reload": lambda: same_again(run, files),
        "joint": lambda: train(folder / "joint", head="joint", **short),
        "checkpointing": lambda: train(folder / "less", gradient_checkpointing=True, **short),
        "bf16": lambda: train(folder / "half", precision="bf16", **short),
    }
    verdicts = dict.fromkeys(columns, "")
    for column in columns:
        if column == "train" or verdicts["train"] == "yes":
            verdicts[column] = verdict(attempts[column])
    return verdicts


def verdict(attempt: Callable[[], object]) -> Verdict:
    """What came of *attempt*."""
    try:
        attempt()
    except KitError as error:
        return str(error)
    except AssertionError as error:
        return f"NO: {error}"
    except Exception as error:  # whatever it is, it is to be in the table
        first = (str(error).splitlines() or [""])[0]
        return f"TRACEBACK: {type(error).__name__}: {first[:120]}"
    return "yes"


def _predict(run: Path, files: Files) -> None:
    (path,) = kit.predict(run, files.beside, quiet=True)
    scores = read_spans(path)
    assert np.isfinite(scores.start + scores.end).all(), "scores are not finite"


def same_alone(run: Path, files: Files) -> None:
    """A question's scores are the same beside longer ones and alone."""
    (beside,), (alone,) = (kit.predict(run, data, quiet=True) for data in (files.beside, files.alone))
    every, one = read_spans(beside), read_spans(alone)
    last = len(one.start)
    difference = max(
        float(np.abs(getattr(every, side)[-last:] - getattr(one, side)).max()) for side in ("start", "end")
    )
    assert difference < SAME, f"scores differ by {difference:.3g} beside longer windows"


def same_again(run: Path, files: Files) -> None:
    """The model on disk, loaded again, scores what the training recorded for it."""
    record = read_run(run)
    assert record is not None
    kit.predict(run, files.judge, quiet=True)
    again = kit.score(kit.decode(run, files.judge), files.judge).edit
    recorded = record.folds[FULL].metrics["edit"]
    assert abs(again - recorded) < SAME, f"recorded Edit Score {recorded:.3f}, predicted again {again:.3f}"


def main() -> None:
    """Try families and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("families", nargs="*", choices=[[], *FAMILIES], metavar="FAMILY")
    parser.add_argument("--results", type=Path, default=PROJECT / "families.jsonl")
    parser.add_argument("--seconds", type=float, default=120.0, help="time limit of a family")
    given = parser.parse_args()
    os.environ["KIT_CACHE"] = ""
    torch.set_num_threads(1)  # tiny models gain nothing from more

    found = _read(given.results)
    for name in given.families or [name for name in FAMILIES if name not in found]:
        began = time.monotonic()
        found[name] = _in_a_process(name, given.seconds)
        with given.results.open("a", encoding="utf-8") as file:
            file.write(json.dumps({name: found[name]}, ensure_ascii=False) + "\n")
        print(f"{name}: {time.monotonic() - began:.0f} s, {found[name]['train'][:100]}", flush=True)
        PAGE.write_text(page(found), encoding="utf-8")


def _read(results: Path) -> dict[str, dict[str, Verdict]]:
    lines = results.read_text(encoding="utf-8").splitlines() if results.exists() else []
    return {name: verdicts for line in lines for name, verdicts in json.loads(line).items()}


def _in_a_process(name: str, seconds: float) -> dict[str, Verdict]:
    """Try a family in a process that is forked from this one: the libraries are imported once."""
    with tempfile.TemporaryDirectory(prefix="kit-families-") as place:
        folder = Path(place)
        process = multiprocessing.get_context("fork").Process(target=_child, args=(name, folder))
        process.start()
        process.join(seconds)
        if process.is_alive():
            process.kill()
            process.join()
            return {"train": f"TIMEOUT: more than {seconds:.0f} s"}
        result = folder / "verdicts.json"
        if result.exists():
            return dict(json.loads(result.read_text(encoding="utf-8")))
        return {"train": f"TRACEBACK: exit code {process.exitcode}"}


def _child(name: str, folder: Path) -> None:
    try:
        found = try_family(name, folder, make_files(folder / "data"))
    except Exception as error:  # the tiny model itself could not be made
        found = {"train": f"NOT MADE: {type(error).__name__}: {error}"[:200]}
    (folder / "verdicts.json").write_text(json.dumps(found), encoding="utf-8")


def page(found: Mapping[str, Mapping[str, Verdict]]) -> str:
    """docs/families.md: the table, and the lines that refuse."""
    lines: dict[str, int] = {}
    rows = []
    for name in sorted(found, key=lambda name: list(FAMILIES).index(name) if name in FAMILIES else 99):
        cells = []
        for column in COLUMNS:
            said = found[name].get(column, "")
            if said and said != "yes":
                said = _plain(said, name)
                said = f"no ({lines.setdefault(said, len(lines) + 1)})"
            cells.append(said)
        rows.append((name, *cells))
    notes = "\n".join(f"{number}. {line}" for line, number in lines.items())
    return _PAGE.format(table=table(("family", *COLUMNS), rows), notes=notes)


def _plain(said: str, name: str) -> str:
    """A refusal without the temporary folder's name, so that it is the same for all families."""
    first, colon, rest = said.partition(": ")
    return rest if colon and first.endswith(name) else said


_PAGE = """# Families of backbones

Every family for which the library has a question-answering class, and some for which the kit makes the head:
tiny models with random weights, in folders with tokenizers of their kinds. Written by
`python -m tools.families`.

- **train**: the training ends, with its evaluations; **predict**: `kit predict` gives finite scores.
- **neighbours**: a short question's scores are the same alone and beside longer ones.
- **reload**: predicting again gives the recorded Edit Score.
- **joint**, **checkpointing**, **bf16**: training with `--head joint`, `--gradient-checkpointing`,
  `--precision bf16`.

An empty cell was not tried, since the training was refused.

{table}

{notes}
"""
