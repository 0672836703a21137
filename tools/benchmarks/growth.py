"""How time and memory grow with the data: windows, inference and decoding at four sizes.

``python -m tools.benchmarks.growth`` measures each stage at each size in a new process, writes the
table into RESULTS.md and draws growth.svg beside it.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

import kit
from tools.benchmarks.measurement import Ask, Memory, child
from tools.benchmarks.results import machine, table, write_section
from tools.benchmarks.synthetic import SHORT, tiny_backbone, write

SIZES = (1_000, 4_000, 16_000, 64_000)
STAGES = ("windows", "inference", "decode")
LENGTH, STRIDE = 128, 32
SECONDS, RUNS = 10.0, 25
"""Seconds spent on one stage at one size, unless two runs take longer, and most runs."""
_KEEPING = {"MALLOC_TRIM_THRESHOLD_": str(1 << 28), "MALLOC_MMAP_THRESHOLD_": str(1 << 25)}
"""Where decoding is measured, glibc keeps freed memory.  By itself it does so only in a process that has
freed large blocks before; with less data, fetching the same pages again takes longer than decoding."""
PICTURE = Path(__file__).parent / "growth.svg"


@dataclass(frozen=True, slots=True)
class Growth:
    """One stage at several sizes: median CPU seconds, and peak bytes above its input and output.

    CPU seconds of all threads, since wall time also measures what else the machine does.
    """

    stage: str
    sizes: Sequence[int]
    seconds: Sequence[float]
    bytes: Sequence[int]

    @property
    def exponent(self) -> float:
        """Slope of the line through (log questions, log seconds), by least squares."""
        return float(np.polyfit(np.log(self.sizes), np.log(self.seconds), 1)[0])


def measure(sizes: Sequence[int] = SIZES, ask: Ask = child) -> list[Growth]:
    """All stages at all *sizes*, short works more often than long ones."""
    found: dict[str, list[dict[str, float]]] = {stage: [] for stage in STAGES}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tiny_backbone(folder / "tiny", LENGTH)
        for size in sizes:
            write(folder / f"{size}.json", size, SHORT)
            for stage in STAGES:
                keeping = _KEEPING if stage == "decode" else {}
                found[stage].append(ask("tools.benchmarks.growth", stage, folder, size, **keeping))
            (folder / f"{size}.safetensors").unlink()
    return [
        Growth(stage, sizes, [one["seconds"] for one in own], [int(one["bytes"]) for one in own])
        for stage, own in found.items()
    ]


def run(stage: str, folder: Path, size: int) -> dict[str, float]:
    """One stage at one size: median seconds, and peak bytes of the first run."""
    from kit.decoding.decoders import argmax_answers
    from kit.modeling.backbones import load_weights, open_backbone
    from kit.modeling.devices import choose_device
    from kit.modeling.inference import score_questions
    from kit.modeling.windows import make_windows
    from kit.spans.span_scores import Provenance
    from kit.spans.store import read_spans, write_spans
    from kit.training.labels import label_windows

    dataset = kit.load(folder / f"{size}.json")
    spans = folder / f"{size}.safetensors"
    backbone, device = open_backbone(str(folder / "tiny")), choose_device("fp32")
    work: Callable[[], int]  # returns the bytes of what it made
    if stage == "windows":

        def work() -> int:
            windows = make_windows(backbone, dataset.questions, max_length=LENGTH, stride=STRIDE)
            labels = label_windows(windows, dataset.questions)
            return sum(map(_bytes, (windows, windows.contexts, labels)))

    elif stage == "inference":
        model = load_weights(backbone, head_needed=False).to(device.torch)
        provenance = Provenance(dataset.sha256, "growth", "full", "", LENGTH, STRIDE, kit.__version__)

        def work() -> int:
            pieces = score_questions(
                model, backbone, dataset.questions, device,
                max_length=LENGTH, stride=STRIDE, provenance=provenance,
            )  # fmt: skip
            write_spans(spans, provenance, pieces)
            return 0  # what it made is on the disk

    else:
        scores = read_spans(spans)

        def work() -> int:
            return sum(sys.getsizeof(answer) for answer in argmax_answers(scores, dataset.questions))

    memory = Memory()
    times = []
    began = time.perf_counter()
    # One run of a hundredth of a second says little: as many runs as there is time for.
    while len(times) < 2 or (time.perf_counter() - began < SECONDS and len(times) < RUNS):
        before = time.process_time()
        made = work()
        times.append(time.process_time() - before)
        if len(times) == 1:
            above = max(memory.above() - made, 0)
    return {"seconds": statistics.median(times), "bytes": above}


def _bytes(record: object) -> int:
    arrays = (getattr(record, field.name) for field in fields(record))  # type: ignore[arg-type]
    return sum(array.nbytes for array in arrays if isinstance(array, np.ndarray))


def text_of(found: Sequence[Growth]) -> str:
    """The section of RESULTS.md."""
    counts = (f"{size:,} questions" for size in found[0].sizes)
    columns = ("stage", *counts, "exponent", "memory above data and output")
    rows = [
        (
            one.stage, *(f"{seconds:.2f} s" for seconds in one.seconds), f"{one.exponent:.2f}",
            ", ".join(f"{size / 1e6:.0f}" for size in one.bytes) + " MB",
        )
        for one in found
    ]  # fmt: skip
    return (
        "## Growth\n\n"
        f"Generated questions, a tiny encoder, windows of {LENGTH} tokens; CPU seconds, each from a new "
        f"process (for decoding, the allocator keeps what is freed), {machine()}.\n\n"
        f"{table(columns, rows)}\n\n![CPU seconds by questions]({PICTURE.name})"
    )


def draw(found: Sequence[Growth], path: Path = PICTURE) -> None:
    """Both axes are logarithmic: linear growth is a line of slope one."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "growth"})
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 4), layout="constrained")
    for one in found:
        axes.loglog(one.sizes, one.seconds, "o-", label=f"{one.stage}: {one.exponent:.2f}")
    first = min(one.seconds[0] for one in found)
    sizes = np.array(found[0].sizes)
    axes.loglog(sizes, first / 2 * sizes / sizes[0], "--", color="grey", label="slope 1")
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axes.minorticks_off()
    axes.set(xlabel="questions", ylabel="seconds")
    axes.legend(title="exponent")
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def main() -> None:
    found = measure()
    write_section("growth", text_of(found))
    draw(found)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        wanted, place, count = sys.argv[1:]
        print(json.dumps(run(wanted, Path(place), int(count))))
    else:
        main()
