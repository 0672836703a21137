"""The kit as a wheel: what a build backend would make, always the same bytes."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

import kit
from kit.errors import ConfigError
from kit.kaggle.kernels import wheel
from kit.kaggle.kernels.wheel import build_wheel, requirements


def test_the_same_kit_gives_the_same_bytes() -> None:
    assert build_wheel().content == build_wheel().content
    assert build_wheel().name == f"korean_mrc_kit-{kit.__version__}-py3-none-any.whl"


def test_it_holds_the_data_that_the_kit_reads() -> None:
    with zipfile.ZipFile(io.BytesIO(build_wheel().content)) as built:
        names = built.namelist()
    assert "kit/data/demo_corpus/texts/names.json" in names
    assert "kit/reports/page/report.html" in names
    assert "kit/notebooks/chapters/04-data.md" in names
    assert "kit/py.typed" in names


@pytest.mark.slow
def test_it_holds_what_pip_would_build(project: Path, tmp_path: Path) -> None:
    """In a copy, since a build leaves folders behind."""
    pytest.importorskip("setuptools", reason="needs setuptools to build with")
    source = tmp_path / "source"
    source.mkdir()
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(project / name, source)
    shutil.copytree(project / "kit", source / "kit", ignore=shutil.ignore_patterns("__pycache__"))
    command = ["wheel", ".", "--no-deps", "--no-build-isolation", "--no-index", "-w", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "pip", *command], cwd=source, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    own = tmp_path / "own.whl"
    own.write_bytes(build_wheel().content)
    (other,) = tmp_path.glob("korean_mrc_kit-*.whl")
    with zipfile.ZipFile(own) as ours, zipfile.ZipFile(other) as theirs:
        licence = {name for name in theirs.namelist() if "/licenses/" in name}
        assert set(ours.namelist()) == set(theirs.namelist()) - licence
        for name in ours.namelist():
            if name.startswith("kit/"):
                assert ours.read(name) == theirs.read(name)
        (metadata,) = (name for name in ours.namelist() if name.endswith("/METADATA"))
        own_words, their_words = (
            Parser().parsestr(archive.read(metadata).decode()) for archive in (ours, theirs)
        )
        needed = [line for line in their_words.get_all("Requires-Dist") or () if "extra ==" not in line]
        assert sorted(own_words.get_all("Requires-Dist") or ()) == sorted(needed)
        assert own_words["Requires-Python"] == their_words["Requires-Python"]
        (points,) = (name for name in ours.namelist() if name.endswith("/entry_points.txt"))
        assert ours.read(points).split() == theirs.read(points).split()


@pytest.mark.slow
def test_pip_installs_it(tmp_path: Path) -> None:
    """Installed so, without any sources, the kit runs and makes the very same wheel of itself."""
    built = build_wheel()
    (tmp_path / built.name).write_bytes(built.content)
    target = tmp_path / "target"
    words = ["install", "--no-deps", "--no-index", "--no-compile", "--quiet", "--target", str(target)]
    subprocess.run([sys.executable, "-m", "pip", *words, str(tmp_path / built.name)], check=True)
    program = (
        "import kit\nfrom kit.kaggle.kernels.wheel import build_wheel\n"
        "from kit.data import demo_corpus\n"
        "print(kit.__file__, build_wheel().sha256, len(demo_corpus.generate(2022, 2, 1).train))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(target)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [str(target / "kit" / "__init__.py"), built.sha256, "7"]


def test_requirements_are_those_of_setup() -> None:
    found = requirements()
    assert any(line.startswith("torch>=") for line in found)
    assert any(line.startswith("transformers>=") for line in found)
    assert not any("pytest" in line for line in found)


def test_neither_sources_nor_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kit, "__file__", str(tmp_path / "kit" / "__init__.py"))
    monkeypatch.setattr(wheel, "PROJECT", "no-such-project-anywhere")
    with pytest.raises(ConfigError, match=r"install the kit with pip, or give --git URL@REV"):
        requirements()
