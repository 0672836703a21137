"""The documentation's site: every page is listed, and links out of docs/ lead somewhere."""

from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from tools.docs_links import on_page_markdown

PROJECT = Path(__file__).resolve().parents[2]


def pages(nav: Any) -> list[str]:
    """The files in a list of mkdocs.yml, at any depth."""
    if isinstance(nav, str):
        return [nav]
    parts = nav if isinstance(nav, list) else nav.values()
    return [page for part in parts for page in pages(part)]


def test_every_page_is_listed_once() -> None:
    listed = pages(yaml.safe_load((PROJECT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"])
    docs = PROJECT / "docs"
    assert sorted(listed) == sorted(path.relative_to(docs).as_posix() for path in docs.rglob("*.md"))


def linked(text: str, page: str, root: Path, url: str | None) -> str:
    config = {"docs_dir": str(root / "docs"), "repo_url": url}
    return on_page_markdown(
        text, page=SimpleNamespace(file=SimpleNamespace(src_uri=page)), config=config, files=None
    )


@pytest.mark.parametrize(
    ("text", "page", "url", "wanted"),
    [
        ("see [x](data.md#a)", "index.md", "https://forge/kit", "see [x](data.md#a)"),
        ("[x](../data.md)", "ko/index.md", "https://forge/kit", "[x](../data.md)"),
        ("[x](../setup.py#L3)", "index.md", "https://forge/kit/", "[x](https://forge/kit/blob/main/setup.py#L3)"),
        ("[x](../../setup.py)", "ko/index.md", "https://forge/kit", "[x](https://forge/kit/blob/main/setup.py)"),
        ("[x](../setup.py), [y](../setup.py)", "index.md", None, "x, y"),
        ("![x](../picture.svg)", "index.md", None, "![x](../picture.svg)"),
    ],
)  # fmt: skip
def test_links_out_of_the_documents(
    text: str, page: str, url: str | None, wanted: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "setup.py").touch()
    assert linked(text, page, tmp_path, url) == wanted
    assert not caplog.records


def test_a_link_to_a_missing_file_is_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    linked("[x](../gone.md)", "data.md", tmp_path, None)
    assert [(record.levelno, record.message) for record in caplog.records] == [
        (logging.WARNING, "data.md links to ../gone.md, which does not exist")
    ]
