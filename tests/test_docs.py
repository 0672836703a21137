"""The documents are tested: commands, options and links exist, examples run, Korean pages are in step."""

from __future__ import annotations

import re
import shlex
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from typer.main import get_command

import kit
from kit.cli import app
from kit.cli.app import words_of
from kit.data import demo_corpus
from kit.modeling.presets import PRESETS
from tests.test_layout import ORDER

PROJECT = Path(kit.__file__).resolve().parent.parent
DOCS = PROJECT / "docs"
READMES = [PROJECT / "README.md", PROJECT / "README.ko.md"]
PAGES = [*READMES, PROJECT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
KOREAN_PAGES = [PROJECT / "README.ko.md", *sorted((DOCS / "ko").glob("*.md"))]


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


README, KOREAN = map(read, READMES)


def name_of(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


def blocks(language: str, text: str = README) -> list[str]:
    """The fenced blocks of a document in one language; "" for those without."""
    parts = text.split("```")[1::2]
    return [part.split("\n", 1)[1] for part in parts if part.split("\n", 1)[0] == language]


def prose(text: str) -> str:
    """A document without its fenced blocks."""
    return re.sub(r"```.*?```", "", text, flags=re.S)


def shell_lines(*paths: Path) -> list[str]:
    return [
        line.split("#")[0].strip()
        for path in paths
        for block in blocks("console", read(path))
        for line in block.splitlines()
        if line.strip()
    ]


def outline(text: str) -> list[str]:
    """Levels of the headings, in order."""
    return re.findall(r"^(#+) ", prose(text), re.M)


def headings(text: str) -> list[str]:
    return re.findall(r"^#+ (.+)$", prose(text), re.M)


def first_cells(text: str) -> list[str]:
    """The code that begins each row of a document's tables."""
    return re.findall(r"^\| (`[^|]+`) \|", text, re.M)


def commands() -> set[str]:
    return set(get_command(app).commands)  # type: ignore[attr-defined]


def kernel_commands() -> set[str]:
    """The commands of `kit kernel`."""
    return set(get_command(app).commands["kernel"].commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", READMES, ids=name_of)
def test_the_readme_is_short(path: Path) -> None:
    assert len(read(path).splitlines()) <= 150


@pytest.mark.parametrize("path", [*READMES, DOCS / "index.md", DOCS / "ko" / "index.md"], ids=name_of)
def test_the_first_screen_explains_the_score(path: Path, tmp_path: Path) -> None:
    first_screen = "\n".join(read(path).splitlines()[:16])
    assert "Edit Score" in first_screen
    sentence = r"모두 빈칸으로 내면 ([\d.]+)점" if path in KOREAN_PAGES else r"all blank would score ([\d.]+)"
    (blank,) = re.findall(sentence, first_screen)
    files = demo_corpus.write(tmp_path, train_contexts=100)  # the test part is the demo's for any size
    golds = [question.golds[0] for question in kit.load(files.test_answers)]
    assert float(blank) == round(float(np.mean([len(gold) for gold in golds])), 3)


@pytest.mark.parametrize("path", READMES, ids=name_of)
def test_the_readme_lists_the_commands_of_the_help(path: Path) -> None:
    listed = re.findall(r"^\| `kit (\w+)` \|", read(path), re.M)
    assert sorted(listed) == sorted(commands())


@pytest.mark.parametrize("path", READMES, ids=name_of)
def test_the_row_of_kit_kernel_names_its_commands(path: Path) -> None:
    (row,) = re.findall(r"^\| `kit kernel` \|.*$", read(path), re.M)
    assert kernel_commands() <= set(re.findall(r"`(\w+)`", row))


def test_every_command_has_a_section_with_an_example() -> None:
    missing = commands() - {"kernel"}
    for path in DOCS.glob("*.md"):
        for section in re.split(r"^#+ ", read(path), flags=re.M):
            heading, _, body = section.partition("\n")
            examples = [line.split()[1] for line in re.findall(r"^kit .+$", body, re.M)]
            missing -= {name for name in missing if heading == f"kit {name}" and name in examples}
    assert missing == set()


def test_every_kernel_command_has_its_section() -> None:
    page = read(DOCS / "kaggle-gpus.md")
    sections = re.findall(r"^## (.+)$", page, re.M)
    assert {f"kit kernel {name}" for name in kernel_commands()} <= set(sections)
    assert {"kit kernel push --weights", "kit submit --kernel"} <= set(sections)
    for name in ("push_kernel", "kernel_status", "kernel_logs", "kernel_output", "kernel_quota"):
        assert f"`kit.{name}`" in page
        assert callable(getattr(kit, name))


def test_functions_that_the_documents_name_exist() -> None:
    rows = re.findall(r"^\| `kit (\w+)` \| .*`kit\.", read(DOCS / "getting-started.md"), re.M)
    assert sorted(rows) == sorted(commands())  # each command has its function
    for path in PAGES:
        for name in re.findall(r"`kit\.([a-z_]+)[`(]", read(path)):
            assert hasattr(kit, name), f"{name_of(path)}: kit.{name}"


@pytest.mark.parametrize(
    "line", sorted({line for line in shell_lines(*PAGES) if line.startswith("kit ")}), ids=str
)
def test_every_command_line_of_the_documents_is_accepted(line: str) -> None:
    # what follows ; or && is another command of the shell
    name, *arguments = shlex.split(re.split("; |&& ", line)[0])[1:]
    command = get_command(app).commands[name]  # type: ignore[attr-defined]
    if hasattr(command, "commands"):
        name, *arguments = arguments
        command = command.commands[name]
    words = words_of([name, *arguments])  # as kit itself does
    context = command.make_context(name, words[1:], resilient_parsing=False)
    assert context.params is not None


def test_make_targets_of_the_documents_exist() -> None:
    targets = set(re.findall(r"^([\w-]+):", read(PROJECT / "Makefile"), re.M))
    assert {"demo", "test", "test-all", "lint", "bench", "pictures", "clean"} <= targets
    for path in PAGES:
        named = re.findall(r"`make ([\w-]+)", read(path))
        named += [line.split()[1] for line in shell_lines(path) if line.startswith("make ")]
        assert set(named) <= targets, name_of(path)


def anchors(text: str) -> set[str]:
    """What a link may name behind ``#``: only what the forge and MkDocs both make of a heading."""
    found = set()
    for heading in headings(text):
        plain = re.sub(r"[`*]", "", heading).strip().lower()
        forge = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        ascii_only = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
        mkdocs = re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", ascii_only).strip())
        if forge == mkdocs:
            found.add(forge)
    return found


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_links_between_the_documents_lead_somewhere(path: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(read(path))):
        if re.match(r"https?:", link):
            continue
        target, _, anchor = link.partition("#")
        there = (path.parent / target).resolve() if target else path
        assert there.is_file(), link
        assert not anchor or anchor in anchors(read(there)), link


def test_every_page_is_reached_from_the_index() -> None:
    for index in (DOCS / "index.md", DOCS / "ko" / "index.md"):
        linked = {(index.parent / link).resolve() for link in re.findall(r"\]\(([^)#]+\.md)", read(index))}
        assert set(index.parent.glob("*.md")) - {index} <= linked
    linked = {(PROJECT / link).resolve() for link in re.findall(r"\]\(([^)#]+\.md)", README)}
    assert set(DOCS.glob("*.md")) - {DOCS / "index.md", DOCS / "families.md"} <= linked


def test_the_annotated_tree_names_every_room() -> None:
    (tree,) = [block for block in blocks("", read(DOCS / "architecture.md")) if "cli/" in block]
    kit_tree, others = re.match(r"kit/\n((?:  [^\n]*\n)+)(.*)", tree, re.S).groups()  # type: ignore[union-attr]
    there = {
        path.name + "/" * path.is_dir()
        for path in (PROJECT / "kit").iterdir()
        if (path.is_dir() and (path / "__init__.py").is_file()) or re.fullmatch(r"[a-z]\w*\.py", path.name)
    }
    assert {line.split()[0] for line in kit_tree.splitlines()} == there
    for line in others.splitlines():
        assert (PROJECT / line.split()[0]).is_dir(), line


def test_the_order_of_imports_is_the_tested_one() -> None:
    (chain,) = [block for block in blocks("", read(DOCS / "architecture.md")) if "←" in block]
    assert re.findall(r"\w+", chain) == [*ORDER, "api", "cli"]


@pytest.mark.parametrize("page", ["architecture.md", "first-change.md"])
def test_files_that_the_code_pages_name_exist(page: str) -> None:
    text = prose(read(DOCS / page))
    named = set(re.findall(r"`((?:kit|tests|tools|docs|ensembles)/[\w./-]+)`", text))
    assert len(named) > 15
    assert [path for path in sorted(named) if "NAME" not in path and not (PROJECT / path).exists()] == []
    code = "".join(read(one) for one in (PROJECT / "kit").rglob("*") if one.suffix in (".py", ".js"))
    tables = set(re.findall(r"`([A-Z]{3}[A-Z_]*)`", text)) - {"NAME", "NUL", "KIT_CHROMIUM"}
    assert [name for name in sorted(tables) if not re.search(rf"\b{name}\b", code)] == []


def test_the_road_has_eight_commands() -> None:
    road = README.split("## From a data file")[1].split("```console\n")[1].split("```")[0].splitlines()
    assert len(road) == 8
    assert [line.split()[1] for line in road[:2] + road[-2:]] == [
        "download",
        "check",
        "submit",
        "leaderboard",
    ]
    for page in (DOCS / "getting-started.md", DOCS / "ko" / "getting-started.md"):
        assert [line for line in shell_lines(page) if line in road][:8] == road


@pytest.mark.parametrize("folder", [DOCS, DOCS / "ko"], ids=name_of)
def test_the_messages_of_the_troubleshooting_tables_are_the_kits_own(folder: Path) -> None:
    code = "".join(map(read, (PROJECT / "kit").rglob("*.py")))
    code = re.sub(r'"\s*\n\s*f?"', "", code)  # a message may go over several lines
    messages = [cell.strip("`") for cell in first_cells(read(folder / "troubleshooting.md"))]
    assert len(messages) > 25
    assert [message for message in messages if message not in code] == []


def test_the_korean_readme_is_in_step() -> None:
    assert outline(KOREAN) == outline(README)
    for language in ("console", "python"):
        assert blocks(language, KOREAN) == blocks(language)
    assert first_cells(KOREAN) == first_cells(README)
    links = re.compile(r"\]\(([^)]+)\)")
    own = [link.replace("docs/ko/", "docs/") for link in links.findall(KOREAN)]
    assert sorted(own) == sorted(link.replace("README.ko.md", "README.md") for link in links.findall(README))


def test_the_korean_pages_are_in_step() -> None:
    for path in (DOCS / "ko").glob("*.md"):
        assert (DOCS / path.name).is_file(), path
    english, korean = (read(folder / "troubleshooting.md") for folder in (DOCS, DOCS / "ko"))
    assert outline(korean) == outline(english)
    assert first_cells(korean) == first_cells(english)
    english, korean = (read(folder / "getting-started.md") for folder in (DOCS, DOCS / "ko"))
    assert set(blocks("console", korean)) <= set(blocks("console", english))


@pytest.mark.parametrize("path", KOREAN_PAGES, ids=name_of)
def test_korean_pages_are_korean(path: Path) -> None:
    for paragraph in re.split(r"\n\n+", prose(read(path))):
        if len(paragraph) > 80 and not paragraph.startswith("|"):
            assert re.search("[가-힣]{2}", paragraph), paragraph


def test_korean_has_one_word_for_one_thing() -> None:
    for path in [*KOREAN_PAGES, *(PROJECT / "kit" / "notebooks" / "chapters").glob("*.md")]:
        # a member is 구성 모델, a test file 테스트 파일, a test set 테스트 데이터
        assert re.findall(r"구성원|시험 ?(?:파일|데이터|세트|지문|문제|정답)", read(path)) == [], path


def test_the_pictures_are_there_and_small() -> None:
    shown = set()
    for path in PAGES:
        for link in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", read(path)):
            shown.add((path.parent / link).resolve())
    assert shown == set((DOCS / "pictures").iterdir())  # MkDocs publishes docs/ alone
    assert len(shown) == 3
    for picture in shown:
        assert 4_000 < picture.stat().st_size < 300_000, picture


def test_the_presets_are_named() -> None:
    page = read(DOCS / "training.md")
    for name, preset in PRESETS.items():
        assert f"| `{name}` | `{preset.hub_id}` |" in page


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
