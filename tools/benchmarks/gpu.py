"""How fast a device trains and predicts, compared with its peak: the kit beside a plain padded Trainer.

``python -m tools.benchmarks.gpu [--minutes 10]`` measures the device's matrix peak, then every way below
on BERT-base (random weights, 512 tokens), each in a new process, in turns while the time lasts, and writes
the table into RESULTS.md.  Without a GPU it measures a small encoder on the CPU, which has another section.

A step's model FLOPs are 6 N a token and 12 L h n² a window of n tokens for the attention (N weights
outside the embeddings, L layers of width h): Kaplan et al. 2020, 2.1, and Chowdhery et al. 2022,
appendix B.  Only real tokens count, so padding lowers the share of the peak.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch

from tools.benchmarks.measurement import Ask, child
from tools.benchmarks.results import ROW, machine, table, write_section

Precision = Literal["fp32", "bf16", "fp16"]
Attention = Literal["eager", "sdpa", "flash_attention_2"]
MODULE = "tools.benchmarks.gpu"
WANTED_RATIO, WANTED_SHARE = 1.5, 0.4
_LATE = "no time left"


@dataclass(frozen=True, slots=True)
class Scale:
    """The encoder and the data: sizes in tokens, ``batch`` windows a step, ``micro`` of them at once."""

    hidden: int
    layers: int
    heads: int
    inner: int
    vocabulary: int
    length: int
    batch: int
    micro: int
    windows: int


BERT_BASE = Scale(768, 12, 12, 3072, 32_000, 512, batch=32, micro=16, windows=6_400)
SMALL = Scale(256, 4, 4, 1024, 2_000, 256, batch=16, micro=8, windows=320)


@dataclass(frozen=True, slots=True)
class Way:
    """How a training is carried out."""

    name: str
    batches: Literal["padded", "grouped", "budget"]
    precision: Precision
    attention: Attention = "sdpa"
    fused: bool = False
    compile: bool = False


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways compared on a device; ``peer`` is the name of the baseline."""

    trained: tuple[Way, ...]
    read: tuple[Way, ...]
    peer: str


def on_gpu(half: Precision) -> Ways:
    """All ways, with the half precision that the GPU computes in."""
    flash: Attention = "flash_attention_2"
    padded = (
        Way("padded, fp32, eager", "padded", "fp32", "eager"),
        Way(f"padded, {half}, eager", "padded", half, "eager"),
        Way(f"padded, {half}", "padded", half),
    )
    return Ways(
        (
            *padded,
            Way(f"padded, {half}, fused AdamW", "padded", half, fused=True),
            Way("length groups", "grouped", half),
            Way("length groups, fused AdamW", "grouped", half, fused=True),
            Way("length groups, flash attention, fused AdamW", "grouped", half, flash, fused=True),
            Way("token budget, fused AdamW", "budget", half, fused=True),
            Way("token budget, flash attention, fused AdamW", "budget", half, flash, fused=True),
            Way("length groups, fused AdamW, torch.compile", "grouped", half, fused=True, compile=True),
            Way("token budget, fused AdamW, torch.compile", "budget", half, fused=True, compile=True),
        ),
        (*padded, Way("the kit", "budget", half), Way("the kit, flash attention", "budget", half, flash)),
        padded[-1].name,
    )


ON_CPU = Ways(
    (
        Way("padded, eager", "padded", "fp32", "eager"),
        Way("padded", "padded", "fp32"),
        Way("length groups", "grouped", "fp32"),
        Way("token budget", "budget", "fp32"),
    ),
    (Way("padded", "padded", "fp32"), Way("the kit", "budget", "fp32")),
    "padded",
)


@dataclass(frozen=True, slots=True)
class Measured:
    """Medians of one way: tokens or questions a second, share of the peak, bytes; or why it failed."""

    name: str
    rate: float = 0.0
    share: float = 0.0
    bytes: float = 0.0
    failure: str = ""


def measure(
    ways: Ways, scale: Scale, minutes: float, seconds: float, device: str, turns: int = 3, ask: Ask = child
) -> tuple[float, list[Measured], list[Measured]]:
    """The device's peak in FLOP/s, trainings and readings: each way once, then again as time allows."""
    until = time.monotonic() + minutes * 60
    size = json.dumps(asdict(scale))
    peak = ask(MODULE, "peak", device, ways.trained[-1].precision)["flops"]
    found: dict[tuple[str, Way], list[dict[str, float]]] = defaultdict(list)
    failures: dict[tuple[str, Way], str] = {}
    last: dict[tuple[str, Way], float] = {}
    jobs = [("train", way) for way in ways.trained] + [("read", way) for way in ways.read]
    for _ in range(turns):
        for job in jobs:
            began = time.monotonic()
            # a second turn only if it will end in time
            if job in failures or began + 1.3 * last.get(job, 0.0) >= until:
                continue
            kind, way = job
            words = MODULE, kind, device, json.dumps(asdict(way)), size, seconds
            try:
                found[job].append(ask(*words, timeout=max(until - began, 1.0)))
            except RuntimeError as error:
                failures[job] = str(error)
            except subprocess.TimeoutExpired:
                failures[job] = _LATE
            last[job] = time.monotonic() - began

    def summary(kind: str, way: Way) -> Measured:
        if not (own := found[kind, way]):
            return Measured(way.name, failure=failures.get((kind, way), _LATE))
        rate, flops, size = (statistics.median(one[key] for one in own) for key in ("rate", "flops", "bytes"))
        return Measured(way.name, rate, flops / peak, size)

    return peak, [summary("train", way) for way in ways.trained], [summary("read", way) for way in ways.read]


def text_of(
    title: str, about: str, peer: str, peak: float, trained: Sequence[Measured], read: Sequence[Measured]
) -> str:
    """The section of RESULTS.md."""
    sections = [f"## {title}\n\n{about} Measured matrix peak: {peak / 1e12:.3g} TFLOP/s.\n"]
    for label, unit, found in (("training", "real tokens", trained), ("reading", "questions", read)):
        columns = (label, f"{unit} a second", f"to “{peer}”", "share of the peak", "peak memory")
        base = next((one.rate for one in found if one.name == peer), 0.0)
        rows: list[ROW] = [
            (one.name, f"not measured: {one.failure}", "", "", "")
            if one.failure
            else (
                one.name, f"{one.rate:,.0f}", f"{one.rate / base:.2f} ×" if base else "",
                f"{one.share:.0%}", f"{one.bytes / 1e9:.2f} GB",
            )
            for one in found
        ]  # fmt: skip
        sections.append(table(columns, rows) + "\n")
    best = max(trained, key=lambda one: one.rate)
    if base := next((one.rate for one in trained if one.name == peer), 0.0):
        sections.append(
            f"Fastest: {best.name}, {best.rate / base:.2f} × (wanted {WANTED_RATIO} ×) at {best.share:.0%} "
            f"of the peak (wanted {WANTED_SHARE:.0%})."
        )
    return "\n".join(sections)


def main(minutes: float) -> None:
    """Measure this machine's device and write its section."""
    if torch.cuda.is_available():
        half: Precision = "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
        ways = on_gpu(half)
        found = measure(ways, BERT_BASE, minutes, 6.0, "cuda")
        about = f"{torch.cuda.get_device_name()}; BERT-base, random weights, 512 tokens"
        write_section("gpu", text_of("On a GPU", _about(about, BERT_BASE), ways.peer, *found))
    else:
        found = measure(ON_CPU, SMALL, min(minutes, 3.0), 5.0, "cpu")
        about = f"CPU, fp32; {SMALL.layers} layers of {SMALL.hidden}, random weights, {SMALL.length} tokens"
        write_section("cpu", text_of("On a CPU", _about(about, SMALL), ON_CPU.peer, *found))


def _about(what: str, scale: Scale) -> str:
    from tools.benchmarks.steps import lengths_of

    return (
        f"{what}; {scale.windows:,} windows of {lengths_of(scale).mean():.0f} tokens on average, effective "
        f"batch {scale.batch}, at once {scale.micro} windows or {scale.micro * scale.length:,} tokens. "
        f"“Padded” is a plain Trainer (or reading loop) with its defaults, the others are the kit's; "
        f"attention is SDPA unless said. {machine()}."
    )


def as_child(kind: str, device: str, *words: str) -> dict[str, Any]:
    from tools.benchmarks import steps

    if kind == "peak":
        return {"flops": steps.matrix_peak(device, words[0])}
    way, scale = Way(**json.loads(words[0])), Scale(**json.loads(words[1]))
    work = steps.train if kind == "train" else steps.read
    return work(way, scale, float(words[2]), device)


if __name__ == "__main__":
    if len(sys.argv) > 2 and sys.argv[1] in ("peak", "train", "read"):
        print(json.dumps(as_child(*sys.argv[1:])))
    else:
        parser = argparse.ArgumentParser()
        parser.add_argument("--minutes", type=float, default=10.0)
        main(parser.parse_args().minutes)
