"""One of several processes at work on a sweep: ``MACHINES FOLDER TOTAL LOG`` claims, waits, tells."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from kit.models.sweeping.claims import claimed
from kit.models.sweeping.study import quiet
from tests.models.sweeping.made import RANGES, begin, search_of


def main() -> None:
    machines, place, total, log, *storage = sys.argv[1:]
    machine = Path(place) / f"machine-{int(os.environ['RANK']) % int(machines)}"
    os.environ["TMPDIR"] = str(machine / "tmp")  # where its locks are
    (machine / "tmp").mkdir(parents=True, exist_ok=True)
    folder = machine / "sweep"
    search = search_of(*RANGES)
    kept = begin(folder, search, *storage)
    with quiet():
        while True:
            with claimed(kept, folder, search, int(total), seed=1) as claim:
                if claim is None:
                    return
                with Path(log).open("a", encoding="utf-8") as file:
                    file.write(f"{claim.name} {os.getpid()}\n")
                time.sleep(0.1)
                kept.study.tell(claim.trial, claim.trial.params["lr"])
