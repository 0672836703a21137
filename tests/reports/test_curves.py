"""The curves of fits, against the plain way to their points; [UNK] against a real tokenizer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer
from tokenizers.models import Unigram, WordPiece
from tokenizers.pre_tokenizers import WhitespaceSplit

import kit
from kit.data.records import Answer, Dataset, Question
from kit.decoding.ensembles import length_bonus
from kit.reports import curves as curves_module
from kit.reports import unk_tokens
from kit.settings.recipe import Member, Recipe
from kit.spans.posteriors import span_posterior
from kit.tuning.temperature import gold_likelihood
from tests.reports.conftest import Place


def test_weights_score_as_the_recipe_with_those_weights_would(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place.folder)
    subject = place.report.contents.overview.subject
    curves = place.report.contents.weights.curves
    assert [curve.label for curve in curves] == [member.label for member in subject.members]
    for curve, member in zip(curves, subject.members, strict=True):
        assert curve.used == pytest.approx(member.weight, abs=1e-4)
        for x, y in list(zip(curve.x, curve.y, strict=True))[3:6]:
            members = tuple(
                Member(run=f"runs/{one.label}", weight=x if one.label == member.label else 1 - x)
                for one in subject.members
            )
            mixed = Recipe(members=members, decoder="edit", length_prior=0.5)
            assert kit.score(kit.decode(mixed, place.data), place.data).edit == pytest.approx(y, abs=0.03)


def test_temperatures_are_the_likelihood_of_the_golds(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place.folder)
    subject = place.report.contents.overview.subject
    assert subject.recipe is not None
    for curve, member in zip(place.report.contents.temperatures.curves, subject.members, strict=True):
        scores, (source,) = member.sources[0].scores(place.data), member.sources
        bonus = length_bonus(subject.recipe, [source])
        for x, y in list(zip(curve.x, curve.y, strict=True))[::4]:
            posterior = span_posterior(scores, 60, temperature=x, bonus=bonus)
            assert y == pytest.approx(-gold_likelihood(posterior, place.data.questions).mean())
        assert curve.used == 1.0


def test_learning_curves_are_the_runs_history(place: Place) -> None:
    members = place.report.contents.overview.subject.members
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


def test_unknown_pieces_are_looked_for_where_the_answer_stands(tmp_path: Path) -> None:
    context = "서울 갊 부산 서울"
    answers = {"서울": 0, "갊": 3, "갊 부산": 3, "부산": 5}
    questions = [Question(text, "?", context, (Answer(text, at),)) for text, at in answers.items()]
    pieces = {"[UNK]": 0, "서울": 1, "부산": 2}
    word_piece = Tokenizer(WordPiece(pieces, unk_token="[UNK]"))
    unigram = Tokenizer(Unigram([("[UNK]", 0.0), ("서울", -1.0), ("부산", -1.0)], unk_id=0))
    for number, tokenizer in enumerate((word_piece, unigram)):
        tokenizer.pre_tokenizer = WhitespaceSplit()
        tokenizer.enable_truncation(
            2
        )  # as a saved tokenizer may have it: the whole context counts all the same
        tokenizer.save(str(tmp_path / f"{number}.json"))
        found = unk_tokens.answers_unknown(tmp_path / f"{number}.json", questions)
        assert found == [False, True, True, False]


def test_the_facet_reads_the_members_own_tokenizers(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place.folder)
    data: Dataset = place.data
    subject = place.report.contents.overview.subject
    tokenizer = Tokenizer(WordPiece({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    folder = Path("runs/words/fold-0")
    folder.mkdir()
    tokenizer.save(str(folder / "tokenizer.json"))
    try:
        facet = unk_tokens.facet(subject.members, data.questions)
    finally:
        (folder / "tokenizer.json").unlink()
        folder.rmdir()
    assert facet.labels == ("yes",)
    assert np.array_equal(facet.values, np.zeros(len(data)))


def test_one_member_has_no_weights(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place.folder)
    made = kit.report("runs/words", place.data, out="one.html").contents
    assert made.weights.reason == "there is one member, so no weights"
    reasons = {facet.key: facet.reason for facet in made.overview.facets if facet.reason}
    assert reasons["others"] == "there is one member, so nobody to disagree"
