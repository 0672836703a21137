"""What stands below the first Edit Score that a command prints."""

from __future__ import annotations

import math

import pytest

from kit.cli.tables import LEGEND, explain_scores

LINE = "Edit Score: mean Levenshtein distance in characters; lower is better"


@pytest.mark.parametrize(
    ("blank", "edits", "lines"),
    [
        (None, (), [LINE]),
        (math.nan, (9.0,), [LINE]),
        (5.9291, (5.0,), [f"{LINE}; all blank would score 5.929"]),
        (5.9291, (5.9291, 5.0), [f"{LINE}; all blank would score 5.929"]),
        (
            5.9291,
            (5.0, 12.5, 7.0),
            [
                f"{LINE}; all blank would score 5.929",
                "12.500 is worse than all blank: a weak model often takes start and end from different "
                "places, and such answers are far too long; a length prior (runs have it unless --plain; "
                "length_prior in a recipe), the rules of course-2022, or kit tune shorten them, and more "
                "training helps",
            ],
        ),
    ],
)
def test_the_score_is_explained(
    blank: float | None, edits: tuple[float, ...], lines: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert LEGEND == LINE
    explain_scores(blank, edits)
    assert capsys.readouterr().out.splitlines() == lines
