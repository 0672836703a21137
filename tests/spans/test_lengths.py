"""The length prior is what its docstring says, slowly."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.spans.lengths import log_length_prior


@given(st.dictionaries(st.integers(0, 12), st.integers(0, 30)), st.integers(1, 8))
def test_the_prior_is_the_slow_one(counts: dict[int, int], cap: int) -> None:
    found = log_length_prior(counts, cap)
    own = {length: count for length, count in counts.items() if 0 < length <= cap + 1}
    smooth = [
        0.25 * own.get(length - 1, 0) + 0.5 * own.get(length, 0) + 0.25 * own.get(length + 1, 0) + 0.5
        for length in range(1, cap + 1)
    ]
    assert found[0] == -np.inf
    assert found[1:].tolist() == pytest.approx([math.log(value / sum(smooth)) for value in smooth])
    assert len(found) == cap + 1
