"""``kit check``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kit import terminal, verbs
from kit.data.repairs import RepairReport, repair
from kit.errors import SHOWN, ConfigError, DataError
from kit.views.output import print_json


def run(
    files: Sequence[Path], against: Path | None, repaired: Path | None, as_json: bool, *, strict: bool = False
) -> None:
    """Check *files*; exit with 1 where a rule is broken or something leaks."""
    if strict and repaired is None:
        raise ConfigError("--strict: says what a repair leaves out; give --repair OUT.json too")
    if repaired is not None and len(files) != 1:
        raise ConfigError(f"--repair {repaired}: repairs one file at a time, and {len(files)} were given")
    reports = [verbs.check(path) for path in files]
    clean = all(report.clean for report in reports)
    done: RepairReport | None = repair(files[0], repaired, strict=strict) if repaired is not None else None
    leak = None
    if against is not None:
        # A file that does not load cannot be compared; its faults are reported below.
        sound = [report.path for report in reports if report.clean]
        leak = verbs.leaks(sound, against) if sound else None
    if as_json:
        print_json(
            {
                "files": [report.as_dict() for report in reports],
                "leaks": None if leak is None else leak.as_dict(),
                "repair": None if done is None else done.as_dict(),
            }
        )
    else:
        for report in reports:
            terminal.facts(str(report.path), report.rows())
            for fault in report.faults:
                terminal.say(f"  {fault.message}")
        if leak is not None:
            terminal.say(leak.message)
            elsewhere = sum(match.contexts == "different" for match in leak.questions)
            terminal.say(
                f"questions worded like a test question: {len(leak.questions):,}, of them on other articles "
                f"{elsewhere:,}"
            )
        elif against is not None:
            terminal.say(f"{against}: not compared, since no file is clean; mend them first, with --repair")
        if done is not None:
            lines = done.lines()
            for line in lines[:SHOWN]:
                terminal.say(f"  {line}")
            if len(lines) > SHOWN:
                terminal.say(f"  and {len(lines) - SHOWN} more changes")
            terminal.say(f"{done.out}: {done.questions:,} questions written, {len(lines):,} changes")
            if done.chosen:
                terminal.say(
                    f"{done.chosen:,} of its answers stand several times in their contexts; the question's "
                    "words chose their places, and --strict leaves them out"
                )
    if done is None and not clean:
        faults = sum(len(report.faults) for report in reports)
        raise DataError(
            f"{faults} faults in {', '.join(map(str, files))}; --repair OUT.json writes a sound copy"
        )
    if leak is not None and leak.leaking:
        raise SystemExit(1)
