"""Tuning on hand-made out-of-fold scores: what is found, what is refused, and that the table is honest."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

import kit
from kit.cache import cache_folder
from kit.data.folds import groups
from kit.data.records import Dataset, Question
from kit.decoding.recipes import load_recipe
from kit.errors import ConfigError
from kit.metrics.bootstrap import holm
from kit.metrics.edit_distance import edit_distances
from kit.ranking.boundary_file import write_boundary
from kit.ranking.model import write_ranker
from kit.ranking.stage import fitted_on
from kit.settings.recipe import Member, Recipe
from kit.settings.runs import read_run, write_run
from kit.settings.training import TrainingSettings
from kit.tuning import fitting, outer_folds, parallel
from kit.tuning.fitting import Fitter, ways_to_try
from kit.tuning.members import OutOfFold, out_of_fold_members
from kit.tuning.second_stage import last_fit, second_stage_ways
from kit.tuning.temperature import fit_temperature, gold_likelihood
from kit.tuning.weights import coordinate_search, greedy_selection, search
from tests.spans.made import letters, make_run, scores_of, words
from tests.tuning.slow_fitting import SlowFitter

NOUNS = [
    "한국은행",
    "무령시",
    "박하린",
    "기상청",
    "서울시",
    "도서관",
    "광장",
    "시장",
    "출판사",
    "동해안",
    "나무",
    "행사",
]
PARTICLES = ["은", "이", "을", "에서", "의", "도"]
QUESTIONS = 60


@pytest.fixture
def one_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tuning with one start and without a second stage: for tests about something else."""
    monkeypatch.setattr(fitting, "PRIORS", (0.25,))
    monkeypatch.setattr(fitting, "SHARPNESS", (1.0, 0.75))
    monkeypatch.setattr(outer_folds, "second_stage_ways", lambda *given: {})


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KIT_CACHE", "cache")  # no fold that another test finished
    generator = np.random.default_rng(5)
    rows = []
    for number in range(QUESTIONS):
        nouns = [str(noun) for noun in generator.choice(NOUNS, 6, replace=False)]
        words = [noun + str(generator.choice(PARTICLES)) for noun in nouns]
        context = f"{number}호 " + " ".join(words) + " 밝혔다."
        gold = nouns[int(generator.integers(6))]
        answers = [{"text": gold, "answer_start": context.index(gold)}]
        qas = [{"id": f"q{number}", "question": "무엇인가?", "answers": answers}]
        rows.append({"title": f"t{number}", "paragraphs": [{"context": context, "qas": qas}]})
    Path("data").mkdir()
    Path("data/train.json").write_text(json.dumps({"data": rows}, ensure_ascii=False), encoding="utf-8")
    return kit.load("data/train.json")


@pytest.fixture
def recipe(data: Dataset) -> Path:
    runs = [
        make_run(data, "words", scores_of(data, words, 1, 3.0)),
        make_run(data, "letters", scores_of(data, letters, 2, 3.0)),
        make_run(data, "noise", scores_of(data, letters, 3, 0.0)),
    ]
    path = Path("three.yaml")
    content = {"about": "x", "members": [{"run": run} for run in runs]}
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


def test_tuning_finds_weights_that_help_and_writes_a_recipe(data: Dataset, recipe: Path) -> None:
    made = kit.tune(recipe)
    assert made.path == Path("tuned/three.yaml")
    assert made.data == Path("data/train.json")
    rows = {row.label: row for row in made.tuned.rows}
    assert rows["tuned"].edit < rows["as given"].edit
    assert rows["tuned"].edit < rows["noise: argmax"].edit
    assert rows["tuned"].evidence
    assert rows["as given"].versus is None
    assert rows[made.tuned.method].edit == pytest.approx(made.tuned.distances.mean())
    tuned = made.tuned.recipe
    weights = {Path(str(member.run)).name: member.weight for member in tuned.members}
    assert weights["letters"] > 0.2
    assert rows["tuned"].edit < rows["letters: edit, prior and temperature"].edit + 0.1
    text = made.path.read_text(encoding="utf-8")
    assert text.startswith("# Tuned by kit ")
    written = load_recipe(made.path)
    paths = {"ranker": written.ranker, "boundary": written.boundary, "nested": written.nested}
    assert written == tuned.model_copy(update=paths)
    ranked = made.tuned.method.startswith("ranked")
    assert ranked == (written.decoder == "ranked") == (written.ranker is not None)
    assert {"edit, boundary", "ranked", "ranked, without members", "ranked, without boundary"} <= set(rows)
    assert {f"{blend}, {decoder}, equal weights" for blend, decoder in ways_to_try(2)} <= set(rows)
    assert sum(row.questions for row in made.tuned.deciles) == QUESTIONS
    # the recipe as given is scored by the very answers that kit ensemble would write
    answers = kit.decode(recipe, data)
    golds = [question.golds for question in data]
    assert rows["as given"].edit == pytest.approx(edit_distances(list(answers.values()), golds).mean())


def test_a_rule_that_helps_is_kept_and_others_are_not(
    data: Dataset, recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A member that knows nothing but whole words leaves a particle behind answers."""
    monkeypatch.setattr("kit.tuning.outer_folds.second_stage_ways", lambda *given: {})
    content = {"about": "one", "members": [{"run": "runs/words"}]}
    recipe.write_text(yaml.safe_dump(content), encoding="utf-8")
    tuned = kit.tune(recipe).tuned
    rows = {row.label: row for row in tuned.rows}
    assert tuned.recipe.rules == ("strip_particles",)
    assert tuned.method == "tuned, rules by choice"
    assert tuned.stage is None
    assert rows[tuned.method].edit < rows["tuned"].edit
    assert rows[tuned.method].exact > rows["tuned"].exact
    assert not [label for label in rows if "equal weights" in label]  # one weight is no choice


def test_the_boundary_model_learns_where_golds_end(data: Dataset, recipe: Path) -> None:
    """With the same member: no rule is needed, and `kit ensemble` answers by what `kit tune` wrote."""
    recipe.write_text(yaml.safe_dump({"members": [{"run": "runs/words"}]}), encoding="utf-8")
    made = kit.tune(recipe)
    rows = {row.label: row for row in made.tuned.rows}
    assert rows["edit, boundary"].exact > rows["tuned"].exact + 0.2
    assert rows["ranked"].edit < rows["tuned"].edit - 0.5
    written = load_recipe(made.path)
    assert made.tuned.stage is not None
    assert written.boundary == f"tuned/three-{made.tuned.stage.boundary.digest[:8]}.boundary"
    assert written.boundary_weight == made.tuned.stage.weight > 0
    golds = [question.golds for question in data]
    answers = list(kit.decode(made.path, data).values())
    assert edit_distances(answers, golds).mean() < rows["tuned"].edit


def test_a_second_stage_does_not_know_members_of_weight_0(data: Dataset, recipe: Path) -> None:
    """`kit ensemble` leaves them out, so a ranker that knew them could never be used."""
    members = out_of_fold_members(load_recipe(recipe), data)
    questions = tuple(data)
    fit = Fitter(members, questions).with_temperatures([1.0] * 3, 0.25, 30)
    weighed = replace(fit, weights=np.array([0.6, 0.0, 0.4]))
    stage = last_fit(weighed, members, questions, groups(questions), ranked=True)
    assert stage.ranker is not None
    assert stage.ranker.fitted_on == fitted_on([members.digests[0], members.digests[2]])
    write_ranker(Path("some.ranker"), stage.ranker)
    write_boundary(Path("some.boundary"), stage.boundary)
    content = {
        "about": "x", "decoder": "ranked", "ranker": "some.ranker", "boundary": "some.boundary",
        "length_cap": 30, "length_prior": 0.25,
        "members": [
            {"run": str(run.folder), "weight": weight}
            for run, weight in zip(members.runs, (0.6, 0.0, 0.4), strict=True)
            if run is not None
        ],
    }  # fmt: skip
    Path("ranked.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    assert set(kit.decode("ranked.yaml", data)) == {question.guid for question in data}


def test_what_is_reported_for_a_fold_does_not_depend_on_its_golds(data: Dataset, recipe: Path) -> None:
    """Golds of one fold are replaced: the answers to that fold's questions stay as they were."""
    from kit.data.records import Answer

    members = out_of_fold_members(load_recipe(recipe), data)
    held_out = members.fold_of == 0
    spoiled = tuple(
        replace(question, answers=(Answer(question.context[:2], 0),)) if out else question
        for question, out in zip(data, held_out, strict=True)
    )
    answers = []
    for questions in (data.questions, spoiled):
        fitter = Fitter(members, questions)
        base = fitter.start(~held_out)
        fit = fitter.best(fitter.ways(base, ~held_out).values(), ~held_out)
        answers.append([text for text, out in zip(fit.texts(), held_out, strict=True) if out])
    assert answers[0] == answers[1]


@pytest.mark.parametrize("scale", [1.5, 2.0])
def test_the_temperature_undoes_a_scale(data: Dataset, scale: float) -> None:
    plain = fit_temperature(scores_of(data, letters, 2, 3.0, 2.0), data.questions, 12, None)
    scaled = fit_temperature(scores_of(data, letters, 2, 3.0, 2.0 * scale), data.questions, 12, None)
    assert 0.5 < plain < 1.0
    assert scaled == pytest.approx(plain * scale, rel=0.1)


def test_a_gold_that_cannot_be_expressed_has_a_floor(data: Dataset) -> None:
    likelihood = gold_likelihood(scores_of(data, words, 1, 3.0), data.questions, 12, 1.0, None)
    assert likelihood.min() == pytest.approx(np.log(1e-5))
    fine = gold_likelihood(scores_of(data, letters, 1, 3.0), data.questions, 12, 1.0, None)
    assert fine.mean() > likelihood.mean()


@pytest.mark.parametrize("fold", [0, 1])
def test_the_fast_fit_chooses_what_the_slow_one_chooses(data: Dataset, recipe: Path, fold: int) -> None:
    members = out_of_fold_members(load_recipe(recipe), data)
    rows = members.fold_of != fold
    found = []
    for fitter in (Fitter(members, data.questions), SlowFitter(members, data.questions)):
        start = fitter.start(rows)
        ways = fitter.ways(start, rows)
        found.append([start, *ways.values(), fitter.best(ways.values(), rows)])
    for fast, slow in zip(*found, strict=True):
        for name in ("temperatures", "length_prior", "length_cap", "candidates", "blend", "decoder"):
            assert getattr(fast, name) == getattr(slow, name)
        assert fast.weights.tolist() == pytest.approx(slow.weights.tolist())
        assert fast.texts() == slow.texts()


def test_with_many_rows_starts_are_compared_on_a_sample(
    data: Dataset, recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The finalists are compared on all rows, and the returned fit is of all questions."""
    members = out_of_fold_members(load_recipe(recipe), data)
    rows = members.fold_of != 0
    whole = Fitter(members, data.questions).start(rows)
    monkeypatch.setattr(fitting, "SAMPLE", 30)
    compared: list[int] = []
    reached = Fitter.reached
    monkeypatch.setattr(
        Fitter,
        "reached",
        lambda self, fit, rows: compared.append(int(rows.sum())) or reached(self, fit, rows),
    )
    found = Fitter(members, data.questions).start(rows)
    assert compared == [30] * 6 + [rows.sum()] * 2
    assert len(found.texts()) == QUESTIONS
    score = [float(fit.table.gold[fit.chosen()][rows].mean()) for fit in (found, whole)]
    assert score[0] == pytest.approx(score[1], abs=0.2)


def test_an_interrupted_tuning_resumes_with_its_finished_folds(
    data: Dataset, recipe: Path, one_start: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    undisturbed = kit.tune(recipe, out="undisturbed.yaml")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # so that folds are answered in order
    monkeypatch.setenv("KIT_CACHE", "another")  # a new one
    answer, answered = outer_folds.answer_fold, []

    def interrupted(
        fitter: Fitter,
        members: OutOfFold,
        questions: Sequence[Question],
        groups: NDArray[np.int64],
        fold: int,
    ) -> object:
        if fold == 2 and answered == [0, 1]:
            answered.append(-1)
            raise KeyboardInterrupt
        answered.append(fold)
        return answer(fitter, members, questions, groups, fold)

    monkeypatch.setattr(outer_folds, "answer_fold", interrupted)
    with pytest.raises(KeyboardInterrupt):
        kit.tune(recipe, out="resumed.yaml")
    assert answered == [0, 1, -1]
    lines: list[str] = []
    resumed = kit.tune(recipe, out="resumed.yaml", say=lines.append)
    assert answered == [0, 1, -1, 2]
    assert "2 of the folds were finished before" in lines[0]
    assert resumed.tuned.rows == undisturbed.tuned.rows
    first, second = (Path(name).read_text(encoding="utf-8") for name in ("undisturbed.yaml", "resumed.yaml"))
    assert first.replace("undisturbed", "") == second.replace("resumed", "")


def test_a_damaged_or_foreign_entry_is_no_finished_fold(
    data: Dataset, recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIT_CACHE", "another")  # a new one
    members = out_of_fold_members(load_recipe(recipe), data)
    finished = outer_folds.FinishedFolds(members, data.questions)
    answers = outer_folds.FoldAnswers({"as given": ["가", ""]}, [0.1, 2.0])
    assert finished.read(1) is None
    finished.write(1, answers)
    assert finished.read(1) == answers
    assert finished.read(0) is None
    others = members.only([0, 1])
    assert outer_folds.FinishedFolds(others, data.questions).read(1) is None
    changed = (replace(data.questions[0], text="누구인가?"), *data.questions[1:])
    assert outer_folds.FinishedFolds(members, changed).read(1) is None
    folder = cache_folder()
    assert folder is not None
    for entry in (folder / "tuning").glob("*.kit"):
        entry.write_text(entry.read_text(encoding="ascii").replace("2.0", "1.0"), encoding="ascii")
    assert finished.read(1) is None


def test_the_first_error_ends_the_other_pieces_of_work(several_threads: None) -> None:
    seen: list[int] = []
    steps = parallel.Steps(seen.append)
    waiting = threading.Event()

    def endless() -> None:
        waiting.set()
        while True:
            steps(0)

    def failing() -> None:
        waiting.wait(10)
        steps(3)
        raise ConfigError("no")

    with pytest.raises(ConfigError, match="no"):
        parallel.together([endless, failing], steps)
    assert seen == [3]


def test_every_way_to_answer_is_fitted_as_itself(data: Dataset, recipe: Path) -> None:
    rows = np.arange(QUESTIONS) < 40
    fitter = Fitter(out_of_fold_members(load_recipe(recipe), data), data.questions)
    base = fitter.with_temperatures([1.0] * 3, 0.0, 30)
    ways = fitter.ways(base, rows)
    assert list(ways) == ways_to_try(2)
    assert all((fit.blend, fit.decoder) == way for way, fit in ways.items())
    for (blend, decoder), fit in ways.items():
        equal = replace(base, blend=blend, decoder=decoder)
        fitted, unfitted = (one.table.gold[one.chosen()][rows].mean() for one in (fit, equal))
        assert fitted <= unfitted
        assert fit.weights.sum() == pytest.approx(1)

    content = {"about": "one", "members": [{"run": "runs/words"}]}
    recipe.write_text(yaml.safe_dump(content), encoding="utf-8")
    fitter = Fitter(out_of_fold_members(load_recipe(recipe), data), data.questions)
    alone = fitter.ways(fitter.with_temperatures([1.0], 0.0, 30), rows)
    assert set(alone) == {("mean", "argmax"), ("mean", "edit")}  # of one member there is nothing to blend


def test_searches_find_the_best_member_and_drop_the_worst() -> None:
    target = np.array([0.7, 0.3, 0.0])

    def score(weights: np.ndarray) -> float:  # type: ignore[type-arg]
        assert weights.sum() == pytest.approx(1)  # whatever is tried are shares
        assert (weights >= 0).all()
        return float(np.abs(weights - target).sum())

    for found in (coordinate_search(score, 3), greedy_selection(score, 3), search(score, 3)):
        assert found.sum() == pytest.approx(1.0)
        assert score(found) < 0.2
        assert found[2] == 0.0


def test_members_without_out_of_fold_scores_are_named(data: Dataset, recipe: Path) -> None:
    record = read_run(Path("runs/words"))
    assert record is not None
    write_run(Path("runs/words"), record.model_copy(update={"settings": TrainingSettings()}))
    make_run(data, "letters", scores_of(data, letters, 2, 3.0), seed=1)
    with pytest.raises(
        ConfigError, match=r"runs/words: was trained without --folds; train it with --folds 5"
    ):
        kit.tune(recipe)
    two = Recipe(members=(Member(run="runs/letters"), Member(run="runs/noise")))
    with pytest.raises(ConfigError, match=r"runs/noise: its folds are not those of runs/letters"):
        out_of_fold_members(two, data)


def test_holm_is_stricter_than_single_tests_and_stops_at_the_first_failure() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == [True, False, False, True]
    assert holm([0.04]) == [True]
    assert holm([0.06, 0.001]) == [False, True]
    assert holm([]) == []


def test_too_few_candidates_for_trees_are_tuned_without_them(data: Dataset, recipe: Path) -> None:
    few = replace(data, questions=data.questions[:6])
    ways = second_stage_ways_of(recipe, few)
    assert "edit, boundary" in ways
    assert not [label for label in ways if label.startswith("ranked")]
    assert "ranked" in second_stage_ways_of(recipe, data)


def second_stage_ways_of(recipe: Path, data: Dataset) -> dict[str, Sequence[str]]:
    whole = out_of_fold_members(load_recipe(recipe), kit.load("data/train.json"))
    members = whole.questions(np.arange(len(data)))
    fit = Fitter(members, data.questions).with_temperatures([1.0] * 3, 0.25, 10)
    rows = np.ones(len(data), np.bool_)
    return second_stage_ways(fit, members, data.questions, groups(data.questions), rows)


def test_the_table_begins_with_the_verdict_and_hides_what_does_not_differ(
    data: Dataset, recipe: Path, one_start: None
) -> None:
    tuned = kit.tune(recipe).tuned
    whole, short = (tuned.tables(every_row=every)[0].rows for every in (True, False))
    assert len(whole) == len(tuned.rows)
    assert {row[0] for row in short} == {
        row.label for row in tuned.rows if row.evidence or row.label in ("as given", tuned.method)
    }
    assert len(short) < len(whole)
    own = next(row for row in tuned.rows if row.label == tuned.method)
    assert tuned.verdict.startswith(f"the tuned recipe scores {own.edit:.3f} characters, nested: ")
    assert ("no evidence" in tuned.verdict) != own.evidence
