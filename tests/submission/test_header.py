"""Headers as other programs write them: each fault has the cure that mends it."""

from __future__ import annotations

from pathlib import Path

import pytest

from kit.errors import SubmissionError
from kit.submission.csv import check_submission, read_submission

COLUMNS = 'frame[["Id", "Predicted"]].to_csv(path, index=False)'
EXCEL = "which only Excel understands; remove it, so that the file begins with Id,Predicted"
COMMAS = "not by commas; write it with pandas: to_csv(path, index=False), without sep="


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("Id;Predicted\na;답\n", f"its fields are separated by semicolons, {COMMAS}"),
        ("Id\tPredicted\na\t답\n", f"its fields are separated by tabs, {COMMAS}"),
        ("Id|Predicted\na|답\n", f"its fields are separated by bars, {COMMAS}"),
        ('"Id";"Predicted"\r\n"a";"답"\r\n', f"its fields are separated by semicolons, {COMMAS}"),
        (";Id;Predicted\n0;a;답\n", f"its fields are separated by semicolons, {COMMAS}"),
        ("Id;Predicted\na;서울, 부산\n", f"its fields are separated by semicolons, {COMMAS}"),
        (
            "sep=,\nId,Predicted\na,답\n",
            f"the first line is 'sep=,', {EXCEL}",
        ),
        (
            "sep=;\r\nId;Predicted\r\na;답\r\n",
            f"the first line is 'sep=;', {EXCEL}",
        ),
        (
            "Predicted,Id\n답,a\n",
            f"the header is 'Predicted,Id', not 'Id,Predicted'; the columns are swapped: use {COLUMNS}",
        ),
        (
            "Id,Predicted,score\na,답,1\n",
            "the header is 'Id,Predicted,score', not 'Id,Predicted'; write these two columns alone: "
            f"{COLUMNS}",
        ),
        (
            "guid,answer\na,답\n",
            "the header is 'guid,answer', not 'Id,Predicted'; write Id,Predicted in the first line",
        ),
        (
            "Id,Predicted\na;답\nb;\n",
            "line 2 has 1 field instead of 2; line 3 has 1 field instead of 2; these rows are separated by "
            "semicolons: use commas there, as in the header",
        ),
        (
            "Id,Predicted\na\t답\n",
            "line 2 has 1 field instead of 2; these rows are separated by tabs: use commas there, as in the "
            "header",
        ),
    ],
)
def test_the_cure_fits_the_fault(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "five.csv"
    path.write_text(content, newline="")
    with pytest.raises(SubmissionError) as caught:
        read_submission(path)
    assert str(caught.value) == f"{path}: {message}"


def test_any_order_is_taken_where_it_does_not_matter() -> None:
    check_submission({"b": "", "c": "", "a": "답"}, ["a", "b", "c"], any_order=True)
    with pytest.raises(SubmissionError) as caught:
        check_submission({"b": "", "x": "", "a": ""}, ["a", "b", "c"], "five.csv", any_order=True)
    assert str(caught.value) == (
        "five.csv: 1 test guid is missing: c; 1 Id is not in the test file: x; write one row a guid, or name "
        "the test file that it was made for"
    )


def test_columns_swapped_below_the_header_are_named() -> None:
    with pytest.raises(SubmissionError) as caught:
        check_submission({"서울": "a", "부산": "b", "대구": "c"}, ["a", "b", "c"], "five.csv", any_order=True)
    assert str(caught.value) == (
        "five.csv: the test file's ids stand under Predicted; swap the two columns below the header"
    )
