"""Files that tools read: requirements and their pinned versions, workflows, hooks, issue forms."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

PROJECT = Path(__file__).resolve().parent.parent
SETUP = (PROJECT / "setup.py").read_text(encoding="utf-8")
WORKFLOWS = sorted((PROJECT / ".github" / "workflows").glob("*.yml"))
FORMS = sorted((PROJECT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))

ANOTHER_NAME = {"levenshtein": "python-levenshtein", "yaml": "pyyaml"}
"""Modules that are not called like the package that brings them."""


def requirements() -> dict[str, Requirement]:
    """Everything that setup.py asks for, the extras included."""
    texts = [node.value for node in ast.walk(ast.parse(SETUP)) if isinstance(node, ast.Constant)]
    found = [
        Requirement(text) for text in texts if isinstance(text, str) and re.match(r"^[\w.-]+>=[\d.]+$", text)
    ]
    return {canonicalize_name(one.name): one for one in found}


def pins(name: str) -> dict[str, Version]:
    """The versions in a constraints file; nothing in it may be pinned twice, or not at all."""
    lines = (PROJECT / name).read_text(encoding="utf-8").splitlines()
    pairs = [line.split("==") for line in lines if not line.startswith("#")]
    found = {canonicalize_name(package): Version(version) for package, version in pairs}
    assert len(found) == len(pairs)
    return found


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def targets() -> set[str]:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([\w-]+):", makefile, re.M))


# ---- versions


def test_the_oldest_versions_are_the_floors() -> None:
    floors = {
        name: Version(specifier.version)
        for name, one in requirements().items()
        for specifier in one.specifier
    }
    oldest = pins("constraints-oldest.txt")
    assert len(floors) > 30
    assert {name: oldest.get(name) for name in floors} == floors


def test_the_tested_versions_are_allowed_and_not_older_than_the_oldest() -> None:
    tested, oldest = pins("constraints.txt"), pins("constraints-oldest.txt")
    for name, one in requirements().items():
        assert tested[name] in one.specifier, one
        assert tested[name] >= oldest[name], name


def test_what_the_kit_imports_is_required_by_itself() -> None:
    """A package that only another package brings has no floor, and the other may drop it."""
    required = set(requirements())
    for path in (PROJECT / "kit").rglob("*.py"):
        if path.name == "bootstrap.py":
            continue  # runs on Kaggle before the kit is installed
        optional = {"IPython"} if path.name == "live_curves.py" else set()  # only inside a notebook's kernel
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            for name in names:
                module = name.split(".")[0]
                if module not in {"kit", *optional, *sys.stdlib_module_names}:
                    package = canonicalize_name(module)
                    assert ANOTHER_NAME.get(package, package) in required, f"{path}: {module}"


def test_the_hooks_have_the_tested_versions() -> None:
    tested = pins("constraints.txt")
    hooks = {
        hook["id"]: hook
        for repository in read(PROJECT / ".pre-commit-config.yaml")["repos"]
        for hook in repository["hooks"]
    }
    assert set(hooks) == {"ruff", "ruff-format", "mypy"}
    for name, hook in hooks.items():
        tool = hook["entry"].split()[0]
        assert hook["additional_dependencies"] == [f"{tool}=={tested[tool]}"], name


def test_a_wheel_holds_every_file_of_the_package() -> None:
    listed = ast.literal_eval(re.findall(r"package_data=(\{.*?\})", SETUP, re.S)[0])
    held = {
        path
        for package, patterns in listed.items()
        for pattern in patterns
        for path in (PROJECT / package.replace(".", "/")).glob(pattern)
    }
    files = [path for path in (PROJECT / "kit").rglob("*") if path.is_file()]
    assert held == {path for path in files if path.suffix not in (".py", ".pyc")}


# ---- workflows


def pythons() -> list[str]:
    """The Pythons that setup.py names, oldest first."""
    return re.findall(r"Programming Language :: Python :: (3\.\d+)", SETUP)


def jobs(workflow: str) -> list[tuple[dict[str, str], list[str]]]:
    """Each job of a workflow for each combination of its matrix, and the make targets that it calls."""
    found = []
    for job in read(PROJECT / ".github" / "workflows" / workflow)["jobs"].values():
        matrix = job["strategy"]["matrix"]
        for chosen in matrix.get("include") or [{"python": python} for python in matrix["python"]]:
            called: list[str] = []
            for step in job["steps"]:
                command = step.get("run", "")
                for name, value in chosen.items():
                    command = command.replace(f"${{{{ matrix.{name} }}}}", value)
                called += command.removeprefix("make ").split() if command.startswith("make ") else []
            found.append((chosen, called))
    return found


def test_the_first_python_is_the_oldest_that_may_install_the_kit() -> None:
    assert f'python_requires=">={pythons()[0]}"' in SETUP
    assert pythons() == ["3.11", "3.12", "3.13"]


def test_every_push_is_linted_tested_documented_and_packaged() -> None:
    assert [(chosen["python"], called) for chosen, called in jobs("test.yml")] == [
        *((python, ["lint", "test"]) for python in pythons()),
        (pythons()[0], ["docs"]),
        (pythons()[0], ["dist"]),
        (pythons()[-1], ["dist"]),
    ]


def test_at_night_everything_runs_and_the_oldest_and_newest_versions() -> None:
    calls = {(called[0], chosen["python"]) for chosen, called in jobs("nightly.yml")}
    assert {("test-all", python) for python in pythons()} <= calls
    assert {("test-oldest", pythons()[0]), ("test-newest", pythons()[-1])} <= calls


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_calls_what_there_is(path: Path) -> None:
    workflow = read(path)
    assert workflow["permissions"] == {"contents": "read"}
    assert {target for _, called in jobs(path.name) for target in called} <= targets()
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= 90
        (setup,) = [step["with"] for step in job["steps"] if "setup-python" in step.get("uses", "")]
        assert setup["cache"] == "pip"
        files = {
            found.name
            for pattern in setup["cache-dependency-path"].split()
            for found in PROJECT.glob(pattern)
        }
        assert files == {"constraints.txt", "constraints-oldest.txt", "setup.py"}


# ---- forms


@pytest.mark.parametrize(
    "path", [path for path in FORMS if path.name != "config.yml"], ids=lambda path: path.name
)
def test_an_issue_form_asks_for_the_doctor(path: Path) -> None:
    form = read(path)
    assert {"name", "description", "body"} <= set(form)
    names = [field["id"] for field in form["body"]]
    assert len(set(names)) == len(names)
    (doctor,) = [field for field in form["body"] if "kit doctor --json" in field["attributes"]["label"]]
    assert doctor["attributes"]["render"] == "json"
    assert doctor.get("validations", {}).get("required", False) == (path.name != "feature.yml")


def test_there_are_forms_for_bugs_data_and_features() -> None:
    assert [path.name for path in FORMS] == ["bug.yml", "config.yml", "data.yml", "feature.yml"]


def test_the_pull_request_template_has_five_lines() -> None:
    text = (PROJECT / ".github" / "pull_request_template.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) == 5
