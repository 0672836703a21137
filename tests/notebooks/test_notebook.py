"""The notebook: valid, the same bytes every time, in both languages, and it runs from first cell to last."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from markdown_it import MarkdownIt
from nbclient import NotebookClient
from typer.main import get_command

import kit
from kit.cli import app
from kit.errors import ConfigError
from kit.notebooks.chapters import HOSTS, LANGUAGES, Host, Language, chapters, code

PROJECT = Path(kit.__file__).resolve().parent.parent
VARIANTS = [(host, language) for host in HOSTS for language in LANGUAGES]
HANGUL = re.compile("[가-힣]")


def made(folder: Path, host: Host, language: Language = "both", **options: Any) -> Any:
    path = kit.notebook(folder / f"{host}-{language}.ipynb", host=host, language=language, **options)
    return nbformat.read(path, as_version=4)


def sources(notebook: Any, kind: str) -> Iterator[str]:
    return (cell.source for cell in notebook.cells if cell.cell_type == kind)


@pytest.mark.parametrize(("host", "language"), VARIANTS)
def test_it_is_valid_and_the_same_every_time(tmp_path: Path, host: Host, language: Language) -> None:
    notebook = made(tmp_path, host, language)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) >= (4, 5)
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    again = kit.notebook(tmp_path / "again.ipynb", host=host, language=language)
    assert again.read_bytes() == (tmp_path / f"{host}-{language}.ipynb").read_bytes()
    for source in sources(notebook, "code"):
        ast.parse(source)
        assert "ko: " not in source
        assert max(map(len, source.split("\n"))) <= 120


@pytest.mark.parametrize("host", HOSTS)
def test_each_language_alone_is_whole(tmp_path: Path, host: Host) -> None:
    korean, english, both = (made(tmp_path, host, language) for language in ("ko", "en", "both"))
    assert [cell.id for cell in korean.cells] == [cell.id for cell in english.cells]
    for source in sources(korean, "markdown"):
        assert HANGUL.search(source)
    for one, other, together in zip(
        *(list(sources(n, "markdown")) for n in (korean, english, both)), strict=True
    ):
        for text in (one, other):
            body = text.partition("\n")[2] if text.startswith("#") else text
            assert body.strip() in together
        assert one.startswith("#") == other.startswith("#")
        assert together.count("\n#") == 0  # one heading for both
    programs = [[ast.dump(ast.parse(s)) for s in sources(n, "code")] for n in (korean, english, both)]
    assert programs[0] == programs[1] == programs[2]


def test_korean_is_polite_throughout() -> None:
    """합니다체: every sentence that ends, ends politely."""
    ends = re.compile(r"([가-힣]+)[.?!](?=\s|$|\*|\))")
    for name, parts in chapters().items():
        for part in parts:
            if part.kind == "ko":
                # without code, addresses, and the bold words that head a paragraph
                prose = re.sub(r"`[^`]*`|<[^>]*>|^(\d\. )?\*\*[^*]*[.?]\*\*", "", part.text, flags=re.M)
                for word in ends.findall(prose):
                    assert re.search("(니다|시오|까요|니까)$", word), (name, word)


@pytest.mark.parametrize("language", LANGUAGES)
def test_its_markdown_is_read_as_meant(tmp_path: Path, language: Language) -> None:
    """Emphasis that ends in punctuation before a particle, for one, is none to Markdown."""
    for host in HOSTS:
        for source in sources(made(tmp_path, host, language), "markdown"):
            html = re.sub("<code>.*?</code>", "", MarkdownIt().render(source), flags=re.S)
            assert "*" not in html, html
            assert "`" not in html, html


def test_the_settings_are_one_cell_at_the_top(tmp_path: Path) -> None:
    for host in HOSTS:
        first = next(sources(made(tmp_path, host), "code"))
        for name in ("BUILT_IN", "COMPETITION", "BACKBONE", "RUN", "EPOCHS", "FOLDS", "BATCH_SIZE", "SUBMIT"):
            assert f"\n{name} = " in first
        assert ("DATA = " in first) == (host != "kaggle")


def test_a_cell_keeps_the_comments_of_its_language() -> None:
    text = "# ko: 하나\n# en: one\nx = 1  # en: stays, since it is no line of its own\n"
    assert code(text, "ko") == "# 하나\nx = 1  # en: stays, since it is no line of its own\n"
    assert code(text, "en").startswith("# one\nx")
    assert code(text, "both").startswith("# 하나\n# one\nx")


def test_what_it_calls_exists(tmp_path: Path) -> None:
    commands = set(get_command(app).commands)  # type: ignore[attr-defined]
    called = set()
    for host in HOSTS:
        notebook = made(tmp_path, host)
        for source in sources(notebook, "code"):
            called |= set(re.findall(r"\bkit\.(\w+)\(", source))
        for source in sources(notebook, "markdown"):
            for name in re.findall(r"`kit[. ](\w+)", source):
                assert name in commands or name in kit.__all__, name
    assert called <= set(kit.__all__)
    road = "download check leaks train predict decode score tune ensemble explain submit leaderboard"
    assert set(road.split()) <= called


def test_nothing_is_sent_and_torch_is_kept(tmp_path: Path) -> None:
    for host in HOSTS:
        cells = list(sources(made(tmp_path, host), "code"))
        assert sum("SUBMIT = False" in cell for cell in cells) == 1
        for cell in cells:
            if "kit.submit(" in cell:
                assert cell.startswith("if SUBMIT and not BUILT_IN:\n")
        installing = [cell for cell in cells if '"--constraint"' in cell]
        assert len(installing) == (host != "local")
        assert any(".mount(" in cell for cell in cells) == (host == "colab")
        assert any("/kaggle/input" in cell for cell in cells) == (host == "kaggle")


def test_the_kit_that_it_carries_can_be_installed(tmp_path: Path) -> None:
    (cell,) = [source for source in sources(made(tmp_path, "colab"), "code") if "WHEEL = " in source]
    program = (
        f"from pathlib import Path\n{cell}\n"
        "import subprocess, sys\n"
        "words = 'pip install --quiet --no-deps --no-index --target there'.split()\n"
        "subprocess.run([sys.executable, '-m', *words, the_kit()], check=True)\n"
    )
    (tmp_path / "install.py").write_text(program, encoding="utf-8")
    subprocess.run([sys.executable, "install.py"], cwd=tmp_path, check=True, timeout=120)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "there")}
    asked = "import kit, importlib.metadata as m; print(kit.__file__, m.version('korean-mrc-kit'))"
    done = subprocess.run(
        [sys.executable, "-c", asked],
        cwd=tmp_path,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == [str(tmp_path / "there" / "kit" / "__init__.py"), kit.__version__]
    own = {path.relative_to(PROJECT / "kit") for path in (PROJECT / "kit").rglob("*") if path.suffix == ".md"}
    assert own
    assert all((tmp_path / "there" / "kit" / path).is_file() for path in own)


def test_another_requirement_is_installed_in_its_place(tmp_path: Path) -> None:
    cells = list(sources(made(tmp_path, "kaggle", install="git+https://example.org/kit@main"), "code"))
    assert not any("WHEEL" in cell for cell in cells)
    assert any("return 'git+https://example.org/kit@main'" in cell for cell in cells)


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_the_local_one_runs_in_jupyter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIT_NOTEBOOK_BUILT_IN", "1")
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    notebook = made(tmp_path, "local")
    for cell in notebook.cells:  # on a small corpus, and still better than blank
        cell.source = cell.source.replace("train_contexts=1000", "train_contexts=60")
    NotebookClient(notebook, timeout=1200, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = {cell.id: text(cell) for cell in notebook.cells if cell.cell_type == "code"}
    assert "an effective batch of 8" in "".join(shown.values())
    assert "Levenshtein" not in "".join(shown.values())
    standing = next(told for told in shown.values() if "all blank" in told and "course-2022" in told)
    assert "length prior, edit" in standing
    assert any("local estimate " in told for told in shown.values())
    assert any("nothing was sent" in told for told in shown.values())
    truth = kit.load(tmp_path / "data" / "built-in" / "test_answers.json")
    score = kit.score(tmp_path / "submissions" / "first.csv", truth)
    blank = kit.score({question.guid: "" for question in truth}, truth)
    assert score.edit < blank.edit
    card = json.loads((tmp_path / "submissions" / "first.json").read_text(encoding="utf-8"))
    assert card["estimate"]["edit"] is not None
    assert not (tmp_path / "submissions" / "ledger.jsonl").exists()


def text(cell: Any) -> str:
    """What a cell showed, as text."""
    return "".join(one.get("text") or one.get("data", {}).get("text/plain", "") for one in cell.outputs)


@pytest.mark.parametrize("host", ["colab", "kaggle"])
def test_the_others_prepare_what_the_same_cells_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: Host
) -> None:
    """The cells that differ from the local notebook's run; the others are the same, which runs in Jupyter."""
    monkeypatch.setenv("KIT_NOTEBOOK_BUILT_IN", "1")
    monkeypatch.chdir(tmp_path)
    cells = {name: list(sources(made(tmp_path, name), "code")) for name in ("local", host)}
    own = [number for number, source in enumerate(cells[host]) if source not in cells["local"]]
    common = [source for source in cells[host] if source in cells["local"]]
    left_out = [source for source in cells["local"] if source not in common]
    assert len(own) - len(left_out) <= 4  # the wheel, its installation, the place, secrets
    assert common == [source for source in cells["local"] if source in common]
    data = next(number for number, source in enumerate(cells[host]) if "train_contexts=1000" in source)
    assert [number for number in own if number > data] == [
        number for number, source in enumerate(cells[host]) if "kaggle_secrets" in source
    ]
    names: dict[str, Any] = {}
    for number in (*range(data + 1), *own[own.index(max(n for n in own if n < data)) + 1 :]):
        exec(cells[host][number].replace("train_contexts=1000", "train_contexts=20"), names)
    assert len(kit.load(Path(names["DATA"], "train.json"))) > 60
    assert Path(names["BACKBONE"], "model.safetensors").is_file()


@pytest.mark.parametrize("layout", ["new", "old"])
def test_the_kaggle_one_finds_its_own_data_and_backbone(tmp_path: Path, layout: str) -> None:
    slug, root = "k-digital-goorm-2-korean-mrc", tmp_path / "input"
    cells = sources(made(tmp_path, "kaggle"), "code")
    (cell,) = [source for source in cells if "competition_file(" in source]
    names: dict[str, Any] = {
        "Path": Path, "BUILT_IN": False, "COMPETITION": "goorm-2", "INPUT": str(root),
        "BACKBONE": f"{root}/mine",
    }  # fmt: skip
    (root / "a").mkdir(parents=True)
    (root / "a" / "train.json").write_text("another's")
    with pytest.raises(ConfigError, match=rf"^{slug} is not mounted .*; mounted: a; attach the competition"):
        exec(cell, names)
    data = root / (f"competitions/{slug}" if layout == "new" else slug)
    model = root / ("datasets/person/mine" if layout == "new" else "mine")
    for folder in (data, model):
        (tmp_path / folder.name).mkdir()
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.symlink_to(tmp_path / folder.name)
    (data / "train.json").write_text("[]")
    exec(cell, names)
    assert (names["DATA"], names["BACKBONE"]) == (str(data), str(model))
    exec(cell, {**names, "BACKBONE": "klue-bert"})
