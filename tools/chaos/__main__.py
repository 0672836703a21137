"""``make chaos``: every command is killed at random moments, and meets a full or read-only disk.

``python -m tools.chaos [COMMAND...] [--kills 50] [--faults 10] [--seed 1]``.  To repeat a moment
that a failure names: ``python -m tools.chaos train --at before:17``.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from kit import terminal
from tools.chaos.experiments import COMMANDS, Experiment, experiments
from tools.chaos.moments import FAULTS, KILLS, Moment
from tools.chaos.processes import ForkServer
from tools.chaos.trials import Failure, Harness, trials


def main() -> int:
    """Returns exit code 1 if anything failed."""
    asked = _arguments()
    commands = tuple(dict.fromkeys(asked.commands)) or COMMANDS
    rows, failures = [], list[Failure]()
    with (
        tempfile.TemporaryDirectory(prefix="kit-chaos-") as folder,
        ForkServer() as server,
        experiments(commands, Path(folder), server) as made,
    ):
        for experiment in made:
            if asked.variant and experiment.variant != asked.variant:
                continue
            share = asked.kills // 2 + (asked.kills % 2 if experiment.variant in ("new", "folds") else 0)
            row, failed = _tried(experiment, server, Path(folder), share, asked)
            rows.append(row)
            failures += failed
    columns = ("command", "changes", "before one", "in a write", "by the clock", "too late", "full", "denied",
               "failures", "seconds")  # fmt: skip
    terminal.table("kills and faults, and what failed after them", columns, rows)
    for failure in failures:
        terminal.line(str(failure))
    return int(bool(failures))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.chaos", description=__doc__)
    parser.add_argument(
        "commands", nargs="*", choices=[*COMMANDS, []], metavar="COMMAND", help=", ".join(COMMANDS)
    )
    parser.add_argument("--kills", type=int, default=50, help="kills a command [50], in two kinds of folders")
    parser.add_argument("--faults", type=int, default=10, help="full disks and denied changes a command [10]")
    parser.add_argument("--seed", type=int, default=1, help="of the moments [1]")
    parser.add_argument("--variant", help="only this kind of folder: new, over; for train: folds, one")
    parser.add_argument("--at", type=Moment.parsed, metavar="MOMENT", help="only this one, as in before:17")
    return parser.parse_args()


def _tried(
    experiment: Experiment, server: ForkServer, place: Path, kills: int, asked: argparse.Namespace
) -> tuple[tuple[str, ...], list[Failure]]:
    """The table row of one experiment, and its failures."""
    began = time.monotonic()
    chance = random.Random(f"{asked.seed} {experiment.name}")
    came, late, failures = Counter[str](), 0, []
    harness = Harness(experiment, server, place / f"{experiment.command}-{experiment.variant}", plain=True)
    moments = harness.kills(kills, chance) + harness.faults(asked.faults // 2, chance)
    for moment, arrived, failure in trials(harness, [asked.at] if asked.at else moments, chance):
        came[moment.kind] += arrived
        late += not arrived
        if failure is not None:
            failures.append(failure)
            terminal.say(f"FAILED {failure}")
        spent = time.monotonic() - began
        status = f"{sum(came.values())} done, {len(failures)} failed"
        print(f"{spent:7.0f} s {experiment.name}: {status}", file=sys.stderr, flush=True)
    counts = [f"{came[kind]}" for kind in KILLS]
    faults = [f"{came[kind]}" for kind in FAULTS]
    changes = f"{len(harness.undisturbed.changes)}"
    seconds = f"{time.monotonic() - began:.0f}"
    return (experiment.name, changes, *counts, f"{late}", *faults, f"{len(failures)}", seconds), failures


if __name__ == "__main__":
    sys.exit(main())
