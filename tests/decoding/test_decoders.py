"""One member's answers: temperature, length prior and cap all have their say, by both ways."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import kit
from kit.data.records import Dataset, Question
from kit.decoding.decoders import DECODERS, Decoder, argmax_answers, decoded, forms_of
from kit.decoding.explain import Explanation
from kit.decoding.form_table import likeliest_forms
from kit.decoding.recipes import check, load_recipe
from kit.errors import ConfigError, SpanFileError
from kit.spans.blending import blended
from kit.spans.posteriors import Posterior, span_posterior
from kit.spans.run_folder import open_run
from kit.spans.store import write_spans
from kit.tuning.fitting import ways_to_try
from tests.spans import made

# The likeliest is "가나다" by 2; a prior against three characters turns that, unless odds are sharpened.
SCORES = made.scores([[(0.0, [(0, 1, 4.0, 0.0), (1, 2, 0.0, 2.0), (2, 3, 0.0, 4.0)])]])
QUESTIONS = [Question("q0", "?", "가나다라", None)]
BONUS = np.array([-np.inf, 0.0, 0.0, -3.0, -9.0])


def both_ways(**given: object) -> str:
    (short,) = argmax_answers(SCORES, QUESTIONS, length_cap=4, **given)  # type: ignore[arg-type]
    (long,) = decoded(span_posterior(SCORES, 4, **given), QUESTIONS, "argmax")  # type: ignore[arg-type]
    assert short == long
    return short


def test_prior_and_temperature() -> None:
    assert both_ways() == "가나다"
    assert both_ways(bonus=BONUS) == "가나"
    assert both_ways(bonus=BONUS, temperature=0.5) == "가나다"
    assert both_ways(temperature=0.5) == "가나다"
    assert argmax_answers(SCORES, QUESTIONS, length_cap=2) == ("가나",)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e3, 1e6])
def test_large_scores_round_and_lose_no_answer(scale: float) -> None:
    """Found by fuzzing: the bound that prunes starts had rounded above all of them."""
    nulls = [number / 7 for number in range(20)]
    large = made.scores([[(null, [(0, 2, 0.1, scale)])] for null in nulls])
    questions = [Question(f"q{number}", "?", "가나다라", None) for number in range(20)]
    for temperature in (0.001, 1.0, 1000.0):
        answers = argmax_answers(large, questions, length_cap=4, temperature=temperature)
        posterior = span_posterior(large, 4, temperature=temperature)
        assert answers == decoded(posterior, questions, "argmax")
        assert all(answers)
        mass = np.bincount(posterior.question, weights=posterior.p) + posterior.tail.sum(axis=1)
        assert mass == pytest.approx(1.0)


def test_a_question_without_scores_names_the_member() -> None:
    with pytest.raises(SpanFileError, match="five: has no scores for question q9"):
        argmax_answers(SCORES, [Question("q9", "?", "가", None)], label="five")


@pytest.mark.parametrize(("text", "place"), [("가", 0), ("다", 2), ("", None), ("하", None)])
def test_where_an_explained_text_stands(text: str, place: int | None) -> None:
    data = Dataset(Path("t.json"), "0" * 64, "klue-flat", tuple(QUESTIONS))
    assert Explanation(data.questions[0], text, text, None, ()).place == place


def _last_texts(posterior: Posterior, questions: Sequence[Question]) -> tuple[str, ...]:
    """A toy decoder: of all spans listed, the one that ends last, and of these the longest."""
    texts = []
    for number, question in enumerate(questions):
        own = slice(posterior.offsets[number], posterior.offsets[number + 1])
        spans = zip(posterior.begin[own].tolist(), posterior.end[own].tolist(), strict=True)
        begin, end = max(spans, key=lambda span: (span[1], -span[0]), default=(0, 0))
        texts.append(question.context[begin:end])
    return tuple(texts)


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Dataset:
    """The registered decoder "last", and a run ("words") with scores of one question."""
    monkeypatch.setitem(DECODERS, "last", Decoder("the span that ends last", _last_texts))
    monkeypatch.chdir(tmp_path)
    rows = [{"guid": "q0", "context": "가나다라", "question": "?", "answers": None}]
    Path("test.json").write_text(json.dumps(rows), encoding="utf-8")
    folder = Path("runs/words")
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}", encoding="utf-8")
    data = kit.load("test.json")
    scores = replace(SCORES, provenance=replace(SCORES.provenance, data_sha256=data.sha256))
    write_spans(open_run(folder).span_file(data, "full"), scores.provenance, [scores])
    text = "members: [{run: runs/words}, {run: runs/words, temperature: 2.0}]\ndecoder: last\n"
    Path("toy.yaml").write_text(text, encoding="utf-8")
    return data


def test_a_new_decoder_is_an_entry_of_the_table(toy: Dataset) -> None:
    """Recipe file, answers, explanation and report's reasons take it; kit tune says why it cannot."""
    recipe = load_recipe("toy.yaml")
    assert recipe.decoder == "last"
    assert kit.decode("toy.yaml", toy) == {"q0": "가나다"}
    found = kit.explain("toy.yaml", toy, "q0")
    assert [one.text for one in found.members] == ["가나다"] * 2
    (why,) = found.reasons
    assert why.startswith("The decoder takes the span that ends last: “가나다”, ")
    vote = recipe.model_copy(update={"blend": "vote"})
    assert kit.decode(vote, toy) == {"q0": "가나다"}
    with pytest.raises(
        ConfigError, match=r"decoder last cannot be .* many weights; use one of argmax, edit,"
    ):
        forms_of("last")
    with pytest.raises(ConfigError, match=r'decoder is "lsat"; did you mean last\? known: .*ranked, last'):
        check(recipe.model_copy(update={"decoder": "lsat"}))


def test_kit_tune_tries_a_new_decoder_that_has_a_form_for_many_weights(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(DECODERS, "twin", Decoder("as argmax", _last_texts, forms=likeliest_forms))
    assert ("mean", "twin") in ways_to_try(1)
    assert [blend for blend, decoder in ways_to_try(2) if decoder == "twin"] == ["mean", "product", "vote"]


def test_an_unknown_decoder_is_never_another_one(toy: Dataset) -> None:
    posterior = span_posterior(SCORES, 4)
    with pytest.raises(ConfigError, match='decoder is "Argmax"; did you mean argmax'):
        decoded(posterior, QUESTIONS, "Argmax")
    with pytest.raises(ConfigError, match='blend is "mode"; '):
        blended([posterior, posterior], [1.0, 1.0], "mode")
    recipe = load_recipe("toy.yaml").model_copy(update={"decoder": "beam"})
    for refused in (kit.decode, lambda *given: kit.explain(*given, "q0")):
        with pytest.raises(ConfigError, match='recipe: decoder is "beam"; known: argmax, edit, ranked, last'):
            refused(recipe, toy)
