"""Which trials are stopped early."""

from __future__ import annotations

import pytest

pytest.importorskip("optuna")

import optuna
from hypothesis import given
from hypothesis import strategies as st

from kit.sweeps.pruner import lags, share_of
from kit.sweeps.storage import quiet
from tests.examples import examples


@pytest.mark.parametrize(
    ("own", "others", "expected"),
    [
        ({500: 3.0}, [{500: 2.0}, {500: 2.5}], True),
        ({500: 2.2}, [{500: 2.0}, {500: 2.5}], False),
        ({500: 2.25}, [{500: 2.0}, {500: 2.5}], False),  # the median itself
        ({500: 3.0}, [{500: 2.0}], False),  # too few
        ({250: 1.0, 500: 3.0}, [{500: 2.0}, {500: 2.5}], False),  # its best so far counts
        ({500: 3.0}, [{250: 2.0, 500: 9.0}, {500: 2.5}], True),  # and the others'
        ({500: 3.0}, [{600: 2.0}, {700: 2.5}], False),  # they had not been judged by then
        ({500: 3.0}, [{505: 2.0}, {509: 2.5}], True),  # whole steps are never quite at the same share
        ({100: 9.0}, [{100: 2.0}, {100: 2.5}], False),  # too early
        ({1000: 9.0}, [{1000: 2.0}, {1000: 2.5}], False),  # nothing is left to save
    ],
)
def test_the_median_rule(own: dict[int, float], others: list[dict[int, float]], expected: bool) -> None:
    assert lags(own, others, fewest=2) is expected


edits = st.floats(0, 20, allow_nan=False)
curves = st.tuples(edits, edits, edits, edits).map(
    lambda values: dict(zip((250, 500, 750, 1000), values, strict=True))
)


@examples(15)
@given(others=st.lists(curves, min_size=1, max_size=6), own=curves, seen=st.integers(1, 3))
def test_where_all_are_judged_at_the_same_steps_it_is_optunas_median_pruner_with_the_best_so_far(
    others: list[dict[int, float]], own: dict[int, float], seen: int
) -> None:
    """MedianPruner takes the others' values at the step, so they are made to fall."""
    falling = []
    for curve in others:
        best, made = float("inf"), {}
        for share, edit in curve.items():
            made[share] = best = min(best, edit)
        falling.append(made)
    own = dict(list(own.items())[:seen])
    with quiet():
        study = optuna.create_study(pruner=optuna.pruners.MedianPruner(n_startup_trials=2))
        for curve in falling:
            study.add_trial(
                optuna.create_trial(value=min(curve.values()), intermediate_values=curve, params={})
            )
        trial = study.ask()
        for share, edit in own.items():
            trial.report(edit, share)
        expected = bool(trial.should_prune())
    assert lags(own, falling, fewest=2) is expected


def test_shares_are_thousandths() -> None:
    assert [share_of(step, 7) for step in (1, 3, 7)] == [143, 429, 1000]
