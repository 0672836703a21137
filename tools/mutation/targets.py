"""Which tests are asked about which module: those that mirror it first, then those that use it most."""

from __future__ import annotations

_ROOMS = {
    "spans/blending": ["spans/test_blending.py", "decoding/test_ensembles.py"],
    "spans/candidates": ["spans/test_candidates.py"],
    "spans/lengths": ["spans/test_lengths.py"],
    "spans/minimum_risk": ["spans/test_minimum_risk.py"],
    "spans/out_of_fold": ["spans/test_out_of_fold.py"],
    "spans/posteriors": ["spans/test_posteriors.py"],
    "spans/recipe_members": ["spans/test_lengths.py", "decoding/test_ensembles.py"],
    "spans/run_folder": ["spans/test_run_folder.py", "decoding/test_ensembles.py"],
    "spans/span_scores": ["spans/test_store.py"],
    "spans/store": ["spans/test_store.py"],
    "ranking/features": ["ranking/test_features.py", "ranking/test_model.py"],
    "ranking/model": ["ranking/test_model.py"],
    "ranking/stage": ["ranking/test_stage.py", "ranking/test_model.py"],
    "decoding/decoders": [
        "decoding/test_decoders.py", "spans/test_minimum_risk.py", "decoding/test_ensembles.py"
    ],
    "decoding/candidate_list": ["decoding/test_ensembles.py", "reports/test_contents.py"],
    "decoding/form_table": ["decoding/test_form_table.py", "tuning/test_nested.py"],
    "decoding/recipes": ["decoding/test_recipes.py"],
    "decoding/ensembles": ["decoding/test_ensembles.py"],
    "decoding/explain": ["decoding/test_decoders.py", "decoding/test_ensembles.py"],
    "decoding/voting": ["decoding/test_voting.py"],
    "tuning/fitting": ["tuning/test_nested.py"],
    "tuning/members": ["tuning/test_nested.py"],
    "tuning/nested": ["tuning/test_nested.py"],
    "tuning/second_stage": ["ranking/test_model.py", "tuning/test_nested.py"],
    "tuning/temperature": ["tuning/test_nested.py"],
    "tuning/weights": ["tuning/test_nested.py"],
}  # fmt: skip
_LAWS = ["tests/laws", "tests/hostile/test_files.py"]

TARGETS: dict[str, list[str]] = {
    **{f"kit/{module}.py": [f"tests/{name}" for name in tests] for module, tests in _ROOMS.items()},
    "kit/text_rules/particles.py": ["tests/text_rules/test_rules.py"],
    "kit/text_rules/rules.py": ["tests/text_rules/test_rules.py"],
    "kit/text_rules/symbols.py": ["tests/text_rules/test_rules.py"],
    "kit/metrics/bootstrap.py": ["tests/metrics/test_bootstrap.py", "tests/tuning/test_nested.py"],
    "kit/metrics/edit_distance.py": ["tests/metrics/test_edit_distance.py"],
    "kit/metrics/f1.py": ["tests/metrics/test_f1.py"],
    "kit/metrics/predictions.py": ["tests/metrics/test_predictions.py"],
    "kit/metrics/scores.py": ["tests/metrics/test_scores.py"],
    "kit/submission/card.py": ["tests/submission/test_card.py"],
    "kit/submission/checked_csv.py": ["tests/submission/test_submit.py"],
    "kit/kaggle/compression.py": ["tests/kaggle/test_compression.py"],
    "kit/submission/csv.py": ["tests/submission/test_csv.py"],
    "kit/submission/header.py": ["tests/submission/test_header.py"],
    "kit/submission/ledger.py": ["tests/submission/test_submit.py"],
    "kit/submission/submit.py": ["tests/submission/test_submit.py"],
}
"""Paths from the repository's root."""


def tests_of(module: str) -> list[str]:
    """The tests for *module*, a path from the root; the laws come last, since they are for all."""
    return [*TARGETS[module], *_LAWS]
