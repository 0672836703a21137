"""Runs on disk: which models a run folder holds, and where their span files are.  No model library."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from kit.data.records import Dataset
from kit.display import Displayed, Table
from kit.errors import ModelError, SpanFileError
from kit.files import did_you_mean
from kit.hints import command
from kit.settings.paths import RUNS
from kit.settings.runs import FULL, RunRecord, read_run
from kit.spans.out_of_fold import OUT_OF_FOLD, missing_folds, oof_digest, oof_file, unfinished
from kit.spans.span_scores import SpanScores
from kit.spans.store import SpanFile, read_spans

Stored = TypeVar("Stored", SpanScores, SpanFile)


@dataclass(frozen=True, slots=True, repr=False)
class Run(Displayed):
    """A folder that ``kit train`` made (with its record), or any folder with a checkpoint (without)."""

    folder: Path
    record: RunRecord | None

    @property
    def headline(self) -> str:
        """The folder, and what is known of it."""
        return f"{self.folder}: {self.record.headline if self.record else 'a checkpoint'}"

    def tables(self) -> list[Table]:
        """Its models and what they scored."""
        if self.record is None:
            return [Table(self.headline, (), ())]
        return [replace(one, title=f"{self.folder} ({one.title})") for one in self.record.tables()]

    @property
    def name(self) -> str:
        """The folder's own name."""
        return self.folder.resolve().name

    @property
    def folds(self) -> tuple[str, ...]:
        """The models it holds: "full", or fold numbers in order."""
        if self.record is None:
            return (FULL,)
        return tuple(sorted(self.record.folds, key=lambda fold: -1 if fold == FULL else int(fold)))

    def model_folder(self, fold: str) -> Path:
        """Where the checkpoint of *fold* lies."""
        if self.record is None:
            return self.folder
        return self.folder / (FULL if fold == FULL else f"fold-{fold}")

    def trained_on(self, dataset: Dataset) -> bool:
        """Whether these very data taught the run."""
        return self.record is not None and dataset.sha256 in {file.sha256 for file in self.record.data}

    def learned(self, dataset: Dataset) -> bool:
        """Whether the run saw these data at all: as its own, or (most of them) before its own."""
        before = self.record.before if self.record is not None else None
        first = before.data if before is not None else ()
        return self.trained_on(dataset) or dataset.sha256 in {file.sha256 for file in first}

    def used(self, dataset: Dataset) -> Dataset:
        """What of *dataset* the run used: with ``--limit`` its first questions; all of other files."""
        files = () if self.record is None else self.record.data
        counts = [file.questions for file in files if file.sha256 == dataset.sha256]
        return dataset.first(min(counts, default=len(dataset)))

    def span_file(self, dataset: Dataset, fold: str) -> Path:
        """Where the span scores of *fold*, or the out-of-fold scores, on *dataset* belong."""
        if fold == OUT_OF_FOLD:
            return oof_file(self.folder, dataset.sha256)
        return self._spans_folder() / f"{dataset.key}{_suffix(fold)}"

    def find_spans(self, dataset: Dataset, fold: str) -> Path | None:
        """The span file of *fold* on the data with this content, whatever the data file was called then."""
        own = self.span_file(dataset, fold)
        if own.is_file() or fold == OUT_OF_FOLD:
            return own if own.is_file() else None
        pattern = f"*-{dataset.sha256[:8]}{_suffix(fold)}"
        oof = f"{OUT_OF_FOLD}-"
        others = sorted(path for path in own.parent.glob(pattern) if not path.name.startswith(oof))
        return others[0] if others else None

    def _spans_folder(self) -> Path:
        """Beside the model; for a read-only checkpoint (a mounted data set) under runs/ here instead."""
        if self.record is None and not (self.folder / "spans").is_dir() and _read_only(self.folder):
            path = hashlib.sha256(str(self.folder.resolve()).encode()).hexdigest()[:8]
            return RUNS / f"{self.name}-{path}" / "spans"
        return self.folder / "spans"


def open_run(path: Path | str) -> Run:
    """Open a RUN argument.  Raises ModelError where the folder is neither a run nor a checkpoint."""
    folder = Path(path)
    try:
        is_folder, there = folder.is_dir(), folder.exists()
    except OSError as error:  # a name too long, a folder that may not be looked into
        raise ModelError(f"{folder}: cannot be opened ({error.strerror}); check the path") from None
    if not is_folder:
        what = "is a file" if there else "does not exist"
        near = "" if there else did_you_mean(folder)
        raise ModelError(
            f"{folder}: {what}; {near or 'give a folder that kit train made, or one with a checkpoint'}"
        )
    record = read_run(folder)
    if record is None and not (folder / "config.json").is_file():
        raise ModelError(
            f"{folder}: holds neither run.json nor config.json; give a run's folder, or a checkpoint's"
        )
    if record is not None and not record.folds:
        raise ModelError(f"{folder}: no training has finished here yet; run kit train with --run {folder}")
    return Run(folder, record)


def chosen_folds(run: Run, fold: int | None) -> Sequence[str]:
    """All folds of *run*, or only *fold*.  Raises ModelError where the run lacks it."""
    if fold is None:
        return run.folds
    if str(fold) not in run.folds:
        raise ModelError(f"{run.folder}: has no fold {fold}; it has {', '.join(run.folds)}")
    return (str(fold),)


def stored_folds(run: Run, fold: int | None, dataset: Dataset) -> Sequence[str]:
    """Whose scores answer *dataset*: the chosen folds', or out of fold where the run trained on these data.

    Raises ModelError for one fold of a run that trained on *dataset*: it has learned most of the answers.
    """
    if run.record is None or run.record.settings.folds is None or not run.trained_on(dataset):
        return chosen_folds(run, fold)
    if fold is not None:
        raise ModelError(
            f"{run.folder}: fold {fold} trained on most of {dataset.path}; leave the fold out to use "
            "out-of-fold scores"
        )
    return (OUT_OF_FOLD,)


def member_scores(run: Run, fold: str, dataset: Dataset) -> SpanScores:
    """The stored scores of one fold of *run*, or its out-of-fold scores, on *dataset*.

    Raises SpanFileError naming the command that makes them where they are missing, or out of date.
    """
    return stored(run, fold, dataset, read_spans)


def stored(run: Run, fold: str, dataset: Dataset, read: Callable[[Path, str], Stored]) -> Stored:
    """What *read* makes of the file of `member_scores`, if it is the right one; raises what that does."""
    cure = f"run: {command('predict', run.folder, data=dataset.path)}"
    path = run.find_spans(dataset, fold)
    if fold == OUT_OF_FOLD:
        assert run.record is not None
        if missing := missing_folds(run.record):
            raise SpanFileError(
                f"{run.folder}: no out-of-fold scores: {unfinished(run.folder, run.record, missing)}"
            )
        if (used := len(run.used(dataset))) < len(dataset):
            raise SpanFileError(
                f"{run.folder}: has out-of-fold scores on the first {used:,} of the {len(dataset):,} "
                f"questions of {dataset.path} (--limit); train another --run without --limit"
            )
        cure = f"give the kit train command of {run.folder} again, which trains only what is missing"
    if path is None:
        which = "" if fold == FULL else f" ({'out of fold' if fold == OUT_OF_FOLD else f'fold {fold}'})"
        raise SpanFileError(f"{run.folder}{which}: no span scores for {dataset.path}; {cure}")
    scores = read(path, cure)
    if scores.provenance.data_sha256 != dataset.sha256:
        raise SpanFileError(f"{path}: was made from another file than {dataset.path}; {cure}")
    if run.record is None:
        return scores
    trained = oof_digest(run.record) if fold == OUT_OF_FOLD else run.record.folds[fold].weights_sha256
    if trained and trained != scores.provenance.model_sha256:
        raise SpanFileError(f"{path}: was made by an earlier training of this run; {cure}")
    return scores


def _suffix(fold: str) -> str:
    return ".safetensors" if fold == FULL else f".fold-{fold}.safetensors"


def _read_only(folder: Path) -> bool:
    # Root may write anywhere, so permission alone does not say that a folder is not meant to be written.
    no_write_bit = not folder.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH)
    return no_write_bit or not os.access(folder, os.W_OK)
