"""The curves of fits, against the plain way to their points; [UNK] against a real tokenizer."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

import kit
from kit.data.records import Dataset
from kit.decoding.ensembles import length_bonus
from kit.reports import curves as curves_module
from kit.reports.source import Member
from kit.settings.recipe import Member as RecipeMember
from kit.settings.recipe import Recipe
from kit.spans.posteriors import Posterior, span_posterior
from kit.spans.run_folder import open_run
from kit.spans.store import write_spans
from tests.reports.conftest import Place
from tests.spans.made import scores_of, words


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
                RecipeMember(run=f"runs/{one.label}", weight=x if one.label == member.label else 1 - x)
                for one in report.members
            )
            mixed = Recipe(members=members, decoder="edit", length_prior=0.5)
            assert kit.score(kit.decode(mixed, place.data), place.data).edit == pytest.approx(y, abs=0.03)


def loss_of(posterior: Posterior, data: Dataset) -> float:
    """The mean of -log the probability of the gold spans."""
    losses = []
    for number, question in enumerate(data):
        p = {(begin, end): p for begin, end, p in posterior.spans(number)}
        golds = {(answer.start, answer.end) for answer in question.answers or ()}
        losses.append(-math.log(max(1e-5, sum(p.get(span, 0.0) for span in golds))))
    return sum(losses) / len(losses)


def test_temperatures_are_the_likelihood_of_the_golds(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place.folder)
    report = place.report.contents.overview.source
    assert report.recipe is not None
    for curve, member in zip(place.report.contents.temperatures.curves, report.members, strict=True):
        scores = member.sources[0].scores(place.data)
        bonus = length_bonus(report.recipe, [one for each in report.members for one in each.sources])
        for x, y in list(zip(curve.x, curve.y, strict=True))[::4]:
            posterior = span_posterior(scores, 60, temperature=x, bonus=bonus)
            assert y == pytest.approx(loss_of(posterior, place.data))
        assert curve.used == 1.0


def bare_checkpoint(data: Dataset, name: str) -> str:
    """A folder with span scores and no record, as a checkpoint from elsewhere has them."""
    folder = Path("runs") / name
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}", encoding="utf-8")
    scores = scores_of(data, words, 3, 3.0)
    write_spans(open_run(folder).span_file(data, "full"), scores.provenance, [scores])
    return str(folder)


@pytest.mark.parametrize(
    "content",
    [
        "members: [{run: runs/bare}, {run: runs/words}]",
        "members: [{run: runs/words}, {run: runs/bare, weight: 3}]\nblend: product",
        "members: [{run: runs/bare}, {run: runs/words, weight: 0.01}]\ndecoder: edit",
        "members: [{run: runs/bare}, {csv: words.csv}, {run: runs/letters}]\nblend: vote",
        "members: [{run: runs/bare}, {run: runs/letters, weight: 0}]\nlengths: data/train.json",
        "members: [{run: runs/bare}]\nlengths: data/train.json",
    ],
)
def test_members_without_answer_lengths_take_those_of_the_recipe(
    place: Place, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    monkeypatch.chdir(place.folder)
    if not Path("runs/bare").exists():
        bare_checkpoint(place.data, "bare")
    Path("mixed.yaml").write_text(f"{content}\nlength_prior: 1\n", encoding="utf-8")
    made = kit.report("mixed.yaml", place.data, out="mixed.html").contents
    assert made.overview.source.texts == tuple(kit.decode("mixed.yaml", place.data).values())
    source = made.overview.source
    assert source.recipe is not None
    sources = [one for member in source.members for one in member.sources]
    bonus = length_bonus(source.recipe, sources)
    curve = next(one for one in made.temperatures.curves if one.label == "bare")
    member = next(one for one in source.members if one.label == "bare")
    scores = member.sources[0].scores(place.data)
    posterior = span_posterior(scores, 60, temperature=curve.x[5], bonus=bonus)
    assert curve.y[5] == pytest.approx(loss_of(posterior, place.data))


def with_folds(member: Member, **changes: object) -> Member:
    """*member* with another record of fold 1."""
    run = member.sources[0].opened
    assert run is not None
    assert run.record is not None
    fold = run.record.folds["1"].model_copy(update=changes)
    record = run.record.model_copy(update={"folds": run.record.folds | {"1": fold}})
    return replace(member, sources=(replace(member.sources[0], opened=replace(run, record=record)),))


def test_learning_curves_are_the_runs_history(place: Place) -> None:
    members = place.report.contents.overview.source.members
    assert curves_module.learning(members).reason == "the records of the trainings have no scores"
    history = ({"step": 10.0, "edit": 5.0}, {"step": 20.0, "edit": 3.5})
    found = curves_module.learning([with_folds(members[0], history=history, kept_step=20), members[1]])
    name = f"{members[0].label} fold 1"
    assert found.curves == (curves_module.Curve(name, (10.0, 20.0), (5.0, 3.5), 20),)
    run = members[0].sources[0].opened
    assert run is not None
    bare = replace(members[0].sources[0], opened=replace(run, record=None))
    alone = [replace(members[0], sources=(bare,))]
    assert curves_module.learning(alone).reason == "no member has a record of its training"
    assert curves_module.losses(alone).reason == "no member has a record of its training"


def test_a_fold_scored_only_at_its_end_is_a_point(place: Place) -> None:
    members = place.report.contents.overview.source.members
    ended = with_folds(members[0], metrics={"edit": 2.5}, kept_step=507)
    (curve,) = curves_module.learning([ended, members[1]]).curves
    assert (curve.x, curve.y, curve.used) == ((507.0,), (2.5,), 507)


def test_losses_are_those_of_the_record(place: Place) -> None:
    members = place.report.contents.overview.source.members
    assert curves_module.losses(members).reason.endswith("of an earlier version, without losses")
    losses = ({"step": 5.0, "loss": 4.25}, {"step": 10.0, "loss": 1.5})
    (curve,) = curves_module.losses([with_folds(members[0], losses=losses), members[1]]).curves
    assert curve == curves_module.Curve(f"{members[0].label} fold 1", (5.0, 10.0), (4.25, 1.5))
    assert curve.as_dict()["label"] == {"say": "{run} fold {fold}", "run": members[0].label, "fold": "1"}


def test_one_member_has_no_weights(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place.folder)
    made = kit.report("runs/words", place.data, out="one.html").contents
    assert made.weights.reason == "there is one member, so no weights"
    reasons = {facet.key: facet.reason for facet in made.overview.facets if facet.reason}
    assert reasons["others"] == "there is only one member"
