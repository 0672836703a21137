"""The experiments still run, and their tables compare what they say they compare."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import kit
from kit.data import demo_corpus
from kit.data import folds as data_folds
from kit.modeling.tiny import Shape, make_backbone
from tools.experiments import outside_data, training_options


@pytest.mark.slow
def test_options_are_measured_beside_the_plain_recipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = demo_corpus.write(tmp_path / "data", train_contexts=24, test_contexts=1)
    texts = [question.context for question in kit.load(files.train)]
    make_backbone(tmp_path / "tiny", texts, "wordpiece", Shape(600, 32, 2, 2, 64, 160), seed=1)
    short = {"epochs": 1.0, "max_length": 160, "stride": 40, "limit": 24, "lr": 1e-3}
    monkeypatch.setattr(training_options, "PLAIN", training_options.PLAIN | short)
    monkeypatch.setattr(training_options, "FIRST", {"seed": 0})
    training_options.first(str(tmp_path / "tiny"), files.train, tmp_path / "runs")
    wanted = ["plain", "ema-seed-2", "soften", "joint", "joint-seed-2"]
    training_options.train(files.train, tmp_path / "runs", wanted)
    lines, _, over_seeds = training_options.show(files.train, tmp_path / "runs").partition("\n\n")
    rows = [line.split(" | ") for line in lines.splitlines()[2:]]
    names = [row[0].strip("| ") for row in rows]
    assert names == ["first", "plain", "ema-seed-2", "ema-seed-2-last", *wanted[2:]]
    paired = [row[4].partition(" (")[0] for row in rows]
    assert [bool(text) for text in paired] == [False, False, True, False, True, True, True]
    means = [float(row[2].partition(" (")[0]) for row in rows]
    assert float(paired[4]) == pytest.approx(means[4] - means[1], abs=2e-3)
    assert float(paired[2]) == pytest.approx(means[2] - means[3], abs=2e-3)
    assert float(paired[6]) == pytest.approx(means[6] - means[3], abs=2e-3)
    both = over_seeds.removeprefix("joint, 2 seeds: ").partition(" (")[0]
    assert float(both) == pytest.approx((float(paired[5]) + float(paired[6])) / 2, abs=2e-3)
    (averaged,) = (tmp_path / "runs/ema-seed-2/spans").glob("oof-*.fold-0.safetensors")
    last = tmp_path / "runs/ema-seed-2-last.safetensors"
    assert averaged.read_bytes() != last.read_bytes()  # scores of other weights, told apart


@pytest.mark.slow
def test_outside_data_are_measured_beside_the_own_data_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = demo_corpus.write(tmp_path / "data", train_contexts=30, test_contexts=1)
    given = kit.load(files.train)
    make_backbone(
        tmp_path / "tiny", [question.context for question in given], "wordpiece",
        Shape(600, 32, 2, 2, 64, 160), seed=1,
    )  # fmt: skip
    short = {"max_length": 160, "stride": 40, "lr": 1e-3}
    monkeypatch.setattr(outside_data, "SETTINGS", outside_data.SETTINGS | short)
    folder = tmp_path / "runs"
    outside_data.split(files.train, folder)
    parts = [kit.load(folder / f"{name}.json") for name in outside_data.FILES]
    assert sorted(question.guid for part in parts for question in part) == sorted(
        question.guid for question in given
    )
    labels = data_folds.groups([question for part in parts for question in part])
    ends = np.cumsum([len(part) for part in parts])[:-1]
    of_parts = [set(part.tolist()) for part in np.split(labels, ends)]
    assert of_parts[0].isdisjoint(of_parts[1] | of_parts[2])
    assert of_parts[1].isdisjoint(of_parts[2])

    outside_data.train(str(tmp_path / "tiny"), folder, [])
    rows = [line.strip("| ").split(" | ") for line in outside_data.show(folder).splitlines()[2:]]
    assert [row[0] for row in rows] == ["own", "two-stages", "mixed"]
    means = [float(row[2].partition(" (")[0]) for row in rows]
    assert rows[0][4] == ""
    for row, mean in zip(rows[1:], means[1:], strict=True):
        assert float(row[4].partition(" (")[0]) == pytest.approx(mean - means[0], abs=2e-3)
    steps = [int(row[5].partition(" ")[0]) for row in rows]
    assert max(steps) - min(steps) <= 2
