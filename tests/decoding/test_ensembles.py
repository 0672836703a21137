"""Recipes carried out on runs whose span files are made by hand: no model library in sight."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kit
from kit.data.records import Dataset
from kit.decoding import ensembles
from kit.errors import ConfigError, DataError, SpanFileError, SubmissionError
from kit.ranking.boundary import BoundaryModel
from kit.ranking.boundary_features import span_features
from kit.ranking.boundary_file import write_boundary
from kit.settings.recipe import Member, Recipe
from kit.settings.runs import DataFile, FoldRecord, RunRecord, write_run
from kit.settings.training import TrainingSettings
from kit.spans.run_folder import open_run
from kit.spans.span_scores import SpanScores
from kit.spans.store import write_spans
from kit.submission.csv import write_submission
from tests.spans.made import letters, scores_of, words

CONTEXTS = [
    "한국은행은 3일 기준금리를 동결했다고 밝혔다.",
    "무령시는 오는 15일 시청 앞 광장에서 행사를 연다.",
    "소설가 박하린의 장편이 미국 출판사와 계약했다.",
    "기상청은 내일 밤 동해안에 비가 내리겠다고 예보했다.",
]
GOLDS = ["한국은행", "15일", "박하린", "기상청"]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rows = [
        {
            "guid": f"q{number}",
            "title": f"t{number}",
            "context": context,
            "question": "무엇인가?",
            "answers": [{"text": gold, "answer_start": context.index(gold)}],
        }
        for number, (context, gold) in enumerate(zip(CONTEXTS, GOLDS, strict=True))
    ]
    monkeypatch.chdir(tmp_path)
    flat = [
        {
            "title": row["title"],
            "paragraphs": [
                {
                    "context": row["context"],
                    "qas": [{"id": row["guid"], "question": row["question"], "answers": row["answers"]}],
                }
            ],
        }
        for row in rows
    ]
    (tmp_path / "test.json").write_text(json.dumps({"data": flat}, ensure_ascii=False), encoding="utf-8")
    return tmp_path


@pytest.fixture
def data(place: Path) -> Dataset:
    return kit.load("test.json")


def make_run(
    data: Dataset, name: str, scores: dict[str, SpanScores], lengths: dict[str, int] | None = None
) -> None:
    folder = Path("runs") / name
    fold = FoldRecord(
        held_out=1, steps=1, seconds=1.0, windows=1, weights_sha256="0" * 64, metrics={"edit": 1.0}
    )
    record = RunRecord(
        backbone="b",
        settings=TrainingSettings(folds=None if list(scores) == ["full"] else max(len(scores), 2)),
        data=(DataFile(name="train.json", sha256="1" * 64, questions=1),),
        answer_lengths=lengths or {"3": 10, "4": 5},
        folds=dict.fromkeys(scores, fold),
    )
    write_run(folder, record)
    run = open_run(folder)
    for label, one in scores.items():
        path = run.span_file(data, label)
        write_spans(path, one.provenance, [one])


@pytest.fixture
def three(place: Path, data: Dataset) -> None:
    """Two runs of different tokenizers, one of two folds, and a run of one."""
    make_run(data, "words", {"full": scores_of(data, words, 1, 4.0)})
    make_run(data, "letters", {str(k): scores_of(data, letters, 2 + k, 6.0) for k in range(2)})
    make_run(data, "noise", {"full": scores_of(data, letters, 9, 0.0)})


def recipe(*members: dict[str, Any], **more: Any) -> Recipe:
    return Recipe(members=tuple(Member(**member) for member in members), **more)


A, B, C = {"run": "runs/words"}, {"run": "runs/letters"}, {"run": "runs/noise"}


def test_a_csv_and_the_runs_after_it_have_their_say_in_an_explanation(three: None, data: Dataset) -> None:
    write_submission(Path("0.csv"), [question.guid for question in data], ["가"] * len(data))
    found = kit.explain(recipe(A, {"csv": "0.csv"}, C, blend="vote"), data, data.questions[0].guid)
    assert [(one.label, one.p is None) for one in found.members] == [
        ("0.csv", True), ("noise", False), ("words", False),
    ]  # fmt: skip
    assert found.members[0].text == "가"


def test_lengths_come_from_files_with_answers_and_runs_with_a_record(three: None, data: Dataset) -> None:
    rows = [{"guid": "a", "context": "가", "question": "?", "answers": None}]
    Path("none.json").write_text(json.dumps(rows))
    with pytest.raises(DataError, match="this is a test file"):
        kit.decode(recipe(A, length_prior=1.0, lengths="none.json"), data)
    bare = Path("bare")
    bare.mkdir()
    (bare / "config.json").write_text("{}")
    scores = scores_of(data, letters, 9, 0.0)
    write_spans(open_run(bare).span_file(data, "full"), scores.provenance, [scores])
    both = kit.decode(recipe(A, {"run": "bare", "weight": 1e-9}, length_prior=1.0), data)
    assert both == kit.decode(recipe(A, length_prior=1.0), data)


def test_one_member_is_decoded_as_the_recipe_says(three: None, data: Dataset) -> None:
    """The short way for one run gives what the long one gives, and only for argmax."""
    for member in (B | {"fold": 0}, C):
        for more in ({}, {"length_cap": 2}, {"length_prior": 3.0}):
            for temperature in (0.5, 4.0):
                one = recipe({**member, "temperature": temperature}, **more)
                twice = recipe(
                    {**member, "temperature": temperature}, {**A, "weight": 1e-9}, blend="mean", **more
                )
                assert kit.decode(one, data) == kit.decode(twice, data)
    assert kit.decode(recipe(C), data) != kit.decode(recipe(C, decoder="edit"), data)
    flat = {temperature: kit.decode(recipe({**C, "temperature": temperature}, length_prior=1.0), data)
            for temperature in (0.1, 50.0)}  # fmt: skip
    assert flat[0.1] != flat[50.0]  # a flat member leaves it to the prior


@pytest.mark.parametrize("blend", ["mean", "product", "vote"])
@pytest.mark.parametrize("decoder", ["argmax", "edit"])
def test_order_scale_and_repetition_of_members_change_no_byte(
    three: None, data: Dataset, blend: Any, decoder: Any
) -> None:
    def bytes_of(name: str, *members: dict[str, Any]) -> bytes:
        made = kit.ensemble(recipe(*members, blend=blend, decoder=decoder), data, out=f"{name}.csv")
        return made.path.read_bytes()

    plain = bytes_of("a", A | {"weight": 0.3}, B | {"weight": 0.5}, C | {"weight": 0.2})
    assert bytes_of("b", C | {"weight": 0.2}, A | {"weight": 0.3}, B | {"weight": 0.5}) == plain
    assert bytes_of("c", A | {"weight": 0.6}, B | {"weight": 1.0}, C | {"weight": 0.4}) == plain
    halves = [A | {"weight": 0.15}] * 2
    assert bytes_of("d", *halves, B | {"weight": 0.5}, C | {"weight": 0.2}) == plain
    folds = [B | {"weight": 0.25, "fold": fold} for fold in (1, 0)]
    assert bytes_of("e", A | {"weight": 0.3}, *folds, C | {"weight": 0.2}) == plain
    assert (
        bytes_of(
            "f", A | {"weight": 0.3}, B | {"weight": 0.5}, C | {"weight": 0.2}, {"run": "x", "weight": 0.0}
        )
        == plain
    )


def test_answers_that_one_tokenizer_cannot_end_at_come_from_the_other(three: None, data: Dataset) -> None:
    alone = kit.decode(recipe(A), data)
    assert alone["q0"] == "한국은행은"  # the word tokenizer has no shorter piece
    together = kit.decode(recipe(A, B | {"weight": 2.0}, decoder="edit"), data)
    assert together["q0"] == "한국은행"


def test_a_run_stands_for_the_average_of_its_folds(three: None, data: Dataset) -> None:
    whole = kit.explain(recipe(B), data, "q1")
    assert [(one.label, one.weight) for one in whole.members] == [
        ("letters fold 0", 0.5),
        ("letters fold 1", 0.5),
    ]
    one = kit.explain(recipe(B | {"fold": 1}), data, "q1")
    assert [opinion.label for opinion in one.members] == ["letters fold 1"]


def test_the_short_way_and_the_way_through_the_posterior_agree(three: None, data: Dataset) -> None:
    from kit.decoding.decoders import decoded
    from kit.decoding.ensembles import blend_of, posterior_of, sources_of

    for member in (A, C):
        asked = recipe(member, length_cap=8)
        sources = sources_of(asked, data)
        parts = [posterior_of(asked, source, source.scores(data), None) for source in sources]
        posterior = blend_of(asked, sources, parts, data.questions)
        assert tuple(kit.decode(asked, data).values()) == decoded(posterior, data.questions, "argmax")


def test_other_peoples_csvs_vote(three: None, data: Dataset) -> None:
    kit.write_submission(
        "other.csv", data, dict(zip([q.guid for q in data], ["가", "", "다", "라"], strict=True))
    )
    kit.write_submission(
        "third.csv", data, dict(zip([q.guid for q in data], ["가", "나", "다", "마"], strict=True))
    )
    vote = recipe({"csv": "other.csv"}, {"csv": "third.csv", "weight": 1.5}, A, blend="vote")
    answers = kit.decode(vote, data)
    assert answers["q0"] == "가"
    assert answers["q1"] == "나"
    made = kit.ensemble(vote, data, out="vote.csv")
    assert sorted(member.span_file for member in made.card.members)[:2] == [
        "other.csv",
        f"{data.key}.safetensors",
    ]
    Path("other.csv").write_text("Id,Predicted\nq0,가\n", encoding="utf-8")
    with pytest.raises(SubmissionError, match=r"other.csv: has no answer to question q1 and 2 more"):
        kit.decode(vote, data)


def test_a_tie_goes_to_the_likelier_then_the_earlier_text(three: None, data: Dataset) -> None:
    votes = recipe(B, blend="vote")
    for question in data:
        members = kit.explain(votes, data, question.guid).members
        texts = {one.text for one in members}
        assert kit.decode(votes, data)[question.guid] in texts


def test_a_member_of_other_data_or_without_a_question_is_named(
    three: None, place: Path, data: Dataset
) -> None:
    fewer = scores_of(data, words, 1, 4.0).select(np.array([0, 1, 3]))
    write_spans(Path("runs/words/spans") / f"{data.key}.safetensors", fewer.provenance, [fewer])
    with pytest.raises(SpanFileError, match=r"words: has no scores for question q2"):
        kit.decode(recipe(A, B), data)
    Path("runs/words/spans", f"{data.key}.safetensors").unlink()
    with pytest.raises(
        SpanFileError, match=r"runs/words: no span scores for test.json; run: kit predict runs/words"
    ):
        kit.decode(recipe(A, B), data)


def test_the_length_prior_comes_from_the_runs_or_from_a_file(three: None, data: Dataset) -> None:
    from kit.decoding.ensembles import length_bonus
    from kit.spans.recipe_members import sources_of

    asked = recipe(A, B, length_prior=1.0)
    bonus = length_bonus(asked, sources_of(asked, data))
    assert bonus is not None
    assert bonus[1:5].argmax() == 2  # three code points
    from_file = length_bonus(asked.model_copy(update={"lengths": "test.json"}), ())
    assert from_file is not None
    assert np.exp(from_file).sum() == pytest.approx(1.0)
    with pytest.raises(
        ConfigError, match=r"no member's run recorded any; name the training file with lengths:"
    ):
        length_bonus(asked, ())


def test_an_answer_is_explained(three: None, data: Dataset) -> None:
    asked = recipe(A, B | {"weight": 2.0}, decoder="edit", rules=("trim", {"blank_long": 4}))
    found = kit.explain(asked, data, "q0")
    assert found.decoded == "한국은행"
    assert found.answer == ""
    assert found.place == 0
    assert found.choice is not None
    assert found.choice.candidates[0].text == "한국은행"
    assert {one.label for one in found.members} == {"words", "letters fold 0", "letters fold 1"}
    with pytest.raises(DataError, match=r"has no question nobody"):
        kit.explain(asked, data, "nobody")


@pytest.mark.parametrize(
    "more",
    [
        {"decoder": "argmax"},
        {"decoder": "edit", "length_prior": 0.5},
        {"decoder": "edit", "blend": "product"},
        {"decoder": "edit", "blend": "vote"},
    ],
)
def test_pieces_of_questions_answer_as_the_whole(
    three: None, several_threads: None, data: Dataset, monkeypatch: pytest.MonkeyPatch, more: dict[str, Any]
) -> None:
    """The CSV's bytes do not depend on how many questions are decoded at a time."""
    for members in ([A], [A, B, C]):
        chosen = recipe(*members, **more)
        written = []
        for piece in (4096, 3, 1):
            monkeypatch.setattr(ensembles, "PIECE", piece)
            written.append(kit.ensemble(chosen, data, out=f"{piece}.csv").path.read_bytes())
        assert len(set(written)) == 1


def test_pieces_of_questions_in_another_order_than_the_file(
    three: None, data: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = kit.decode(recipe(A, B), data)
    turned = replace(data, questions=data.questions[::-1])
    monkeypatch.setattr(ensembles, "PIECE", 3)
    assert kit.decode(recipe(A, B), turned) == expected


def boundary_of(data: Dataset, *texts: str) -> BoundaryModel:
    """A model that knows the features of these texts, one a question, by heart."""
    begin = np.array([question.context.index(text) for question, text in zip(data, texts, strict=True)])
    end = begin + [len(text) for text in texts]
    features = span_features(data.questions, np.arange(len(texts)), begin, end, bits=14, morphology=False)
    weights = np.zeros(1 << 14, np.float32)
    weights[features] = 0.25
    return BoundaryModel(weights, False, "0" * 64, 2.0)


@pytest.mark.parametrize("decoder", ["argmax", "edit"])
@pytest.mark.parametrize("blend", ["mean", "product", "vote"])
def test_a_boundary_model_moves_answers_whatever_decodes_them(
    three: None, data: Dataset, blend: str, decoder: str
) -> None:
    write_boundary(Path("b.boundary"), boundary_of(data, "한국은행", "15일", "박하린", "기상청"))
    asked = recipe(A, blend=blend, decoder=decoder)
    plain = kit.decode(asked, data)
    assert plain["q0"] == "한국은행은"  # no token of this member ends before the particle
    refined = asked.model_copy(update={"boundary": "b.boundary", "boundary_weight": 3.0})
    assert list(kit.decode(refined, data).values()) == GOLDS
    assert kit.decode(refined.model_copy(update={"boundary_weight": 0.0}), data) == plain
    found = kit.explain(refined, data, "q0")
    assert found.decoded == "한국은행"
    assert found.members[0].text == "한국은행"
    if blend != "vote":
        assert found.choice is not None
        assert found.choice.likeliest == "한국은행"


def test_a_boundary_model_that_is_missing_is_named(three: None, data: Dataset) -> None:
    with pytest.raises(ConfigError, match=r"no.boundary: no such boundary model; kit tune writes it"):
        kit.decode(recipe(A, boundary="no.boundary"), data)
    with pytest.raises(ConfigError, match="boundary_weight: needs boundary:, the file that kit tune wrote"):
        kit.decode(recipe(A, boundary_weight=0.3), data)
