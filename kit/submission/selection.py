"""Choosing the final submissions: does the local estimate track the public score, and what to pick."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kit.errors import SubmissionError
from kit.metrics.edit_distance import edit_distances
from kit.submission.csv import parse_submission, read_csv
from kit.submission.ledger import Entry

_ENOUGH = 3
_CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Bound:
    """A value with its 95 % interval; low and high are None where there are too few submissions."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Tracking:
    """How well local estimates predict public scores, over the submissions that have both.

    rank_correlation: Spearman's, its interval by Fisher's z with variance 1.06 / (n - 3) (Fieller,
        Hartley and Pearson 1957), which for three submissions says nothing: -1 to 1
    offset: mean of public - local, in code points, its interval by Student's t
    """

    submissions: int
    rank_correlation: Bound
    offset: Bound


@dataclass(frozen=True, slots=True)
class Pick:
    """A submission proposed as final, and why."""

    entry: Entry
    reason: str


def tracking(entries: Sequence[Entry]) -> Tracking | None:
    """How local tracks public; None below two submissions that have both figures."""
    pairs = [(e.estimate, e.public) for e in entries if e.estimate is not None and e.public is not None]
    if len(pairs) < 2:
        return None
    from scipy import stats

    local, public = np.array(pairs, dtype=np.float64).T
    count = len(pairs)
    tied = len(set(local.tolist())) == 1 or len(set(public.tolist())) == 1
    correlation = math.nan if tied else float(stats.spearmanr(local, public).statistic)
    difference = public - local
    offset = float(difference.mean())
    if count < _ENOUGH:
        return Tracking(count, Bound(correlation, None, None), Bound(offset, None, None))
    half = float(stats.t.ppf((1 + _CONFIDENCE) / 2, count - 1) * stats.sem(difference))
    return Tracking(
        count, _correlation_bound(correlation, count), Bound(offset, offset - half, offset + half)
    )


def _correlation_bound(correlation: float, count: int) -> Bound:
    if math.isnan(correlation):
        return Bound(correlation, None, None)
    if count == _ENOUGH:
        return Bound(correlation, -1.0, 1.0)
    from scipy import stats

    half = float(stats.norm.ppf((1 + _CONFIDENCE) / 2)) * math.sqrt(1.06 / (count - 3))
    z = math.atanh(max(min(correlation, 1 - 1e-9), -1 + 1e-9))
    return Bound(correlation, math.tanh(z - half), math.tanh(z + half))


def picks(
    entries: Sequence[Entry], count: int, read: Callable[[Entry], Mapping[str, str] | None]
) -> list[Pick]:
    """*count* submissions proposed as final: the best by estimate, then equally good but different ones.

    A submission is ranked by its local estimate, or without one by its public score less the mean offset
    between the two.  Submissions with the same answers fail together, so the next pick is the most
    different one within the best one's interval.  *read* returns an entry's answers, None where its CSV is
    gone.
    """
    found = tracking(entries)
    offset = 0.0 if found is None else found.offset.value
    expected = {
        entry.number: entry.estimate if entry.estimate is not None else entry.public - offset  # type: ignore[operator]
        for entry in entries
        if entry.ref is not None
        and entry.status != "error"
        and not (entry.estimate is None and entry.public is None)
    }
    distinct = {entry.sha256 or entry.ref: entry for entry in entries}.values()  # one of each content
    left = sorted((e for e in distinct if e.number in expected), key=lambda e: expected[e.number])
    if not left or count < 1:
        return []
    best = left.pop(0)
    how = "local estimate" if best.estimate is not None else "public score, less the mean offset,"
    chosen = [Pick(best, f"lowest {how} {expected[best.number]:.3f}")]
    limit = best.high if best.high is not None else expected[best.number]
    while left and len(chosen) < count:
        as_good = [entry for entry in left if expected[entry.number] <= limit]
        entry, reason = _most_different(as_good, [pick.entry for pick in chosen], read) or (
            left[0], "next by estimate: none within the best one's interval can be compared with it"
        )  # fmt: skip
        left.remove(entry)
        chosen.append(Pick(entry, f"{expected[entry.number]:.3f}, {reason}"))
    return chosen


def answers_of(entry: Entry) -> dict[str, str] | None:
    """The answers that were submitted, where the CSV still has those bytes."""
    path = Path(entry.csv)
    try:
        content = read_csv(path)
        same = hashlib.sha256(content).hexdigest() == entry.sha256
        return parse_submission(content, path) if same else None
    except SubmissionError:
        return None


def _most_different(
    entries: Sequence[Entry], chosen: Sequence[Entry], read: Callable[[Entry], Mapping[str, str] | None]
) -> tuple[Entry, str] | None:
    texts = [read(entry) for entry in chosen]
    measured = []
    for entry in entries:
        own = read(entry)
        shared = [one for one in texts if one is not None and own is not None and one.keys() == own.keys()]
        if own is None or not shared:
            continue
        # The distance of its answers to those of the nearest submission already chosen.
        distances = [edit_distances(list(own.values()), [(one[guid],) for guid in own]) for one in shared]
        nearest = min(distances, key=lambda own: float(own.mean()))
        measured.append((float(nearest.mean()), float((nearest > 0).mean()), entry))
    if not measured:
        return None
    mean, share, entry = max(measured, key=lambda one: one[0])
    return (
        entry,
        f"as good within the interval, and {share * 100:.0f} % of its answers differ "
        f"(by {mean:.2f} characters on average)",
    )
