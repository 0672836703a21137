"""What a run without a recipe is decoded by: settings that need no tuning, from the lengths it recorded."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import kit
from kit.data.records import Dataset, Question
from kit.decoding.decoders import argmax_answers
from kit.decoding.default import PLAIN, Decoding, default_decoding, recipe_of_runs
from kit.errors import ConfigError
from kit.settings.recipe import Member, Recipe
from kit.settings.runs import PLAIN_DECODING
from kit.spans.run_folder import member_scores, open_run
from tests.decoding.test_ensembles import data, make_run, place, three
from tests.spans.made import letters, scores, scores_of, words

__all__ = ["data", "place", "three"]

CONTEXT = "가나다라마바사아"
LOGITS = {0: (5.0, 0.0), 1: (0.0, 4.9), 6: (4.9, 0.0), 7: (0.0, 5.0)}
"""Start and end of each letter: the likeliest start belongs to "가나", the likeliest end to "사아"."""
CROSSED = scores([[(0.0, [(at, at + 1, *LOGITS.get(at, (0.0, 0.0))) for at in range(8)])]])
QUESTION = Question("q0", "무엇인가?", CONTEXT, None)


@pytest.mark.parametrize(
    ("lengths", "words"),
    [
        ({3: 10, 4: 5}, "edit with length_prior 0.5, cap 30"),
        ({}, "edit with no length prior, cap 30"),
        ({3: 990, 200: 10}, "edit with length_prior 0.5, cap 30"),  # one answer in a hundred is cut
        ({3: 989, 45: 3, 200: 8}, "edit with length_prior 0.5, cap 45"),
        ({50: 1, 80: 1}, "edit with length_prior 0.5, cap 80"),
        ({5000: 1}, "edit with length_prior 0.5, cap 1000"),  # as far as a recipe goes
    ],
)
def test_the_default_follows_the_known_lengths(lengths: dict[int, int], words: str) -> None:
    assert str(default_decoding(lengths)) == words


def test_plain_is_a_recipe_without_keys_and_what_old_records_had() -> None:
    assert Decoding.of(Recipe(members=(Member(run="runs/a"),))) == PLAIN
    assert str(PLAIN) == PLAIN_DECODING == "argmax with no length prior, cap 60"


def test_a_span_from_one_answer_to_another_is_not_taken() -> None:
    def answer(decoding: Decoding, lengths: dict[int, int]) -> str:
        (text,) = decoding.answers(CROSSED, [QUESTION], lengths)
        return text

    lengths = {2: 100}
    assert answer(PLAIN, lengths) == CONTEXT
    assert answer(default_decoding(lengths), lengths) == "가나"
    assert answer(Decoding("argmax", 0.5, 30), lengths) == "가나"
    assert answer(default_decoding({}), {}) == "가나"  # of least expected distance, without a prior
    assert answer(Decoding("argmax", 0.0, 30), {}) == CONTEXT


def test_a_run_is_decoded_by_the_default_or_plainly(three: None, data: Dataset) -> None:
    differs = []
    for name in ("words", "noise"):
        run = open_run(Path("runs") / name)
        own = member_scores(run, "full", data)
        expected = default_decoding({3: 10, 4: 5}).answers(own, data.questions, {3: 10, 4: 5})
        for given in (run, f"runs/{name}"):
            assert tuple(kit.decode(given, data).values()) == expected
        member = (Member(run=f"runs/{name}"),)
        same = Recipe(members=member, decoder="edit", length_prior=0.5, length_cap=30)
        assert recipe_of_runs([run]) == same
        assert tuple(kit.decode(same, data).values()) == expected
        plain = argmax_answers(own, data.questions)
        assert tuple(kit.decode(run, data, plain=True).values()) == plain
        assert recipe_of_runs([run], plain=True) == Recipe(members=member)
        differs.append(plain != expected)
    assert any(differs)


def test_the_card_and_the_explanation_have_the_recipe_as_run(three: None, data: Dataset) -> None:
    made = kit.ensemble("runs/words", data, out="one.csv")
    recipe = made.card.recipe
    assert (recipe["decoder"], recipe["length_prior"], recipe["length_cap"]) == ("edit", 0.5, 30)
    assert made.decoding == "edit with length_prior 0.5, cap 30"
    found = kit.explain("runs/words", data, "q1")
    assert found.answer == made.answers["q1"]
    assert found.decoding == made.decoding
    plain = kit.ensemble("runs/words", data, out="plain.csv", plain=True)
    expected = Recipe(members=(Member(run="runs/words"),)).model_dump(mode="json", exclude={"nested"})
    assert plain.card.recipe == expected
    assert kit.explain("runs/words", data, "q1", plain=True).answer == plain.answers["q1"]


def test_lengths_of_several_runs_are_added_and_a_checkpoint_has_none(three: None, data: Dataset) -> None:
    make_run(data, "long", {"full": scores_of(data, words, 1, 4.0)}, {"40": 1})
    assert str(Decoding.of(recipe_of_runs([open_run("runs/long")]))) == "edit with length_prior 0.5, cap 40"
    checkpoint = Path("checkpoint")
    shutil.copytree("runs/noise", checkpoint)
    (checkpoint / "run.json").unlink()
    (checkpoint / "config.json").write_text("{}")
    bare, noise = open_run(checkpoint), open_run("runs/noise")
    assert str(Decoding.of(recipe_of_runs([bare]))) == "edit with no length prior, cap 30"
    assert str(Decoding.of(recipe_of_runs([bare, noise]))) == "edit with length_prior 0.5, cap 30"
    own = member_scores(bare, "full", data)
    expected = Decoding("edit", 0.0, 30).answers(own, data.questions, {})
    assert tuple(kit.decode(bare, data).values()) == expected


def test_plain_is_refused_for_what_says_itself_how_it_is_decoded(three: None, data: Dataset) -> None:
    recipe = Recipe(members=(Member(run="runs/words"),))
    with pytest.raises(ConfigError, match=r"--plain is for runs; a recipe says itself how to decode"):
        kit.decode(recipe, data, plain=True)
    with pytest.raises(ConfigError, match=r"--plain is for runs"):
        kit.ensemble(recipe, data, members=["runs/noise"], plain=True, out="x.csv")
    with pytest.raises(ConfigError, match=r"one\.csv: --plain is for runs; a CSV is decoded already"):
        kit.report("one.csv", data, plain=True)


def test_any_number_of_candidates_is_decoded_as_a_recipe_decodes_them(place: Path, data: Dataset) -> None:
    """A posterior so flat that every question has more spans than are kept."""
    flat = scores_of(data, letters, 5, 0.0)
    make_run(data, "flat", {"full": flat})
    decoding = default_decoding({3: 10, 4: 5})
    (source,) = [member_scores(open_run("runs/flat"), "full", data)]
    assert decoding.answers(source, data.questions, {3: 10, 4: 5}) == tuple(
        kit.decode("runs/flat", data).values()
    )
