"""The analyser behind strip_particles."""

from __future__ import annotations

import functools
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from kit.text_rules import particles


def test_several_threads_load_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[object] = []

    def load() -> object:
        time.sleep(0.05)  # in which the others ask, too
        loaded.append(object())
        return loaded[-1]

    monkeypatch.setitem(sys.modules, "kiwipiepy", SimpleNamespace(Kiwi=load))
    monkeypatch.setattr(particles, "check_installed", lambda: None)
    monkeypatch.setattr(particles, "_kiwi", functools.cache(particles._kiwi.__wrapped__))
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda _: particles.kiwi(), range(3)))
    assert loaded == [found[0]]
    assert found == [loaded[0]] * 3
