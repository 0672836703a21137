"""Several processes on one job, as ``torchrun`` or ``accelerate launch`` start them."""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.distributed as dist
from accelerate import PartialState
from numpy.typing import NDArray
from safetensors.numpy import load, save

from kit.data.records import Question
from kit.modeling.backbones import Backbone
from kit.modeling.devices import Device
from kit.modeling.inference import Whole, score_questions
from kit.modeling.tokens import TokensOf
from kit.spans.span_scores import Provenance, SpanScores, arrays_of, joined, scores_from

OUT_OF_MEMORY = "KIT_OUT_OF_MEMORY"
"""Environment: a file in which a process leaves what may fit, flags and words, for the one that began it."""


@dataclass(frozen=True, slots=True)
class Processes:
    """This process among those that share the job; the first one writes and speaks."""

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the process that writes and speaks."""
        return self.rank == 0

    def wait(self) -> None:
        """Until all are here."""
        if self.size > 1:
            dist.barrier()

    def agree(self, values: NDArray[np.float64], device: Device) -> NDArray[np.float64]:
        """The first process's *values*, float64 (N,), on all of them."""
        if self.size == 1:
            return values
        tensor = torch.as_tensor(values, dtype=torch.float64).to(device.torch)
        dist.broadcast(tensor, src=0)
        return tensor.cpu().numpy()


def join_processes() -> Processes:
    """Join the group that a launcher's environment describes; without one this process is alone."""
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        return Processes()
    # Trainer asks for the same state later and gets this one.
    cpu = not torch.cuda.is_available()
    state = PartialState(cpu=cpu, backend="gloo") if cpu else PartialState()
    # A process that ends with the group's threads still running may abort instead of exiting.
    atexit.unregister(_leave)
    atexit.register(_leave)
    return Processes(state.process_index, state.num_processes)


def _leave() -> None:
    if dist.is_initialized():
        dist.destroy_process_group()


def score_together(
    processes: Processes,
    model: torch.nn.Module,
    backbone: Backbone,
    questions: Sequence[Question],
    device: Device,
    *,
    max_length: int,
    stride: int,
    provenance: Provenance,
    tokens_of: TokensOf | None = None,
    advance: Callable[[int], object] = lambda done: None,
) -> Iterator[SpanScores]:
    """As `score_questions`, with the questions shared out; the first process gets all pieces, in order.

    Every process must run through the whole iterator; the others get nothing from it.
    """
    bounds = np.linspace(0, len(questions), processes.size + 1).round().astype(int)
    first, last = bounds[processes.rank], bounds[processes.rank + 1]
    if processes.size > 1 and last > first:  # one process shows the bar of all
        advance = Whole(advance, int(last - first), len(questions))
    pieces = score_questions(
        model, backbone, questions[first:last], device,
        max_length=max_length, stride=stride, provenance=provenance, tokens_of=tokens_of, advance=advance,
    )  # fmt: skip
    if processes.size == 1:
        yield from pieces
        return
    own = _packed(joined(list(pieces), provenance))
    for rank, data in enumerate(_gathered(own, processes, device)):
        share = tuple(question.guid for question in questions[bounds[rank] : bounds[rank + 1]])
        yield _unpacked(data, share, provenance)


def _packed(scores: SpanScores) -> NDArray[np.uint8]:
    arrays = {name: np.ascontiguousarray(array) for name, array in arrays_of(scores).items()}
    return np.frombuffer(save(arrays), dtype=np.uint8)


def _unpacked(data: NDArray[np.uint8], guids: tuple[str, ...], provenance: Provenance) -> SpanScores:
    return scores_from(guids, load(data.tobytes()), provenance)


def _gathered(own: NDArray[np.uint8], processes: Processes, device: Device) -> Iterator[NDArray[np.uint8]]:
    """Every process's bytes in rank order, on the first process only."""
    size = torch.tensor([len(own)], device=device.torch)
    sizes = [torch.zeros_like(size) for _ in range(processes.size)]
    dist.all_gather(sizes, size)
    lengths = [int(one) for one in sizes]
    padded = torch.zeros(max(lengths), dtype=torch.uint8)
    padded[: len(own)] = torch.from_numpy(own.copy())
    padded = padded.to(device.torch)
    parts = [torch.empty_like(padded) for _ in range(processes.size)]
    dist.all_gather(parts, padded)
    if processes.first:
        for part, length in zip(parts, lengths, strict=True):
            yield part[:length].cpu().numpy()
