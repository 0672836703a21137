"""A whole road under load: 100,000 generated questions, ten members, every stage a command of its own.

``python -m tests.benchmarks.load [--questions N] [--members 10] [--folder DIR]`` writes the corpus, trains
one tiny reader in a minute, and makes the members from it by a little noise on its weights; then it runs each
command as a user would, and prints seconds and peak memory of each as a Markdown table.  With ``--folder``,
what is there already is kept, so that a single stage can be measured again.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

import kit
from kit.data import sample
from kit.models.tiny import Shape, make_backbone

QUESTIONS, MEMBERS = 100_000, 10
_A_CONTEXT = 3.2
"""Questions the built-in corpus asks on a context, about."""
_NOISE = 0.03
"""Of a weight's spread: members disagree, but all of them can read."""
_WINDOWS = """
import sys
import kit
from kit.models.backbones import open_backbone
from kit.models.windows import make_windows
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
        sample.write(data, train_contexts=1500, test_contexts=round(questions / _A_CONTEXT))
    own = [str(path.relative_to(folder)) for path in _members(folder, members)]
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
    shown = ("--data", test, "--answers", answers)
    commands: dict[str, tuple[str, ...]] = {
        "check, against the training file": ("check", answers, "--against", "data/train.json"),
        **{f"predict, member {n}": ("predict", path, "--data", test) for n, path in enumerate(own, start=1)},
        f"ensemble of {members}, edit decoding": ("ensemble", recipe, "--data", test, "--out", csv),
        "score": ("score", csv, "--answers", answers),
        "report of the CSV": ("report", csv, *shown),
        "report of the recipe": ("report", recipe, *shown),
    }
    stages = [_measured("windows", folder, "-c", _WINDOWS, own[0], test)]
    stages += [_measured(name, folder, "-m", "kit", *words) for name, words in commands.items()]
    return stages


def _measured(name: str, folder: Path, *words: str) -> Stage:
    """Run Python with *words* in *folder*; peak memory is that of the process alone."""
    environment = {**os.environ, "PYTHONPATH": str(Path(kit.__file__).resolve().parent.parent)}
    began = time.perf_counter()
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        child = subprocess.Popen(
            [sys.executable, *words], cwd=folder, env=environment, stdout=output, stderr=output
        )
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        said = output.read().strip()
    if child.returncode not in (0, 1):  # check says 1 where it found something
        raise RuntimeError(f"{name}: exit code {child.returncode}: {said[-400:]}")
    stage = Stage(name, seconds, usage.ru_maxrss * 1024, said.splitlines()[-1] if said else "")
    print(f"{name}: {seconds:.1f} s, {stage.peak / 1e9:.2f} GB, {stage.said}", file=sys.stderr, flush=True)
    return stage


def _members(folder: Path, count: int) -> list[Path]:
    """One tiny reader trained on the corpus, and *count* folders with a little noise on its weights."""
    paths = [folder / "models" / f"member-{number}" for number in range(1, count + 1)]
    if all((path / "model.safetensors").exists() for path in paths):
        return paths
    train = kit.load(folder / "data" / "train.json")
    texts = [text for question in train for text in (question.context, question.text)]
    make_backbone(folder / "tiny", texts, "unigram", Shape(vocabulary=2000, spread=0.12), seed=1)
    run = kit.train(
        str(folder / "tiny"), train, run=folder / "runs" / "reader", epochs=2, lr=2e-3, batch_size=16,
        micro_batch_size=16, max_length=256, stride=64, targets="first", allow_leak=True, resume=True,
        quiet=True,
    )  # fmt: skip
    for number, path in enumerate(paths, start=1):
        shutil.copytree(run.model_folder("full"), path, dirs_exist_ok=True)
        weights = load_file(path / "model.safetensors")
        generator = torch.Generator().manual_seed(number)
        for name in sorted(weights):
            own = weights[name]
            spread = own.std() if own.numel() > 1 else own.abs()
            weights[name] = own + _NOISE * spread * torch.randn(own.shape, generator=generator)
        save_file(weights, path / "model.safetensors", metadata={"format": "pt"})
    return paths


def table(stages: list[Stage], questions: int) -> str:
    """The stages as Markdown; predictions as one row."""
    rows = [f"| stage, {questions:,} questions | time | peak memory |", "| --- | --- | --- |"]
    predictions = [stage for stage in stages if stage.name.startswith("predict")]
    for stage in stages:
        if stage is predictions[0]:
            seconds = sorted(one.seconds for one in predictions)[len(predictions) // 2]
            peak = max(one.peak for one in predictions)
            name = f"predict, each of {len(predictions)} members (median)"
            rows.append(f"| {name} | {seconds:.0f} s | {peak / 1e9:.2f} GB |")
        elif stage not in predictions:
            rows.append(f"| {stage.name} | {stage.seconds:.0f} s | {stage.peak / 1e9:.2f} GB |")
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=QUESTIONS)
    parser.add_argument("--members", type=int, default=MEMBERS)
    parser.add_argument("--folder", type=Path)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (chosen.folder or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        print(table(run_load(folder, chosen.questions, chosen.members), chosen.questions))


if __name__ == "__main__":
    main()
