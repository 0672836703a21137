"""Arguments of a wrong type get the kit's own one-line errors, before any file is touched."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import kit


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "answers.json"
    answers = [{"text": "하늘", "answer_start": 0}]
    rows = [{"guid": guid, "context": "하늘빛", "question": "?", "answers": answers} for guid in ("a", "b")]
    path.write_text(json.dumps(rows), encoding="utf-8")
    return path


def refusal(doing: Callable[[], object]) -> str:
    with pytest.raises(kit.KitError) as caught:
        doing()
    message = str(caught.value)
    assert "\n" not in message
    return message


ONE_PATH = "a list of 2; one path is wanted"
CALLS: list[tuple[Callable[[Any, Path], object], Any, str]] = [
    (lambda given, data: kit.load(given), ["a.json", "b.json"], f"load: is {ONE_PATH}"),
    (lambda given, data: kit.load(given), None, "load: is None; one path is wanted"),
    (lambda given, data: kit.load(given), b"a.json", "load: is a bytes; one path is wanted"),
    (lambda given, data: kit.load(given), 5, "load: is the number 5; one path is wanted"),
    (lambda given, data: kit.check(given), ["a.json", "b.json"], f"check: is {ONE_PATH}"),
    (
        lambda given, data: kit.leaks(given, data),
        7,
        "data: is the number 7; a path, a Dataset, or a list of these is wanted",
    ),
    (
        lambda given, data: kit.leaks(data, given),
        ["a.json", "b.json"],
        "data: is a list of 2; one path or Dataset is wanted",
    ),
    (lambda given, data: kit.leaks([given], data), None, "data: is None; one path or Dataset is wanted"),
    (
        lambda given, data: kit.train("klue-bert", given, run="r"),
        {"a": "b"},
        "data: is a dict of 1; a path, a Dataset, or a list of these is wanted",
    ),
    (lambda given, data: kit.train("klue-bert", data, run=given), ["a", "b"], f"run: is {ONE_PATH}"),
    (
        lambda given, data: kit.train(given, data, run="r"),
        ["klue-bert", "klue-roberta"],
        "backbone: is a list of 2; a text is wanted",
    ),
    (lambda given, data: kit.predict(given, data), ["a", "b"], f"run: is {ONE_PATH}"),
    (lambda given, data: kit.decode(given, data), ["a", "b"], f"recipe: is {ONE_PATH}"),
    (lambda given, data: kit.ensemble(given, data), ["a", "b"], f"recipe: is {ONE_PATH}"),
    (lambda given, data: kit.tune(given), ["a", "b"], f"recipe: is {ONE_PATH}"),
    (
        lambda given, data: kit.check(data, repair=given),
        "sound.csv",
        "repair sound.csv: the file is written as .json; name it sound.csv.json",
    ),
    (
        lambda given, data: kit.report("a.csv", data, out=given),
        "a.pdf",
        "out a.pdf: the file is written as .html; name it a.pdf.html",
    ),
    (
        lambda given, data: kit.tune("a.yaml", data, out=given),
        "b",
        "out b: the file is written as .yaml; name it b.yaml",
    ),
    (
        lambda given, data: kit.notebook(given),
        "first",
        "out first: the file is written as .ipynb; name it first.ipynb",
    ),
    (lambda given, data: kit.submit(given, "message"), ["a", "b"], f"csv: is {ONE_PATH}"),
    (
        lambda given, data: kit.score(given, data),
        ["하늘", ""],
        "predictions: is a list of 2; a mapping guid → text is wanted, such as dict(zip(guids, texts))",
    ),
    (
        lambda given, data: kit.score(given, data),
        {"a": None, "b": "하늘"},
        "predictions: the answer of 'a' is None, not a text (a blank is '')",
    ),
    (
        lambda given, data: kit.score(given, data),
        {1: "하늘", "b": 2.5},
        "predictions: the guid 1 is the number 1, not a text; the answer of 'b' is the number 2.5, not a "
        "text (a blank is '')",
    ),
    (
        lambda given, data: kit.write_submission("x.csv", data, given),
        ["하늘", ""],
        "answers: is a list of 2; a mapping guid → text is wanted, such as dict(zip(guids, texts))",
    ),
    (
        lambda given, data: kit.write_submission("x.csv", data, given),
        {"a": ["하늘"], "b": ""},
        "answers: the answer of 'a' is a list of 1, not a text (a blank is '')",
    ),
    (
        lambda given, data: kit.write_submission(given, data, {"a": "", "b": ""}),
        ["x", "y"],
        f"path: is {ONE_PATH}",
    ),
    (lambda given, data: kit.download(given), ["goorm-2"], "what: is a list of 1; a text is wanted"),
]


@pytest.mark.parametrize(("call", "given", "message"), CALLS)
def test_wrong_types_are_refused_in_one_line(
    data: Path, monkeypatch: pytest.MonkeyPatch, call: Callable[[Any, Path], object], given: Any, message: str
) -> None:
    monkeypatch.chdir(data.parent)
    assert refusal(lambda: call(given, data)) == message
    assert [path.name for path in data.parent.iterdir()] == ["answers.json"]


def test_paths_of_any_kind_and_datasets_are_taken(data: Path) -> None:
    loaded = kit.load(str(data))
    assert kit.load(data).sha256 == loaded.sha256
    for given in (data, str(data), loaded):
        assert kit.score({"a": "하늘", "b": ""}, given).edit == 1.0
    assert kit.write_submission(data.parent / "x.csv", loaded, {"b": "", "a": "하늘"}).is_file()
    assert kit.score(str(data.parent / "x.csv"), data).edit == 1.0
