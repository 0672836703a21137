"""The documents are tested: commands exist, options exist, the notebook example runs."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command

import kit
from kit.cli import app
from kit.cli.app import several_after
from kit.data import demo_corpus
from kit.modeling.presets import PRESETS

PROJECT = Path(kit.__file__).resolve().parent.parent
README = (PROJECT / "README.md").read_text(encoding="utf-8")
KOREAN = (PROJECT / "README.ko.md").read_text(encoding="utf-8")


def blocks(language: str, text: str = README) -> list[str]:
    """The fenced blocks of a document in one language; "" for those without."""
    parts = text.split("```")[1::2]
    return [part.split("\n", 1)[1] for part in parts if part.split("\n", 1)[0] == language]


PAGES = [path.read_text(encoding="utf-8") for path in sorted((PROJECT / "docs").glob("*.md"))]


def shell_lines(*texts: str) -> list[str]:
    return [
        line.split("#")[0].strip()
        for text in texts or (README,)
        for block in blocks("console", text)
        for line in block.splitlines()
        if line.strip()
    ]


def test_the_readme_lists_the_commands_of_the_help() -> None:
    commands = set(get_command(app).commands)  # type: ignore[attr-defined]
    listed = set(re.findall(r"^\| `kit (\w+)`", README, re.M))
    assert listed == commands


def kernel_commands() -> set[str]:
    """The commands of `kit kernel`."""
    return set(get_command(app).commands["kernel"].commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("text", [README, KOREAN], ids=["README.md", "README.ko.md"])
def test_the_row_of_kit_kernel_names_its_commands(text: str) -> None:
    (row,) = re.findall(r"^\| `kit kernel` \|.*$", text, re.M)
    assert kernel_commands() <= set(re.findall(r"`(\w+)`", row))


def test_every_kernel_command_has_its_section() -> None:
    page = (PROJECT / "docs" / "kaggle-gpus.md").read_text(encoding="utf-8")
    sections = re.findall(r"^## (.+)$", page, re.M)
    assert {f"kit kernel {name}" for name in kernel_commands()} <= set(sections)
    assert {"kit kernel push --weights", "kit submit --kernel"} <= set(sections)
    for name in ("push_kernel", "kernel_status", "kernel_logs", "kernel_output", "kernel_quota"):
        assert f"`kit.{name}`" in page
        assert callable(getattr(kit, name))


@pytest.mark.parametrize("line", [line for line in shell_lines(README, *PAGES) if line.startswith("kit ")])
def test_every_command_line_of_the_documents_is_accepted(line: str) -> None:
    # what follows ; or && is another command of the shell
    name, *arguments = shlex.split(re.split("; |&& ", line)[0])[1:]
    command = get_command(app).commands[name]  # type: ignore[attr-defined]
    if hasattr(command, "commands"):
        name, *arguments = arguments
        command = command.commands[name]
    words = several_after([name, *arguments], "train", "--data", "--before")  # as kit itself does
    context = command.make_context(name, words[1:], resilient_parsing=False)
    assert context.params is not None


def test_make_targets_of_the_readme_exist() -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([\w-]+):", makefile, re.M))
    assert {"demo", "test", "test-all", "lint", "bench", "pictures", "clean"} <= targets
    for line in shell_lines():
        if line.startswith("make "):
            assert line.split()[1] in targets


def test_the_annotated_tree_names_every_room() -> None:
    (tree,) = [block for block in blocks("") if "cli/" in block]
    for path in (PROJECT / "kit").iterdir():
        if path.is_dir() and path.name != "__pycache__":
            assert f"{path.name}/" in tree, path
        elif path.suffix == ".py" and not path.name.startswith("__"):
            assert path.name in tree, path


def test_the_road_has_eight_commands() -> None:
    road = README.split("## The road")[1].split("```console\n")[1].split("```")[0].splitlines()
    assert len(road) == 8
    assert [line.split()[1] for line in road[:2] + road[-2:]] == [
        "download",
        "check",
        "submit",
        "leaderboard",
    ]


def test_the_messages_of_the_troubleshooting_table_are_the_kits_own() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in (PROJECT / "kit").rglob("*.py"))
    code = re.sub(r'"\s*\n\s*f?"', "", code)  # a message may go over several lines
    table = README.split("## When something goes wrong")[1].split("## ")[0]
    messages = re.findall(r"^\| `([^`]+)` \|", table, re.M)
    assert len(messages) > 10
    assert [message for message in messages if message not in code] == []


def outline(text: str) -> list[str]:
    """Levels of the headings, in order."""
    prose = re.sub(r"```.*?```", "", text, flags=re.S)
    return re.findall(r"^(#+) ", prose, re.M)


def test_the_korean_readme_is_in_step() -> None:
    assert outline(KOREAN) == outline(README)
    for language in ("console", "python"):
        assert blocks(language, KOREAN) == blocks(language)
    first_cells = re.compile(r"^\| (`[^|]+`) \|", re.M)
    assert first_cells.findall(KOREAN) == first_cells.findall(README)
    trees = [[line.split()[0] for line in blocks("", text)[0].splitlines()] for text in (README, KOREAN)]
    assert trees[0] == trees[1]
    links = re.compile(r"\]\(([^)]+)\)")
    assert sorted(links.findall(KOREAN)) == sorted(
        link.replace("README.ko.md", "README.md") for link in links.findall(README)
    )
    prose = re.sub(r"```.*?```", "", KOREAN, flags=re.S)
    for paragraph in re.split(r"\n\n+", prose):
        if len(paragraph) > 80 and not paragraph.startswith("|"):
            assert re.search("[가-힣]{2}", paragraph), paragraph


def test_the_pictures_are_there_and_small() -> None:
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)
    assert len(pictures) == 2
    for path in pictures:
        assert 5_000 < (PROJECT / path).stat().st_size < 300_000, path


def test_the_presets_are_named() -> None:
    for preset in PRESETS:
        assert f"`{preset}`" in README


@pytest.mark.slow
def test_the_notebook_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from kit.modeling.tiny import Shape, make_backbone

    monkeypatch.chdir(tmp_path)
    demo_corpus.write(tmp_path / "data" / "goorm-2", train_contexts=30, test_contexts=8)
    texts = [question.context for question in kit.load("data/goorm-2/train.json")]
    make_backbone(tmp_path / "tiny", texts, "wordpiece", Shape(500, 32, 1, 2, 64, 160), seed=1)
    (example,) = blocks("python")
    # the one thing a test cannot have is a model from the hub
    assert '"klue-bert"' in example
    exec(compile(example.replace('"klue-bert"', '"tiny"'), "README.md", "exec"), {})
    assert (tmp_path / "submissions" / "first.csv").is_file()
    assert len(example.strip().splitlines()) < 10
