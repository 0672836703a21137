"""Twelve families of backbones that stand for all kinds; `python -m tools.families` tries every one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.families.family_trials import Files, make_files, try_family
from tools.families.tiny_models import FAMILIES

KINDS = {
    "bert": "absolute positions, segments",
    "roberta": "positions from padding on, byte-level pieces, two separators",
    "deberta-v2": "relative positions",
    "albert": "one layer for all",
    "big_bird": "blocks of attention, another head",
    "modernbert": "rotary positions, windows of attention, another head",
    "funnel": "pooled tokens",
    "xlm": "languages",
    "bart": "an encoder with a decoder",
    "t5": "no CLS token: refused",
    "nomic_bert": "no class in the library",
    "llama": "a decoder whose class calls its body otherwise",
}
COLUMNS = ("train", "predict", "neighbours", "reload")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return make_files(tmp_path_factory.mktemp("families") / "data")


QUICK = ("deberta-v2", "bart", "t5", "llama")


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in KINDS]
)
def test_a_family_trains_predicts_and_loads_again(name: str, files: Files, tmp_path: Path) -> None:
    verdicts = try_family(name, tmp_path, files, COLUMNS)
    if name == "t5":
        assert verdicts["train"].endswith("(tokenizer.json: post_processor) puts first")
        return
    assert verdicts == dict.fromkeys(COLUMNS, "yes")


def test_the_table_has_every_family_and_no_traceback(project: Path) -> None:
    text = (project / "docs" / "families.md").read_text(encoding="utf-8")
    rows = [line.split(" | ")[0].removeprefix("| ") for line in text.splitlines() if line.startswith("| ")]
    assert rows[2:] == list(FAMILIES)
    assert "TRACEBACK" not in text
    assert "TIMEOUT" not in text
