"""``kit check``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import kit
from kit import terminal
from kit.cli.app import Json
from kit.cli.tables import print_json
from kit.errors import SHOWN, counted

if TYPE_CHECKING:
    from kit.api.check import Checked
    from kit.data.checks import RepairReport


def check(
    files: Annotated[list[Path], typer.Argument(help="Data files of any known format, zipped or not.")],
    against: Annotated[Path | None, typer.Option(help="A test file; reports what leaks into it.")] = None,
    repair: Annotated[
        Path | None, typer.Option(help="Write a copy that loads: answers moved or left out.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="With --repair: leave out answers whose place had to be chosen.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Report what data files contain and what is wrong with them. Exit code 1 if anything is.

    Example: kit check data/goorm-2/train.json --against data/goorm-2/test.json
    """
    with terminal.working(f"checking {', '.join(map(str, files))}"):
        found = kit.check_files(files, against=against, repair=repair, strict=strict)
    if as_json:
        print_json(found.as_dict())
    else:
        _print(found, against)
    if (refusal := found.refusal()) is not None:
        raise refusal
    if found.leaks is not None and found.leaks.leaking:
        raise SystemExit(1)


def _print(found: Checked, against: Path | None) -> None:
    for report in found.files:
        terminal.facts(str(report.path), report.rows())
        for fault in report.faults:
            terminal.say(f"  {fault.message}")
    if found.leaks is not None:
        terminal.say(found.leaks.message)
        elsewhere = sum(match.contexts == "different" for match in found.leaks.questions)
        terminal.say(
            f"questions worded like a test question: {len(found.leaks.questions):,}, "
            f"of them on other articles {elsewhere:,}"
        )
    elif against is not None and found.files and not found.compared:
        terminal.say(f"{against}: not compared, since no file is clean; repair them first")
    if found.repair is not None:
        _print_repair(found.repair)


def _print_repair(done: RepairReport) -> None:
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
