"""Which tests are asked about which module: those that mirror it first, then those that use it most."""

from __future__ import annotations

_SPANS = {
    "blending": ["test_blending.py", "test_ensembles.py"],
    "candidates": ["test_candidates.py"],
    "decoding": ["test_decoding.py", "test_minimum_risk.py", "test_ensembles.py"],
    "ensembles": ["test_ensembles.py"],
    "minimum_risk": ["test_minimum_risk.py"],
    "explain": ["test_decoding.py", "test_ensembles.py"],
    "lengths": ["test_lengths.py"],
    "run_folder": ["test_run_folder.py", "test_ensembles.py"],
    "out_of_fold": ["test_out_of_fold.py"],
    "posteriors": ["test_posteriors.py"],
    "recipes": ["../config/test_recipe.py"],
    "scores": ["test_store.py"],
    "recipe_members": ["test_lengths.py", "test_ensembles.py"],
    "store": ["test_store.py"],
    "voting": ["test_voting.py"],
    "ranking/features": ["test_ranking_features.py", "test_ranking.py"],
    "ranking/model": ["test_ranking.py"],
    "ranking/stage": ["test_ranking_stage.py", "test_ranking.py"],
    "tuning/fitting": ["test_tuning.py"],
    "tuning/temperature": ["test_tuning.py"],
    "tuning/members": ["test_tuning.py"],
    "tuning/nested": ["test_tuning.py"],
    "tuning/second_stage": ["test_ranking.py", "test_tuning.py"],
    "tuning/table": ["test_tuning.py"],
    "tuning/weights": ["test_tuning.py"],
}
_LAWS = ["tests/laws", "tests/hostile/test_files.py"]

TARGETS: dict[str, list[str]] = {
    **{
        f"kit/spans/{module}.py": [f"tests/spans/{name}" for name in tests]
        for module, tests in _SPANS.items()
    },
    "kit/answers/particles.py": ["tests/answers/test_rules.py"],
    "kit/answers/rules.py": ["tests/answers/test_rules.py"],
    "kit/answers/symbols.py": ["tests/answers/test_rules.py"],
    "kit/scoring/estimates.py": ["tests/scoring/test_estimates.py", "tests/spans/test_tuning.py"],
    "kit/scoring/metrics.py": ["tests/scoring/test_metrics.py"],
    "kit/scoring/predictions.py": ["tests/scoring/test_predictions.py"],
    "kit/scoring/scores.py": ["tests/scoring/test_scores.py"],
    "kit/competition/card.py": ["tests/competition/test_card.py"],
    "kit/competition/checked.py": ["tests/competition/kaggle/test_submitting.py"],
    "kit/competition/compression.py": ["tests/competition/test_compression.py"],
    "kit/competition/csv.py": ["tests/competition/test_csv.py"],
    "kit/competition/header.py": ["tests/competition/test_header.py"],
    "kit/competition/ledger.py": ["tests/competition/kaggle/test_submitting.py"],
    "kit/competition/submitting.py": ["tests/competition/kaggle/test_submitting.py"],
}
"""Paths from the repository's root."""


def tests_of(module: str) -> list[str]:
    """The tests for *module*, a path from the root; the laws come last, since they are for all."""
    return [*TARGETS[module], *_LAWS]
