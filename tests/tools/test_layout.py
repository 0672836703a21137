"""What tools/ and kit/ may import, and that tools/ says what is in it."""

from __future__ import annotations

from pathlib import Path

from tests.test_layout import imports

PROJECT = Path(__file__).resolve().parents[2]


def test_the_kit_imports_neither_tools_nor_tests() -> None:
    for path in (PROJECT / "kit").rglob("*.py"):
        assert not {name.split(".")[0] for name in imports(path)} & {"tools", "tests"}, path


def test_tools_import_test_data_and_no_tests() -> None:
    for path in (PROJECT / "tools").rglob("*.py"):
        taken = {name for name in imports(path) if name.startswith("tests.")}
        assert not [name for name in taken if name.split(".")[-1].startswith("test_")], path


def test_every_tool_is_described() -> None:
    described = (PROJECT / "tools" / "__init__.py").read_text(encoding="utf-8")
    for path in (PROJECT / "tools").iterdir():
        if not path.name.startswith("_"):
            assert f"- {path.stem}: " in described, path.name
