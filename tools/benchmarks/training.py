"""One epoch by the kit, or by a plain Trainer with all windows padded to the maximum: time, peak memory.

``python -m tools.benchmarks.training BACKBONE DATA LENGTH STRIDE QUESTIONS PRECISION`` runs both in turns,
each in a process of its own, and prints the comparison; a last word ``kit`` or ``padded`` runs that one here.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from transformers import Trainer

import kit
from kit.memory import peak_memory
from kit.modeling.backbones import load_weights, open_backbone
from kit.modeling.devices import choose_device
from kit.modeling.windows import make_windows
from kit.training.collator import SpanCollator
from kit.training.labels import label_windows
from kit.training.sampler import LengthGroupedSampler, MicroBatches
from kit.training.trainer import steps_of
from tools.benchmarks.measurement import RUNS, Ask, child
from tools.benchmarks.results import ROW
from tools.benchmarks.trainers import PaddedWindows, kit_trainer, plain_trainer


def train(how: str, backbone: str, data: str, length: int, stride: int, count: int, precision: str) -> None:
    """One epoch; prints seconds, peak bytes, mean length and number of windows as JSON."""
    opened = open_backbone(backbone)
    questions = kit.load(data).questions[:count]
    windows = make_windows(opened, questions, max_length=length, stride=stride)
    device = choose_device(precision)
    settings = kit.settings_for("", epochs=1.0, batch_size=16, micro_batch_size=8, attention_dropout=0.0)
    steps = steps_of(len(windows), settings.batch_size, 1)
    model = load_weights(opened, head_needed=False, dropout_on_attention=0.0)
    labels = label_windows(windows, questions)
    with tempfile.TemporaryDirectory() as folder:
        trainer: Trainer
        given = settings, device, Path(folder)
        if how == "kit":
            collator = SpanCollator(windows, labels, opened.pad_id)
            order = LengthGroupedSampler(windows.lengths, settings.batch_size, 1)
            sampler = MicroBatches(order, settings.micro_batch_size)
            trainer = kit_trainer(model, collator, sampler, *given, steps=steps)
        else:
            padded = PaddedWindows(windows, labels, opened.pad_id, length)
            trainer = plain_trainer(model, padded, *given, steps=steps)
        began = time.perf_counter()
        trainer.train()
        seconds = time.perf_counter() - began
    cuda = device.torch.type == "cuda"
    peak = torch.cuda.max_memory_allocated() if cuda else peak_memory()
    mean = float(np.mean(windows.lengths))
    print(json.dumps({"seconds": seconds, "peak": peak, "mean": mean, "windows": len(windows)}))


def compare(
    backbone: str, data: str, length: int, stride: int, count: int, precision: str, runs: int = RUNS,
    ask: Ask = child,
) -> list[ROW]:  # fmt: skip
    """Rows for the table of benchmarks: medians of *runs* in turns."""
    words = [backbone, data, str(length), str(stride), str(count), precision]
    found: dict[str, list[dict[str, float]]] = {"kit": [], "padded": []}
    for _ in range(runs):
        for how, results in found.items():
            results.append(ask("tools.benchmarks.training", *words, how))
    own, usual = (statistics.median(one["seconds"] for one in results) for results in found.values())
    peaks = [statistics.median(one["peak"] for one in results) / 1e9 for results in found.values()]
    mean, windows = found["kit"][0]["mean"], found["kit"][0]["windows"]
    name = f"one epoch, {windows:.0f} windows of at most {length} (mean {mean:.0f}), {precision}"
    ratio = f"{usual / own:.2f} × of {length / mean:.2f} × possible"
    return [
        (name, f"{own:.1f} s", f"{usual:.1f} s, padded to {length}", ratio),
        ("its peak memory", f"{peaks[0]:.2f} GB", f"{peaks[1]:.2f} GB", f"{peaks[1] / peaks[0]:.2f} ×"),
    ]


def main() -> None:
    place, file, *rest = sys.argv[1:]
    numbers = [int(number) for number in rest[:3]]
    if len(rest) == 5:
        train(rest[4], place, file, *numbers, rest[3])
    else:
        for row in compare(place, file, *numbers, rest[3]):
            print(*row, sep=" | ")


if __name__ == "__main__":
    main()
