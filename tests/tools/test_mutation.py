"""The mutation engine changes one thing at a time, and knows the tests of every module."""

from __future__ import annotations

from pathlib import Path

from tools.mutation import targets
from tools.mutation.mutants import mutants

PROJECT = Path(__file__).resolve().parents[2]
SOURCE = '''"""Docstring 1."""
LIMIT = 3

def f(x: int = 1) -> int:
    if x > LIMIT:
        raise ValueError(f"{x} > 3")
    print(x)
    return x
'''


def test_every_change_is_named_and_made_once() -> None:
    found = mutants(SOURCE)
    assert [mutant.name for mutant in found] == [
        "2: 3 → 4",
        "2: 3 → 2",
        "5: if x > LIMIT: → if not x > LIMIT:",
        "7: print(x) → pass",
        "8: return x → return None",
        "4: 1 → 2",
        "4: 1 → 0",
        "5: x > LIMIT → x >= LIMIT",
        "5: x > LIMIT → x < LIMIT",
        "6: raise ValueError(f'{x} > 3') → pass",
    ]
    assert len({mutant.source for mutant in found}) == len(found)


def test_a_seed_draws_the_same_mutants() -> None:
    assert mutants(SOURCE, 3, seed=1) == mutants(SOURCE, 3, seed=1)
    assert mutants(SOURCE, 3, seed=1) != mutants(SOURCE, 3, seed=2)


def test_every_target_and_its_tests_exist() -> None:
    paths = {path for module in targets.TARGETS for path in (module, *targets.tests_of(module))}
    assert sorted(path for path in paths if not (PROJECT / path).exists()) == []
