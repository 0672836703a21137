"""``kit ensemble``: recipes and runs, and the explanation of one answer."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import Levenshtein
import pytest

import kit
from kit.cli.ensemble import ensemble
from kit.data.records import Dataset
from kit.decoding.recipes import write_recipe
from kit.errors import ConfigError
from tests.decoding.test_ensembles import A, B, data, place, recipe, three

__all__ = ["data", "place", "three"]
TEST = Path("test.json")


def test_the_explanation_shows_the_answer_in_its_context(
    three: None, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = recipe(A, B | {"weight": 2.0}, decoder="edit", rules=("trim", {"blank_long": 4}))
    write_recipe(Path("asked.yaml"), asked, "made by hand")
    ensemble([Path("asked.yaml")], TEST, explain="q0")
    shown = capsys.readouterr().out
    assert "▶한국은행◀은 3일" in shown
    assert "before the rules" in shown
    ensemble([Path("asked.yaml")], TEST, explain="q0", as_json=True)
    assert json.loads(capsys.readouterr().out)["candidates"][0]["text"] == "한국은행"
    assert not Path("submissions").exists()


def test_several_runs_are_members_of_one_blend(
    three: None, data: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [Path("runs/words"), Path("runs/letters")]
    ensemble(runs, TEST, as_json=True)
    assert json.loads(capsys.readouterr().out)["csv"] == "submissions/words.csv"
    shown = Path("submissions/words.csv").read_bytes()
    made = kit.ensemble(None, data, members=runs, out="again.csv")
    assert made.path.read_bytes() == shown
    default = recipe(A, B, decoder="edit", length_prior=0.5, length_cap=30)
    assert made.answers == kit.decode(default, data)
    ensemble(runs, TEST, plain=True)
    plain = kit.ensemble(recipe(A, B), data, out="plain.csv")
    assert Path("submissions/words.csv").read_bytes() == plain.path.read_bytes() != shown


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """What was printed on standard error before the next command, in one line."""
    return " ".join(capsys.readouterr().err.split()).partition("next: ")[0].strip()


def test_how_a_run_is_decoded_is_printed(
    three: None, data: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    words, one = Path("runs/words"), Path("one.yaml")
    default = "decoded by edit with length_prior 0.5, cap 30 (kit ensemble --plain: plain argmax)"
    ensemble([words], TEST)
    assert said(capsys) == default
    ensemble([words], TEST, explain="q0")
    assert said(capsys) == default
    ensemble([words], TEST, plain=True)
    assert said(capsys) == "decoded by argmax with no length prior, cap 60"
    ensemble([words], TEST, as_json=True)
    assert json.loads(capsys.readouterr().out)["decoding"] == "edit with length_prior 0.5, cap 30"
    (words / "run.json").unlink()
    (words / "config.json").write_text("{}")
    ensemble([words], TEST)
    assert said(capsys) == (
        "decoded by edit with no length prior, cap 30: no answer lengths are recorded; in a recipe, lengths: "
        "train.json gives them (kit ensemble --plain: plain argmax)"
    )
    write_recipe(one, recipe(B), "made by hand")
    ensemble([one], TEST)
    assert said(capsys) == ""
    with pytest.raises(ConfigError, match=r"--plain is for runs; a recipe says itself how to decode"):
        ensemble([one], TEST, plain=True)


def test_members_replace_those_of_a_recipe(three: None, data: Dataset) -> None:
    write_recipe(Path("one.yaml"), recipe(A, decoder="edit"), "made by hand")
    made = kit.ensemble("one.yaml", data, members=["runs/letters"])
    assert made.path == Path("submissions/one.csv")
    assert made.answers == kit.decode(recipe(B, decoder="edit"), data)
    assert kit.explain("one.yaml", data, "q1", members=["runs/letters"]).answer == made.answers["q1"]


def test_what_does_not_go_together_is_refused(three: None, data: Dataset) -> None:
    write_recipe(Path("one.yaml"), recipe(A), "made by hand")
    words, letters, one = Path("runs/words"), Path("runs/letters"), Path("one.yaml")
    with pytest.raises(ConfigError, match=r"one\.yaml is a recipe and 1 more were given"):
        ensemble([one, words], TEST)
    for given in ([words], [words, letters]):
        with pytest.raises(ConfigError, match="--member replaces the members of a recipe; name"):
            ensemble(given, TEST, member=[letters])
    with pytest.raises(ConfigError, match="recipe: is None; one path is wanted"):
        kit.ensemble(None, data)


def test_with_answers_the_distance_of_each_candidate_is_shown(
    three: None, data: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = recipe(A, B | {"weight": 2.0}, decoder="edit")
    write_recipe(Path("asked.yaml"), asked, "made by hand")
    withheld = replace(data, questions=tuple(replace(question, answers=None) for question in data))
    plain = kit.explain("asked.yaml", withheld, "q1")
    assert plain.distance is None
    assert not any("distance to the gold" in table.columns for table in plain.tables())
    assert plain.as_dict()["distance"] is None

    found = kit.explain("asked.yaml", withheld, "q1", answers=data)
    (gold,) = found.question.golds
    assert gold == "15일"
    assert found.choice is not None
    for one in found.choice.candidates:
        assert one.distance == Levenshtein.distance(one.text, gold)
    assert found.distance == Levenshtein.distance(found.answer, gold)
    assert f"{found.distance} character" in repr(found)
    assert len(repr(found)) < 260
    assert "distance to the gold" in found._repr_html_()

    ensemble([Path("asked.yaml")], TEST, explain="q1", answers=TEST)
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert any(re.search(r"^“15일” .* 0  +(answer, )?gold$", line) for line in lines)
    ensemble([Path("asked.yaml")], TEST, explain="q1", answers=TEST, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["distance"] == found.distance
    assert [one["distance"] for one in told["candidates"]] == [
        one.distance for one in found.choice.candidates
    ]


def test_a_default_name_replaces_only_what_was_made_from_the_same(
    three: None, data: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run, a recipe of its name and a tuned one share NAME; so do two data files."""
    write_recipe(Path("words.yaml"), recipe(A, decoder="edit"), "made by hand")
    write_recipe(Path("tuned/words.yaml"), recipe(B), "made by hand")
    first = kit.ensemble("runs/words", data).path
    assert first == Path("submissions/words.csv")
    bytes_of_first = first.read_bytes()
    assert kit.ensemble("runs/words", data).path == first
    said: list[str] = []
    assert kit.ensemble("words.yaml", data, say=said.append).path == Path("submissions/words-2.csv")
    assert said == [
        "submissions/words.csv was made from something else and stays; this one is submissions/words-2.csv"
    ]
    assert kit.ensemble("tuned/words.yaml", data).path == Path("submissions/words-tuned.csv")
    assert kit.ensemble("words.yaml", data, members=["runs/letters"]).path == Path("submissions/words-3.csv")
    assert kit.ensemble(None, data, members=["runs/words", "runs/letters"]).path.name == "words-4.csv"
    # the recipe is edited and made again: still the same recipe
    write_recipe(Path("words.yaml"), recipe(A), "made by hand")
    assert kit.ensemble("words.yaml", data).path == Path("submissions/words-2.csv")
    ensemble([Path("tuned/words.yaml")], TEST)
    output = capsys.readouterr()
    assert "submissions/words-tuned.csv" in output.out
    assert "this one is submissions/words-tuned.csv" in output.err
    assert first.read_bytes() == bytes_of_first
    # what the kit did not make is never replaced
    Path("submissions/words.json").unlink()
    assert kit.ensemble("runs/words", data).path == Path("submissions/words-5.csv")
