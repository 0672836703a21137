"""What is said about the device before a training on it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import kit
from kit.modeling.backbones import open_backbone
from kit.modeling.devices import Device, emulates_bf16
from kit.modeling.distributed import Processes
from kit.training.run import _remarks


@pytest.mark.parametrize(
    ("known", "emulates"),
    [
        ({"architecture": "x86_64", "avx512_bf16": False, "amx_bf16": False}, True),
        ({"architecture": "x86_64", "avx512_bf16": True, "amx_bf16": False}, False),
        ({"architecture": "x86_64", "avx512_bf16": False, "amx_bf16": True}, False),
        ({"architecture": "aarch64"}, False),  # not known
        (None, False),  # an older torch
    ],
)
def test_a_cpu_without_bf16_of_its_own_is_told(
    wordpiece_folder: Path, monkeypatch: pytest.MonkeyPatch, known: dict[str, object] | None, emulates: bool
) -> None:
    monkeypatch.delattr("torch.cpu.get_capabilities", raising=False)
    if known is not None:
        monkeypatch.setattr("torch.cpu.get_capabilities", lambda: known, raising=False)
    assert emulates_bf16() == emulates
    backbone, settings = open_backbone(str(wordpiece_folder)), kit.settings_for("", attention_dropout=0.0)
    cpu = torch.device("cpu")
    said = _remarks(backbone, settings, Device(cpu, "CPU", "bf16"), Processes())
    assert [line.endswith("--precision fp32 trains sooner here") for line in said] == [True] * emulates
    assert _remarks(backbone, settings, Device(cpu, "CPU", "fp32"), Processes()) == []
