"""The local estimate: out of fold where nothing was fitted, nested for a tuned recipe, none for a fit."""

from __future__ import annotations

from pathlib import Path

import pytest

import kit
from kit.api.report import overview
from kit.data.records import Dataset
from kit.decoding.recipes import load_recipe, write_recipe
from kit.metrics.edit_distance import edit_distances
from kit.reports.source import ReportSource
from kit.settings.recipe import NestedScore, Recipe
from kit.submission.card import Card, Estimate, read_card
from kit.submission.estimate import local_estimate
from kit.submission.submit import expectation
from kit.tuning.figures import figure_of
from tests.tuning.test_nested import data, one_start, recipe

__all__ = ["data", "one_start", "recipe"]


def estimated(recipe: Recipe, data: Dataset) -> Estimate:
    return local_estimate(recipe, data)


def fitted_score(recipe: Recipe, data: Dataset) -> float:
    texts = list(kit.decode(recipe, data).values())
    return float(edit_distances(texts, [question.golds for question in data]).mean())


def test_what_nothing_was_fitted_on_is_out_of_fold(data: Dataset, recipe: Path) -> None:
    given = load_recipe(recipe)
    found = estimated(given, data)
    assert found.kind == "out of fold"
    assert found.edit == pytest.approx(fitted_score(given, data))
    assert found.interval is not None
    assert found.interval.low < found.edit < found.interval.high
    assert "out of fold on train.json, interval for 60 new questions" in found.reason


def cautioned(source: ReportSource, nested: float) -> bool:
    """Whether the report says the nested score beside that of the fit."""
    return any(caution.fitted and f"{nested:.3f}" in str(caution.text) for caution in source.cautions)


def test_a_tuned_recipe_is_given_its_nested_score_everywhere(
    data: Dataset, recipe: Path, one_start: None
) -> None:
    made = kit.tune(recipe)
    nested = float(made.tuned.distances.mean())
    tuned = load_recipe(made.path)
    assert nested > fitted_score(tuned, data) + 0.05
    found = estimated(tuned, data)
    assert found.kind == "nested"
    assert found.edit == pytest.approx(nested, abs=1e-6)
    assert found.interval is not None
    assert found.interval.low < nested < found.interval.high
    assert "nested (each question by settings fitted without it) on train.json" in found.reason
    source = overview(made.path, data).source
    assert source.fitted
    assert cautioned(source, nested)
    # a CSV of the same questions, scored: its card and its report call it what it is
    written = kit.ensemble(made.path, data, out="own.csv", answers=data)
    assert written.card.estimate.kind == "fit"
    assert f"was {nested:.3f}" in written.card.estimate.reason
    of_csv = overview("own.csv", data).source
    assert of_csv.fitted
    assert any(f"was {nested:.3f}" in caution.text for caution in of_csv.cautions)
    kit.ensemble(made.path, data, out="own.csv")
    assert cautioned(overview("own.csv", data).source, nested)
    card = written.card.model_copy(update={"estimate": found})
    assert expectation(card) == f"Edit Score {nested:.3f} (95 %: {found.interval}), nested"


def test_a_tuned_recipe_that_was_changed_has_no_estimate(
    data: Dataset, recipe: Path, one_start: None
) -> None:
    made = kit.tune(recipe)
    tuned = load_recipe(made.path)
    changed = tuned.model_copy(update={"rules": ("trim",), "length_prior": 1.0})
    found = estimated(changed, data)
    assert found.edit is None
    assert found.reason == (
        f"no estimate: {fitted_score(changed, data):.3f} is a fit: temperatures, weights, decoder and rules "
        "were fitted on these questions, and the recipe was changed afterwards; run kit tune again"
    )
    assert figure_of(tuned.model_copy(update={"about": "renamed"}), data).kind == "nested"
    # in another folder, and its ranker renamed: the same settings
    Path("moved").mkdir()
    moved = tuned.model_copy(
        update={
            "members": tuple(one.model_copy(update={"run": f"../{one.run}"}) for one in tuned.members),
            "ranker": None if tuned.ranker is None else f"moved/other-{tuned.ranker.rpartition('-')[2]}",
        }
    )
    assert moved.settings_digest == tuned.settings_digest


def test_recipes_of_earlier_versions_have_their_nested_score_in_the_comment(
    data: Dataset, recipe: Path
) -> None:
    given = load_recipe(recipe)
    comment = (
        f"Tuned by kit 0.1.0 from three.yaml on the out-of-fold scores of train.json ({data.sha256[:8]}); "
        "nested Edit Score 4.954."
    )
    write_recipe(Path("old.yaml"), given, comment)
    old = load_recipe(Path("old.yaml"))
    assert old.nested == NestedScore(data=data.sha256[:8], edit=4.954)
    assert estimated(old, data).edit == pytest.approx(4.954)
    assert estimated(old, data).kind == "nested"
    # fitted on other questions: nothing was fitted on these
    write_recipe(Path("other.yaml"), given, comment.replace(data.sha256[:8], "00000000"))
    assert estimated(load_recipe(Path("other.yaml")), data).kind == "out of fold"
    # a second stage without a record of its score
    ranked = given.model_copy(update={"decoder": "ranked", "ranker": "some.ranker"})
    assert figure_of(ranked, data).kind == "fit"


def test_a_card_without_a_kind_is_read(data: Dataset, recipe: Path) -> None:
    card = kit.ensemble(recipe, data, out="a.csv").card
    text = Path("a.json").read_text(encoding="utf-8")
    Path("a.json").write_text(text.replace('    "kind": "out of fold",\n', ""), encoding="utf-8")
    read: Card = read_card(Path("a.csv"))
    assert read.estimate.kind == ""
    assert read.estimate.edit == card.estimate.edit
