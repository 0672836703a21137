"""Checkpoints that a disk has damaged, or that somebody put a pickle into: passed over, and nothing runs."""

from __future__ import annotations

import json
import pickle
import random
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from kit.errors import ModelError
from kit.training.checkpoints import latest_readable
from tests.hostile.test_models import Harm

STEPS = (3, 12)
STATES = ("optimizer.pt", "scheduler.pt", "rng_state.pth")


@pytest.fixture
def checkpoints(tmp_path: Path) -> Path:
    """Two complete ones, with what Trainer writes."""
    for step in STEPS:
        folder = tmp_path / "checkpoints" / f"checkpoint-{step}"
        folder.mkdir(parents=True)
        save_file({"w": torch.ones(3)}, folder / "model.safetensors")
        torch.save({"state": {0: {"exp_avg": torch.ones(2000)}}, "param_groups": []}, folder / "optimizer.pt")
        torch.save({"last_epoch": step}, folder / "scheduler.pt")
        states = {
            "python": random.getstate(),
            "numpy": np.random.get_state(),
            "cpu": torch.random.get_rng_state(),
        }
        torch.save(states, folder / "rng_state.pth")
        (folder / "trainer_state.json").write_text(json.dumps({"global_step": step}), encoding="utf-8")
        (folder / "complete").write_text("1.0\n", encoding="utf-8")
    return tmp_path / "checkpoints"


def pickled(path: Path, harmed: Path) -> None:
    path.write_bytes(pickle.dumps(Harm(harmed)))


def pickled_by_torch(path: Path, harmed: Path) -> None:
    torch.save({"state": Harm(harmed)}, path)


def cut(path: Path, harmed: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def emptied(path: Path, harmed: Path) -> None:
    path.write_bytes(b"")


def removed(path: Path, harmed: Path) -> None:
    path.unlink()


def turned_into_a_folder(path: Path, harmed: Path) -> None:
    path.unlink()
    path.mkdir()


def endless(path: Path, harmed: Path) -> None:
    path.write_bytes(struct.pack("<Q", 1 << 62) + path.read_bytes()[8:])


SPOILED: list[tuple[str, Callable[[Path, Path], None]]] = [
    *((name, spoil) for name in STATES for spoil in (pickled, pickled_by_torch, cut, emptied, removed)),
    ("optimizer.pt", turned_into_a_folder),
    *(("model.safetensors", spoil) for spoil in (pickled, cut, removed, endless)),
    *(("trainer_state.json", spoil) for spoil in (pickled, cut, removed)),
]


def test_a_sound_one_is_taken_in_silence(checkpoints: Path, tmp_path: Path) -> None:
    said: list[str] = []
    assert latest_readable(checkpoints, said.append) == checkpoints / "checkpoint-12"
    assert latest_readable(tmp_path / "none", said.append) is None
    assert said == []


@pytest.mark.parametrize(("name", "spoil"), SPOILED)
def test_a_spoiled_one_is_passed_over(
    checkpoints: Path, tmp_path: Path, name: str, spoil: Callable[[Path, Path], None]
) -> None:
    newest, earlier = checkpoints / "checkpoint-12", checkpoints / "checkpoint-3"
    spoil(newest / name, tmp_path / "harmed")
    said: list[str] = []
    assert latest_readable(checkpoints, said.append) == earlier
    (line,) = said
    assert line.startswith(f"{newest / name}: cannot be read (")
    assert line.endswith("; trying checkpoint-3")
    assert "\n" not in line
    spoil(earlier / name, tmp_path / "harmed")
    with pytest.raises(
        ModelError, match=r"checkpoint-3.*: cannot be read \(.+\); delete .*/checkpoints to"
    ) as no:
        latest_readable(checkpoints, said.append)
    assert "\n" not in str(no.value)
    assert not (tmp_path / "harmed").exists()
