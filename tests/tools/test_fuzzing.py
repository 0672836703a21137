"""Every target of `make fuzz` accepts, or refuses with a KitError, the files that it starts from."""

from __future__ import annotations

import pytest

from tools.fuzzing.targets import TARGETS, fed


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_takes_its_seeds(name: str) -> None:
    target = TARGETS[name]
    seeds = list(target.seeds())
    assert seeds
    for seed in seeds:
        fed(target, seed)


def test_what_is_no_kit_error_is_raised() -> None:
    def feed(data: bytes) -> None:
        raise ValueError(data)

    target = TARGETS["csv"].__class__(feed, list)
    with pytest.raises(ValueError, match="x"):
        fed(target, b"x")
