"""What a sweep is about, and how two of them differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Any, Self

from kit.data.records import Dataset
from kit.decoding.default import default_decoding
from kit.settings.job import Job
from kit.settings.ranges import Range, shown
from kit.settings.runs import PLAIN_DECODING
from kit.settings.training import EXECUTION_ONLY, TrainingSettings
from kit.spans.lengths import answer_lengths


@dataclass(frozen=True, slots=True)
class About:
    """What a sweep is about: a study continues only with the same."""

    reference: str
    """The backbone as given; ``backbone`` is its name, never a full path."""
    paths: Sequence[str]
    """The training files as given."""
    backbone: str
    backbone_version: str
    data: Sequence[tuple[str, str]]
    """Name and SHA-256 of each training file."""
    valid: tuple[str, str] | None
    settings: Mapping[str, Any]
    """What all trials share: every setting that no range varies."""
    ranges: Mapping[str, str]
    decoding: str = PLAIN_DECODING
    """How the answers behind the trials' Edit Scores are decoded."""

    @classmethod
    def of(cls, job: Job[Dataset], backbone: str, version: str, ranges: Sequence[Range]) -> Self:
        """What a sweep of *ranges* is about whose trials share *job*; *backbone*: its name as opened."""
        return cls(
            reference=job.backbone,
            paths=[str(dataset.path) for dataset in job.data],
            backbone=backbone,
            backbone_version=version,
            data=[(dataset.path.name, dataset.sha256) for dataset in job.data],
            valid=(job.valid.path.name, job.valid.sha256) if job.valid else None,
            settings=shared_settings(job.settings, ranges),
            ranges={one.name: str(one).partition("=")[2] for one in ranges},
            decoding=str(default_decoding(answer_lengths(chain.from_iterable(job.data)))),
        )

    def as_dict(self) -> dict[str, Any]:
        """As the study keeps it: without paths."""
        return {name: value for name, value in asdict(self).items() if name not in {"reference", "paths"}}


def shared_settings(settings: TrainingSettings, ranges: Sequence[Range]) -> dict[str, Any]:
    """What of *settings* every trial has, and must have when a sweep continues."""
    varied = {one.name for one in ranges}
    return {
        name: value
        for name, value in settings.model_dump(mode="json").items()
        if name not in varied and name not in EXECUTION_ONLY
    }


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What separates two sweeps that want the same study; empty where the second continues the first."""
    found = []
    if old["backbone"] != new["backbone"]:
        found.append(f"backbone is {new['backbone']}, the sweep has {old['backbone']}")
    elif old["backbone_version"] != new["backbone_version"]:
        versions = [side["backbone_version"][:8] or "unknown" for side in (new, old)]
        found.append(
            f"backbone {new['backbone']} has other weights ({versions[0]}, the sweep has {versions[1]})"
        )
    for what, words in (("data", "the data differ"), ("valid", "--valid differs")):
        if _contents(old[what]) != _contents(new[what]):
            files = old[what] if what == "data" else [old[what]] * bool(old[what])
            names = ", ".join(f"{name} ({sha256[:8]})" for name, sha256 in files)
            found.append(f"{words}; the sweep has {names or 'none'}")
    if (decoding := old.get("decoding", PLAIN_DECODING)) != new["decoding"]:
        found.append(f"answers are decoded by {new['decoding']}, the sweep has {decoding}")
    before, after = old["ranges"], new["ranges"]
    found += [
        f"--range {name} is {after.get(name, 'none')}, the sweep has {before.get(name, 'none')}"
        for name in {**before, **after}
        if before.get(name) != after.get(name)
    ]
    fields = TrainingSettings.model_fields
    before, after = old["settings"], new["settings"]
    # A setting that only this version knows had its default before.
    found += [
        f"--set {name} is {shown(value)}, the sweep has {shown(kept)}"
        for name, value in after.items()
        if name not in old["ranges"] and value != (kept := before.get(name, fields[name].default))
    ]
    return found


def _contents(files: Any) -> object:
    """The hashes of one file or several: how they are called does not matter."""
    if not files or isinstance(files[0], str):
        return files and files[1]
    return [sha256 for _, sha256 in files]
