"""The members of a recipe as tuning needs them: out-of-fold scores on one file, over shared folds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from glob import escape, glob
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kit.data.records import Dataset
from kit.errors import ConfigError, all_of
from kit.files import is_temporary, sha256_file
from kit.settings.folds import read_plan
from kit.settings.paths import DATA
from kit.settings.recipe import Recipe
from kit.settings.runs import RUN_FILE, DataFile
from kit.spans.answer_spans import AnswerFile, with_free_texts
from kit.spans.lengths import log_length_prior
from kit.spans.out_of_fold import OUT_OF_FOLD, missing_folds, oof_digest, unfinished
from kit.spans.recipe_members import answer_lengths_of
from kit.spans.run_folder import Run, member_scores, open_run
from kit.spans.span_scores import SpanScores, aligned


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """M members' out-of-fold scores on the same Q questions.

    labels, scores: one a member, the scores in the data's order; runs: None for answers from elsewhere
    digests: what stands for each member in `kit.ranking.stage.fitted_on`
    fold_of: int64 (Q,), the fold in which each question was held out, by every member
    lengths: gold answer length in code points → how often
    """

    labels: tuple[str, ...]
    runs: tuple[Run | None, ...]
    digests: tuple[str, ...]
    scores: tuple[SpanScores, ...]
    fold_of: NDArray[np.int64]
    lengths: dict[int, int]

    @property
    def folds(self) -> int:
        """How many outer folds there are."""
        return len(np.unique(self.fold_of))

    def only(self, indices: Sequence[int]) -> OutOfFold:
        """Those members alone."""
        runs = tuple(self.runs[index] for index in indices)
        return OutOfFold(
            tuple(self.labels[index] for index in indices),
            runs,
            tuple(self.digests[index] for index in indices),
            tuple(self.scores[index] for index in indices),
            self.fold_of,
            answer_lengths_of(run.record for run in runs if run is not None) or self.lengths,
        )

    def questions(self, chosen: NDArray[np.intp]) -> OutOfFold:
        """Only the questions *chosen*, in that order."""
        scores = tuple(one.select(chosen) for one in self.scores)
        return replace(self, scores=scores, fold_of=self.fold_of[chosen])

    def bonus(self, length_prior: float, length_cap: int) -> NDArray[np.float64] | None:
        """λ log prior, as `length_bonus` gives it."""
        return length_prior * log_length_prior(self.lengths, length_cap) if length_prior else None


def out_of_fold_members(
    recipe: Recipe, dataset: Dataset, files: Mapping[str, AnswerFile] | None = None
) -> OutOfFold:
    """Read the out-of-fold scores of every member of *recipe* on *dataset*.

    *files*: every file of answers, by the path that the recipe has; with some, *dataset* is that of
    `with_out_of_fold_texts`.  Raises ConfigError naming each member that has none, or whose folds are not
    those of the first run, and SubmissionError where answers are missing.
    """
    runs = _folded_runs(recipe)
    if others := [str(run.folder) for run in runs if not run.trained_on(dataset)]:
        raise ConfigError(
            f"{', '.join(others)}: not trained on {dataset.path}, so without out-of-fold scores for it; all "
            "members need the same training file"
        )
    guids = tuple(question.guid for question in dataset)
    found: list[tuple[str, Run | None, str, SpanScores]] = []
    opened = iter(runs)
    for member in recipe.members:
        if member.out_of_fold is not None:
            answers = (files or {})[member.out_of_fold]
            found.append((member.label, None, answers.sha256, answers.scores(dataset)))
        else:
            run = next(opened)
            assert run.record is not None
            scores = aligned(member_scores(run, OUT_OF_FOLD, dataset), guids, run.name)
            found.append((run.name, run, oof_digest(run.record), scores))
    labels, members, digests, scores_of = zip(*found, strict=True)
    lengths = answer_lengths_of(run.record for run in runs)
    return OutOfFold(labels, members, digests, scores_of, _shared_folds(runs, dataset), lengths)


def with_out_of_fold_texts(recipe: Recipe, dataset: Dataset, files: Mapping[str, AnswerFile]) -> Dataset:
    """*dataset* with a place for every text that the members of *recipe* answer out of fold."""
    named = dict.fromkeys(member.out_of_fold for member in recipe.members)
    return with_free_texts(dataset, [files[path] for path in named if path is not None])


def _shared_folds(runs: Sequence[Run], dataset: Dataset) -> NDArray[np.int64]:
    plans = [read_plan(run.folder) for run in runs]
    folds = [None if plan is None else plan.fold_of(dataset.sha256) for plan in plans]
    for run, own in zip(runs, folds, strict=True):
        if own is None or folds[0] is None or tuple(own) != tuple(folds[0]):
            raise ConfigError(
                f"{run.folder}: its folds are not those of {runs[0].folder}; train members with the same "
                "data, --folds and --split-seed"
            )
    return np.array(folds[0], dtype=np.int64)


def copies(file: DataFile, *folders: Path) -> Iterator[Path]:
    """The files called like *file* in *folders* or their data/, whatever they contain."""
    for folder in folders:
        # Unlike `Path.rglob`, glob enters folders that are links: data often lie on another disk.
        below = glob(f"**/{escape(file.name)}", root_dir=folder / DATA, recursive=True)  # noqa: PTH207
        for path in (folder / file.name, *sorted(folder / DATA / name for name in below)):
            half_placed = any(map(is_temporary, path.parents))  # by a download that is not over
            if path.is_file() and not half_placed:
                yield path


def find_training_data(recipe: Recipe, *folders: Path, cure: str = "name it with --data") -> Path:
    """The training file of the recipe's members, found by its hash in one of *folders* or their data/.

    Raises ConfigError with the cause: a member without (all) folds, a file that is in none of the folders,
    or one of that name with other content.  *cure*: what helps where the file is elsewhere.
    """
    run = _folded_runs(recipe)[0]
    assert run.record is not None
    changed = ""
    for file in run.record.data:
        for path in copies(file, *folders):
            found = sha256_file(path)
            if found == file.sha256:
                return path
            changed = changed or (
                f"{path}: is not the {file.name} that {run.folder} was trained on (sha256 {found[:8]}, "
                f"trained on {file.sha256[:8]}); bring that file back, or {cure}"
            )
    names = ", ".join(file.name for file in run.record.data)
    places = dict.fromkeys(
        str(path) for folder in folders for path in (folder, folder / DATA) if path.is_dir()
    )
    raise ConfigError(
        changed
        or f"{run.folder}: its training data ({names}) are not in {' or '.join(places)}; copy the file to "
        f"{folders[0] / DATA}, or {cure}"
    )


def _folded_runs(recipe: Recipe) -> list[Run]:
    """The members' runs.  Raises ConfigError that says for each why it has no out-of-fold scores."""
    runs, mistakes = [], []
    for member in recipe.members:
        if member.out_of_fold is not None:
            continue
        if member.run is None:
            mistakes.append(
                f"{member.answers or member.csv}: has answers to the test questions alone; give those to the "
                "training questions with answers: and out_of_fold:"
            )
            continue
        run = open_run(member.run)
        runs.append(run)
        if run.record is None:
            mistakes.append(
                f"{run.folder}: is a checkpoint without {RUN_FILE}, and what it was trained on is unknown; "
                "train a run with kit train and --folds 5"
            )
        elif run.record.settings.folds is None:
            mistakes.append(
                f"{run.folder}: was trained without --folds; train it with --folds 5 under another --run"
            )
        elif missing := missing_folds(run.record):
            mistakes.append(f"{run.folder}: {unfinished(run.folder, run.record, missing)}")
        elif member.fold is not None:
            mistakes.append(
                f"{run.folder}: only fold {member.fold} takes part; leave out fold: in the recipe"
            )
    if mistakes:
        raise ConfigError(f"out-of-fold scores are missing: {all_of(mistakes)}")
    if not runs:
        raise ConfigError(
            "all members are answers from elsewhere; add a run, whose record names the training file"
        )
    return runs
