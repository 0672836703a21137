"""Default paths: a default name never replaces what was made from something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from kit.settings.paths import own_test_file, repaired_copy, submission_csv, tuned_recipe, unused


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_name_in_use_gets_the_folder_then_a_number() -> None:
    target = submission_csv("e5")
    target.parent.mkdir()
    said: list[str] = []

    def chosen(source: str, *own: str) -> str:
        return unused(target, Path(source), lambda path: path.name in own, said.append).name

    assert chosen("runs/e5") == "e5.csv"
    target.touch()
    assert chosen("runs/e5", "e5.csv") == "e5.csv"
    assert said == []
    assert chosen("tuned/e5.yaml") == "e5-tuned.csv"
    other = target.with_name("e5-tuned.csv")
    assert said == [f"{target} was made from something else and stays; this one is {other}"]
    assert chosen("runs/e5") == "e5-2.csv"
    assert chosen("e5.yaml") == "e5-2.csv"
    for name in ("e5-tuned.csv", "e5-2.csv", "e5-3.csv"):
        target.with_name(name).touch()
    assert chosen("tuned/e5.yaml") == "e5-4.csv"
    assert chosen("tuned/e5.yaml", "e5-3.csv") == "e5-3.csv"


def test_the_test_file_beside_the_data_comes_first() -> None:
    Path("mine").mkdir()
    assert own_test_file(Path("mine/train.json")) is None
    Path("data/goorm-2").mkdir(parents=True)
    Path("data/goorm-2/test.json").touch()
    assert own_test_file(Path("mine/train.json")) == Path("data/goorm-2/test.json")
    Path("mine/test.json").touch()
    assert own_test_file(Path("mine/train.json")) == Path("mine/test.json")
    assert own_test_file(Path("mine/test.json")) == Path("data/goorm-2/test.json")


@pytest.mark.parametrize(
    ("data", "copy"),
    [
        ("a/train.json", "a/train-repaired.json"),
        ("train.json.gz", "train-repaired.json"),
        ("KLUE v1.1.zip", "KLUE v1.1-repaired.json"),
        (".hidden", ".hidden-repaired.json"),
    ],
)
def test_a_repaired_copy_is_named_after_the_file(data: str, copy: str) -> None:
    assert repaired_copy(Path(data)) == Path(copy)


def test_a_tuned_recipe_is_beside_its_recipe() -> None:
    assert tuned_recipe(Path("ensembles/five.yaml")) == Path("ensembles/tuned/five.yaml")
