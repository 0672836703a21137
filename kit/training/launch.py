"""Several devices without the user starting anything: one fold on each, or one model on all of them."""

from __future__ import annotations

import logging
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch
from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from kit.data.records import Dataset
from kit.errors import ModelError, counted
from kit.modeling.distributed import OUT_OF_MEMORY
from kit.settings.mixture import Mixture
from kit.settings.runs import read_run
from kit.settings.training import TrainingSettings
from kit.spans.run_folder import Run, open_run
from kit.threads import usable_cores
from kit.training.stages import Before

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


def folds_to_train(folder: Path, settings: TrainingSettings, chosen: Sequence[int] | None) -> list[int]:
    """The chosen folds (default: all) that have no finished model yet; empty for a run without folds."""
    if settings.folds is None:
        return []
    record = read_run(folder)
    finished = record.folds if record else {}
    return [fold for fold in chosen or range(settings.folds) if str(fold) not in finished]


def command_line(
    backbone: str,
    data: Sequence[Dataset],
    folder: Path,
    settings: TrainingSettings,
    *,
    valid: Dataset | None = None,
    mixture: Mixture | None = None,
    before: Before | None = None,
    resume: bool = False,
    report_to: Sequence[str] = (),
    trust_remote_code: bool = False,
) -> list[str]:
    """``kit train`` as words, for another process that does (a part of) the same.

    The leak check is left out: the caller has made it.
    """
    words = ["train", backbone, "--run", str(folder), "--allow-leak", "--json", "--jobs", "1"]
    for dataset in data:
        words += ["--data", str(dataset.path)]
    if valid is not None:
        words += ["--valid", str(valid.path)]
    if mixture is not None:
        for name, share in mixture.shares.items():
            words += ["--share", f"{name}={share!r}"]
        words += [] if mixture.judge is None else ["--judge", mixture.judge]
    if before is not None:
        for dataset in before.data:
            words += ["--before", str(dataset.path)]
        words += ["--before-epochs", repr(before.epochs), "--before-lr", repr(before.lr)]
    for tracker in report_to:
        words += ["--report-to", tracker]
    words += ["--resume"] * resume + ["--trust-remote-code"] * trust_remote_code
    for name, value in settings.model_dump().items():
        flag = f"--{name.replace('_', '-')}"
        if isinstance(value, bool):
            words += [flag] * value
        elif value is not None:
            words += [flag, str(value)]
    return words


def train_on_all(words: Sequence[str], folder: Path, processes: int, say: Say) -> Run:
    """One model at a time on *processes* devices, as ``torchrun --nproc-per-node`` would start them.

    Where one of them runs out of memory, all are started again with half the micro-batch and go on from
    the last checkpoint.  Raises ModelError when they end early for another reason.
    """
    say(f"{processes} devices: training on all of them (torchrun); the effective batch stays as it is")
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)  # the kit's own line is enough
    os.environ.setdefault(_THREADS, str(max(usable_cores() // processes, 1)))
    with tempfile.NamedTemporaryFile("r", prefix="kit-", encoding="utf-8") as note:
        os.environ[OUT_OF_MEMORY] = note.name
        try:
            while not _ended_well(words, processes):
                note.seek(0)
                flags, _, smaller = note.read().partition("\n")
                Path(note.name).write_text("", encoding="utf-8")
                if not smaller:
                    raise ModelError(
                        f"{folder}: the training on {processes} devices ended early (see above); go on with "
                        f"--resume, or on one device with {_VISIBLE}=0"
                    )
                say(f"going on with {smaller}")
                words = [*words, *flags.split(), "--resume"]
        finally:
            del os.environ[OUT_OF_MEMORY]
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


def train_folds(words: Sequence[str], folder: Path, folds: Sequence[int], jobs: int, say: Say) -> Run:
    """One fold a device, *jobs* at a time; each is a process of its own that sees one GPU (or some cores).

    After a failure the folds at work are finished and no other is begun.  Raises ModelError naming the
    folds that failed, with their last words.
    """
    gpus = visible_gpus()
    say(
        f"{counted(len(folds), 'fold')}, {jobs} at a time, one a {'GPU' if gpus else 'process'}: "
        f"fold {', '.join(map(str, folds))}"
    )
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    for fold in folds:
        waiting.put(fold)
    failed: dict[int, str] = {}
    children: list[subprocess.Popen[str]] = []

    def work(slot: int) -> None:
        environment = dict(os.environ)
        if gpus:
            environment[_VISIBLE] = gpus[slot % len(gpus)]
        else:
            environment[_THREADS] = str(max(usable_cores() // jobs, 1))
        for fold in _until_empty(waiting):
            if failed:
                return
            child = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "kit", *words, "--fold", str(fold)],
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
                    say(f"fold {fold}: {line}")
            if child.wait():
                failed[fold] = last.removeprefix("error: ") or f"exit code {child.returncode}"

    workers = [threading.Thread(target=work, args=(slot,), daemon=True) for slot in range(jobs)]
    try:
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    finally:
        for child in children:  # only after an interruption is any of them still alive
            child.terminate()
    if failed:
        words_of = "; ".join(f"fold {fold}: {last}" for fold, last in sorted(failed.items()))
        raise ModelError(f"{folder}: {words_of}; what was trained is kept, go on with --resume")
    return open_run(folder)


def _until_empty(waiting: queue.SimpleQueue[int]) -> Iterator[int]:
    while True:
        try:
            yield waiting.get_nowait()
        except queue.Empty:
            return
