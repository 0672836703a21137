"""What outside data do to the Edit Score: without them, trained on first, or mixed in, for the same steps.

``python -m tools.experiments.outside_data split DATA FOLDER`` divides a data file's groups of related
articles into ``judged.json``, which no training sees, ``own.json`` and ``outside.json``.
``… train ENCODER FOLDER [NAME ...]`` trains those of WAYS that have no finished run; two processes share the
work, and the same command resumes a killed one.  ``… show FOLDER`` prints the Edit Scores on ``judged.json``,
each paired with the training on ``own.json`` alone.  Nothing is chosen on these rows: the length prior's
weight is fixed, and its lengths are those of ``own.json``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import kit
from kit.data.folds import folds, groups
from kit.errors import LockError
from kit.spans.run_folder import open_run
from kit.spans.store import read_spans
from tools.benchmarks.results import table
from tools.experiments.training_options import COLUMNS, FIRST, PLAIN, Result, cells, result_of

FILES = ("judged", "own", "outside")
SPLIT_SEED = 42
SETTINGS: dict[str, Any] = {key: value for key, value in (PLAIN | FIRST).items() if key != "folds"}
WAYS: dict[str, dict[str, Any]] = {
    "own": {"data": ["own"], "epochs": 2.0},
    "two-stages": {"data": ["own"], "epochs": 1.0, "before": ["outside"], "before_epochs": 1.0},
    "mixed": {"data": ["own", "outside"], "epochs": 1.0, "judge": "own"},
}
"""By name.  All take about the same number of steps; a tenth of their data chooses the checkpoint."""


def split(data: Path, folder: Path) -> None:
    """Write FILES, each with about as many questions."""
    dataset = kit.load(data)
    fold_of = folds(dataset, len(FILES), SPLIT_SEED)
    file_of = {question.guid: FILES[fold] for question, fold in zip(dataset, fold_of, strict=True)}
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        content = json.loads(data.read_text(encoding="utf-8"))
        for article in content["data"]:
            for paragraph in article["paragraphs"]:
                paragraph["qas"] = [qa for qa in paragraph["qas"] if file_of[qa["guid"]] == name]
            article["paragraphs"] = [paragraph for paragraph in article["paragraphs"] if paragraph["qas"]]
        content["data"] = [article for article in content["data"] if article["paragraphs"]]
        _file(folder, name).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


def train(encoder: str, folder: Path, names: list[str]) -> None:
    """Train what is missing of *names* (default: all) and predict ``judged.json`` with it."""
    for name in names or WAYS:
        given: dict[str, Any] = SETTINGS | WAYS[name]
        for key in {"data", "before"} & given.keys():
            given[key] = [_file(folder, each) for each in given[key]]
        try:
            run = kit.train(encoder, run=folder / name, resume=True, quiet=True, **given)
        except LockError:
            continue  # another process trains it
        kit.predict(run, _file(folder, "judged"), quiet=True)


def show(folder: Path) -> str:
    """The table, in Markdown."""
    judged, own = kit.load(_file(folder, "judged")), kit.load(_file(folder, "own"))
    labels = groups(judged)
    results: dict[str, Result] = {}
    for name in WAYS:
        for path in (folder / name / "spans").glob("judged-*.safetensors"):
            results[name] = result_of(read_spans(path), judged.questions, own.questions)
    rows = [
        (name, *cells(result, results.get("own"), labels), _cost(folder / name))
        for name, result in results.items()
    ]
    return table(("run", *COLUMNS, "to own data alone", "steps, time"), rows)


def _cost(run: Path) -> str:
    steps, seconds = 0, 0.0
    for stage in (run / "before", run):
        if (stage / "run.json").exists():
            record = open_run(stage).record
            assert record is not None
            steps += record.folds["full"].steps
            seconds += record.folds["full"].seconds
    return f"{steps} steps, {seconds / 60:.0f} min"


def _file(folder: Path, name: str) -> Path:
    return folder / f"{name}.json"


if __name__ == "__main__":
    what, *words = sys.argv[1:]
    if what == "split":
        split(Path(words[0]), Path(words[1]))
    elif what == "train":
        train(words[0], Path(words[1]), words[2:])
    else:
        print(show(Path(words[0])))
