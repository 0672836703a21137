"""The second stage: what it sees, that it learns, and that it is used with its own members only."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import kit
from kit.data.records import Answer, Dataset, Question
from kit.decoding.decoders import decoded
from kit.errors import ConfigError
from kit.metrics.edit_distance import edit_distances
from kit.ranking.boundary import BoundaryModel, refinement
from kit.ranking.boundary_file import write_boundary
from kit.ranking.features import Candidates, candidates_of, feature_groups
from kit.ranking.model import fit_ranker, read_ranker, write_ranker
from kit.ranking.stage import fitted_on, member_order
from kit.settings.recipe import Member, Recipe
from kit.settings.runs import RunRecord
from kit.spans.blending import blended
from kit.spans.lengths import log_length_prior
from kit.spans.out_of_fold import oof_digest
from kit.spans.posteriors import Posterior, span_posterior
from kit.spans.run_folder import Run, open_run
from tests.spans.made import letters, make_run, scores_of, words
from tests.tuning.test_nested import data  # noqa: F401

PRIOR = log_length_prior({2: 10, 3: 30, 4: 20}, 12)


def made(dataset: Dataset) -> tuple[Candidates, Posterior]:
    parts = [
        span_posterior(scores_of(dataset, pieces, seed, 1.5), 12).likeliest(60)
        for seed, pieces in ((1, words), (2, letters))
    ]
    blend = blended(parts, [0.4, 0.6], "mean").likeliest(50)
    return candidates_of(blend, parts, dataset.questions, PRIOR), blend


def column(candidates: Candidates, name: str) -> np.ndarray:  # type: ignore[type-arg]
    return candidates.values[:, candidates.names.index(name)]


def test_features_say_what_they_are_called(data: Dataset) -> None:  # noqa: F811
    candidates, _ = made(data)
    names = [name for group in feature_groups(2, boundary=False).values() for name in group]
    assert candidates.names == tuple(names)
    assert candidates.values.shape == (len(candidates.texts), len(names))
    assert np.isfinite(candidates.values).all()
    assert column(candidates, "length").tolist() == [len(text) for text in candidates.texts]
    assert column(candidates, "blank").tolist() == [float(not text) for text in candidates.texts]
    for question, first, last in zip(data, candidates.offsets, candidates.offsets[1:], strict=False):
        assert len(set(candidates.texts[first:last])) == last - first
        counts = [question.context.count(text) if text else 0 for text in candidates.texts[first:last]]
        assert column(candidates, "occurrences")[first:last].tolist() == counts
        assert (np.diff(column(candidates, "risk")[first:last]) >= 0).all()


def test_boundaries_particles_and_question_words_are_seen() -> None:
    context = "한국은행은 3일 올렸다."
    question = Question("q", "언제 올렸나?", context, (Answer("3일", context.index("3일")),))
    begin = np.array([0, 0, context.index("3일")], np.int32)
    end = np.array([2, 4, context.index("3일") + 2], np.int32)
    posterior = Posterior(np.array([0, 3]), begin, end, np.array([0.2, 0.3, 0.5]), np.zeros((1, 13)))
    candidates = candidates_of(posterior, [posterior], [question], PRIOR)
    row = {text: dict(zip(candidates.names, values, strict=True)) for text, values in
           zip(candidates.texts, candidates.values.tolist(), strict=True)}  # fmt: skip
    assert row["한국"]["cut_inside_word"] == row["한국은행"]["cut_inside_word"] == 1
    assert (row["한국"]["particle_follows"], row["한국은행"]["particle_follows"]) == (0, 1)
    assert row["3일"]["at_word_start"] == row["3일"]["at_word_end"] == row["3일"]["date_like"] == 1
    assert row["3일"]["asks_when"] == 1
    assert row["3일"]["number_wanted_and_there"] == 1 > row["한국"]["number_wanted_and_there"]


def test_it_learns_to_choose_better_than_the_blend(data: Dataset) -> None:  # noqa: F811
    candidates, blend = made(data)
    half = np.arange(len(data)) % 2 == 0
    ranker = fit_ranker(candidates, data.questions, half, "")
    golds = [question.golds for question in data]
    chosen = [candidates.texts[index] for index in ranker.chosen(candidates).tolist()]
    ranked = edit_distances(chosen, golds)
    plain = edit_distances(decoded(blend, data.questions, "edit"), golds)
    assert ranked[~half].mean() < plain[~half].mean() - 0.2  # rows it was not fitted on
    assert sum(ranker.importances().values()) == pytest.approx(1.0)
    poorer = fit_ranker(candidates, data.questions, half, "", without="blend")
    assert not set(poorer.names) & set(feature_groups(2, boundary=False)["blend"])


def test_a_ranker_survives_the_disk_and_damage_is_named(data: Dataset, tmp_path: Path) -> None:  # noqa: F811
    candidates, _ = made(data)
    ranker = fit_ranker(candidates, data.questions, np.ones(len(data), dtype=bool), "abc")
    path = tmp_path / "five.ranker"
    write_ranker(path, ranker)
    assert "\ntree\n" in path.read_text(encoding="utf-8")  # LightGBM's own text
    again = read_ranker(path)
    assert again.fitted_on == "abc"
    assert again.names == ranker.names
    assert np.array_equal(again.chosen(candidates), ranker.chosen(candidates))
    whole = path.read_text(encoding="utf-8")
    # A feature that there is none of: LightGBM would look for its value beyond the row.
    far = whole.replace("\nsplit_feature=", "\nsplit_feature=99999 ", 1)
    for damaged in (whole[:300], whole[:-300], far, "[" * 100_000, '["a"]\n', "\x00"):
        path.write_text(damaged, encoding="utf-8")
        with pytest.raises(ConfigError, match=r"five.ranker: is not a ranker of this kit \(.+\); make it"):
            read_ranker(path)
    path.write_bytes(b"\xff\n")
    with pytest.raises(ConfigError, match=r"five.ranker: is not a ranker of this kit"):
        read_ranker(path)
    with pytest.raises(ConfigError, match=r"no such ranker; kit tune writes it"):
        read_ranker(tmp_path / "none.ranker")


def record_of(run: Run) -> RunRecord:
    assert run.record is not None
    return run.record


def test_it_is_refused_with_other_members(data: Dataset, tmp_path: Path) -> None:  # noqa: F811
    runs = [
        open_run(make_run(data, name, scores_of(data, pieces, seed, 1.5)))
        for seed, (name, pieces) in enumerate((("words", words), ("letters", letters)), start=1)
    ]
    parts = [
        span_posterior(scores_of(data, pieces, seed, 1.5), 12) for seed, pieces in ((1, words), (2, letters))
    ]
    digests = [oof_digest(record_of(run)) for run in runs]
    ordered = [parts[index] for index in member_order(digests)]
    blend = blended(parts, [0.5, 0.5], "mean").likeliest(50)
    candidates = candidates_of(blend, ordered, data.questions, PRIOR)
    ranker = fit_ranker(candidates, data.questions, np.ones(len(data), dtype=bool), fitted_on(digests))
    write_ranker(Path("two.ranker"), ranker)
    members = tuple(Member(run=str(run.folder)) for run in runs)
    both = Recipe(members=members, decoder="ranked", ranker="two.ranker", length_cap=12)
    answers = kit.decode(both, data)
    turned = both.model_copy(update={"members": members[::-1]})
    assert kit.decode(turned, data) == answers
    alone = both.model_copy(update={"members": members[:1]})
    with pytest.raises(ConfigError, match=r"two.ranker: was fitted with other members than words; tune"):
        kit.decode(alone, data)


def test_it_is_refused_with_another_boundary_model(data: Dataset, tmp_path: Path) -> None:  # noqa: F811
    run = open_run(make_run(data, "letters", scores_of(data, letters, 2, 1.5)))
    part = span_posterior(scores_of(data, letters, 2, 1.5), 12)
    blend = part.likeliest(50)
    model, other = (BoundaryModel(np.full(256, weight, np.float32), False, "", 2.0) for weight in (0.1, 0.2))
    candidates = candidates_of(
        blend, [part], data.questions, PRIOR, refinement(blend, data.questions, model, 0.45)
    )
    every = np.ones(len(data), dtype=bool)
    ranker = fit_ranker(
        candidates, data.questions, every, fitted_on([oof_digest(record_of(run))]), boundary=model.digest
    )
    write_ranker(Path("one.ranker"), ranker)
    for name, one in (("one.boundary", model), ("other.boundary", other)):
        write_boundary(Path(name), one)
    members = (Member(run=str(run.folder)),)
    recipe = Recipe(
        members=members, decoder="ranked", ranker="one.ranker", boundary="one.boundary", length_cap=12
    )
    assert set(kit.decode(recipe, data)) == {question.guid for question in data}
    turned = recipe.model_copy(update={"boundary": "other.boundary"})
    with pytest.raises(ConfigError, match=r"fitted with another boundary model than other.boundary; tune"):
        kit.decode(turned, data)
    with pytest.raises(ConfigError, match=r"fitted with a boundary model and the recipe names none"):
        kit.decode(recipe.model_copy(update={"boundary": None}), data)


def test_missing_lightgbm_names_the_install_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"not installed; pip install 'korean-mrc-kit\[ranked\]'"):
        read_ranker(Path("x.ranker"))
