"""Several devices without the user starting anything: one fold on each, or one model on all of them."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch
from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from kit.data.records import Dataset
from kit.errors import ModelError, counted
from kit.modeling.distributed import OUT_OF_MEMORY
from kit.settings.job import Job
from kit.settings.runs import BEFORE, read_run
from kit.spans.run_folder import Run, open_run
from kit.terminal import duration
from kit.threads import chosen_threads, usable_cores
from kit.training.callbacks import Callbacks
from kit.training.stages import train_in_stages
from kit.training.time_limit import TimeLimit

_VISIBLE = "CUDA_VISIBLE_DEVICES"
_THREADS = "OMP_NUM_THREADS"
Say = Callable[[str], object]


def visible_gpus() -> list[str]:
    """The GPUs this process may use, as CUDA_VISIBLE_DEVICES names them."""
    count = torch.cuda.device_count()
    names = [name for name in os.environ.get(_VISIBLE, "").split(",") if name]
    return (names or [str(number) for number in range(count)])[:count]


def launched() -> bool:
    """Whether torchrun, accelerate launch or the kit itself started this as one of several processes."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def train(job: Job[Dataset], callbacks: Callbacks, say: Say) -> Run:
    """Train *job* on all devices of this machine, and return the run.

    A fold on each device, or one model on all of them; in a process that a launcher started, its share.
    """
    if launched():
        return train_in_stages(job, callbacks)
    gpus, folds = len(visible_gpus()), folds_to_train(job)
    at_once = min(job.options.jobs or max(gpus, 1), len(folds))
    if job.before and (job.options.before_only or at_once > 1):
        # Once, before several folds begin with it at the same time.
        first = job.asking(before_only=True)
        if gpus > 1:
            learned = train_on_all(first, job.run / BEFORE, gpus, say)
        else:
            learned = train_in_stages(first, callbacks)
        if job.options.before_only:
            return learned
    if at_once > 1:
        return train_folds(job, folds, at_once, say)
    if gpus > 1 and (folds or job.settings.folds is None):
        return train_on_all(job.asking(fold=folds[0]) if folds else job, job.run, gpus, say)
    return train_in_stages(job, callbacks)


def folds_to_train(job: Job[Dataset]) -> list[int]:
    """The job's folds (default: all) that have no finished model yet; empty for a run without folds."""
    if job.settings.folds is None:
        return []
    record = read_run(job.run)
    finished = record.folds if record else {}
    return [fold for fold in job.folds or range(job.settings.folds) if str(fold) not in finished]


def _words(job: Job[Dataset]) -> list[str]:
    """``kit train`` for another process that does (a part of) *job*; the caller has made the leak check."""
    return [*job.asking(allow_leak=True, jobs=1, against=None).argv(), "--json"]


def train_on_all(job: Job[Dataset], folder: Path, processes: int, say: Say) -> Run:
    """One model at a time on *processes* devices, as ``torchrun --nproc-per-node`` would start them.

    Where one of them runs out of memory, all are started again with half the micro-batch and resume from
    the last checkpoint.  Returns the run in *folder*.  Raises ModelError when they end early for another
    reason.
    """
    words = _words(job)
    say(f"{processes} devices: training on all of them (torchrun); the effective batch does not change")
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)  # the kit's own line is enough
    own = {} if chosen_threads() else {_THREADS: str(max(usable_cores() // processes, 1))}
    with tempfile.NamedTemporaryFile("r", prefix="kit-", encoding="utf-8") as note:
        own[OUT_OF_MEMORY] = note.name
        os.environ |= own
        try:
            while not _ended_well(words, processes):
                note.seek(0)
                flags, _, smaller = note.read().partition("\n")
                Path(note.name).write_text("", encoding="utf-8")
                if not smaller:
                    raise ModelError(
                        f"{folder}: the training on {processes} devices ended early (see above); continue "
                        f"with --resume, or on one device with {_VISIBLE}=0"
                    )
                say(f"continuing with {smaller}")
                words = [*words, *flags.split(), "--resume"]
        finally:
            for name in own:
                del os.environ[name]
    return open_run(folder)


def _ended_well(words: Sequence[str], processes: int) -> bool:
    with tempfile.TemporaryDirectory(prefix="kit-") as logs:  # torch leaves its own folder behind
        config = LaunchConfig(
            min_nodes=1,
            max_nodes=1,
            nproc_per_node=processes,
            rdzv_backend="c10d",
            rdzv_endpoint="localhost:0",
            run_id=str(os.getpid()),
            max_restarts=0,
            logs_specs=DefaultLogsSpecs(log_dir=logs),
        )
        try:
            elastic_launch(config, entrypoint=sys.executable)("-m", "kit", *words)
        except ChildFailedError:
            return False
    return True


def train_folds(job: Job[Dataset], folds: Sequence[int], jobs: int, say: Say) -> Run:
    """One fold a device, *jobs* at a time; each is a separate process that sees one GPU (or some cores).

    After a failure the running folds are finished and no other is started.  Raises ModelError naming the
    folds that failed, with their last lines.
    """
    say(
        f"{counted(len(folds), 'fold')}, {jobs} at a time, one a {'GPU' if visible_gpus() else 'process'}: "
        f"fold {', '.join(map(str, folds))}"
    )
    limit, took = TimeLimit.of(job.options.hours), [0.0]

    def commands() -> Iterator[tuple[str, list[str]]]:
        for fold in folds:
            if limit is not None and not limit.allows(max(took)):
                say(f"fold {fold}: not begun, since only {duration(limit.left)} of --hours are left")
                continue
            asked = job.asking(fold=fold, hours=None if limit is None else max(limit.left / 3600, 1e-6))
            yield f"fold {fold}", _words(asked)

    if failed := in_processes(commands(), jobs, say, took):
        names = [name for name in (f"fold {fold}" for fold in folds) if name in failed]
        failures = "; ".join(f"{name}: {failed[name]}" for name in names)
        raise ModelError(f"{job.run}: {failures}; what was trained is kept, continue with --resume")
    return open_run(job.run)


def in_processes(
    commands: Iterator[tuple[str, Sequence[str]]], jobs: int, say: Say, took: list[float] | None = None
) -> dict[str, str]:
    """Run ``kit`` with the words of each of *commands*, *jobs* at a time, one a GPU (or some cores).

    commands: name and words; drawn when a process is free.  took: gets the seconds of each that has ended

    Says every line that they print, after the name.  After a failure the running ones are finished and no
    other is started.  Returns the last lines of those that failed, by name.
    """
    gpus, lock = visible_gpus(), threading.Lock()
    failed: dict[str, str] = {}
    children: list[subprocess.Popen[str]] = []

    def work(slot: int) -> None:
        environment = dict(os.environ)
        if gpus:
            environment[_VISIBLE] = gpus[slot % len(gpus)]
        elif not chosen_threads():
            environment[_THREADS] = str(max(usable_cores() // jobs, 1))
        while not failed:
            with lock:
                name, words = next(commands, ("", ()))
            if not words:
                return
            began = time.monotonic()
            child = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "kit", *words],
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
            )
            children.append(child)
            last = ""
            assert child.stderr is not None
            for line in map(str.strip, child.stderr):
                if line:
                    last = line
                    say(f"{name}: {line}")
            code = child.wait()
            if took is not None:
                took.append(time.monotonic() - began)
            if code:
                failed[name] = last.removeprefix("error: ") or f"exit code {code}"

    workers = [threading.Thread(target=work, args=(slot,), daemon=True) for slot in range(jobs)]
    try:
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    finally:
        for child in children:  # only after an interruption is any of them still alive
            child.terminate()
    return failed
