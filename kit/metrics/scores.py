"""The score of a set of answers on a data set, with the settings that made it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np
from numpy.typing import NDArray

from kit.data.records import Dataset
from kit.display import EDIT, INTERVAL, Brief, Displayed, Table, edit
from kit.errors import SHOWN, DataError, SubmissionError, counted
from kit.metrics.bootstrap import Interval, PairedDifference, bootstrap, paired
from kit.metrics.edit_distance import edit_distances
from kit.metrics.metrics import METRICS
from kit.version import __version__


@dataclass(frozen=True, slots=True)
class Signature:
    """What a score was made from; numbers whose data or reference differ are not compared."""

    data_sha256: str
    reference: str
    rows: int
    kit_version: str

    def __str__(self) -> str:
        data = self.data_sha256[:8]
        return f"data:{data}|rows:{self.rows}|reference:{self.reference}|kit:{self.kit_version}"


SCORE_COLUMNS = ("answers", EDIT, INTERVAL, *(metric.title for metric in METRICS.values()))


@dataclass(frozen=True, slots=True, repr=False)
class Score(Displayed):
    """How good a set of answers is.

    ``edit`` is the Edit Score: mean Levenshtein distance in code points, lower is better, with a
    grouped bootstrap ``interval``.  ``metrics`` has the means of `METRICS`, by name: ``exact`` and ``f1`` are
    KorQuAD 1.0's official numbers as shares in [0, 1] (exact match of *normalised* texts); ``blanks`` is the
    share of empty answers.
    ``distances`` float64 (Q,) and ``groups`` int64 (Q,) are kept, read-only, for `compare`.
    """

    label: str
    questions: int
    edit: float
    interval: Interval
    metrics: Mapping[str, float]
    signature: Signature
    distances: NDArray[np.float64] = field(repr=False, compare=False)
    groups: NDArray[np.int64] = field(repr=False, compare=False)
    blank_edit: float = float("nan")
    """The Edit Score of blank answers to all of these questions."""
    versus: Versus | None = None
    """The comparison with other answers to the same questions, where one was made."""

    def __str__(self) -> str:
        others = (f"{title} {text}" for title, text in self.named_metrics())
        return (
            f"Edit Score {self.edit:.3f} ({self.interval.level * 100:.0f} %: {self.interval}), "
            f"{', '.join(others)}; {counted(self.questions, 'question')}, reference: {self.reference}"
        )

    @property
    def exact(self) -> float:
        """KorQuAD 1.0's exact match, a share in [0, 1]."""
        return self.metrics["exact"]

    @property
    def f1(self) -> float:
        """KorQuAD 1.0's character F1, in [0, 1]."""
        return self.metrics["f1"]

    @property
    def blanks(self) -> float:
        """The share of empty answers."""
        return self.metrics["blanks"]

    def named_metrics(self) -> list[tuple[str, str]]:
        """Title and mean of each of `METRICS`, as tables show them."""
        return [(metric.title, metric.in_words(self.metrics[name])) for name, metric in METRICS.items()]

    @property
    def headline(self) -> str:
        """Whose answers, and how good they are."""
        return f"{self.label}: {self}"

    @property
    def row(self) -> tuple[str, ...]:
        """The cells under `SCORE_COLUMNS`."""
        others = (text for _, text in self.named_metrics())
        return (self.label, edit(self.edit), self.interval.in_words(), *others)

    def tables(self) -> list[Table]:
        """The score, under it that of the answers it was compared with, and the difference."""
        title = f"{counted(self.questions, 'question')}, reference: {self.reference}"
        rows, about = [self.row], [("all blank would score", edit(self.blank_edit))]
        if self.versus is not None:
            rows.append(self.versus.score.row)
            about.append(("difference", self.versus.sentence(self.label)))
        return [Table(title, SCORE_COLUMNS, rows), Table("", (), about)]

    @property
    def reference(self) -> str:
        """Which gold counts where a question has several: first, min or mean."""
        return self.signature.reference

    def as_dict(self) -> dict[str, object]:
        """For ``--json``: everything but the arrays."""
        compared = {} if self.versus is None else {"versus": self.versus.as_dict()}
        return {
            "label": self.label,
            "questions": self.questions,
            "edit": self.edit,
            "blank_edit": self.blank_edit,
            "interval": self.interval.as_dict(),
            **self.metrics,
            "reference": self.reference,
            "signature": asdict(self.signature),
            **compared,
        }


@dataclass(frozen=True, slots=True, repr=False)
class Versus(Brief):
    """The score of other answers, and the paired difference to it (negative: these answers are better)."""

    score: Score
    difference: PairedDifference

    @property
    def headline(self) -> str:
        """The other answers and the difference to them."""
        return self.sentence("these answers")

    def sentence(self, label: str) -> str:
        """Whether the answers called *label* are nearer to the gold than the others, in words."""
        p = self.difference.p_value
        against = f"{label} against {self.score.label}: {self.difference.in_words()}"
        return f"{against}, {'p < 0.001' if p < 5e-4 else f'p = {p:.3f}'}"

    def as_dict(self) -> dict[str, object]:
        """For ``--json``."""
        return {**self.score.as_dict(), "difference": self.difference.as_dict()}


def score_answers(
    predictions: Mapping[str, str],
    dataset: Dataset,
    *,
    reference: str = "first",
    groups: NDArray[np.int64] | None = None,
    label: str = "answers",
) -> Score:
    """Score one answer a guid against a data set's gold answers.

    Args:
        predictions: guid → answer text; its guids must be exactly the data set's, in any order.
        dataset: questions with answers; an unanswerable one is scored against ``""``.
        reference: first, min or mean over a question's golds.
        groups: int64 (Q,), what the interval draws whole; default: `kit.data.folds.groups`.
        label: names the answers in errors and tables, for example the CSV's path.

    Raises:
        DataError: the data set is empty or withholds answers.
        SubmissionError: guids are missing from or unknown to *predictions*, both named.
        ConfigError: *reference* is unknown.
    """
    texts = _texts(predictions, dataset, label)
    golds = _golds(dataset)
    distances = edit_distances(texts, golds, reference)
    if groups is None:
        # The splits compare contexts with each other; only an interval needs them.
        from kit.data.folds import groups as article_groups

        groups = article_groups(dataset.questions)
    labels = np.array(groups, np.int64)  # copied: ours become read-only
    interval = bootstrap(distances, labels)
    distances.flags.writeable = labels.flags.writeable = False
    return Score(
        label=label,
        questions=len(texts),
        edit=float(distances.mean()),
        interval=interval,
        metrics={name: float(metric.values(texts, golds).mean()) for name, metric in METRICS.items()},
        signature=Signature(dataset.sha256, reference, len(texts), __version__),
        distances=distances,
        groups=labels,
        blank_edit=float(edit_distances([""] * len(golds), golds, reference).mean()),
    )


def compare(a: Score, b: Score) -> PairedDifference:
    """The paired difference b − a of two scores of the same questions (negative: b is better).

    Raises DataError where data, reference or groups differ: such numbers do not compare.
    """
    differences = []
    if a.signature.data_sha256 != b.signature.data_sha256:
        differences.append(f"data {a.signature.data_sha256[:8]} and {b.signature.data_sha256[:8]}")
    if a.reference != b.reference:
        differences.append(f"references {a.reference} and {b.reference}")
    if not differences and not np.array_equal(a.groups, b.groups):
        differences.append("different groups")
    if differences:
        raise DataError(
            f"{a.label} and {b.label} cannot be compared: they were scored with {' and '.join(differences)}; "
            "score both on the same file with the same reference"
        )
    return paired(a.distances, b.distances, a.groups)


def _texts(predictions: Mapping[str, str], dataset: Dataset, label: str) -> list[str]:
    """The predictions in the data set's order."""
    if not dataset.questions:
        raise DataError(f"{dataset.path}: has no questions, so there is nothing to score; give another file")
    wanted = dict.fromkeys(question.guid for question in dataset)
    missing = [guid for guid in wanted if guid not in predictions]
    unknown = [guid for guid in predictions if guid not in wanted]
    faults = []
    if missing:
        faults.append(f"lacks {_named(missing)} of {dataset.path}")
    if unknown:
        faults.append(f"has {_named(unknown)} unknown to {dataset.path}")
    if faults:
        raise SubmissionError(
            f"{label}: {' and '.join(faults)}; give one answer a question of that file, or score against the "
            "file it was made for"
        )
    return [predictions[question.guid] for question in dataset]


def _golds(dataset: Dataset) -> Sequence[tuple[str, ...]]:
    withheld = [question.guid for question in dataset if question.answers is None]
    if withheld:
        all_of_them = len(withheld) == len(dataset)
        which = "all answers are" if all_of_them else f"the answers of {_named(withheld)} are"
        raise DataError(
            f"{dataset.path}: {which} withheld (null), so nothing can be scored; give a file with answers"
        )
    return [question.golds for question in dataset]


def _named(guids: Sequence[str]) -> str:
    """``2 guids (a, b)``: how many, and the first ten by name."""
    more = ", …" if len(guids) > SHOWN else ""
    return f"{counted(len(guids), 'guid')} ({', '.join(guids[:SHOWN])}{more})"
