"""A process that submits a CSV, and may die by SIGKILL before or after one of the steps."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from kit.submission import submit as sending
from kit.submission.checked_csv import check_csv
from kit.submission.ledger import Ledger


def main() -> None:
    """Alone, or with ``STEP-before`` or ``STEP-after``: a method of the ledger, a function of submit.py."""
    for moment in sys.argv[1:]:
        name, when = moment.split("-")
        place: object = Ledger if hasattr(Ledger, name) else sending
        setattr(place, name, _dying(getattr(place, name), before=when == "before"))
    sending.submit(check_csv(Path("submissions/one.csv")), "first try")


def _dying(step: Callable[..., object], *, before: bool) -> Callable[..., NoReturn]:
    def last(*words: object, **named: object) -> NoReturn:
        if not before:
            step(*words, **named)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("it was killed")

    return last
