"""Mutation testing: change one thing in a module, run its tests, and see whether anything notices.

``python -m tools.mutation [MODULE…] [--each 25] [--seed 1] [--out FILE]``; without modules all of
``targets.py``.  It is not part of `make test`: ten mutants take about a minute.  SURVIVORS.md lists what
survived, and why.  README.md compares this engine with mutmut and cosmic-ray.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

from tools.mutation.mutants import mutants
from tools.mutation.running import ROOT, Verdict, judged, warm_up
from tools.mutation.targets import TARGETS, tests_of

_PATIENCE = 2
"""A mutant that takes this many times the CPU time of the unchanged module counts as endless."""


def main() -> int:
    """Print every survivor and the counts per module; exit code 1 if an unchanged module fails its tests."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("modules", nargs="*", help="paths from the root, or parts of them; default: all")
    parser.add_argument("--each", type=int, default=25, help="mutants a module; 0 for all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--again", type=Path, help="only the survivors that this earlier --out has")
    parser.add_argument("--examples", type=int, default=25, help="the most that a property is tried with")
    parser.add_argument("--quick", action="store_true", help="only what `make test` runs, with its examples")
    parser.add_argument("--out", type=Path, help="a JSON line a mutant, as it is judged")
    given = parser.parse_args()
    chosen = [name for name in TARGETS if not given.modules or any(part in name for part in given.modules)]
    survivors = None if given.again is None else _survivors(given.again)
    warm_up()
    total = Counter[Verdict]()
    for module in chosen:
        source = (ROOT / module).read_text(encoding="utf-8")
        tests = tests_of(module)
        found = mutants(source, given.each or None, given.seed)
        if survivors is not None:
            found = [mutant for mutant in mutants(source) if (module, mutant.name) in survivors]
        if not found:
            continue
        verdict, seconds = judged(module, source, tests, 900.0, given.examples, quick=given.quick)
        if verdict is not Verdict.SURVIVED:
            print(f"{module}: its own tests fail without any change; mend them first")
            return 1
        limit = seconds * _PATIENCE + 5
        counts = Counter[Verdict]()
        for mutant in found:
            verdict, took = judged(module, mutant.source, tests, limit, given.examples, quick=given.quick)
            counts[verdict] += 1
            if verdict is Verdict.SURVIVED:
                print(f"{module}:{mutant.name}", flush=True)
            if given.out is not None:
                name, took = mutant.name, round(took, 1)
                record = {"module": module, "mutant": name, "verdict": verdict, "seconds": took}
                with given.out.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(record, ensure_ascii=False) + "\n")
        total += counts
        print(f"{module}: {_said(counts)} (unchanged: {seconds:.0f} s)", flush=True)
    print(f"all: {_said(total)}")
    return 0


def _survivors(path: Path) -> set[tuple[str, str]]:
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {(one["module"], one["mutant"]) for one in records if one["verdict"] == Verdict.SURVIVED}


def _said(counts: Counter[Verdict]) -> str:
    return ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict)


if __name__ == "__main__":
    sys.exit(main())
