"""Out-of-fold scores: every question's from the fold that did not train on it, in one file a data file."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from kit.data.records import Dataset
from kit.errors import SpanFileError
from kit.settings.folds import FoldPlan
from kit.settings.runs import RunRecord
from kit.spans.span_scores import SpanScores, joined
from kit.spans.store import read_provenance, read_spans, write_spans

OUT_OF_FOLD = "oof"


def oof_file(folder: Path, data_sha256: str) -> Path:
    """Where the run in *folder* keeps its out-of-fold scores on the data file with this hash."""
    return folder / "spans" / f"{OUT_OF_FOLD}-{data_sha256[:8]}.safetensors"


def oof_part(folder: Path, data_sha256: str, fold: str) -> Path:
    """Where one fold leaves its share until all folds are there."""
    whole = oof_file(folder, data_sha256)
    return whole.with_suffix(f".fold-{fold}.safetensors")


def oof_digest(record: RunRecord) -> str:
    """Stands for the weights of all folds trained so far: SHA-256, hex."""
    lines = [f"{name}:{fold.weights_sha256}\n" for name, fold in sorted(record.folds.items())]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def assemble(folder: Path, record: RunRecord, plan: FoldPlan, dataset: Dataset) -> Path:
    """Put the shares of all finished folds together in the data's order; returns the file.

    Shares are deleted once every fold of the plan is in.  Raises SpanFileError where a share is missing.
    """
    target = oof_file(folder, dataset.sha256)
    earlier = read_provenance(target)
    if earlier is not None and earlier.model_sha256 == oof_digest(record):
        _tidy(folder, record, plan, dataset)
        return target
    shares = [_share(folder, record, plan, dataset, name) for name in record.folds]
    provenance = replace(
        shares[0].provenance,
        data_sha256=dataset.sha256, fold=OUT_OF_FOLD, model_sha256=oof_digest(record),
    )  # fmt: skip
    together = joined(shares, provenance)
    place = {guid: index for index, guid in enumerate(together.guids)}
    order = [place[question.guid] for question in dataset if question.guid in place]
    write_spans(target, provenance, [together.select(np.array(order, dtype=np.intp))])
    _tidy(folder, record, plan, dataset)
    return target


def has_share(folder: Path, record: RunRecord, dataset: Dataset, fold: str) -> bool:
    """Whether the scores of *fold*, by the model it has now, are stored: joined with others, or alone."""
    whole = read_provenance(oof_file(folder, dataset.sha256))
    if whole is not None and whole.model_sha256 == oof_digest(record):
        return True
    share = read_provenance(oof_part(folder, dataset.sha256, fold))
    return share is not None and share.model_sha256 == record.folds[fold].weights_sha256


def _share(folder: Path, record: RunRecord, plan: FoldPlan, dataset: Dataset, fold: str) -> SpanScores:
    path = oof_part(folder, dataset.sha256, fold)
    scores = read_spans(path)
    if scores.provenance.model_sha256 != record.folds[fold].weights_sha256:
        raise SpanFileError(f"{path}: was made by an earlier training of this fold; train the run again")
    wanted = plan.fold_of(dataset.sha256)
    assert wanted is not None
    own = {question.guid for question, number in zip(dataset, wanted, strict=True) if str(number) == fold}
    if strange := sorted(set(scores.guids) - own):
        raise SpanFileError(f"{path}: holds question {strange[0]}, which is not of fold {fold}; delete it")
    return scores


def _tidy(folder: Path, record: RunRecord, plan: FoldPlan, dataset: Dataset) -> None:
    if len(record.folds) == plan.folds:
        for name in record.folds:
            oof_part(folder, dataset.sha256, name).unlink(missing_ok=True)


def missing_folds(record: RunRecord) -> Sequence[int]:
    """Folds of the run that are not trained yet."""
    return [number for number in range(record.settings.folds or 0) if str(number) not in record.folds]


def unfinished(folder: Path, record: RunRecord, missing: Sequence[int]) -> str:
    """What to say of a run whose folds *missing* are not trained yet, and what to do."""
    which = f"{'fold' if len(missing) == 1 else 'folds'} {', '.join(map(str, missing))}"
    return (
        f"{which} of {record.settings.folds} {'is' if len(missing) == 1 else 'are'} not trained yet; give "
        f"the kit train command of {folder} again, which trains only what is missing"
    )
