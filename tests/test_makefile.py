"""Set-up by make: what is installed for whom, and which build of torch; a stub stands for Python and pip."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

STUB = """#!/bin/sh
# Writes down what it is asked for; `python -m venv FOLDER` makes a folder whose python is this stub again.
echo "$@" >> "$LOG"
case "$*" in
  "-m venv "*) mkdir -p "$3/bin" && for name in python kit; do cp "$0" "$3/bin/$name"; done ;;
  *--index-url*) exit "$OFFERED" ;;
  "-m build "*) mkdir -p dist && touch dist/made.whl dist/made.tar.gz ;;
esac
"""


@pytest.fixture
def place(tmp_path: Path, project: Path) -> Path:
    """A folder with the Makefile and what it depends on, and a stub of Python."""
    for name in ("Makefile", "setup.py", "constraints.txt", "pyproject.toml"):
        shutil.copy(project / name, tmp_path / name)
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    for name in ("sh", "mkdir", "cp", "touch", "rm", "cat"):
        (bin_folder / name).symlink_to(str(shutil.which(name)))
    programs = {"python3": STUB, "uname": "#!/bin/sh\necho ${SYSTEM:-Linux}\n"}
    for name, text in programs.items():
        (bin_folder / name).write_text(text, encoding="ascii")
        (bin_folder / name).chmod(0o755)
    return tmp_path


def make(place: Path, *words: str, offered: bool = True, **environment: str) -> tuple[str, list[str]]:
    """What `make` printed, and the calls of Python (and of kit) in their order."""
    log = place / "log"
    log.write_text("", encoding="ascii")
    done = subprocess.run(
        [str(shutil.which("make")), *words],
        cwd=place,
        env={"PATH": str(place / "bin"), "LOG": str(log), "OFFERED": str(int(not offered)), **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, log.read_text(encoding="ascii").splitlines()


def test_the_demo_installs_what_it_needs_and_no_more(place: Path) -> None:
    said, calls = make(place, "demo")
    assert calls[-1] == "demo"
    installs = [call for call in calls if "pip install" in call]
    assert installs[-1].endswith("-e .")
    assert not any("[dev]" in call for call in calls)
    assert "Setting up .venv" in said.splitlines()[0]
    _, calls = make(place, "demo")
    assert calls == ["demo"]  # nothing is installed twice
    os.utime(place / "setup.py", (2e9, 2e9))
    _, calls = make(place, "demo")
    assert calls[-2].endswith("-e .")  # but again when the requirements change


def test_the_tests_bring_the_developers_tools(place: Path) -> None:
    _, calls = make(place, "test")
    assert any(call.endswith("-e .[dev]") for call in calls)
    assert calls[-1] == (
        "-m pytest -n 2 --dist loadfile --no-loadscope-reorder -m not slow --hypothesis-profile quick"
    )
    _, calls = make(place, "test-all")
    assert calls == ["-m pytest -n 2 --dist loadfile --no-loadscope-reorder --hypothesis-profile thorough"]


def test_the_documentation_is_built_strictly_without_the_developers_tools(place: Path) -> None:
    _, calls = make(place, "docs")
    assert any(call.endswith("-e .[docs]") for call in calls)
    assert not any("[dev]" in call for call in calls)
    assert calls[-1] == "-m mkdocs build --strict"  # a script of its own would not find the hook in tools/


def test_wheel_and_sdist_are_each_tried_in_an_empty_environment(place: Path) -> None:
    _, calls = make(place, "dist")
    assert "-m build --outdir dist ." in calls
    empty = calls.index("-m venv .venv-dist")
    assert not any(" -e " in call for call in calls)  # nothing comes from the source tree
    for name in ("made.whl", "made.tar.gz"):
        (installed,) = [n for n, call in enumerate(calls) if call.endswith(f"-c constraints.txt dist/{name}")]
        assert installed > empty
        version, written, checked, removed = calls[installed + 1 : installed + 5]
        assert version == "--version"
        assert written.startswith("-I -c ")
        assert checked == "check .venv-dist/data/train.json"
        assert removed.endswith("uninstall --quiet --yes korean-mrc-kit")


def test_without_a_gpu_on_linux_torch_is_the_build_for_cpus(place: Path) -> None:
    said, calls = make(place, "demo")
    (torch,) = [call for call in calls if "--index-url" in call]
    assert torch.endswith("/cpu torch")
    assert "--no-deps" in torch.split()
    assert calls.index(torch) < next(number for number, call in enumerate(calls) if call.endswith("-e ."))
    assert "no GPU found, so the build for CPUs is installed" in said


def test_where_no_such_build_is_offered_the_plain_one_is_announced(place: Path) -> None:
    said, calls = make(place, "demo", offered=False)
    assert "the plain build may download 3 GB of CUDA libraries" in said
    assert calls[-1] == "demo"


@pytest.mark.parametrize("why", ["gpu", "macOS", "asked"])
def test_otherwise_torch_is_the_plain_build(place: Path, why: str) -> None:
    if why == "gpu":
        (place / "bin" / "nvidia-smi").symlink_to(place / "bin" / "sh")
    environment = {"SYSTEM": "Darwin"} if why == "macOS" else {}
    said, calls = make(place, "demo", *(["TORCH_INDEX="] if why == "asked" else []), **environment)
    assert not any("--index-url" in call for call in calls)
    assert "installing the plain build" in said
