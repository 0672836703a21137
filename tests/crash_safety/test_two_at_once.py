"""Two processes that want the same files: the second says so and leaves, the first ends as if it were alone.

Two submissions of one CSV wait for each other and become one: tests/submission/test_submit.py.
"""

from __future__ import annotations

import pytest

from tests.crash_safety.conftest import Harnesses, rows
from tools.chaos.moments import HELD, Moment

# The change in front of which the first process is held.
FIRST = [
    ("train", "one", ("os.mkdir", "full/.", ".part")),
    ("train", "folds", ("os.mkdir", "fold-1/.", ".part")),
    ("predict", "over", ("os.rename", "fold-0")),
    ("ensemble", "over", ("os.rename", "submissions/x.json")),
    ("tune", "over", ("os.rename", "tuned/one.yaml")),
    ("download", "new", ("os.rename", "data/goorm-2")),
    ("report", "over", ("os.rename", "reports/x.html")),
]


@pytest.mark.parametrize(
    ("command", "variant", "change"), rows(FIRST), ids=lambda value: str(value).replace(" ", "")
)
def test_the_second_says_so_and_leaves(
    harnesses: Harnesses, command: str, variant: str, change: tuple[str, ...]
) -> None:
    harness = harnesses(command, variant)
    second, first, difference = harness.met(Moment(HELD, harness.at(*change)))
    assert second.refused, second
    assert "another process is at work on it; wait for it, or stop it" in second.err.splitlines()[-1]
    assert first.code == 0, first
    assert difference == ""
