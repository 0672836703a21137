"""The boundary model: it learns where golds end, and no question is scored by a model of its own gold."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from kit.data.records import Answer, Question
from kit.errors import ConfigError
from kit.ranking import boundary_fit
from kit.ranking.boundary import BoundaryModel, Refinement, refinement, with_forms
from kit.ranking.boundary_features import span_features
from kit.ranking.boundary_file import read_boundary, write_boundary, write_boundary_beside
from kit.ranking.boundary_fit import Examples, examples_of, fit_boundary, held_out_loss
from kit.ranking.text_hashing import HashedTexts
from kit.spans.minimum_risk import minimum_risk_answers
from kit.spans.posteriors import Posterior
from kit.tuning.cross_fitting import cross_fitted

NOUNS = ("무령", "한솔", "동해", "가람", "누리", "다온")


def asked(number: int) -> Question:
    """The gold is a town without its particle, between quotation marks."""
    noun = NOUNS[number % len(NOUNS)] + str(number)
    context = f"{number}번째 축제는 늦가을에 ‘{noun}시’에서 주민들이 열었다."
    return Question(f"q{number}", "축제가 열린 도시는?", context, (Answer(f"{noun}시", context.index(noun)),))


QUESTIONS = [asked(number) for number in range(40)]
EVERY = np.ones(len(QUESTIONS), dtype=bool)
GROUPS = np.arange(len(QUESTIONS))


def readers(questions: list[Question]) -> Posterior:
    """A member that prefers the gold with its marks to the gold."""
    begins, ends = [], []
    for question in questions:
        (answer,) = question.answers or ()
        begins += [answer.start - 1, answer.start, answer.start]
        ends += [answer.end + 1, answer.end, answer.end + 3]
    count = len(questions)
    return Posterior(
        np.arange(0, 3 * count + 1, 3), np.array(begins, np.int32), np.array(ends, np.int32),
        np.tile([0.5, 0.2, 0.2], count), np.full((count, 31), 0.1 / 31),
    )  # fmt: skip


def fitted(questions: list[Question], rows: np.ndarray = EVERY) -> tuple[BoundaryModel, Examples]:  # type: ignore[type-arg]
    examples = examples_of(questions, readers(questions), morphology=False)
    return fit_boundary(examples, rows, "f" * 64, 2.0), examples


def test_a_piece_hashes_alike_wherever_it_stands() -> None:
    texts = HashedTexts(["가나다 A1", "x가나다", ""])
    first, second = texts.first[:1], texts.first[1:2] + 1
    assert texts.piece(first, first + 3) == texts.piece(second, second + 3)
    assert texts.piece(first, first + 3) != texts.piece(first, first + 2)
    assert texts.whole()[1] != texts.whole()[0]
    assert texts.words(first, first + 6).tolist() == [2]
    assert texts.digits(first, first + 6).tolist() == [1]
    assert (texts.word_end(first) - first).tolist() == [3]
    assert (texts.word_begin(first + 5) - first).tolist() == [4]
    assert texts.shape(first, first + 3) == texts.shape(first + 1, first + 3)  # runs of a kind count once
    assert texts.shape(first, first + 6) != texts.shape(first, first + 3)


def test_features_do_not_depend_on_what_else_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    spread = with_forms(readers(QUESTIONS), QUESTIONS)
    given = (QUESTIONS, spread.question, spread.begin, spread.end)
    together = span_features(*given, bits=12, morphology=False)
    assert together.min() >= 0
    assert together.max() < 1 << 12
    monkeypatch.setattr("kit.ranking.boundary_features._CHUNK", 7)
    assert np.array_equal(span_features(*given, bits=12, morphology=False), together)
    own = spread.select(np.array([5]))
    alone = span_features([QUESTIONS[5]], own.question, own.begin, own.end, bits=12, morphology=False)
    assert np.array_equal(alone, together[spread.question == 5])


def test_it_moves_the_answer_to_the_end_that_golds_have() -> None:
    half = np.arange(len(QUESTIONS)) < 20
    model, examples = fitted(QUESTIONS, half)
    unseen = QUESTIONS[20:]
    plain = minimum_risk_answers(readers(unseen), unseen)
    refined = refinement(readers(unseen), unseen, model, 1.0).posterior
    answers = minimum_risk_answers(refined, unseen)
    golds = tuple(question.golds[0] for question in unseen)
    assert plain == tuple(f"‘{gold}’" for gold in golds)
    assert answers == golds
    assert held_out_loss(model, examples, ~half) < 0.5
    # mass moves between the listed spans, none to or from the tail
    assert np.add.reduceat(refined.p, refined.offsets[:-1]) == pytest.approx(np.full(20, 0.9))
    still = refinement(readers(unseen), unseen, model, 0.0)
    assert still.posterior.p == pytest.approx(still.spread.p)


def test_shorter_forms_share_the_mass_of_the_span_they_are_cut_from() -> None:
    context = "무령시에서 열렸다"
    question = Question("q", "어디서?", context, None)
    posterior = Posterior(
        np.array([0, 2]), np.array([0, 6], np.int32), np.array([5, 9], np.int32), np.array([0.6, 0.2]),
        np.zeros((1, 31)),
    )  # fmt: skip
    spread = with_forms(posterior, [question])
    spans = list(zip(spread.begin.tolist(), spread.end.tolist(), strict=True))
    assert (0, 3) in spans  # 무령시 without 에서
    mass = dict(zip(spans, spread.p.tolist(), strict=True))
    assert mass[0, 3] == pytest.approx(mass[0, 5] / 2)
    assert spread.p.sum() == pytest.approx(0.8)


def test_nothing_listed_stays_nothing() -> None:
    nothing = Posterior(
        np.zeros(3, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0), np.ones((2, 9)) / 9
    )
    assert len(Refinement(nothing, np.zeros(0), 0.5).posterior.p) == 0
    model = BoundaryModel(np.zeros(256, np.float32), False, "", 2.0)
    assert len(refinement(nothing, QUESTIONS[:2], model, 0.5).posterior.p) == 0


def test_the_same_examples_give_the_same_bytes() -> None:
    first, _ = fitted(QUESTIONS)
    again, _ = fitted(QUESTIONS)
    assert first.digest == again.digest
    blank = replace(QUESTIONS[0], answers=(Answer("", 0),))
    examples = examples_of(
        [blank, replace(QUESTIONS[1], answers=None)], readers(QUESTIONS[:2]), morphology=False
    )
    assert len(examples.gold) == 0  # nothing to learn from
    assert not fit_boundary(examples, np.ones(2, bool), "", 2.0).weights.any()
    assert held_out_loss(first, examples, np.ones(2, bool)) == 0


def test_no_question_is_scored_by_a_model_that_saw_its_gold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the golds of a group are, the scores of its own spans stay as they are."""
    monkeypatch.setattr("kit.text_rules.particles.installed", lambda: False)
    monkeypatch.setattr("kit.tuning.cross_fitting.PENALTIES", (2.0,))
    monkeypatch.setattr(boundary_fit, "BITS", 12)
    rows = np.arange(len(QUESTIONS)) >= 8  # what everything is fitted on
    blend = readers(QUESTIONS)

    def scores(questions: list[Question]) -> np.ndarray:  # type: ignore[type-arg]
        crossed = cross_fitted(blend, questions, GROUPS, rows)
        return crossed.refinement.scores

    honest = scores(QUESTIONS)
    question = with_forms(blend, QUESTIONS).question
    for number in (0, 8, 39):
        context = QUESTIONS[number].context
        spoiled = list(QUESTIONS)
        spoiled[number] = replace(QUESTIONS[number], answers=(Answer(context[:3], 0),))
        found = scores(spoiled)
        assert np.array_equal(found[question == number], honest[question == number])
        # Golds outside *rows* change nothing at all; those inside change the scores of others.
        assert np.array_equal(found, honest) == (not rows[number])


def test_it_survives_the_disk_and_damage_is_named(tmp_path: Path) -> None:
    model, _ = fitted(QUESTIONS)
    path = write_boundary_beside(tmp_path / "five.yaml", model)
    assert path == tmp_path / f"five-{model.digest[:8]}.boundary"
    again = read_boundary(path)
    assert np.array_equal(again.weights, model.weights)
    assert (again.morphology, again.fitted_on, again.l2) == (False, "f" * 64, 2.0)
    whole = path.read_bytes()
    write_boundary(path, model)
    assert path.read_bytes() == whole
    about = {
        "format": "kit boundary 1",
        "morphology": False,
        "fitted_on": "",
        "l2": 1.0,
        "weights_sha256": "0",
    }
    few = np.zeros(256, np.float32)
    damaged = {
        "HeaderTooLarge|header": b"\xff" * 100,
        "not those that were written": whole[:-4] + b"\x00\x00\x80\x3f",
        "format 'kit boundary 9'": save(
            {"weights": few}, {"about": json.dumps(about | {"format": "kit boundary 9"})}
        ),
        "not a row of float32": save({"weights": few[:100].copy()}, {"about": json.dumps(about)}),
        "too many, too few or too large": save({"weights": few + np.nan}, {"about": json.dumps(about)}),
        "neither true nor false": save({"weights": few}, {"about": json.dumps(about | {"morphology": 1})}),
        "about": save({"weights": few}),
    }
    for reason, content in damaged.items():
        path.write_bytes(content)
        with pytest.raises(ConfigError, match=f"is not a boundary model of this kit .*({reason})"):
            read_boundary(path)
    with pytest.raises(ConfigError, match="no such boundary model; kit tune writes it beside the recipe"):
        read_boundary(tmp_path / "none.boundary")


def test_parts_of_speech_need_their_library(monkeypatch: pytest.MonkeyPatch) -> None:
    spread = readers(QUESTIONS[:1])
    given = (QUESTIONS[:1], spread.question, spread.begin, spread.end)
    plain = span_features(*given, bits=12, morphology=False)
    with_it = span_features(*given, bits=12, morphology=True)
    assert with_it.shape[1] > plain.shape[1]
    assert np.array_equal(with_it[:, : plain.shape[1]], plain)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    model = BoundaryModel(np.zeros(256, np.float32), True, "", 2.0)
    with pytest.raises(
        ConfigError, match=r"the boundary model needs kiwipiepy, .+ 'korean-mrc-kit\[particles\]'"
    ):
        model.scores(*given)
