"""The curves of fits, against the plain way to their points; [UNK] against a real tokenizer."""

from __future__ import annotations

from dataclasses import replace

import pytest

import kit
from kit.decoding.ensembles import length_bonus
from kit.reports import curves as curves_module
from kit.settings.recipe import Member, Recipe
from kit.spans.posteriors import span_posterior
from kit.tuning.temperature import gold_likelihood
from tests.reports.conftest import Place


def test_weights_score_as_the_recipe_with_those_weights_would(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place.folder)
    report = place.report.contents.overview.source
    curves = place.report.contents.weights.curves
    assert [curve.label for curve in curves] == [member.label for member in report.members]
    for curve, member in zip(curves, report.members, strict=True):
        assert curve.used == pytest.approx(member.weight, abs=1e-4)
        for x, y in list(zip(curve.x, curve.y, strict=True))[3:6]:
            members = tuple(
                Member(run=f"runs/{one.label}", weight=x if one.label == member.label else 1 - x)
                for one in report.members
            )
            mixed = Recipe(members=members, decoder="edit", length_prior=0.5)
            assert kit.score(kit.decode(mixed, place.data), place.data).edit == pytest.approx(y, abs=0.03)


def test_temperatures_are_the_likelihood_of_the_golds(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place.folder)
    report = place.report.contents.overview.source
    assert report.recipe is not None
    for curve, member in zip(place.report.contents.temperatures.curves, report.members, strict=True):
        scores, (source,) = member.sources[0].scores(place.data), member.sources
        bonus = length_bonus(report.recipe, [source])
        for x, y in list(zip(curve.x, curve.y, strict=True))[::4]:
            posterior = span_posterior(scores, 60, temperature=x, bonus=bonus)
            assert y == pytest.approx(-gold_likelihood(posterior, place.data.questions).mean())
        assert curve.used == 1.0


def test_learning_curves_are_the_runs_history(place: Place) -> None:
    members = place.report.contents.overview.source.members
    run = members[0].sources[0].opened
    assert run is not None
    assert run.record is not None
    history = ({"step": 10.0, "edit": 5.0}, {"step": 20.0, "edit": 3.5})
    fold = run.record.folds["1"].model_copy(update={"history": history, "kept_step": 20})
    record = run.record.model_copy(update={"folds": run.record.folds | {"1": fold}})
    source = replace(members[0].sources[0], opened=replace(run, record=record))
    found = curves_module.learning([replace(members[0], sources=(source,)), members[1]])
    assert found.curves == (curves_module.Curve(f"{members[0].label} fold 1", (10.0, 20.0), (5.0, 3.5), 20),)
    bare = replace(source, opened=replace(run, record=None))
    assert (
        curves_module.learning([replace(members[0], sources=(bare,))]).reason
        == "no member has a record of its training"
    )


def test_one_member_has_no_weights(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place.folder)
    made = kit.report("runs/words", place.data, out="one.html").contents
    assert made.weights.reason == "there is one member, so no weights"
    reasons = {facet.key: facet.reason for facet in made.overview.facets if facet.reason}
    assert reasons["others"] == "there is only one member"
