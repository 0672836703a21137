"""What to do next: gains are what the answers allow at most, and commands work when typed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

import kit
from kit.data.records import Dataset
from kit.decoding.recipes import load_recipe
from kit.metrics.edit_distance import edit_distances
from kit.modeling.presets import PRESETS
from kit.reports.error_types import ERROR_TYPES, ErrorType
from kit.reports.overview import Overview
from kit.reports.suggestions import Suggestion, suggestions_of
from kit.settings.recipe import NestedScore
from tests.commands import run_kit
from tests.reports.conftest import Place

PARTICLE = "에서는"


@pytest.fixture(autouse=True)
def here(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place.folder)


def answered(data: Dataset, change: dict[int, str], name: str) -> Overview:
    """What a CSV shows whose answers are the golds but for *change*: number → answer."""
    texts = {one.guid: change.get(number, one.golds[0]) for number, one in enumerate(data)}
    return kit.overview(kit.write_submission(name, data, texts), data)


def run_as_typed(command: str, folder: Path) -> None:
    """Run a suggested command: ``echo … > file`` by hand, ``kit …`` as a user does."""
    for part in command.split(" && "):
        if part.startswith("echo "):
            content, file = re.fullmatch("echo (.+) > (.+)", part).groups()  # type: ignore[union-attr]
            (folder / shlex.split(file)[0]).write_text(shlex.split(content)[0], encoding="utf-8")
        else:
            program, *words = shlex.split(part)
            assert program == "kit"
            done = run_kit(*words, cwd=folder)
            assert done.returncode == 0, done.stderr


def test_right_answers_need_nothing(place: Place) -> None:
    assert suggestions_of(answered(place.data, {}, "right.csv")) == ()


def test_particles_count_only_where_the_answer_has_one_too_many(place: Place) -> None:
    long = {number: place.data.questions[number].golds[0] + "에서는" for number in range(5)}
    overview = answered(place.data, long, "particles.csv")
    found = {one.topic: one for one in suggestions_of(overview)}
    particles = found["rules"]
    assert particles.gain == pytest.approx(5 * len(PARTICLE) / len(place.data))
    assert particles.finding.startswith("5 answers end with a particle")
    assert overview.facets[0].labels[particles.value] == "particle only"
    assert '"rules": ["strip_particles"]' in particles.command
    short = {
        number: question.golds[0][:-1]
        for number, question in enumerate(place.data)
        if question.golds[0].endswith(("이", "가", "은")) and len(question.golds[0]) > 2
    }
    rules = [one for one in suggestions_of(answered(place.data, short, "short.csv")) if one.topic == "rules"]
    assert not any("particle" in one.finding for one in rules)


def test_blanks_get_the_length_that_is_best_here(place: Place) -> None:
    far = {number: place.data.questions[number].context[:40] for number in range(4)}
    overview = answered(place.data, far, "far.csv")
    (blanks,) = [one for one in suggestions_of(overview) if one.topic == "rules"]
    golds = [question.golds for question in place.data]
    scores = {}
    for length in range(1, 61):
        texts = ["" if len(text) >= length else text for text in overview.source.texts]
        scores[length] = edit_distances(texts, golds).mean()
    best = min(scores, key=lambda length: (scores[length], -length))
    assert blanks.gain == pytest.approx(overview.own.score.edit - scores[best])
    assert f'"blank_long": {best}' in blanks.command
    run_as_typed(blanks.command, place.folder)
    after = kit.score(kit.decode("far-blanks.yaml", place.data), place.data)
    assert after.edit == pytest.approx(scores[best])
    assert (place.folder / "reports" / "far-blanks.html").is_file()


def test_a_run_gets_a_recipe_with_a_length_prior(place: Place) -> None:
    overview = kit.overview("runs/words", place.data)
    found = [one for one in suggestions_of(overview) if one.topic == "decoding"]
    assert found
    distances = overview.own.score.distances
    for one in found:
        wanted = ErrorType.TOO_LONG if "too long" in one.finding else ErrorType.TOO_SHORT
        rows = np.array(overview.error_types) == ERROR_TYPES.index(wanted)
        assert one.gain == pytest.approx(distances[rows].sum() / len(place.data))
        assert one.finding.startswith(f"{rows.sum()} answers are {wanted}")
        run_as_typed(one.command, place.folder)
        assert (place.folder / "reports" / "words-prior.html").is_file()


def test_a_recipe_of_out_of_fold_runs_is_tuned(place: Place) -> None:
    found = [one for one in suggestions_of(place.report.contents.overview) if one.topic == "decoding"]
    assert {one.command for one in found} == {f"kit tune two.yaml --data {place.data.path}"}


def test_the_kind_of_question_that_costs_most(place: Place) -> None:
    words = {number: "" for number, one in enumerate(place.data) if "어디" in one.text}
    assert words
    overview = answered(place.data, words, "where.csv")
    (kind,) = [one for one in suggestions_of(overview) if one.topic == "training"]
    chosen = np.isin(np.arange(len(place.data)), [*words])
    distances = overview.own.score.distances
    assert distances[~chosen].sum() == 0
    facet = next(facet for facet in overview.facets if facet.key == kind.facet)
    rows = np.array(facet.values) == kind.value
    excess = distances[rows].sum() - rows.sum() * distances[~rows].mean()
    assert kind.gain == pytest.approx(excess / len(place.data))
    assert "--before data/korquad/KorQuAD_v1.0_train.json" in kind.command
    assert kind.command.startswith("kit download korquad && kit train klue-bert --data ")


def test_at_most_three_by_gain_each_topic_first(place: Place) -> None:
    for subject in ("runs/letters", "two.yaml", "words.csv"):
        found = suggestions_of(kit.overview(subject, place.data))
        assert 0 < len(found) <= 3
        gains = [one.gain for one in found]
        assert gains == sorted(gains, reverse=True)
        assert all(0 < one.gain <= kit.overview(subject, place.data).own.score.edit for one in found)
        assert all(isinstance(one, Suggestion) and one.command for one in found)
        assert len({one.topic for one in found}) > 1


def test_training_commands_name_files_and_backbones_that_exist(place: Place) -> None:
    commands = [one.command for one in suggestions_of(kit.overview("runs/words", place.data))]
    trained = [shlex.split(one.split(" && ")[-1]) for one in commands if "kit train" in one]
    assert trained
    for words in trained:
        assert Path(words[words.index("--data") + 1]).is_file()
        assert words[words.index("--folds") + 1] == "3"
        assert words[2] in PRESETS


def test_what_kit_tune_chose_is_not_changed_by_hand(place: Place) -> None:
    tuned = load_recipe("two.yaml").model_copy(update={"nested": NestedScore(data="0" * 8, edit=1.0)})
    found = suggestions_of(kit.overview(tuned, place.data))
    assert found
    assert "decoding" not in {one.topic for one in found}
    assert not [one.command for one in found if "nested" in one.command]
