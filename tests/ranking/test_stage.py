"""The second stage in a recipe sees its members in their own order, each run as the mean of its folds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kit.data.records import Question
from kit.errors import ConfigError
from kit.ranking import stage
from kit.ranking.features import Candidates
from kit.settings.recipe import Member, Recipe
from kit.settings.runs import DataFile, FoldRecord, RunRecord
from kit.settings.training import TrainingSettings
from kit.spans.blending import blended
from kit.spans.posteriors import span_posterior
from kit.spans.recipe_members import ScoreSource
from kit.spans.run_folder import Run
from tests.spans import made

QUESTIONS = [Question("q0", "?", "가나다라", None)]


def opened(name: str, weights: str, folds: int) -> Run:
    fold = FoldRecord(
        held_out=1, steps=1, seconds=1.0, windows=1, weights_sha256=weights * 64, metrics={}
    )  # fmt: skip
    record = RunRecord(
        backbone="b", settings=TrainingSettings(), data=(DataFile(name="t", sha256="0" * 64, questions=1),),
        answer_lengths={"2": 3}, folds={str(number): fold for number in range(folds)},
    )  # fmt: skip
    return Run(Path(name), record)


class Seen:
    """A ranker that takes each question's first candidate, and keeps what it was shown."""

    def __init__(self, fitted_on: str) -> None:
        self.fitted_on, self.boundary = fitted_on, ""
        self.candidates: Any = None

    def chosen(self, candidates: Candidates) -> Any:
        self.candidates = candidates
        return candidates.offsets[:-1]


def test_members_come_in_their_order_and_folds_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [opened("a", "1", 2), opened("b", "2", 1)]
    digests = ["d1", "d0"]
    assert stage.member_order(digests) == [1, 0]
    assert stage.member_order(digests[::-1]) == [0, 1]
    generator = np.random.default_rng(1)
    parts = [
        span_posterior(
            made.scores([[(0.0, [(at, at + 1, *generator.normal(size=2)) for at in range(4)])]]), 4
        )
        for _ in range(3)
    ]
    sources = [
        ScoreSource("a 0", "a", "0", Path("x"), 0.25, 1.0, runs[0], digest="d1"),
        ScoreSource("a 1", "a", "1", Path("y"), 0.25, 1.0, runs[0], digest="d1"),
        ScoreSource("b", "b", "0", Path("z"), 0.5, 1.0, runs[1], digest="d0"),
    ]
    blend = blended(parts, [0.25, 0.25, 0.5], "mean")
    recipe = Recipe(members=(Member(run="a"), Member(run="b")), decoder="ranked", ranker="r", length_cap=4)
    seen = Seen(stage.fitted_on(digests))
    monkeypatch.setattr(stage, "read_ranker", lambda path: seen)
    (text,) = stage.ranked_texts(recipe, sources, parts, blend, QUESTIONS)
    assert text == seen.candidates.texts[0]
    of = {"a": blended(parts[:2], [1.0, 1.0], "mean"), "b": parts[2]}
    for place, name in enumerate(("b", "a")):
        column = seen.candidates.names.index(f"p_{place}")
        own = dict.fromkeys(seen.candidates.texts, 0.0)
        for begin, end, p in zip(of[name].begin, of[name].end, of[name].p, strict=True):
            if QUESTIONS[0].context[begin:end] in own:
                own[QUESTIONS[0].context[begin:end]] += p
        assert seen.candidates.values[:, column].tolist() == pytest.approx(list(own.values()))


def test_a_bare_checkpoint_has_no_second_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    source = ScoreSource("a", "a", "full", Path("x"), 1.0, 1.0, Run(Path("a"), None))
    recipe = Recipe(members=(Member(run="a"),), decoder="ranked", ranker="r")
    monkeypatch.setattr(stage, "read_ranker", lambda path: Seen(""))
    part = span_posterior(made.scores([[(0.0, [(0, 1, 1.0, 1.0)])]]), 4)
    with pytest.raises(ConfigError, match="a: decoder: ranked needs runs that kit train made"):
        stage.ranked_texts(recipe, [source], [part], part, QUESTIONS)
