"""A search over ranges of training settings: a study of Optuna's, a run for each trial."""
