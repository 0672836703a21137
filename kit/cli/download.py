"""``kit download``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import kit
from kit import terminal
from kit.cli.app import Json
from kit.cli.tables import print_json
from kit.errors import DataError, counted
from kit.hints import next_step
from kit.kaggle.slugs import source_of
from kit.settings.paths import TEST, TRAIN

if TYPE_CHECKING:
    from kit.data.checks import FileReport


def download(
    what: Annotated[str, typer.Argument(help="goorm-2, another cohort, korquad, or a competition's slug.")],
    to: Annotated[Path | None, typer.Option(help="The folder [data/NAME].", show_default=False)] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Download again, replacing files that were changed since.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Download a competition's files, or KorQuAD 1.0, complete and checked. Again: verify them.

    Example: kit download goorm-2
    """
    done = kit.download(what, to, force=force)
    manifest = done.manifest
    reports = {file.name: _report(done.folder / file.name) for file in manifest.files if done.fresh}
    if as_json:
        made = {"folder": str(done.folder), "fresh": done.fresh, **manifest.model_dump(mode="json")}
        if done.fresh:
            made["checks"] = {
                name: report.as_dict() for name, report in reports.items() if report is not None
            }
        print_json(made)
        return
    if not done.fresh:
        terminal.say(
            f"{done.folder}: already downloaded on {manifest.downloaded[:10]}; "
            f"{counted(len(manifest.files), 'file')} verified, nothing to do"
        )
        return
    rows = [(file.name, f"{file.size:,}", *_cells(reports[file.name])) for file in manifest.files]
    columns = ("file", "bytes", "format", "questions", "answers", "faults")
    terminal.table(f"{done.folder}, from {manifest.source}", columns, rows, words=("format",))
    if source_of(what).is_korquad:
        terminal.say(
            "its publisher gives no checksums: the files were checked by their content, and the SHA-256 in "
            "manifest.json is that of the downloaded files"
        )
    names = [name for name in (TRAIN, TEST) if name in reports]
    if faulty := [name for name, report in reports.items() if report is not None and not report.clean]:
        terminal.say(next_step("check", done.folder / faulty[0]))
    elif len(names) == 2:
        train, test = (done.folder / name for name in names)
        terminal.say(next_step("check", train, against=test))


def _report(path: Path) -> FileReport | None:
    """The report of a data file; None for any other file."""
    if path.suffix.lower() not in {".json", ".jsonl"}:
        return None
    try:
        return kit.check(path)
    except DataError:
        return None


def _cells(report: FileReport | None) -> tuple[str, str, str, str]:
    if report is None:
        return ("", "", "", "")
    return (
        report.format,
        f"{report.questions:,}",
        "withheld" if report.withheld == report.questions else f"{report.answers:,}",
        f"{len(report.faults):,}" if report.faults else "none",
    )
