"""A submission kit for Korean extractive question answering scored by edit distance.

The verbs of the command line as functions: ``kit.download``, ``kit.load``, ``kit.check``, ``kit.leaks``,
``kit.train``, ``kit.sweep``, ``kit.predict``, ``kit.decode``, ``kit.ensemble``, ``kit.tune``, ``kit.score``,
``kit.report``, ``kit.write_submission``, ``kit.submit``, ``kit.leaderboard``, ``kit.download_leaderboard``,
``kit.submissions``, ``kit.fetch_submission``, ``kit.push_kernel``, ``kit.kernel_status``,
``kit.kernel_logs``, ``kit.kernel_output``, ``kit.kernel_quota``, ``kit.notebook``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from kit.version import __version__

if TYPE_CHECKING:
    from kit.api import (
        check,
        decode,
        download,
        download_leaderboard,
        ensemble,
        explain,
        fetch_submission,
        kernel_logs,
        kernel_output,
        kernel_quota,
        kernel_status,
        leaderboard,
        leaks,
        load,
        notebook,
        out_of_fold,
        push_kernel,
        report,
        score,
        submissions,
        submit,
        tune,
        write_submission,
    )
    from kit.api.predict import predict
    from kit.api.sweep import sweep
    from kit.api.train import settings_for, train
    from kit.errors import KitError

__all__ = [
    "KitError",
    "__version__",
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


def __getattr__(name: str) -> Any:
    # Lazily, so that `kit --help` and modules of the kit itself do not load what they do not use.
    if name in __all__ and name not in {"KitError", "__version__"}:
        return getattr(importlib.import_module("kit.api"), name)
    if name == "KitError":
        return importlib.import_module("kit.errors").KitError
    raise AttributeError(f"module 'kit' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
