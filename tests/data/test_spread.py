"""Some of many values, from all over them."""

from __future__ import annotations

import pytest

from kit.data.spread import spread


@pytest.mark.parametrize(
    ("count", "most", "expected"),
    [
        (0, 3, []), (3, 3, [0, 1, 2]), (4, 3, [0, 2]), (6, 3, [0, 2, 4]), (7, 3, [0, 3, 6]),
        (10, 1, [0]), (511, 256, list(range(0, 511, 2))),
    ],
)  # fmt: skip
def test_at_most_so_many_at_equal_distances(count: int, most: int, expected: list[int]) -> None:
    assert list(spread(range(count), most)) == expected
    assert len(spread(range(count), most)) <= most
