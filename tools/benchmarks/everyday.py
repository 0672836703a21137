"""Everyday work beside the usual way: windows, decoding, scoring, the span store, whole commands."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path

import Levenshtein
import numpy as np
import torch

import kit
from kit.data import demo_corpus
from kit.data.records import Question
from kit.metrics.edit_distance import edit_distances
from kit.modeling.backbones import Backbone, open_backbone
from kit.modeling.windows import make_windows
from kit.spans.candidates import best_spans
from kit.spans.store import read_spans, write_spans
from kit.training.labels import label_windows
from tools.benchmarks.baselines import usual_decoding, usual_distance, usual_preparation
from tools.benchmarks.measurement import PROJECT, timed
from tools.benchmarks.results import ROW
from tools.benchmarks.synthetic import scores_of, tiny_backbone

COLUMNS: ROW = ("work", "kit", "peer", "ratio")


def windows_and_labels(folder: Path, count: int = 12_037) -> list[ROW]:
    """On the built-in corpus, and on real questions with a real vocabulary if they are available."""
    corpus = demo_corpus.generate(train_contexts=800, test_contexts=1).train
    rows = _windows(open_backbone(tiny_backbone(folder / "b", 384)), _repeated(list(corpus), count), "")
    shared = Path(os.environ.get("KIT_SHARED") or PROJECT.parent / "shared")
    data, vocabulary = shared / "data/goorm2-standin/train.json", shared / "models/e5-small-wp"
    if data.exists() and vocabulary.exists():
        real = _repeated(list(kit.load(data)), count)
        rows += _windows(open_backbone(str(vocabulary)), real, " of KorQuAD")
    return rows


def _windows(backbone: Backbone, questions: list[Question], which: str) -> list[ROW]:
    length = min(384, backbone.limits.positions)

    def ours() -> None:
        label_windows(make_windows(backbone, questions, max_length=length, stride=128), questions)

    def engine() -> None:
        contexts = list(dict.fromkeys(question.context for question in questions))
        for first in range(0, len(contexts), 512):
            backbone.engine.encode_batch(contexts[first : first + 512], add_special_tokens=False)
        backbone.engine.encode_batch([question.text for question in questions], add_special_tokens=False)

    own, bare, usual = timed(
        ours, engine, lambda: usual_preparation(backbone.tokenizer, questions, length, 128)
    )
    beside = max(own - bare, 1e-3)
    return [
        (
            f"windows and labels, {len(questions):,} questions{which}", f"{own:.2f} s",
            f"one tokenizer call a question: {usual:.2f} s", f"{usual / own:.1f} ×",
        ),
        (
            "the same outside the tokenizer engine", f"{beside:.2f} s", f"{usual - bare:.2f} s",
            f"{(usual - bare) / beside:.1f} ×",
        ),
    ]  # fmt: skip


def _repeated(questions: list[Question], count: int) -> list[Question]:
    """*count* questions from fewer, on contexts that all differ."""
    return [
        Question(str(n), q.text, q.context + f" ({n // len(questions)})", q.answers)
        for n, q in enumerate(islice(cycle(questions), count))
    ]


def decoding(questions: int = 4008) -> list[ROW]:
    scores = scores_of(questions)
    own, usual = timed(lambda: best_spans(scores, 60), lambda: usual_decoding(scores, 60))
    best = best_spans(scores, 60)
    ours = list(zip(best.begin.tolist(), best.end.tolist(), strict=True))
    same = sum(a == b for a, b in zip(ours, usual_decoding(scores, 60), strict=True))
    return [
        (
            f"argmax decode, {questions:,} questions", f"{own:.3f} s", f"top-20 loop: {usual:.2f} s",
            f"{usual / own:.0f} ×",
        ),
        (
            "answers equal to the loop's", f"{same:,}", f"{questions:,}",
            "a difference is an end outside the top 20",
        ),
    ]  # fmt: skip


def scoring(pairs: int = 100_000, sampled: int = 2_000) -> list[ROW]:
    """Answers against golds of the built-in corpus, most of them with an error."""
    predictions, golds = answers_and_golds(pairs)
    several = [[gold] for gold in golds]
    own, loop = timed(
        lambda: edit_distances(predictions, several),
        lambda: [Levenshtein.distance(one, other) for one, other in zip(predictions, golds, strict=True)],
    )
    few = predictions[:sampled], golds[:sampled]
    (python,) = timed(lambda: [usual_distance(one, other) for one, other in zip(*few, strict=True)])
    python *= pairs / sampled
    return [
        (
            f"Edit Score of {pairs:,} pairs", f"{own:.3f} s", f"Levenshtein.distance in a loop: {loop:.3f} s",
            f"{loop / own:.1f} ×",
        ),
        (
            "the same", f"{own:.3f} s",
            f"pure Python: {python:.1f} s, scaled up from {sampled:,} pairs", f"{python / own:.0f} ×",
        ),
    ]  # fmt: skip


def answers_and_golds(pairs: int) -> tuple[list[str], list[str]]:
    """Golds, and texts cut from their contexts a few characters off."""
    questions = demo_corpus.generate(train_contexts=300, test_contexts=1).train
    generator = np.random.default_rng(3)
    predictions, golds = [], []
    for number, (begin, end) in enumerate(generator.integers(-3, 4, (pairs, 2)).tolist()):
        question = questions[number % len(questions)]
        assert question.answers
        gold = question.answers[0]
        golds.append(gold.text)
        predictions.append(question.context[max(gold.start + begin, 0) : max(gold.end + end, 0)])
    return predictions, golds


def store(folder: Path, questions: int = 4008) -> list[ROW]:
    """The span store beside the same arrays in torch.save (a pickle) and in a compressed npz."""
    scores = scores_of(questions)
    names = ("windows", "tokens", "char_begin", "char_end", "start", "end", "null")
    arrays = {name: getattr(scores, name) for name in names}
    paths = {name: folder / f"scores.{name}" for name in ("kit", "pt", "npz")}
    held = {"guids": list(scores.guids), **{name: torch.from_numpy(own) for name, own in arrays.items()}}
    guids = np.array(scores.guids)

    def zipped() -> None:
        with paths["npz"].open("wb") as file:
            np.savez_compressed(file, guids=guids, **arrays)

    def unzipped() -> None:
        with np.load(paths["npz"]) as file:
            _ = {name: file[name] for name in file.files}

    written = timed(
        lambda: write_spans(paths["kit"], scores.provenance, [scores]),
        lambda: torch.save(held, paths["pt"]),
        zipped,
    )
    read = timed(
        lambda: read_spans(paths["kit"]),
        lambda: torch.load(io.BytesIO(paths["pt"].read_bytes()), weights_only=True),
        unzipped,
    )
    sizes = [path.stat().st_size for path in paths.values()]
    rows: list[ROW] = []
    for label, peer, number in (("torch.save", "torch.save", 1), ("npz", "np.savez_compressed", 2)):
        rows += [
            (
                f"span store, bytes a question, to {label}", f"{sizes[0] / questions:,.0f}",
                f"{peer}: {sizes[number] / questions:,.0f}", f"{sizes[number] / sizes[0]:.2f} ×",
            ),
            (
                f"written and verified, {questions:,} questions", f"{written[0]:.2f} s",
                f"{peer}: {written[number]:.2f} s", f"{written[number] / written[0]:.1f} ×",
            ),
            (
                "read and verified", f"{read[0]:.2f} s", f"{peer}: {read[number]:.2f} s",
                f"{read[number] / read[0]:.1f} ×",
            ),
        ]  # fmt: skip
    return rows


def whole_processes(folder: Path) -> list[ROW]:
    """Commands as a user starts them, beside importing torch, which they avoid."""
    files = demo_corpus.write(folder, train_contexts=1, test_contexts=1220)
    rows = len(kit.load(files.test))

    def run(*command: str) -> None:
        subprocess.run([sys.executable, *command], check=True, capture_output=True)

    own, score, heavy = timed(
        lambda: run("-m", "kit", "--help"),
        lambda: run("-m", "kit", "score", str(files.sample_submission), "--answers", str(files.test_answers)),
        lambda: run("-c", "import torch"),
    )
    peer = f"import torch: {heavy:.2f} s"
    return [
        ("kit --help", f"{own:.2f} s", peer, f"{heavy / own:.1f} ×"),
        (f"kit score, {rows:,} rows", f"{score:.2f} s", peer, f"{heavy / score:.1f} ×"),
    ]


def all_rows(folder: Path) -> Sequence[ROW]:
    """All rows, made in *folder*."""
    (folder / "whole").mkdir()
    return [
        *windows_and_labels(folder),
        *decoding(),
        *scoring(),
        *store(folder),
        *whole_processes(folder / "whole"),
    ]
