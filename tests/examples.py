"""How many examples a property is tried with."""

from __future__ import annotations

from typing import Any

from hypothesis import settings


def examples(count: int, **more: Any) -> settings:
    """At most *count* examples in `make test-all`, a fifth of them in `make test` (see tests/conftest.py)."""
    return settings(max_examples=max(count * settings.default.max_examples // 100, 1), deadline=None, **more)
