"""Everyday work beside the usual way: windows, decoding, scoring, the span store, whole commands."""

from __future__ import annotations

import io
import os
import subprocess
import sys
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


def compared(work: str, own: float, peer: str, usual: float, digits: int = 2) -> ROW:
    """The kit's seconds, those of a *peer*, and how many times as many these are."""
    return work, f"{own:.{digits}f} s", f"{peer}: {usual:.{digits}f} s", f"{usual / own:.1f} ×"


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

    def peer() -> None:
        usual_preparation(backbone.tokenizer, questions, length, 128)

    own, bare, usual = timed(ours, engine, peer)
    usual_way = "one tokenizer call a question"
    return [
        compared(f"windows and labels, {len(questions):,} questions{which}", own, usual_way, usual),
        compared("the same outside the tokenizer engine", max(own - bare, 1e-3), usual_way, usual - bare),
    ]


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
        compared(f"argmax decode, {questions:,} questions", own, "top-20 loop", usual, digits=3),
        ("answers equal to the loop's", f"{same:,}", f"{questions:,}", "others: an end outside the top 20"),
    ]


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
        compared(f"Edit Score of {pairs:,} pairs", own, "Levenshtein.distance in a loop", loop, digits=3),
        compared("the same", own, f"pure Python, scaled up from {sampled:,} pairs", python, digits=3),
    ]


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
    for number, peer in ((1, "torch.save"), (2, "np.savez_compressed")):
        own, other = sizes[0] / questions, sizes[number] / questions
        rows += [
            ("span store, bytes a question", f"{own:,.0f}", f"{peer}: {other:,.0f}", f"{other / own:.2f} ×"),
            compared(f"written and verified, {questions:,} questions", written[0], peer, written[number]),
            compared("read and verified", read[0], peer, read[number]),
        ]
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
    return [
        compared("kit --help", own, "import torch", heavy),
        compared(f"kit score, {rows:,} rows", score, "import torch", heavy),
    ]


def all_rows(folder: Path) -> list[ROW]:
    """All rows, made in *folder*."""
    (folder / "whole").mkdir()
    return [
        *windows_and_labels(folder),
        *decoding(),
        *scoring(),
        *store(folder),
        *whole_processes(folder / "whole"),
    ]
