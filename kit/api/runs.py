"""``kit runs`` as a function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kit.api.arguments import PathLike, path_given
from kit.errors import ConfigError
from kit.files import did_you_mean
from kit.settings.paths import RUNS

if TYPE_CHECKING:
    from kit.settings.runs import RunRecord


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs of a folder by name; ``unreadable`` has the reason for each that cannot be read."""

    folder: Path
    records: Mapping[str, RunRecord]
    unreadable: Mapping[str, str]

    def as_dict(self) -> dict[str, object]:
        """For ``--json``."""
        records = {name: record.model_dump(mode="json") for name, record in self.records.items()}
        return {**records, **{name: {"error": reason} for name, reason in self.unreadable.items()}}


def runs(folder: PathLike = RUNS) -> Runs:
    """List the runs of *folder* with their settings and held-out scores.  Raises ConfigError without it."""
    from kit.settings.runs import read_run

    folder = path_given(folder, "folder")
    if not folder.is_dir():
        cure = did_you_mean(folder) or f"kit train with --run {folder / 'NAME'} makes the first run"
        raise ConfigError(f"{folder}: no such folder; {cure}")
    records, unreadable = {}, {}
    for path in sorted(path for path in folder.iterdir() if path.is_dir()):
        try:
            if (record := read_run(path)) is not None:
                records[path.name] = record
        except ConfigError as error:  # the other runs are listed all the same
            unreadable[path.name] = str(error)
    return Runs(folder, records, unreadable)
