"""``kit tune``: the recipe it writes, its table as JSON, and where it looks for the training file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import kit
from kit.cli.tune import tune
from kit.data.records import Dataset
from kit.decoding.recipes import load_recipe
from kit.errors import ConfigError
from kit.tuning.members import find_training_data
from tests.tuning.test_nested import data, one_start, recipe

__all__ = ["data", "one_start", "recipe"]
ELSEWHERE = r"training data \(train.json\) are not in \. or data; copy the file to data, or name it with"


def test_json_names_the_recipe_that_was_written(
    recipe: Path, capsys: pytest.CaptureFixture[str], one_start: None
) -> None:
    tune(recipe, out=Path("best.yaml"), as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert found["recipe"] == "best.yaml"
    assert {member.run for member in load_recipe(Path("best.yaml")).members} <= {
        "runs/words", "runs/letters", "runs/noise"
    }  # fmt: skip
    labels = [row["label"] for row in found["rows"]]
    assert found["method"] in labels
    assert all(row["interval"]["low"] <= row["edit"] <= row["interval"]["high"] for row in found["rows"])


def test_the_training_file_is_found_by_its_hash(data: Dataset, recipe: Path) -> None:
    Path("data/train.json").rename("data/other.json")
    with pytest.raises(
        ConfigError,
        match=ELSEWHERE,
    ):
        kit.tune(recipe)
    # nor is one taken that a download has not put in its place
    Path("data/.goorm-2.k1lled00.part/files").mkdir(parents=True)
    Path("data/other.json").rename("data/.goorm-2.k1lled00.part/files/train.json")
    with pytest.raises(
        ConfigError,
        match=ELSEWHERE,
    ):
        kit.tune(recipe)
    # but one in a folder that is a link is
    Path("elsewhere").mkdir()
    Path("data/.goorm-2.k1lled00.part/files/train.json").rename("elsewhere/train.json")
    Path("data/goorm-2").symlink_to(Path("elsewhere").resolve())
    assert find_training_data(load_recipe(recipe), Path()) == Path("data/goorm-2/train.json")


def test_a_hand_made_file_of_the_tuned_name_stays(data: Dataset, recipe: Path, one_start: None) -> None:
    Path("tuned").mkdir()
    Path("tuned/three.yaml").write_text("members: [{run: runs/words}]\n", encoding="utf-8")
    said: list[str] = []
    assert kit.tune(recipe, say=said.append).path == Path("tuned/three-2.yaml")
    assert "tuned/three.yaml was made from something else and stays; this one is tuned/three-2.yaml" in said
    assert kit.tune(recipe).path == Path("tuned/three-2.yaml")
    assert load_recipe(Path("tuned/three.yaml")).members[0].run == "runs/words"
