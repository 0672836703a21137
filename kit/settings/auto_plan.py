"""``runs/NAME.plan.json``: what ``kit auto`` chose to do, and how far it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from kit.settings.option import argument_words
from kit.settings.validation import PathText, Settings, Sha256


@dataclass(frozen=True, slots=True)
class AutoFiles:
    """Where everything of one ``kit auto`` is, below the current folder."""

    name: str
    train: Path
    test: Path
    plan: Path
    recipe: Path
    tuned: Path
    submission: Path
    report: Path


class PlannedMember(Settings):
    """One backbone to train."""

    backbone: str
    run: PathText
    """The folder of its run."""
    epochs: Annotated[float, Field(gt=0)]
    max_length: Annotated[int, Field(ge=16)]
    seconds: Annotated[float, Field(ge=0)]
    """As expected when the plan was made."""


class AutoPlan(Settings):
    """The plan of one ``kit auto``."""

    train: Sha256
    test: Sha256
    asked: Annotated[tuple[str, ...], Field(strict=False)]
    """The backbones that were asked for; empty: the kit's choice."""
    device: str
    folds: Annotated[int, Field(ge=2)]
    limit: Annotated[int, Field(ge=1)] | None
    members: Annotated[tuple[PlannedMember, ...], Field(min_length=1, strict=False)]
    done: Annotated[tuple[str, ...], Field(strict=False)] = ()
    """The steps that are finished."""
    spent: Annotated[float, Field(ge=0)] = 0.0
    """Seconds of all commands so far."""

    def steps(self, files: AutoFiles, *, allow_leak: bool) -> dict[str, list[str]]:
        """Step → the words of its command, in order; those of a training without its ``--hours``."""
        train, test = str(files.train), str(files.test)
        steps = {"check": ["check", train, *([] if allow_leak else ["--against", test])]}
        for member in self.members:
            options = {
                "data": train, "run": member.run, "folds": self.folds, "epochs": f"{member.epochs:g}",
                "max_length": member.max_length, "limit": self.limit,
                "attention_dropout": "0" if self.device == "cpu" else None,
                "allow_leak": allow_leak, "resume": True,
            }  # fmt: skip
            steps[f"train {member.run}"] = ["train", member.backbone, *argument_words(options)]
            steps[f"predict {member.run}"] = ["predict", member.run, "--data", test]
        tuned, csv, page = map(str, (files.tuned, files.submission, files.report))
        steps["tune"] = ["tune", str(files.recipe), "--data", train, "--out", tuned]
        steps["ensemble"] = ["ensemble", tuned, "--data", test, "--out", csv]
        steps["report"] = ["report", str(files.recipe), "--data", train, "--out", page]
        return steps
