"""A command NAME is ``kit.NAME``, cli/NAME.py, api/NAME.py, test_NAME.py and a place in the documents."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

import kit
from kit.cli import app
from kit.cli.lazy import COMMANDS, SECTIONS

PROJECT = Path(kit.__file__).resolve().parent.parent
ORDER = [
    "demo", "doctor", "notebook", "download", "auto", "check", "train", "predict", "tune", "ensemble",
    "score", "report", "submit", "leaderboard", "submissions", "runs", "sweep", "kernel",
]  # fmt: skip
KERNEL = {"push": "push_kernel", **{name: f"kernel_{name}" for name in ("status", "output", "logs", "quota")}}


def test_the_order_is_that_of_the_work() -> None:
    assert list(COMMANDS) == ORDER
    assert list(get_command(app).commands) == ORDER  # type: ignore[attr-defined]
    assert [name for names in SECTIONS.values() for name in names] == ORDER


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_found_by_its_name(name: str) -> None:
    for room in ("cli", "api"):
        assert (PROJECT / "kit" / room / f"{name}.py").is_file()
    assert any((PROJECT / "tests" / room / f"test_{name}.py").is_file() for room in ("cli", "api"))
    documents = [PROJECT / "README.md", *(PROJECT / "docs").glob("*.md")]
    place = re.compile(rf"^(#+ .*|\| )`?kit {name}\b", re.M)
    assert any(place.search(path.read_text(encoding="utf-8")) for path in documents)
    functions = KERNEL.values() if name == "kernel" else [name]
    for function in functions:
        assert kit._FUNCTIONS[function] == name
        assert callable(getattr(kit, function))


@pytest.mark.parametrize("name", COMMANDS)
def test_its_line_in_the_help_is_the_beginning_of_its_own(name: str) -> None:
    own = " ".join((get_command(app).commands[name].help or "").split())  # type: ignore[attr-defined]
    assert own.startswith(COMMANDS[name])
    assert COMMANDS[name].endswith(".")


def test_every_command_has_a_copyable_example() -> None:
    commands = dict(get_command(app).commands)  # type: ignore[attr-defined]
    group = commands.pop("kernel")
    assert set(group.commands) == set(KERNEL)
    for name, command in {
        **commands,
        **{f"kernel {name}": one for name, one in group.commands.items()},
    }.items():
        assert f"Example: kit {name}" in (command.help or ""), name


def test_a_command_imports_no_other() -> None:
    code = (
        "import sys; from kit.cli import app\n"
        "try: app(sys.argv[1:])\n"
        "except SystemExit as done: assert not done.code\n"
        "print(sorted(name[8:] for name in sys.modules if name.startswith(('kit.cli.', 'kit.api.'))))"
    )
    for words, loaded in (
        (["--help"], ["app", "lazy"]),
        (["score", "--help"], ["app", "lazy", "score", "tables"]),
        (["kernel", "quota", "--help"], ["app", "kernel", "lazy", "tables"]),
    ):
        done = subprocess.run(
            [sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=60, check=True
        )
        assert ast.literal_eval(done.stdout.splitlines()[-1]) == loaded


def test_a_typing_mistake_gets_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        app(["scoer"])
    assert end.value.code == 2
    assert "Did you mean 'score'?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["trian"], "train"),
        (["score", "x.csv", "--answer", "y.json"], "--answers"),
        (["ensemble", "r", "--dat", "y.json"], "--data"),
        (["kernel", "statsu"], "status"),
        (["train", "klue-bert", "--data", "x", "--run", "y", "--batchsize", "8"], "--batch-size"),
    ],
)
def test_commands_and_options_are_suggested(
    words: list[str], meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        app(words)
    assert end.value.code == 2
    assert meant in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize("columns", [80, 120])
def test_h_is_help_everywhere_and_no_line_is_cut(
    columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERMINAL_WIDTH", str(columns))
    root = get_command(app)
    kernel = [["kernel", name] for name in root.commands["kernel"].commands]  # type: ignore[attr-defined]
    everything: list[list[str]] = [[], *([name] for name in COMMANDS), *kernel]
    for words in everything:
        with pytest.raises(SystemExit) as end:
            app([*words, "-h"])
        assert end.value.code == 0
        shown = capsys.readouterr().out
        assert shown.startswith("Usage: ")
        assert max(map(len, shown.splitlines())) <= columns
        sentences = {
            "": list(COMMANDS.values()),
            "kernel": ["Download the run of a finished kernel, verified, ready for kit ensemble."],
        }.get(" ".join(words), [])
        for sentence in sentences:
            assert sentence in " ".join(shown.split())


def test_the_functions_agree_in_the_table_the_names_and_the_imports_for_editors() -> None:
    tree = ast.parse((PROJECT / "kit" / "__init__.py").read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    for_editors = {
        alias.name: str(node.module).rpartition(".")[2]
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert for_editors.pop("KitError") == "errors"
    assert for_editors == kit._FUNCTIONS
    assert kit.__all__ == sorted(kit.__all__)
    assert set(kit.__all__) == {"KitError", "__version__", *kit._FUNCTIONS}
    for name, module in kit._FUNCTIONS.items():
        found = getattr(kit, name)
        assert found.__module__ == f"kit.api.{module}"
        assert inspect.getdoc(found)
    with pytest.raises(AttributeError, match=r"^module 'kit' has no attribute 'nothing'$"):
        kit.nothing  # noqa: B018
    with pytest.raises(AttributeError, match=r"'trian'; did you mean train\?"):
        kit.trian  # noqa: B018
