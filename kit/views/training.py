"""``kit train``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import kit
from kit import terminal
from kit.cli.json_output import print_json
from kit.display import BLANK, EDIT, edit
from kit.display import share as as_share
from kit.settings.runs import RunRecord


def run(
    backbone: str,
    data: Sequence[Path],
    folder: Path,
    *,
    valid: Path | None,
    against: Path | None,
    allow_leak: bool,
    fold: str | None,
    jobs: int | None,
    resume: bool,
    report_to: Sequence[str],
    trust_remote_code: bool,
    as_json: bool,
    share: Sequence[str],
    judge: str | None,
    before: Sequence[Path],
    before_epochs: float | None,
    before_lr: float | None,
    before_only: bool,
    settings: Mapping[str, Any],
) -> None:
    """Train, then print what the kept checkpoint scored."""
    trained = kit.train(
        backbone,
        data,
        run=folder,
        valid=valid,
        against=against,
        allow_leak=allow_leak,
        fold=fold,
        jobs=jobs,
        resume=resume,
        report_to=report_to,
        trust_remote_code=trust_remote_code,
        share=share,
        judge=judge,
        before=before,
        before_epochs=before_epochs,
        before_lr=before_lr,
        before_only=before_only,
        **settings,
    )
    record = trained.record
    assert record is not None
    if as_json:
        print_json({"run": str(trained.folder), **record.model_dump(mode="json")})
        return
    terminal.show(trained.tables())
    _by_source(record)
    if before_only:
        terminal.say(
            f"next: the same command without --before-only; {trained.folder} is also a run of its own"
        )
        return
    for path, score in kit.out_of_fold(trained, data).items():
        terminal.say(f"out of fold, {path}: {score}")
    terminal.say(f"next: kit predict {trained.folder} --data test.json")


def _by_source(record: RunRecord) -> None:
    """The same scores for each data file, where there are several."""
    rows = [
        (
            name,
            source,
            edit(score.metrics["edit"]),
            edit(score.metrics["blank_edit"]),
            as_share(score.metrics["exact"]),
            f"{score.held_out:,}",
        )
        for name, fold in sorted(record.folds.items())
        for source, score in fold.sources.items()
    ]
    if rows:
        judge = record.mixture.judge
        title = f"by data file ({judge} judges)" if judge else "by data file (all of them judge)"
        columns = ("model", "data", EDIT, BLANK, "equal to gold", "questions held out")
        terminal.table(title, columns, rows, words=("data",))
