"""``kit train``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kit import terminal, verbs
from kit.views.output import EDIT, edit, print_json, share


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
    settings: Mapping[str, Any],
) -> None:
    """Train, then print what the kept checkpoint scored."""
    trained = verbs.train(
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
        **settings,
    )
    record = trained.record
    assert record is not None
    if as_json:
        print_json({"run": str(trained.folder), **record.model_dump(mode="json")})
        return
    rows = [
        (
            name,
            edit(fold.metrics["edit"]),
            edit(fold.metrics["blank_edit"]),
            share(fold.metrics["exact"]),
            f"{fold.held_out:,}",
            f"{fold.steps:,}",
            terminal.duration(fold.seconds),
        )
        for name, fold in sorted(record.folds.items())
    ]
    columns = ("model", EDIT, "if all blank", "equal to gold", "questions held out", "steps", "time")
    terminal.table(f"{trained.folder} ({record.backbone}, {record.device})", columns, rows)
    for path, score in verbs.out_of_fold(trained, data).items():
        terminal.say(f"out of fold, {path}: {score}")
    terminal.say(f"next: kit predict {trained.folder} --data test.json")
