"""Threads: as many as the process may use, and they sleep while they wait."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from kit.threads import chosen_threads, threads_for, usable_cores
from tests.commands import run_python


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="ascii")
    return root


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({}, 8),
        ({"proc/self/cgroup": "0::/\n"}, 8),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"}, 8),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "200000 100000\n"}, 2),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "350000 100000\n"}, 3),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "50000 100000\n"}, 1),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "6400000 100000\n"}, 8),
        # the group above has the quota, and the smallest of several counts
        (
            {
                "proc/self/cgroup": "0::/jobs/one\n",
                "sys/fs/cgroup/jobs/cpu.max": "300000 100000\n",
                "sys/fs/cgroup/jobs/one/cpu.max": "500000 100000\n",
            },
            3,
        ),
        # a path of the host, which the container does not see
        ({"proc/self/cgroup": "0::/docker/abc\n", "sys/fs/cgroup/cpu.max": "400000 100000\n"}, 4),
        # cgroups 1
        (
            {
                "proc/self/cgroup": "4:memory:/m\n3:cpu,cpuacct:/job\n2:cpuset:/\n",
                "sys/fs/cgroup/cpu/job/cpu.cfs_quota_us": "250000\n",
                "sys/fs/cgroup/cpu/job/cpu.cfs_period_us": "100000\n",
            },
            2,
        ),
        (
            {
                "proc/self/cgroup": "3:cpu:/\n",
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            8,
        ),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "not a number\n"}, 8),
    ],
)
def test_a_quota_of_the_cgroup_limits_the_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], cores: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)
    assert usable_cores(tree(tmp_path, files)) == cores


def test_affinity_limits_the_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {1, 3, 5}, raising=False)
    assert usable_cores(tmp_path) == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert usable_cores(tmp_path) == 1


@pytest.mark.parametrize(
    ("value", "threads"), [(None, None), ("4", 4), ("4,2", 4), ("", None), ("0", None), ("all", None)]
)
def test_the_users_choice(monkeypatch: pytest.MonkeyPatch, value: str | None, threads: int | None) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if value is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", value)
    assert chosen_threads() == threads
    assert threads_for(100) == (threads or usable_cores())
    assert [threads_for(pieces) for pieces in (0, 1)] == [1, 1]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc and an affinity")
def test_a_process_computes_with_the_cores_it_may_use_and_its_threads_sleep(tmp_path: Path) -> None:
    program = (
        "import os, sys\n"
        "os.environ.pop('OMP_NUM_THREADS', None)\n"
        "from kit import threads\n"
        "import kit.modeling\n"
        "assert 'torch' not in sys.modules  # it reads the setting when it is imported\n"
        "from kit.modeling import devices\n"
        "devices.torch.set_num_threads(8)\n"
        "devices.usable_cores = lambda: 3\n"
        "chosen = devices.choose_device()\n"
        "print(chosen.name, devices.torch.get_num_threads(), os.environ['OMP_WAIT_POLICY'])\n"
        "os.environ['OMP_NUM_THREADS'] = '5'\n"
        "devices.torch.set_num_threads(5)\n"
        "print(devices.choose_device().name)\n"
    )
    done = run_python("-c", program, cwd=tmp_path, CUDA_VISIBLE_DEVICES="")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["CPU, 3 threads 3 passive", "CPU, 5 threads"]
    kept = run_python("-c", "import os, kit.modeling; print(os.environ['OMP_WAIT_POLICY'])",
                      cwd=tmp_path, OMP_WAIT_POLICY="active")  # fmt: skip
    assert kept.stdout == "active\n"
