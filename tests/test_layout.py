"""The layout: imports run one way, only models know torch, rooms stay small, start-up stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "kit"
MODULES = sorted(PACKAGE.rglob("*.py"))
ORDER = [
    "version", "display", "errors", "phrase", "hints", "progress", "files", "memory", "threads", "cache",
    "settings", "data", "metrics", "text_rules", "spans", "ranking", "decoding", "tuning", "modeling",
    "training", "sweeps", "kaggle", "submission", "reports", "notebooks",
]  # fmt: skip
"""A room imports only rooms before it; metrics and text_rules do not know each other."""
TOP = {"api", "terminal", "views", "cli", "__main__", "__init__"}
MODEL_ROOMS = {"modeling", "training", "sweeps"}
HEAVY = {"torch", "transformers", "accelerate"}


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names if node.module == "kit"}
    return found


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_one_way(path: Path) -> None:
    own = room(path)
    for name in imports(path):
        parts = name.split(".")
        if parts[0] in HEAVY:
            assert own in MODEL_ROOMS, f"{path} imports {name}"
        if parts[0] != "kit" or len(parts) == 1:
            continue
        if own in TOP:
            continue
        if own in MODEL_ROOMS and parts[1] == "terminal":
            continue  # a training's own progress bar
        assert parts[1] not in TOP, f"{path} imports {name}"
        assert ORDER.index(parts[1]) <= ORDER.index(own), f"{path} imports {name}"
        assert {own, parts[1]} != {"metrics", "text_rules"}, f"{path} imports {name}"


def test_rooms_are_small() -> None:
    long = {
        str(path.relative_to(PACKAGE)): count
        for path in MODULES
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > 320
    }
    assert long == {}


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["score", "--help"],
        ["ensemble", "--help"],
        ["check", "--help"],
        ["kernel", "push", "--help"],
        ["report", "--help"],
        ["leaderboard", "--help"],
        ["submissions", "--help"],
    ],
)
def test_help_loads_no_heavy_library(arguments: list[str]) -> None:
    code = (
        "import sys; from kit.cli import app\n"
        "try: app(sys.argv[1:])\n"
        "except SystemExit as done: assert not done.code\n"
        "heavy = {'torch', 'transformers', 'pandas', 'numpy', 'kaggle'}\n"
        "print('LOADED', sorted(heavy & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=60, check=True
    )
    assert "Example: kit" in result.stdout or arguments == ["--help"]
    assert result.stdout.strip().splitlines()[-1] == "LOADED []"


def test_scoring_and_decoding_load_no_model_library() -> None:
    code = (
        "import sys, kit.cli.score, kit.cli.ensemble, kit.cli.check, kit.api.score, kit.api.ensemble\n"
        "import kit.metrics.scores, kit.data.checks, kit.decoding.ensembles, kit.submission.build\n"
        "print(sorted({'torch', 'transformers', 'kaggle'} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert result.stdout.strip() == "[]"


def test_importing_kit_prints_nothing_and_loads_nothing() -> None:
    code = (
        "import sys, kit\n"
        "print(sorted({'torch', 'transformers', 'pandas', 'numpy'} & set(sys.modules)), kit.__version__)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert result.stdout.startswith("[] ")
    assert result.stderr == ""
