"""One of several processes at work on a sweep: ``worker.py FOLDER TOTAL LOG`` claims, waits, tells."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from kit.models.sweeping.claims import claimed
from kit.models.sweeping.study import quiet
from tests.models.sweeping.made import RANGES, begin, search_of


def main() -> None:
    folder, total, log = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    storage = sys.argv[4] if len(sys.argv) > 4 else None
    search = search_of(*RANGES)
    kept = begin(folder, search, storage)
    with quiet():
        while True:
            with claimed(kept, folder, search, total, seed=1) as claim:
                if claim is None:
                    return
                with log.open("a", encoding="utf-8") as file:
                    file.write(f"{claim.name} {os.getpid()}\n")
                time.sleep(0.2)
                kept.study.tell(claim.trial, claim.trial.params["lr"])


if __name__ == "__main__":
    main()
