"""Answers from elsewhere as a member: tuned, blended, ranked, explained and reported like every other."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

import kit
from kit.data.records import Dataset
from kit.decoding.recipes import load_recipe
from kit.errors import ConfigError, SubmissionError
from kit.settings.recipe import Recipe
from kit.tuning import fitting, outer_folds
from tests.tuning.test_nested import NOUNS, data

__all__ = ["data"]


@pytest.fixture
def mixed(data: Dataset) -> Path:
    """A weak run, and a writer whose first text is right for two questions of three.

    Its second text is a word that does not stand in the context.
    """
    from tests.spans.made import letters, make_run, scores_of

    make_run(data, "letters", scores_of(data, letters, 2, 2.0))
    rows = []
    for number, question in enumerate(data):
        gold = question.golds[0]
        right = (
            gold if number % 3 else next(noun for noun in NOUNS if noun in question.context and noun != gold)
        )
        rows.append(
            {"guid": question.guid, "answers": [{"text": right, "p": 0.6}, {"text": "없는말", "p": 0.4}]}
        )
    lines = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
    Path("train.jsonl").write_text(lines, encoding="utf-8")
    test = {
        "q900": [{"text": "한국은행", "probability": 0.9}],
        "q901": [{"text": "없는말", "probability": 1}],
    }
    Path("test.json.answers").write_text(json.dumps(test), encoding="utf-8")
    members = [{"run": "runs/letters"}, {"answers": "test.json.answers", "out_of_fold": "train.jsonl"}]
    Path("mixed.yaml").write_text(yaml.safe_dump({"members": members}), encoding="utf-8")
    return Path("mixed.yaml")


def edit(answers: dict[str, str], data: Dataset) -> float:
    return kit.score(answers, data).edit


def test_it_is_tuned_and_answers_the_test_questions(
    data: Dataset, mixed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitting, "PRIORS", (0.25,))  # one start is enough here
    made = kit.tune(mixed)
    rows = {row.label: row for row in made.tuned.rows}
    alone = rows["letters: edit, prior and temperature"].edit
    assert rows["tuned"].edit < alone - 0.3
    assert {"test.json.answers: argmax", "ranked"} <= set(rows)
    written = load_recipe(made.path)
    assert written.members[1].out_of_fold == "train.jsonl"
    assert written.members[1].weight > 0
    assert written.members[1].temperature != 1
    # on the training questions by its out-of-fold file, and the estimate is the nested score
    assert edit(kit.decode(made.path, data), data) < alone
    cautions = [str(one.text) for one in kit.overview(made.path, data).source.cautions]
    assert f"was {made.tuned.distances.mean():.3f}" in " ".join(cautions)


@pytest.mark.parametrize("blend", ["mean", "product", "vote"])
def test_every_blend_takes_it(data: Dataset, mixed: Path, blend: str) -> None:
    recipe = load_recipe(mixed).model_copy(update={"blend": blend, "decoder": "edit"})
    alone = Recipe(members=recipe.members[:1], decoder="edit")
    assert edit(kit.decode(recipe, data), data) < edit(kit.decode(alone, data), data)


def test_a_free_text_can_be_the_answer(data: Dataset, mixed: Path) -> None:
    strong = load_recipe(mixed).members[1].model_copy(update={"weight": 50.0})
    recipe = load_recipe(mixed).model_copy(update={"members": (load_recipe(mixed).members[0], strong)})
    kept = [question for question in data if question.guid == "q1"]
    lines = [f'{{"guid": "{question.guid}", "answer": "없는말"}}\n' for question in data]
    Path("train.jsonl").write_text("".join(lines), encoding="utf-8")
    assert kit.decode(recipe, data)["q1"] == "없는말"
    found = kit.explain(recipe, data, "q1")
    assert found.answer == "없는말"
    assert found.place is None
    assert found.question == kept[0]
    assert [one.text for one in found.members] == [found.members[0].text, "없는말"]
    cautions = kit.report(recipe, data, out="page.html").contents.overview.source.cautions
    assert "train.jsonl: answers from elsewhere; what they were trained on is unknown" in {
        caution.text for caution in cautions
    }


def test_without_out_of_fold_answers_it_votes(data: Dataset, mixed: Path) -> None:
    voters = [{"answers": "train.jsonl", "weight": 3}, {"run": "runs/letters"}]
    Path("vote.yaml").write_text(yaml.safe_dump({"members": voters, "blend": "vote"}), encoding="utf-8")
    rows = map(json.loads, Path("train.jsonl").read_text(encoding="utf-8").splitlines())
    first = {row["guid"]: row["answers"][0]["text"] for row in rows}
    assert kit.decode("vote.yaml", data) == first
    with pytest.raises(
        ConfigError, match=r"train.jsonl: has answers to the test questions alone; give those"
    ):
        kit.tune("vote.yaml", data)


def test_what_is_missing_is_named(data: Dataset, mixed: Path) -> None:
    lines = Path("train.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    Path("train.jsonl").write_text("".join(lines[1:]), encoding="utf-8")
    with pytest.raises(SubmissionError, match=r"train.jsonl: has no answer to question q0"):
        kit.tune(mixed, data)
    Path("train.jsonl").unlink()
    with pytest.raises(SubmissionError, match=r"train.jsonl: there is no such file"):
        kit.decode(mixed, data)
    only = [{"answers": "test.json.answers", "out_of_fold": "test.json.answers"}]
    Path("only.yaml").write_text(yaml.safe_dump({"members": only}), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"all members are answers from elsewhere; add a run"):
        kit.tune("only.yaml")


def test_another_out_of_fold_file_needs_another_second_stage(
    data: Dataset, mixed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ranked_is_best(*given: object) -> dict[str, Sequence[str]]:
        return {"ranked": [question.golds[0] for question in data]}

    monkeypatch.setattr(outer_folds, "second_stage_ways", ranked_is_best)
    made = kit.tune(mixed)
    assert load_recipe(made.path).decoder == "ranked"
    assert set(kit.decode(made.path, data)) == {question.guid for question in data}
    with Path("train.jsonl").open("a", encoding="utf-8") as file:
        file.write("\n")
    with pytest.raises(ConfigError, match=r"was fitted with other members than letters, train.jsonl; tune"):
        kit.decode(made.path, data)
