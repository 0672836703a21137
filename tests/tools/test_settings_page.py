"""The settings page: a row for every option, made from its declaration."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

from kit.settings.job import TrainKeywords
from kit.settings.option import GROUPS, flag_of, options_of
from kit.settings.sweep_options import SweepOptions
from tools.settings_page import PLACES, on_page_markdown, tables, with_tables

PROJECT = Path(__file__).resolve().parents[2]


def test_every_option_has_one_row() -> None:
    for model in (TrainKeywords, SweepOptions):
        rows = re.findall(r"^\| `(--[\w-]+)` \|", tables(model), re.M)
        assert sorted(rows) == sorted(flag_of(name, known) for name, known in options_of(model).items())
    assert re.findall(r"^### (.*)$", tables(TrainKeywords), re.M) == list(GROUPS)


def test_a_row_has_default_bounds_help_and_marks() -> None:
    lines = tables(TrainKeywords).splitlines()
    for row in (
        "| `--lr` | preset's, else 3e-05 | > 0, < 1 | Peak learning rate | yes |  | yes |",
        "| `--schedule` | linear | linear, cosine | How the learning rate falls | yes |  | yes |",
        "| `--compile` |  |  | Use torch.compile; pays on long trainings on a GPU |  | yes | yes |",
        "| `--resume` |  |  | Continue from the last complete checkpoint |  |  |  |",
        "| `--seed` | 42 | ≥ 0, < 4294967296 | Random seed of the training |  |  | yes |",
        "| `--run` | required |  | Folder of the run, such as runs/klue-bert |  |  |  |",
    ):
        assert row in lines
    assert "| `--keep` | 1 | ≥ 0 | Number of best trials whose weights are kept |" in tables(SweepOptions)


def test_the_page_gets_its_tables_when_the_site_is_built() -> None:
    page = (PROJECT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert all(page.count(place) == 1 for place in PLACES)
    place = SimpleNamespace(file=SimpleNamespace(src_uri="settings.md"))
    built = on_page_markdown(page, page=place, config={}, files=None)
    assert built == with_tables(page)
    assert not any(place in built for place in PLACES)
    other = SimpleNamespace(file=SimpleNamespace(src_uri="data.md"))
    assert on_page_markdown(page, page=other, config={}, files=None) == page
    assert "settings_page.py" in (PROJECT / "mkdocs.yml").read_text(encoding="utf-8")
