"""A submission kit for Korean extractive question answering scored by edit distance.

Every command is also a function: ``kit train`` in a shell is ``kit.train`` in a notebook.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from kit.version import __version__

if TYPE_CHECKING:
    from kit.api.auto import auto
    from kit.api.check import check, check_files, leaks, load
    from kit.api.demo import demo
    from kit.api.doctor import doctor, models
    from kit.api.download import download
    from kit.api.ensemble import decode, ensemble, explain, write_submission
    from kit.api.kernel import kernel_logs, kernel_output, kernel_quota, kernel_status, push_kernel
    from kit.api.leaderboard import download_leaderboard, leaderboard
    from kit.api.notebook import notebook
    from kit.api.predict import predict
    from kit.api.report import overview, report
    from kit.api.runs import runs
    from kit.api.score import out_of_fold, score
    from kit.api.submissions import fetch_submission, submissions
    from kit.api.submit import submit
    from kit.api.sweep import sweep
    from kit.api.train import settings_for, train
    from kit.api.tune import tune
    from kit.errors import KitError

__all__ = [
    "KitError",
    "__version__",
    "auto",
    "check",
    "check_files",
    "decode",
    "demo",
    "doctor",
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
    "models",
    "notebook",
    "out_of_fold",
    "overview",
    "predict",
    "push_kernel",
    "report",
    "runs",
    "score",
    "settings_for",
    "submissions",
    "submit",
    "sweep",
    "train",
    "tune",
    "write_submission",
]

_MODULES = {
    "demo": ["demo"],
    "doctor": ["doctor", "models"],
    "notebook": ["notebook"],
    "download": ["download"],
    "auto": ["auto"],
    "check": ["load", "check", "check_files", "leaks"],
    "train": ["train", "settings_for"],
    "predict": ["predict"],
    "tune": ["tune"],
    "ensemble": ["decode", "ensemble", "explain", "write_submission"],
    "score": ["score", "out_of_fold"],
    "report": ["report", "overview"],
    "submit": ["submit"],
    "leaderboard": ["leaderboard", "download_leaderboard"],
    "submissions": ["submissions", "fetch_submission"],
    "runs": ["runs"],
    "sweep": ["sweep"],
    "kernel": ["push_kernel", "kernel_status", "kernel_logs", "kernel_output", "kernel_quota"],
}
_FUNCTIONS = {name: module for module, names in _MODULES.items() for name in names}
"""Function → its module in ``kit.api``, in the order of ``kit --help``."""


def __getattr__(name: str) -> Any:
    # Imported on first use, so that `kit --help` and the kit's own modules load only what they need.
    if name in _FUNCTIONS:
        return getattr(importlib.import_module(f"kit.api.{_FUNCTIONS[name]}"), name)
    if name == "KitError":
        return importlib.import_module("kit.errors").KitError
    near = importlib.import_module("kit.errors").nearest(name, __all__)
    hint = f"; did you mean {near}?" if near else ""
    raise AttributeError(f"module 'kit' has no attribute {name!r}{hint}")


def __dir__() -> list[str]:
    return __all__
