"""The program on Kaggle: what it installs, and what it never replaces."""

from __future__ import annotations

import pytest

from kit.competition.kernels import host
from kit.competition.kernels.wheel import requirements

HOST = {
    "torch": "2.6.0+cu124",
    "numpy": "1.26.4",
    "rich": "13.9.4",
    "transformers": "4.53.3",
    "PyYAML": "6.0.3",
}


def test_only_what_is_missing_or_too_old_is_installed() -> None:
    required = [
        "torch>=2.6",
        "numpy>=2.0",
        "rich>=13.9",
        "transformers>=5.0",
        "PyYAML>=6.0",
        "rapidfuzz>=3.6",
    ]
    assert host.lacking(required, HOST.get) == ["numpy>=2.0", "transformers>=5.0", "rapidfuzz>=3.6"]
    assert host.lacking(["kaggle>=2.2", "six>=1.16"], {}.get) == []
    assert host.lacking(['pywin32; sys_platform == "win32"'], {}.get) == []


def test_the_kits_own_requirements_are_understood() -> None:
    assert host.lacking(requirements(), host.installed_version) == []


@pytest.mark.parametrize("line", ["torch>=2.6", "torchvision", "nvidia-cublas-cu12==12.4", "triton>=3"])
def test_torch_is_never_replaced(line: str) -> None:
    with pytest.raises(ValueError, match=r"it is never replaced: choose the latest environment"):
        host.refuse_fixed(["rich>=13.9", line])


def test_other_packages_are_not_fixed() -> None:
    host.refuse_fixed(["transformers>=5.0", "torchmetrics>=1", "numpy>=2.0", "tritonclient"])


def test_pip_is_told_to_keep_the_hosts_torch() -> None:
    assert ("torch", host.installed_version("torch")) in host.fixed_here()
    assert "numpy" not in dict(host.fixed_here())
