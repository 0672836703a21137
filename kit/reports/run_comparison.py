"""Runs side by side: the settings that differ, and paired scores on questions that none of them learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kit.data.readers import load
from kit.data.records import Dataset
from kit.decoding.default import recipe_of_runs
from kit.decoding.ensembles import answers_of
from kit.display import BLANK, EDIT, Displayed, Table, duration, edit
from kit.errors import ConfigError, KitError, ModelError, counted
from kit.files import sha256_file
from kit.metrics.bootstrap import holm
from kit.metrics.scores import SCORE_COLUMNS, Score, Versus, compare, score_answers
from kit.settings.runs import DataFile, RunRecord
from kit.spans.out_of_fold import OUT_OF_FOLD
from kit.spans.run_folder import Run, member_scores
from kit.training.splits import whole
from kit.tuning.members import copies


@dataclass(frozen=True, slots=True, repr=False)
class RunComparison(Displayed):
    """R runs side by side.

    differing: setting → its value in each run, in words; only those that differ
    data, questions: the file that all scores are of, and how many of its questions no scored run learned;
    None and 0 where there is no such file
    scores: of each run on these questions, None where it has none; all but the first of them have ``versus``
    reasons: a run's name → why it has no score; remarks: what to know about the scores
    """

    names: tuple[str, ...]
    runs: tuple[Run, ...]
    differing: Mapping[str, tuple[str, ...]]
    data: Path | None
    questions: int
    scores: tuple[Score | None, ...]
    reasons: Mapping[str, str]
    remarks: tuple[str, ...]

    @property
    def headline(self) -> str:
        """The runs, and what they were scored on."""
        names = ", ".join(self.names)
        if self.data is None:
            return f"{names}: no questions to score them on together"
        return f"{names} on {counted(self.questions, 'question')} of {self.data} that none of them learned"

    def tables(self) -> list[Table]:
        """One table, a column for each run."""
        rows = [(name, *values) for name, values in self.differing.items()]
        records = [_record(run) for run in self.runs]
        if any(self.scores):
            rows += self._scored()
        if not all(self.scores):
            for title, metric in ((EDIT, "edit"), (BLANK, "blank_edit")):
                means = [record.mean(metric) for record in records]
                cells = ("" if np.isnan(mean) else edit(mean) for mean in means)
                rows.append((f"{title}, as recorded by its training", *cells))
        seconds = (sum(fold.seconds for fold in record.folds.values()) for record in records)
        rows.append(("training time", *map(duration, seconds)))
        return [Table(self.headline, ("", *self.names), rows)]

    def _scored(self) -> list[tuple[str, ...]]:
        first = next(score.label for score in self.scores if score is not None)
        _, own, interval, *metrics = SCORE_COLUMNS
        titles = [own, interval, f"against {first} (paired)", BLANK, *metrics]
        versus = [score.versus for score in self.scores if score is not None and score.versus is not None]
        proven = iter(holm([one.difference.p_value for one in versus]))  # of all comparisons together
        columns = []
        for score in self.scores:
            if score is None:
                columns.append([""] * len(titles))
                continue
            _, own, interval, *metrics = score.row
            against = "" if score.versus is None else score.versus.difference.in_words(next(proven))
            columns.append([own, interval, against, edit(score.blank_edit), *metrics])
        # A single score is compared with nothing.
        return [row for row in zip(titles, *columns, strict=True) if any(row[1:])]

    def as_dict(self) -> dict[str, object]:
        """For ``--json``."""
        return {
            "runs": {name: str(run.folder) for name, run in zip(self.names, self.runs, strict=True)},
            "differing": {name: list(values) for name, values in self.differing.items()},
            "data": None if self.data is None else str(self.data),
            "questions": self.questions,
            "scores": {
                name: None if score is None else score.as_dict()
                for name, score in zip(self.names, self.scores, strict=True)
            },
            "reasons": dict(self.reasons),
            "remarks": list(self.remarks),
        }


def compare_runs(runs: Sequence[Run], dataset: Dataset | None = None, *folders: Path) -> RunComparison:
    """Compare *runs* with the first of them.

    *dataset*: questions with answers; by default a file that all runs were trained or chosen on, found by its
    hash in *folders* or their data/.  Of a file that a run was trained on, its out-of-fold scores count, or
    those of the tenth that was held out.  Raises ConfigError for less than two runs, ModelError for a
    checkpoint without a record.
    """
    if len(runs) < 2:
        raise ConfigError(f"--compare: {counted(len(runs), 'run')} given; name at least two")
    records = [_record(run) for run in runs]
    names = _names(runs)
    scores: list[Score | None] = [None] * len(runs)
    questions = 0
    remarks: list[str] = []
    reasons = dict.fromkeys(names, "no file here was used by all of these runs; name one with --data")
    if dataset is None:
        dataset = _shared_file(records, folders)
    if dataset is not None:
        scores, questions, reasons = _scores(names, runs, dataset, folders)
        remarks = _remarks(names, records, dataset, scores)
    return RunComparison(
        names=names,
        runs=tuple(runs),
        differing=differing(records),
        data=dataset.path if dataset is not None and questions else None,
        questions=questions,
        scores=tuple(scores),
        reasons=reasons,
        remarks=tuple(remarks),
    )


def _record(run: Run) -> RunRecord:
    if run.record is None:
        raise ModelError(f"{run.folder}: has no run.json, so nothing is known of its training; leave it out")
    return run.record


def _names(runs: Sequence[Run]) -> tuple[str, ...]:
    """The runs' names; their folders where two have the same name."""
    own = tuple(run.name for run in runs)
    return own if len(set(own)) == len(own) else tuple(str(run.folder) for run in runs)


def differing(records: Sequence[RunRecord]) -> dict[str, tuple[str, ...]]:
    """Setting → its value in each run, for those that are not the same in all."""
    described = [_described(record) for record in records]
    found = {name: tuple(one[name] for one in described) for name in described[0]}
    return {name: values for name, values in found.items() if len(set(values)) > 1}


def _described(record: RunRecord) -> dict[str, str]:
    settings = {name: _words(value) for name, value in record.settings.model_dump(mode="json").items()}
    return {
        "backbone": record.backbone,
        "weights of the backbone": record.backbone_version[:8],
        "data": ", ".join(map(_file, record.data)),
        "valid": "" if record.valid is None else _file(record.valid),
        "shares": str(record.mixture),
        "before": "" if record.before is None else str(record.before),
        **settings,
        "device": record.device,
        "kit": record.versions.get("kit", ""),
    }


def _words(value: object) -> str:
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _file(file: DataFile) -> str:
    return f"{file.name} ({file.sha256[:8]})"


def _shared_file(records: Sequence[RunRecord], folders: Sequence[Path]) -> Dataset | None:
    """A file that all runs were trained or chosen on, where it is here; those that chose come first."""

    def files(record: RunRecord) -> list[DataFile]:
        return [*([record.valid] if record.valid is not None else []), *record.data]

    known = [{file.sha256 for file in files(record)} for record in records]
    for file in files(records[0]):
        if all(file.sha256 in hashes for hashes in known) and (path := _find(file, folders)) is not None:
            return load(path, answers_needed=True)
    return None


def _find(file: DataFile, folders: Sequence[Path]) -> Path | None:
    return next((path for path in copies(file, *folders) if sha256_file(path) == file.sha256), None)


def _scores(
    names: Sequence[str], runs: Sequence[Run], dataset: Dataset, folders: Sequence[Path]
) -> tuple[list[Score | None], int, dict[str, str]]:
    """The scores on the questions of *dataset* that no run with scores learned, their number, and reasons."""
    reasons: dict[str, str] = {}
    answers: dict[str, Mapping[str, str]] = {}
    shared = np.ones(len(dataset), np.bool_)
    for name, run in zip(names, runs, strict=True):
        try:
            own = _not_learned(run, dataset, folders)
            questions = tuple(one for one, kept in zip(dataset, own, strict=True) if kept)
            answers[name] = answers_of(recipe_of_runs([run]), replace(dataset, questions=questions)).texts
            shared &= own
        except KitError as error:
            reasons[name] = str(error)
    common = replace(dataset, questions=tuple(q for q, kept in zip(dataset, shared, strict=True) if kept))
    if not len(common):
        reasons |= dict.fromkeys(answers, "the runs held out different questions; name others with --data")
        answers = {}
    first: Score | None = None
    found: list[Score | None] = []
    for name in names:
        if name not in answers:
            found.append(None)
            continue
        texts = {question.guid: answers[name][question.guid] for question in common}
        groups = None if first is None else first.groups
        score = score_answers(texts, common, label=name, groups=groups)
        if first is not None:
            score = replace(score, versus=Versus(first, compare(first, score)))
        first = first or score
        found.append(score)
    return found, len(common) if answers else 0, reasons


def _not_learned(run: Run, dataset: Dataset, folders: Sequence[Path]) -> NDArray[np.bool_]:
    """Which questions of *dataset* the run did not learn: bool (Q,).  Raises KitError without any."""
    record = _record(run)
    if not run.learned(dataset):
        return np.ones(len(dataset), np.bool_)
    learned = f"{run.folder}: learned the answers of {dataset.path}"
    if not run.trained_on(dataset):
        raise ModelError(f"{learned} before its own data; name another file with --data")
    if record.settings.folds is not None:
        kept = set(member_scores(run, OUT_OF_FOLD, dataset).guids)
        return np.array([question.guid in kept for question in dataset])
    if record.valid is not None:
        raise ModelError(f"{learned}; name another file with --data, such as that of --valid")
    paths = [_find(file, folders) for file in record.data]
    if None in paths:
        raise ModelError(f"{learned}, and which of them it held out depends on a file that is not here")
    data = [dataset if path == dataset.path else load(path) for path in paths if path is not None]
    held_out = {question.guid for question in whole(data, None, record.settings).dev}
    return np.array([question.guid in held_out for question in dataset])


def _remarks(
    names: Sequence[str], records: Sequence[RunRecord], dataset: Dataset, scores: Sequence[Score | None]
) -> list[str]:
    chosen = [
        name
        for name, record, score in zip(names, records, scores, strict=True)
        if score is not None and record.settings.folds is None and _chosen_on(record, dataset)
    ]
    if not chosen:
        return []
    return [f"{', '.join(chosen)}: chose the checkpoint on these questions, so the score is a little too low"]


def _chosen_on(record: RunRecord, dataset: Dataset) -> bool:
    files = record.data if record.valid is None else (record.valid,)
    return dataset.sha256 in {file.sha256 for file in files}
