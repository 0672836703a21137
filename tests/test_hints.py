"""Commands in messages: quoted for a shell, found again in a text, and fit for the parser."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

import kit
from kit.cli import app
from kit.data import demo_corpus
from kit.data.records import Dataset
from kit.hints import command, next_step
from tests.commands import commands_in, run_kit
from tests.spans.made import letters, make_run, scores_of, words

INPUTS = {"recipe", "data", "answers", "run", "subject", "csv", "files", "against", "folder"}
"""Parameters that name a file or folder which has to exist."""


def parsed(text: str) -> dict[str, Any]:
    """What the real parser makes of a command; SystemExit or a usage error where it refuses."""
    first, *rest = shlex.split(text)
    assert first == "kit"
    found: Any = get_command(app)
    while hasattr(found, "commands"):
        name, *rest = rest
        found = found.commands[name]
    params: dict[str, Any] = found.make_context(name, rest).params
    return params


def checked(said: str, folder: Path) -> list[str]:
    """The commands in *said*, all of which parse and name inputs that exist in *folder*."""
    commands = list(commands_in(said))
    for text in commands:
        for name, value in parsed(text).items():
            if name in INPUTS and value is not None:
                for path in value if isinstance(value, (list, tuple)) else [value]:
                    assert (folder / path).exists(), text
    return commands


def test_a_command_is_quoted_for_a_shell() -> None:
    text = command("predict", Path("runs/두 모델"), data=Path("my data/test.json"), again=True, fold=None)
    assert text == "kit predict 'runs/두 모델' --data 'my data/test.json' --again"
    assert Path(parsed(text)["run"]) == Path("runs/두 모델")  # the oldest Typer leaves it a text
    assert command("kernel output", "me/five") == "kit kernel output me/five"
    assert command("train", "b", data=["a.json", "b.json"], fold=0, micro_batch_size=4, jobs="") == (
        "kit train b --data a.json --data b.json --fold 0 --micro-batch-size 4"
    )
    assert next_step("runs") == "next: kit runs"


def test_commands_are_found_in_a_text() -> None:
    text = "a: is damaged; run: kit predict 'a b' --data c\nask again (`kit runs x`)\n"
    text += "next: kit runs\nthen: kit demo"
    assert list(commands_in(text)) == ["kit predict 'a b' --data c", "kit runs x", "kit runs", "kit demo"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder whose data and runs have a space in their paths, and files with faults."""
    folder = tmp_path_factory.mktemp("hints")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        demo_corpus.write(Path("my data"), train_contexts=8, test_contexts=3)
        train = kit.load("my data/train.json")
        make_run(train, "two words", scores_of(train, words, 1, 3.0))
        make_run(train, "letters", scores_of(train, letters, 2, 3.0))
        Path("recipes").mkdir()
        Path("recipes/the two.yaml").write_text(
            "members:\n  - run: runs/two words\n  - run: runs/letters\n", encoding="utf-8"
        )
        content = Path("my data/train.json").read_text(encoding="utf-8")
        Path("my data/faulty.json").write_text(
            content.replace('"answer_start": ', '"answer_start": 1', 1), encoding="utf-8"
        )
    return folder


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        pytest.param(
            ["tune", "recipes/the two.yaml", "--data", "my data/train.json"],
            "kit ensemble 'recipes/tuned/the two.yaml' --data 'my data/test.json'",
            marks=pytest.mark.slow,
        ),
        (
            ["ensemble", "runs/two words", "--data", "my data/train.json"],
            "kit submit 'submissions/two words.csv' --message 'two words' --dry-run",
        ),
        (
            [
                "ensemble", "runs/two words", "--data", "my data/train.json",
                "--answers", "my data/train.json", "--out", "a b.csv",
            ],
            "kit report 'a b.csv' --data 'my data/train.json' --answers 'my data/train.json'",
        ),
        (
            ["ensemble", "runs/two words", "--data", "my data/test.json"],
            "kit predict 'runs/two words' --data 'my data/test.json'",
        ),
        (
            ["check", "my data/faulty.json"],
            "kit check 'my data/faulty.json' --repair 'my data/faulty-repaired.json'",
        ),
        (
            ["score", "a.csv", "--answers", "my data/faulty.json"],
            "kit check 'my data/faulty.json' --repair 'my data/faulty-repaired.json'",
        ),
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_hint_works_when_typed(place: Path, tmp_path: Path, arguments: list[str], hint: str) -> None:
    folder = tmp_path / "work"
    shutil.copytree(place, folder)
    done = run_kit(*arguments, cwd=folder)
    assert hint in checked(done.stdout + done.stderr, folder)


def test_a_repair_that_was_proposed_makes_a_file_that_loads(place: Path, tmp_path: Path) -> None:
    folder = tmp_path / "work"
    shutil.copytree(place, folder)
    (hint,) = checked(run_kit("check", "my data/faulty.json", cwd=folder).stderr, folder)
    run_kit(*shlex.split(hint)[1:], cwd=folder)
    loaded: Dataset = kit.load(folder / "my data" / "faulty-repaired.json")
    assert len(loaded) == len(kit.load(folder / "my data" / "train.json"))
