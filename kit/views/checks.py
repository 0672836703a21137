"""``kit check``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from kit import api, terminal
from kit.data.repair import repair
from kit.errors import SHOWN, ConfigError, DataError, KitError, all_of, counted
from kit.views.output import print_json

_Result = TypeVar("_Result")


def run(
    files: Sequence[Path], against: Path | None, repaired: Path | None, as_json: bool, *, strict: bool = False
) -> None:
    """Check *files*; exit with 1 where a rule is broken or something leaks.

    A failure (an unreadable file, a repair that fails) is raised last, after every report is printed.
    """
    if strict and repaired is None:
        raise ConfigError("--strict: says what a repair leaves out; give --repair OUT.json too")
    if repaired is not None and len(files) != 1:
        raise ConfigError(f"--repair {repaired}: repairs one file at a time, and {len(files)} were given")
    failures: list[KitError] = []
    found = [_tried(failures, partial(api.check, path)) for path in files]
    reports = [report for report in found if report is not None]
    done = None
    if repaired is not None and reports:
        done = _tried(failures, lambda: repair(files[0], repaired, strict=strict))
    leak = None
    # A file that does not load cannot be compared; its faults are reported below.
    sound = [report.path for report in reports if report.clean]
    if against is not None and sound:
        leak = _tried(failures, lambda: api.leaks(sound, against))
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
        elif against is not None and reports and not sound:
            terminal.say(f"{against}: not compared, since no file is clean; mend them first")
        if done is not None:
            lines = done.lines()
            for line in lines[:SHOWN]:
                terminal.say(f"  {line}")
            if len(lines) > SHOWN:
                terminal.say(f"  and {counted(len(lines) - SHOWN, 'more change')}")
            written = counted(done.questions, "question")
            terminal.say(f"{done.out}: {written} written, {counted(len(lines), 'change')}")
            if done.chosen:
                terminal.say(
                    f"{counted(done.chosen, 'answer')} placed by the question's words, where the context has "
                    "the text several times; --strict leaves such answers out"
                )
    if failures:
        if len(failures) == 1:
            raise failures[0]
        raise DataError(all_of([str(failure) for failure in failures]))
    faulty = [report for report in reports if not report.clean]
    if done is None and faulty:
        faults = counted(sum(len(report.faults) for report in faulty), "fault")
        names = ", ".join(str(report.path) for report in faulty)
        raise DataError(f"{faults} in {names}; {'; '.join(report.cure for report in faulty)}")
    if leak is not None and leak.leaking:
        raise SystemExit(1)


def _tried(failures: list[KitError], doing: Callable[[], _Result]) -> _Result | None:
    try:
        return doing()
    except KitError as error:
        failures.append(error)
        return None
