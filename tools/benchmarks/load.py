"""All stages under load: 100,000 generated questions, ten members, each stage a command.

``python -m tools.benchmarks.load [--questions N] [--members 10] [--folder DIR]`` writes the corpus, trains
one tiny model in a minute, and runs each command as a user would.  The other members are copies of the
model with noise on its scores, since predicting with each would take as long.  The table with seconds and
peak memory of each stage goes into RESULTS.md.  With ``--folder``, existing files are reused, and all files
are kept.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from safetensors.torch import load_file, save_file

import kit
from kit.data import demo_corpus
from kit.modeling.checkpoint_files import weights_sha256
from kit.modeling.tiny import Shape, make_backbone
from kit.spans.run_folder import open_run
from kit.spans.store import read_spans, write_spans
from tools.benchmarks.measurement import child
from tools.benchmarks.results import ROW, machine, table, write_section

QUESTIONS, MEMBERS = 100_000, 10
_A_CONTEXT = 3.2
"""Questions the built-in corpus asks on a context, about."""
_NOISE = 0.5
"""Standard deviation in logits: members disagree, but all find most answers."""


def run_load(folder: Path, questions: int, members: int) -> list[ROW]:
    """A row of the table for each stage in *folder*; raises RuntimeError where one fails."""
    data = folder / "data"
    if not (data / "test.json").exists():
        demo_corpus.write(data, train_contexts=1500, test_contexts=round(questions / _A_CONTEXT))
    paths = _members(folder, members)
    own = [str(path.relative_to(folder)) for path in paths]
    recipe, csv = "many.yaml", "submissions/many.csv"
    listed = "".join(f"  - run: {path}\n" for path in own)
    (folder / recipe).write_text(
        f"members:\n{listed}decoder: edit\nlength_prior: 1.0\nlengths: data/train.json\n"
        "rules: [strip_special_tokens, trim]\n",
        encoding="utf-8",
    )
    test, answers = "data/test.json", "data/test_answers.json"

    def row(name: str, *words: str) -> ROW:
        found = child("tools.benchmarks.weighed", *words, cwd=folder)
        measured = name, f"{found['seconds']:.0f} s", f"{found['peak'] / 1e9:.2f} GB"
        print(*measured, sep=", ", file=sys.stderr, flush=True)
        return measured

    rows = [
        row("windows", "tools.benchmarks.windows", own[0], test),
        row("check, against the training file", "kit", "check", answers, "--against", "data/train.json"),
        row("predict, one member", "kit", "predict", own[0], "--data", test),
    ]
    _spread(paths, folder / test)
    ensemble = f"ensemble of {members}, edit decoding, to the CSV"
    return [
        *rows,
        row(ensemble, "kit", "ensemble", recipe, "--data", test, "--out", csv),
        row("score", "kit", "score", csv, "--answers", answers),
        row("report", "kit", "report", csv, "--data", test, "--answers", answers),
    ]


def _members(folder: Path, count: int) -> list[Path]:
    """One tiny reader trained on the corpus, and *count* folders that hold it, each with its own weights."""
    paths = [folder / "models" / f"member-{number}" for number in range(1, count + 1)]
    if all((path / "model.safetensors").exists() for path in paths):
        return paths
    train = kit.load(folder / "data" / "train.json")
    texts = [text for question in train for text in (question.context, question.text)]
    make_backbone(folder / "tiny", texts, "unigram", Shape(2000, 64, 2, 2, 128, spread=0.12), seed=1)
    run = kit.train(
        str(folder / "tiny"), train, run=folder / "runs" / "reader", epochs=3, lr=3e-3, batch_size=16,
        micro_batch_size=16, max_length=256, stride=64, targets="first", allow_leak=True, resume=True,
        quiet=True,
    )  # fmt: skip
    for number, path in enumerate(paths):
        shutil.copytree(run.model_folder("full"), path, dirs_exist_ok=True)
        weights = load_file(path / "model.safetensors")
        weights["qa_outputs.bias"] += 1e-3 * number  # so that no two count as the same model
        save_file(weights, path / "model.safetensors", metadata={"format": "pt"})
    return paths


def _spread(paths: list[Path], test: Path) -> None:
    """Give every other member the first one's scores with noise, as if it had predicted."""
    data = kit.load(test)
    runs = [open_run(path) for path in paths]
    first = read_spans(runs[0].span_file(data, "full"))
    for number, (path, run) in enumerate(zip(paths, runs, strict=True)):
        target = run.span_file(data, "full")
        if number == 0 or target.exists():
            continue
        generator = np.random.default_rng(number)
        noisy = {}
        for name in ("start", "end", "null"):
            scores = getattr(first, name)
            noisy[name] = scores + generator.normal(0, _NOISE, scores.shape).astype(np.float32)
        own = replace(first.provenance, run=run.name, model_sha256=weights_sha256(path))
        write_spans(target, own, [replace(first, **noisy, provenance=own)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=QUESTIONS)
    parser.add_argument("--members", type=int, default=MEMBERS)
    parser.add_argument("--folder", type=Path)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (chosen.folder or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        rows = run_load(folder, chosen.questions, chosen.members)
    write_section(
        "load",
        f"## Under load\n\n{chosen.questions:,} generated questions, a command a row, once "
        f"(`python -m tools.benchmarks.load`); {machine()}.\n\n"
        f"{table(('stage', 'time', 'peak memory'), rows)}",
    )


if __name__ == "__main__":
    main()
