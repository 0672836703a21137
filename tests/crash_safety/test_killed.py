"""The most telling moments to be killed at; `make chaos` has the others.

Elsewhere: a training inside an epoch, at its last step and in the middle of a checkpoint
(tests/test_training.py), a submission before and after each of its steps
(tests/submission/test_submit.py), a download that is waiting, or between two files that it
places (tests/kaggle/downloads/test_download.py).
"""

from __future__ import annotations

import pytest

from tests.crash_safety.conftest import Harnesses, rows
from tools.chaos.moments import BEFORE, TORN, Moment

# Command, folder, how, the words of the change (its last occurrence, or the first), how many changes later,
# and of a torn write the largest size that a file may have.
MOMENTS = [
    # the record of a new run is written, but has no name yet
    ("train", "folds", BEFORE, ("os.rename", "run.json"), "first", 0, 0),
    # the record says that a model is there, its checkpoints are not removed
    ("train", "one", BEFORE, ("os.rename", "run.json"), "last", 1, 0),
    # in the middle of the kept model
    ("train", "one", TORN, ("os.mkdir", "full/.", ".part"), "first", 0, 40_000),
    ("predict", "new", TORN, ("open", "fold-0", ".part"), "first", 0, 20_000),
    ("predict", "over", BEFORE, ("os.rename", "fold-1"), "last", 0, 0),
    ("predict", "over", BEFORE, ("os.rename", "fold-0"), "last", 1, 0),
    ("ensemble", "new", TORN, ("open", "submissions/.x.csv"), "first", 0, 500),
    ("ensemble", "over", BEFORE, ("os.rename", "submissions/x.csv"), "last", 0, 0),
    # a new CSV beside the card of an earlier one
    ("ensemble", "over", BEFORE, ("os.rename", "submissions/x.json"), "last", 0, 0),
    ("tune", "over", TORN, ("open", ".boundary"), "first", 0, 20_000),
    # a new second stage beside the recipe that an earlier one was fitted for
    ("tune", "over", BEFORE, ("os.rename", "tuned/one.yaml"), "last", 0, 0),
    ("tune", "new", BEFORE, ("os.rename", ".boundary"), "last", 0, 0),
    # in the middle of the files that come out of the archive
    ("download", "new", TORN, ("open", "files/train.json"), "first", 0, 5_000),
    # all is in its place, what was needed for it not removed
    ("download", "new", BEFORE, ("os.rename", "data/goorm-2"), "last", 1, 0),
    ("download", "over", BEFORE, ("os.rename", "manifest.json"), "last", 0, 0),
    ("submit", "over", BEFORE, ("open", "ledger.jsonl"), "last", 0, 0),
    ("report", "new", TORN, ("open", "reports/.x.html"), "first", 0, 30_000),
    ("report", "over", BEFORE, ("os.rename", "reports/x.html"), "last", 0, 0),
    ("report", "over", BEFORE, ("open", "reports/.x.html"), "first", 0, 0),
]


@pytest.mark.parametrize(
    ("command", "variant", "kind", "change", "which", "later", "size"),
    rows(MOMENTS),
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else str(value),
)
def test_killed_and_given_again(
    harnesses: Harnesses,
    command: str,
    variant: str,
    kind: str,
    change: tuple[str, ...],
    which: str,
    later: int,
    size: int,
) -> None:
    harness = harnesses(command, variant)
    moment = Moment(kind, harness.at(*change, first=which == "first") + later, size)
    left, done = harness.disturb(moment)
    assert done.code < 0, done
    assert harness.judged(left, done, moment) == ""


@pytest.mark.slow
def test_killed_again_and_again_in_one_folder(harnesses: Harnesses) -> None:
    harness = harnesses("ensemble", "over")
    count = len(harness.undisturbed.changes)
    moments = [Moment(BEFORE, number) for number in range(1, count + 1, max(count // 4, 1))]
    left = None
    for moment in moments:
        left, done = harness.disturb(moment, left)
        assert done.code < 0
        assert harness.judged(left, done, moment) == ""
