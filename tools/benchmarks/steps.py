"""One way of training or reading, timed: synthetic windows through the kit's own Trainer, or a plain one."""

from __future__ import annotations

import statistics
import tempfile
import time
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import BertConfig, BertForQuestionAnswering, Trainer, TrainerCallback, set_seed

from kit.modeling.devices import Device, choose_device
from kit.modeling.inference import score_windows
from kit.modeling.tokens import Texts
from kit.modeling.windows import Windows
from kit.settings.training import training_settings
from kit.spans.span_scores import offsets_of
from kit.training.collator import SpanCollator
from kit.training.labels import Labels
from kit.training.sampler import LengthGroupedSampler, MicroBatches
from tools.benchmarks.measurement import Memory
from tools.benchmarks.trainers import PaddedWindows, kit_trainer, padded_to, plain_trainer

if TYPE_CHECKING:
    from tools.benchmarks.gpu import Scale, Way

_QUESTION = 12
"""Tokens of a window before its context."""
_WARM_UP = 3
_ENOUGH = 1_000_000


def matrix_peak(device: str, precision: str, runs: int = 20) -> float:
    """FLOP/s of a large matrix product in *precision*, the median of *runs*."""
    size = 8192 if device == "cuda" else 1024
    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[precision]
    one, other = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    times = []
    for _ in range(runs + _WARM_UP):
        _wait(device)
        began = time.perf_counter()
        one @ other
        _wait(device)
        times.append(time.perf_counter() - began)
    return 2 * size**3 / statistics.median(times[_WARM_UP:])


def lengths_of(scale: Scale) -> NDArray[np.int64]:
    """Tokens of each window: log-normal with a mean of about 0.45 of the maximum, as the kit's data have."""
    drawn = np.random.default_rng(5).lognormal(np.log(0.41 * scale.length), 0.5, scale.windows)
    return np.clip(drawn, 2 * _QUESTION, scale.length).astype(np.int64)


def windows_of(scale: Scale) -> tuple[Windows, Labels]:
    """Random tokens in windows of those lengths, one a question, with a gold in each."""
    lengths, generator = lengths_of(scale), np.random.default_rng(6)
    number = np.arange(scale.windows)
    nothing = np.zeros(0, dtype=np.int32)
    windows = Windows(
        question=number,
        ids=generator.integers(5, scale.vocabulary, lengths.sum()).astype(np.int32),
        segments=(np.arange(lengths.sum()) % 2).astype(np.int8),
        offsets=offsets_of(lengths),
        context_at=np.full(scale.windows, _QUESTION),
        token_at=np.zeros_like(number),
        tokens=lengths - _QUESTION - 1,
        contexts=Texts(nothing, nothing, nothing, np.zeros(1, dtype=np.int64)),
        context=number,
        cls=0,
        cut_questions=0,
    )
    start = generator.integers(_QUESTION, lengths - 1)
    return windows, Labels(number, start, np.minimum(start + 2, lengths - 2), 0)


def encoder(scale: Scale, attention: str) -> BertForQuestionAnswering:
    """A BERT of this size with random weights and the usual dropout, but none on attention."""
    set_seed(1)
    config = BertConfig(
        vocab_size=scale.vocabulary,
        hidden_size=scale.hidden,
        num_hidden_layers=scale.layers,
        num_attention_heads=scale.heads,
        intermediate_size=scale.inner,
        max_position_embeddings=scale.length,
        attention_probs_dropout_prob=0.0,
    )
    return BertForQuestionAnswering._from_config(config, attn_implementation=attention)


def model_flops(model: BertForQuestionAnswering, scale: Scale, lengths: NDArray[np.int64]) -> float:
    """FLOPs of training on windows of *lengths*, int64 (W,) (formula: gpu.py); predicting takes a third."""
    weights = sum(p.numel() for name, p in model.named_parameters() if "embeddings" not in name)
    attention = 12 * scale.layers * scale.hidden * (lengths.astype(np.float64) ** 2).sum()
    return float(6 * weights * lengths.sum() + attention)


class Clock(TrainerCallback):
    """Times the steps after the first few, and ends the training when it has seen enough."""

    def __init__(self, seconds: float, device: str) -> None:
        self._wanted, self._device = seconds, device
        self.first = self.last = 0
        self.seconds = 0.0
        self._began = 0.0

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """The clock starts when the warm-up is over: two seconds, or a few steps if those take longer."""
        if not self.first:
            if state.global_step == 1:
                self._began = time.perf_counter()
            if state.global_step >= _WARM_UP and time.perf_counter() - self._began > self._wanted / 3:
                _wait(self._device)
                self.first, self._began = state.global_step, time.perf_counter()
        elif time.perf_counter() - self._began > self._wanted:
            _wait(self._device)
            self.last, self.seconds = state.global_step, time.perf_counter() - self._began
            control.should_training_stop = True


def train(way: Way, scale: Scale, seconds: float, device: str) -> dict[str, float]:
    """Steps for about *seconds*: real tokens and FLOPs a second, peak bytes."""
    windows, labels = windows_of(scale)
    model = encoder(scale, way.attention)
    clock, memory = Clock(seconds, device), Memory()
    optimizer = "adamw_torch_fused" if way.fused else "adamw_torch"
    order = LengthGroupedSampler(windows.lengths, scale.batch, 1)
    settings = training_settings(
        batch_size=scale.batch, micro_batch_size=scale.micro, precision=way.precision, compile=way.compile
    )
    trainer: Trainer
    with tempfile.TemporaryDirectory() as folder:
        given = settings, choose_device(way.precision), Path(folder), clock
        if way.batches == "padded":
            trainer = plain_trainer(
                model, PaddedWindows(windows, labels, 0, scale.length), *given, steps=_ENOUGH,
                optim=optimizer, torch_compile=way.compile,
            )  # fmt: skip
        else:
            budget = scale.micro * scale.length if way.batches == "budget" else None
            trainer = kit_trainer(
                model, SpanCollator(windows, labels, 0), MicroBatches(order, scale.micro, budget), *given,
                steps=_ENOUGH, optimizer=optimizer,
            )  # fmt: skip
        trainer.train()
    if way.batches == "padded":  # only Trainer knows its order, so use the average
        share = (clock.last - clock.first) * scale.batch / len(windows)
        tokens, flops = windows.lengths.sum() * share, model_flops(model, scale, windows.lengths) * share
    else:
        trained = windows.lengths[_trained(order, scale.batch, clock.first, clock.last)]
        tokens, flops = trained.sum(), model_flops(model, scale, trained)
    return {
        "rate": float(tokens) / clock.seconds,
        "flops": flops / clock.seconds,
        "bytes": torch.cuda.max_memory_allocated() if device == "cuda" else memory.above(),
    }


def _trained(order: LengthGroupedSampler, batch: int, first: int, last: int) -> NDArray[np.int64]:
    """The windows of the optimizer steps after *first*, up to *last*."""
    batches = (
        windows[begin : begin + batch]
        for windows in map(order.order, count())
        for begin in range(0, len(windows), batch)
    )
    return np.concatenate(list(islice(batches, first, last)))


def read(way: Way, scale: Scale, seconds: float, device: str) -> dict[str, float]:
    """Scores of all windows for about *seconds*: questions and FLOPs a second, peak bytes."""
    windows, _ = windows_of(scale)
    chosen = choose_device(way.precision)
    model = encoder(scale, way.attention).to(chosen.torch).eval()
    memory = Memory()
    whole = padded_to(scale.length, windows, 0) if way.batches == "padded" else None

    def once() -> None:
        if whole is None:
            score_windows(model, windows, 0, chosen)
        else:
            _read_padded(model, whole, scale.batch, chosen)

    once()
    times: list[float] = []
    while sum(times) < seconds:
        began = time.perf_counter()
        once()
        times.append(time.perf_counter() - began)
    middle = statistics.median(times)
    return {
        "rate": len(windows) / middle,
        "flops": model_flops(model, scale, windows.lengths) / 3 / middle,
        "bytes": torch.cuda.max_memory_allocated() if device == "cuda" else memory.above(),
    }


@torch.inference_mode()
def _read_padded(model: torch.nn.Module, whole: dict[str, torch.Tensor], batch: int, device: Device) -> None:
    """As the usual scripts predict: batches in the order of the file, all logits kept."""
    kept = []
    for first in range(0, len(whole["input_ids"]), batch):
        inputs = {name: column[first : first + batch].to(device.torch) for name, column in whole.items()}
        with device.autocast():
            output = model(**inputs)
        kept.append(torch.stack([output.start_logits, output.end_logits]).float().cpu())
    torch.cat(kept, dim=1)


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()
