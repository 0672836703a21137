"""One of several processes at work on a sweep: ``MACHINES FOLDER TOTAL LOG`` claims, waits, tells."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from kit.sweeps.storage import quiet
from kit.sweeps.trial_lock import claimed
from tests.sweeps.made import RANGES, begin, search_of


def wait_for_the_others(log: Path) -> None:
    """Until every process has had a trial (30 seconds at most): one that begins late takes part, too."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        at_work = {line.split()[1] for line in log.read_text(encoding="utf-8").splitlines()}
        if len(at_work) == int(os.environ["WORLD_SIZE"]):
            return
        time.sleep(0.05)


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
                wait_for_the_others(Path(log))
                kept.study.tell(claim.trial, claim.trial.params["lr"])
