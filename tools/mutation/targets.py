"""Which tests are asked about which module: those that mirror it first, then those that use it most."""

from __future__ import annotations

_TESTS = {
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
    "text_rules/particles": ["text_rules/test_rules.py"],
    "text_rules/rules": ["text_rules/test_rules.py"],
    "text_rules/symbols": ["text_rules/test_rules.py"],
    "metrics/bootstrap": ["metrics/test_bootstrap.py", "tuning/test_nested.py"],
    "metrics/edit_distance": ["metrics/test_edit_distance.py"],
    "metrics/f1": ["metrics/test_f1.py"],
    "metrics/predictions": ["metrics/test_predictions.py"],
    "metrics/scores": ["metrics/test_scores.py"],
    "submission/card": ["submission/test_card.py"],
    "submission/checked_csv": ["submission/test_submit.py"],
    "submission/csv": ["submission/test_csv.py"],
    "submission/header": ["submission/test_header.py"],
    "submission/ledger": ["submission/test_submit.py"],
    "submission/submit": ["submission/test_submit.py"],
    "kaggle/compression": ["kaggle/test_compression.py"],
}  # fmt: skip
_LAWS = ["tests/laws", "tests/hostile/test_files.py"]

TARGETS = {f"kit/{module}.py": [f"tests/{name}" for name in tests] for module, tests in _TESTS.items()}
"""Paths from the repository's root."""


def tests_of(module: str) -> list[str]:
    """The tests for *module*, a path from the root; the laws come last, since they are for all."""
    return [*TARGETS[module], *_LAWS]
