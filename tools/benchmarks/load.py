"""All stages under load: 100,000 generated questions, ten members, each stage a command.

``python -m tools.benchmarks.load [--questions N] [--members 10] [--folder DIR]`` writes the corpus, trains
one tiny model in a minute, and runs each command as a user would.  The other members are copies of the
model with noise on its scores, since predicting with each would take as long.  The table
with seconds and peak memory of each stage goes into RESULTS.md.  With ``--folder``, existing
files are reused, and all files are kept.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

import kit
from kit.data import demo_corpus
from kit.modeling.checkpoint_files import weights_sha256
from kit.modeling.tiny import Shape, make_backbone
from kit.spans.run_folder import open_run
from kit.spans.store import read_spans, write_spans
from tools.benchmarks.measurement import PROJECT
from tools.benchmarks.results import machine, table, write_section

QUESTIONS, MEMBERS = 100_000, 10
Floats = NDArray[np.float32]
_A_CONTEXT = 3.2
"""Questions the built-in corpus asks on a context, about."""
_NOISE = 0.5
"""Standard deviation in logits: members disagree, but all find most answers."""
_WEIGHED = """
import atexit, runpy, sys
from pathlib import Path
from kit.memory import peak_memory

target = sys.argv.pop(1)
atexit.register(lambda: Path(target).write_text(str(peak_memory())))
if sys.argv[1] == "-m":
    sys.argv[:2] = []
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
else:
    program = sys.argv[2]
    sys.argv[1:3] = []
    exec(program)
"""
"""Writes the peak memory of the program it runs."""
_WINDOWS = """
import sys
import kit
from kit.modeling.backbones import open_backbone
from kit.modeling.windows import make_windows
windows = make_windows(open_backbone(sys.argv[1]), kit.load(sys.argv[2]).questions, max_length=256, stride=64)
print(f"{len(windows):,} windows")
"""


@dataclass(frozen=True, slots=True)
class Stage:
    """Seconds and peak bytes of one command, and its last line."""

    name: str
    seconds: float
    peak: int
    said: str


def run_load(folder: Path, questions: int, members: int) -> list[Stage]:
    """All stages in *folder*, one after the other; raises RuntimeError where one fails."""
    data = folder / "data"
    if not (data / "test.json").exists():
        demo_corpus.write(data, train_contexts=1500, test_contexts=round(questions / _A_CONTEXT))
    paths = _members(folder, members)
    own = [str(path.relative_to(folder)) for path in paths]
    recipe, csv = "many.yaml", "submissions/many.csv"
    lines = [
        "members:",
        *(f"  - run: {path}" for path in own),
        "decoder: edit",
        "length_prior: 1.0",
        "lengths: data/train.json",
        "rules: [strip_special_tokens, trim]",
    ]
    (folder / recipe).write_text("\n".join(lines) + "\n", encoding="utf-8")
    test, answers = "data/test.json", "data/test_answers.json"
    stages = [
        _measured("windows", folder, "-c", _WINDOWS, own[0], test),
        _measured("check, against the training file", folder, "-m", "kit", "check", answers, "--against",
                  "data/train.json"),
        _measured("predict, one member", folder, "-m", "kit", "predict", own[0], "--data", test),
    ]  # fmt: skip
    _spread(paths, folder / test)
    commands: dict[str, tuple[str, ...]] = {
        f"ensemble of {members}, edit decoding, to the CSV": (
            "ensemble",
            recipe,
            "--data",
            test,
            "--out",
            csv,
        ),
        "score": ("score", csv, "--answers", answers),
        "report": ("report", csv, "--data", test, "--answers", answers),
    }
    return stages + [_measured(name, folder, "-m", "kit", *words) for name, words in commands.items()]


def _measured(name: str, folder: Path, *words: str) -> Stage:
    """Run Python with *words* in *folder*."""
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    noted = folder / "peak.txt"
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", _WEIGHED, str(noted), *words], cwd=folder, env=environment, check=False,
        capture_output=True, text=True,
    )  # fmt: skip
    seconds = time.perf_counter() - began
    if done.returncode not in (0, 1) or "Traceback" in done.stderr:  # check exits with 1 if it has findings
        raise RuntimeError(f"{name}: exit code {done.returncode}: {done.stderr[-400:]}")
    said = (done.stdout.strip() or done.stderr.strip()).splitlines()
    stage = Stage(name, seconds, int(noted.read_text()), said[-1] if said else "")
    print(f"{name}: {seconds:.1f} s, {stage.peak / 1e9:.2f} GB, {stage.said}", file=sys.stderr, flush=True)
    return stage


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

        def noisy(scores: Floats, generator: np.random.Generator = generator) -> Floats:
            return scores + generator.normal(0, _NOISE, scores.shape).astype(np.float32)

        own = replace(first.provenance, run=run.name, model_sha256=weights_sha256(path))
        scores = replace(
            first, start=noisy(first.start), end=noisy(first.end), null=noisy(first.null), provenance=own
        )
        write_spans(target, own, [scores])


def text_of(stages: list[Stage], questions: int) -> str:
    """The section of RESULTS.md."""
    rows = [(stage.name, f"{stage.seconds:.0f} s", f"{stage.peak / 1e9:.2f} GB") for stage in stages]
    return (
        f"## Under load\n\n{questions:,} generated questions, a command a row, once "
        f"(`python -m tools.benchmarks.load`); {machine()}.\n\n"
        f"{table(('stage', 'time', 'peak memory'), rows)}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=QUESTIONS)
    parser.add_argument("--members", type=int, default=MEMBERS)
    parser.add_argument("--folder", type=Path)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (chosen.folder or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        write_section("load", text_of(run_load(folder, chosen.questions, chosen.members), chosen.questions))


if __name__ == "__main__":
    main()
