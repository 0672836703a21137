"""A full disk, folders that may not be written: one line, nothing half-made, and the next run succeeds."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.crash_safety.conftest import Harnesses, rows
from tools.chaos.moments import DENIED, FULL, Moment
from tools.chaos.processes import run_new_process

# Each with the first change of a file of its own, and a size that one of its files is larger than.
# A full disk under ensemble, predict and train: also in tests/test_output.py.
WRITING = [
    ("train", "one", ("open", "run.json"), 300),
    ("train", "one", ("os.mkdir", "full/.", ".part"), 30_000),
    ("train", "one", ("open", "full/.", "tokenizer_config.json"), 5_000),
    ("train", "folds", ("os.rename", "folds.json"), 30_000),
    ("predict", "over", ("open", "fold-1"), 30_000),
    ("ensemble", "over", ("open", "submissions/."), 1_000),
    ("tune", "over", ("open", ".boundary"), 30_000),
    ("tune", "over", ("open", "tuned/.one.yaml"), 50),
    ("download", "new", ("os.mkdir", "scratch"), 2_000),
    ("download", "over", ("os.mkdir", "files"), 100),
    ("submit", "over", ("open", "ledger.jsonl"), 10),
    ("report", "over", ("open", "reports/.x.html"), 20_000),
]


@pytest.mark.parametrize("kind", [FULL, DENIED])
@pytest.mark.parametrize(
    ("command", "variant", "change", "size"), rows(WRITING), ids=lambda value: str(value).replace(" ", "")
)
def test_a_write_that_fails_is_one_line(
    harnesses: Harnesses, command: str, variant: str, change: tuple[str, ...], size: int, kind: str
) -> None:
    harness = harnesses(command, variant)
    moment = Moment(kind, harness.at(*change, first=True), size if kind == FULL else 0)
    left, done = harness.disturb(moment)
    assert done.code == 1, done
    assert harness.judged(left, done, moment) == ""
    assert "cannot be" in done.err.splitlines()[-1]


@pytest.mark.parametrize(
    ("command", "variant"),
    rows(
        [
            ("train", "one"),
            ("predict", "over"),
            ("ensemble", "over"),
            ("tune", "over"),
            ("download", "over"),
            ("submit", "over"),
            ("report", "over"),
        ]
    ),
)
def test_folders_that_may_not_be_written(harnesses: Harnesses, command: str, variant: str) -> None:
    done, changed = harnesses(command, variant).bound()
    assert done.refused, done
    last = done.err.splitlines()[-1]
    assert "Permission denied" in last
    assert "cannot be written" in last
    assert changed == ""


@pytest.mark.slow
def test_without_room_for_locks(harnesses: Harnesses) -> None:
    """The folder for temporary files is full, or not there."""
    harness = harnesses("ensemble", "over")
    moment = Moment(DENIED, harness.at("tmp/kit-", first=True))
    left, done = harness.disturb(moment)
    assert "cannot be locked" in done.err
    assert "TMPDIR" in done.err
    assert harness.judged(left, done, moment) == ""


@pytest.mark.slow
@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can mount a file system"
)
def test_a_file_system_that_is_full(harnesses: Harnesses, tmp_path: Path) -> None:
    """The real thing: ENOSPC, and no room for anything."""
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(small)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("this machine lets nobody mount a file system")
    try:
        harness = harnesses("report", "over")
        work = small / "work"
        shutil.copytree(harness.start, work)
        page = (work / "reports/x.html").read_bytes()
        (small / "filler").write_bytes(bytes(1 << 20)[: shutil.disk_usage(small).free])
        done = run_new_process(harness.experiment.words, work)
        assert done.refused, done
        assert "No space left on device" in done.err
        assert (work / "reports/x.html").read_bytes() == page
        assert not list(work.rglob("*.part"))
        (small / "filler").unlink()
        done = run_new_process(harness.experiment.words, work)
        assert done.code == 0, done
    finally:
        subprocess.run(["umount", str(small)], check=True)
