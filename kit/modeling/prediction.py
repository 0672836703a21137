"""From a run or checkpoint and a data file to span files."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from kit.data.records import Dataset
from kit.errors import ModelError, SpanFileError
from kit.files import locked
from kit.modeling.backbones import Backbone, load_weights, open_backbone
from kit.modeling.checkpoint_files import weights_sha256
from kit.modeling.devices import Device, choose_device
from kit.modeling.distributed import Processes, join_processes, score_together
from kit.modeling.probe import batching_of, longest_that_works
from kit.modeling.token_cache import known_tokens
from kit.modeling.tokenizer_checks import clamp_lengths, clamped, inspect_tokenizer
from kit.spans.run_folder import Run, chosen_folds
from kit.spans.span_scores import Provenance
from kit.spans.store import read_spans, write_spans
from kit.version import __version__

BARE_LENGTH, BARE_STRIDE = 384, 128
"""A bare checkpoint does not say what windows it was trained on; these are the usual QA scripts' defaults."""
Say = Callable[[str], object]
Advance = Callable[[int], object]


def predict_run(
    run: Run,
    dataset: Dataset,
    *,
    fold: int | None = None,
    max_length: int | None = None,
    stride: int | None = None,
    precision: str = "auto",
    again: bool = False,
    allow_unknown: bool = False,
    trust_remote_code: bool = False,
    say: Say = lambda line: None,
    advance: Advance = lambda done: None,
) -> list[Path]:
    """Write the span scores of every chosen fold of *run* on *dataset*; returns the files.

    Lengths default to those of the training, or for a bare checkpoint to 384 and 128.  A file
    that this model already made from this data with these lengths is kept, unless *again*.  Raises LockError
    where another process is making one of the files.
    """
    trained = run.record.settings if run.record else None
    length_wanted = max_length or (trained.max_length if trained else BARE_LENGTH)
    allow_unknown = allow_unknown or (trained is not None and trained.allow_unknown)
    stride_wanted = stride if stride is not None else trained.stride if trained else BARE_STRIDE
    processes = join_processes()
    device = choose_device(precision)
    written = []
    if run.record is not None and run.learned(dataset):
        folded = run.record.settings.folds is not None and run.trained_on(dataset)
        say(
            f"{run.name} was trained on {dataset.path}: these scores look better than they are"
            + ("; out of fold, kit train has stored them" if folded else "")
        )
    for name in chosen_folds(run, fold):
        folder = run.model_folder(name)
        if run.record is not None and not folder.exists():
            raise ModelError(
                f"{folder}: is gone, and the weights with it (a sweep keeps those of its best trials, "
                "--keep); bring the folder back, or train into another --run with the settings of run.json"
            )
        backbone = open_backbone(str(folder), trust_remote_code=trust_remote_code)
        length, overlap, said = clamp_lengths(backbone, length_wanted, stride_wanted)
        if trained is None or length > trained.max_length:  # no training has shown that it works
            longest = longest_that_works(load_weights(backbone, head_needed=True), backbone, length)
            length, overlap, more = clamped(backbone.name, longest, length, overlap)
            said += more
        for line in said:
            say(line)
        provenance = Provenance(
            data_sha256=dataset.sha256,
            run=run.name,
            fold=name,
            model_sha256=weights_sha256(folder),
            max_length=length,
            stride=overlap,
            kit_version=__version__,
        )
        path = run.span_file(dataset, name)
        # The processes that share this prediction must not shut each other out: one holds the lock.
        with locked(path, wait=False) if processes.first else contextlib.nullcontext():
            made = not again and _made_already(path, provenance)
            processes.wait()  # until all have looked, before one of them writes
            if made:
                say(f"{path}: already made by this model from this data")
                advance(len(dataset))
            else:
                report = inspect_tokenizer(backbone, dataset.questions, allow_unknown=allow_unknown)
                for line in report.remarks():
                    say(f"{run.name}: {line}")
                _write(path, backbone, dataset, device, processes, provenance, say, advance)
        written.append(path)
    return written


def _made_already(path: Path, provenance: Provenance) -> bool:
    try:
        return read_spans(path).provenance == provenance
    except SpanFileError:  # missing, or damaged: it is made again
        return False


def _write(
    path: Path,
    backbone: Backbone,
    dataset: Dataset,
    device: Device,
    processes: Processes,
    provenance: Provenance,
    say: Say,
    advance: Advance,
) -> None:
    model = load_weights(backbone, head_needed=True)
    for line in batching_of(model, backbone, provenance.max_length).remarks(provenance.run):
        say(line)
    model.to(device.torch)
    parts = score_together(
        processes, model, backbone, dataset.questions, device,
        max_length=provenance.max_length, stride=provenance.stride, provenance=provenance,
        tokens_of=known_tokens(backbone, [dataset]), advance=advance,
    )  # fmt: skip
    if processes.first:
        write_spans(path, provenance, parts)
    else:
        assert not list(parts)  # takes its share of the work; the first process gets the scores
    processes.wait()
