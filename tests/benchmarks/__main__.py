"""``make bench``: the kit beside its peers in the same run; medians and ratios, written to RESULTS.md."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import kit
from kit.data import sample
from kit.data.records import Question
from kit.models.backbones import open_backbone
from kit.models.tiny import Shape, make_backbone
from kit.models.tokens import tokenize
from kit.models.training.labels import label_windows
from kit.models.windows import make_windows
from kit.spans.candidates import best_spans
from tests.benchmarks import ensembles
from tests.benchmarks.invented import scores_of
from tests.benchmarks.peers import usual_decoding, usual_preparation
from tests.benchmarks.training import compare as compare_training

RUNS = 3


def timed(*works: Callable[[], object]) -> list[float]:
    """Median seconds of each work, taken in turns so that a slow moment hits all of them."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(RUNS):
        for work, own in zip(works, times, strict=True):
            began = time.perf_counter()
            work()
            own.append(time.perf_counter() - began)
    return [statistics.median(own) for own in times]


def repeated(questions: list[Question], count: int) -> list[Question]:
    """*count* questions on contexts that all differ, from fewer."""
    return [
        Question(str(n), q.text, q.context + f" ({n // len(questions)})", q.answers)
        for n in range(count)
        for q in [questions[n % len(questions)]]
    ]


def windows_and_labels(folder: Path) -> list[tuple[str, str, str, str]]:
    corpus = sample.generate(train_contexts=800, test_contexts=1)
    texts = [question.context for question in corpus.train]
    make_backbone(folder / "b", texts, "wordpiece", Shape(4000, 16, 1, 1, 16, 384), seed=1)
    backbone = open_backbone(str(folder / "b"))
    questions = repeated(list(corpus.train), 12_037)

    def ours() -> None:
        label_windows(make_windows(backbone, questions, max_length=384, stride=128), questions)

    def engine() -> None:
        contexts = list(dict.fromkeys(question.context for question in questions))
        for first in range(0, len(contexts), 512):
            backbone.engine.encode_batch(contexts[first : first + 512], add_special_tokens=False)
        backbone.engine.encode_batch([question.text for question in questions], add_special_tokens=False)

    own, bare, usual = timed(ours, engine, lambda: usual_preparation(backbone.tokenizer, questions, 384, 128))
    assert len(tokenize(backbone, [""]).ids) == 0
    return [
        ("windows and labels, 12,037 questions", f"{own:.2f} s", f"{usual:.2f} s", f"{usual / own:.1f} ×"),
        (
            "the same outside the tokenizer engine",
            f"{max(own - bare, 1e-3):.2f} s",
            f"{usual - bare:.2f} s",
            f"{(usual - bare) / max(own - bare, 1e-3):.1f} ×",
        ),
    ]


def decoding() -> list[tuple[str, str, str, str]]:
    scores = scores_of(4008)
    own, usual = timed(lambda: best_spans(scores, 60), lambda: usual_decoding(scores, 60))
    best = best_spans(scores, 60)
    ours = list(zip(best.begin.tolist(), best.end.tolist(), strict=True))
    same = sum(a == b for a, b in zip(ours, usual_decoding(scores, 60), strict=True))
    return [
        ("argmax decode, 4,008 questions", f"{own:.3f} s", f"{usual:.2f} s", f"{usual / own:.0f} ×"),
        ("answers equal to the loop's", f"{same:,}", "4,008", "a difference is an end outside the top 20"),
    ]


def whole_processes(folder: Path) -> list[tuple[str, str, str, str]]:
    """Commands as a user starts them, beside the import that they avoid."""
    files = sample.write(folder, train_contexts=1, test_contexts=1220)
    rows = len(kit.load(files.test))

    def run(*command: str) -> None:
        subprocess.run([sys.executable, *command], check=True, capture_output=True)

    own, score, torch = timed(
        lambda: run("-m", "kit", "--help"),
        lambda: run("-m", "kit", "score", str(files.sample_submission), "--answers", str(files.test_answers)),
        lambda: run("-c", "import torch"),
    )
    peer = f"import torch: {torch:.2f} s"
    return [
        ("kit --help", f"{own:.2f} s", peer, f"{torch / own:.1f} ×"),
        (f"kit score, {rows:,} rows", f"{score:.2f} s", peer, f"{torch / score:.1f} ×"),
    ]


def training(folder: Path) -> list[tuple[str, str, str, str]]:
    """A small encoder on the built-in corpus; the module can be run on any encoder and data."""
    files = sample.write(folder / "corpus", train_contexts=60, test_contexts=1)
    texts = [question.context for question in kit.load(files.train)]
    make_backbone(folder / "encoder", texts, "wordpiece", Shape(2000, 256, 4, 4, 1024, 384), seed=1)
    return compare_training(str(folder / "encoder"), str(files.train), 384, 128, 200, "fp32")


def blending(folder: Path) -> list[tuple[str, str, str, str]]:
    """Five members on the built-in corpus; the module can be run on any scores and data."""
    folder.mkdir()
    return ensembles.compare(*ensembles.invented(folder), folder)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        rows = (
            windows_and_labels(Path(folder))
            + decoding()
            + blending(Path(folder) / "blend")
            + whole_processes(Path(folder))
        )
        rows += training(Path(folder))
    lines = [
        "# Benchmarks",
        "",
        f"Written by `make bench`; medians of {RUNS} runs in turns, kit {kit.__version__}, Python "
        f"{platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores.",
        "",
        "| work | kit | peer | ratio |",
        "| --- | --- | --- | --- |",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]
    text = "\n".join(lines) + "\n"
    (Path(__file__).parent / "RESULTS.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
