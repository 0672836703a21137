"""The peak of what a process held: counted from where it is told to, and no less than what it holds."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from kit.memory import forget_peak, held_memory, peak_memory

MUCH = 400_000_000
NEAR = 20_000_000
"""Linux counts pages in batches."""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux forgets a peak")
def test_an_earlier_peak_does_not_count() -> None:
    forget_peak()
    before = peak_memory()
    much = np.ones(MUCH // 8)
    held = held_memory()
    assert held is not None
    assert held > before + MUCH - NEAR
    del much
    assert peak_memory() > held - NEAR  # it is remembered
    forget_peak()
    assert peak_memory() < held - MUCH + NEAR
    now = held_memory()
    assert now is not None
    assert peak_memory() > now - NEAR
