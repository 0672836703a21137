"""The kit's verbs as functions: what the commands call and what ``import kit`` offers to notebooks.

Heavy libraries are imported inside the verbs that need them.
"""

from __future__ import annotations

from kit.api.answers import (
    Submission,
    decode,
    ensemble,
    explain,
    out_of_fold,
    score,
    tune,
    write_submission,
)
from kit.api.arguments import RECIPE_SUFFIXES
from kit.api.data import check, download, leaks, load
from kit.api.kaggle import download_leaderboard, fetch_submission, leaderboard, submissions, submit
from kit.api.kernels import kernel_logs, kernel_output, kernel_quota, kernel_status, push_kernel
from kit.api.notebooks import notebook
from kit.api.predict import predict
from kit.api.reports import overview, report
from kit.api.sweep import sweep
from kit.api.train import settings_for, train

__all__ = [
    "RECIPE_SUFFIXES",
    "Submission",
    "check",
    "decode",
    "download",
    "download_leaderboard",
    "ensemble",
    "explain",
    "fetch_submission",
    "kernel_logs",
    "kernel_output",
    "kernel_quota",
    "kernel_status",
    "leaderboard",
    "leaks",
    "load",
    "notebook",
    "out_of_fold",
    "overview",
    "predict",
    "push_kernel",
    "report",
    "score",
    "settings_for",
    "submissions",
    "submit",
    "sweep",
    "train",
    "tune",
    "write_submission",
]
