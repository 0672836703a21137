"""The table of many weights answers as the real decoders and the real vote do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.data.records import Answer, Dataset, Question
from kit.decoding.decoders import decoded, forms_of
from kit.decoding.form_table import make_table
from kit.decoding.voting import Ballot, elected
from kit.metrics.edit_distance import edit_distances
from kit.spans.blending import BLENDS, blended
from kit.spans.posteriors import Posterior, span_posterior
from tests.decoding.slow_table import slow_table
from tests.examples import examples
from tests.spans.made import letters, scores_of, words


def made(seed: int) -> Dataset:
    generator = np.random.default_rng(seed)
    nouns = ["한국은행", "무령시", "박하린", "기상청", "도서관", "광장", "출판사", "동해안"]
    questions = []
    for number in range(60):
        chosen = [str(noun) for noun in generator.choice(nouns, 5, replace=False)]
        context = " ".join(noun + str(generator.choice(["은", "이", "에서", "의"])) for noun in chosen)
        gold = chosen[int(generator.integers(5))]
        questions.append(Question(f"q{number}", "무엇인가?", context, (Answer(gold, context.index(gold)),)))
    return Dataset(Path("t.json"), "0" * 64, "korquad", tuple(questions))


@pytest.fixture
def data() -> Dataset:
    return made(5)


@pytest.mark.parametrize("blend", ["mean", "product", "vote"])
@pytest.mark.parametrize("decoder", ["argmax", "edit"])
@pytest.mark.parametrize("candidates", [50, 4])
def test_the_table_answers_as_the_real_decoder_does(
    data: Dataset, blend: str, decoder: str, candidates: int
) -> None:
    parts = [
        span_posterior(scores_of(data, pieces, seed, 1.5), 12).likeliest(60)
        for seed, pieces in ((1, words), (2, letters), (3, letters))
    ]
    weights = np.array([0.5, 0.2, 0.3])
    table = make_table(parts, data.questions)
    chosen = table.chosen(weights, BLENDS[blend], forms_of(decoder), candidates)
    found = [table.forms[index] for index in chosen.tolist()]
    if blend == "vote":
        ballots = [
            Ballot(decoded(part.likeliest(candidates), data.questions, decoder), weight, part)
            for part, weight in zip(parts, weights.tolist(), strict=True)
        ]
        expected = elected(ballots, data.questions)
    else:
        whole = blended(parts, weights.tolist(), blend).likeliest(candidates)
        expected = decoded(whole, data.questions, decoder)
    assert found == list(expected)
    slow = slow_table(parts, data.questions)
    index = slow.chosen(weights, BLENDS[blend], forms_of(decoder), candidates)
    assert found == [slow.forms[place] for place in index.tolist()]
    golds = [question.golds for question in data]
    assert table.gold[chosen].tolist() == edit_distances(found, golds).tolist()


@given(
    seed=st.integers(0, 1000),
    sharp=st.sampled_from([0.5, 2.0, 5.0, 9.0]),
    weights=st.lists(st.sampled_from([0.0, 0.1, 0.5, 1.0]), min_size=3, max_size=3).filter(any),
    blend=st.sampled_from(list(BLENDS)),
    decoder=st.sampled_from(["argmax", "edit"]),
    candidates=st.sampled_from([50, 7, 1]),
)
@examples(40)
def test_the_table_answers_as_the_slow_one(
    seed: int, sharp: float, weights: list[float], blend: str, decoder: str, candidates: int
) -> None:
    """Whatever the weights, and however sure the members are."""
    data = made(seed)
    parts = [
        span_posterior(scores_of(data, pieces, seed + number, sharp), 12).likeliest(60)
        for number, pieces in enumerate((words, letters, letters))
    ]
    fast, slow = make_table(parts, data.questions), slow_table(parts, data.questions)
    found, expected = (
        [table.forms[index] for index in table.chosen(
            np.array(weights), BLENDS[blend], forms_of(decoder), candidates
        ).tolist()]
        for table in (fast, slow)
    )  # fmt: skip
    assert found == expected


def test_where_every_member_is_sure_one_span_stands_alone() -> None:
    data = made(1)
    parts = [span_posterior(scores_of(data, letters, seed, 12.0), 12).likeliest(60) for seed in (1, 2)]
    table = make_table(parts, data.questions)
    alone = np.bincount(table.question, minlength=len(data)) == 1
    assert alone.sum() > 10
    assert (table.p[:, alone[table.question]] == 1.0).all()
    assert sum(len(block.questions) for block in table.blocks) == len(data) - alone.sum()


def test_a_question_without_a_span_gets_a_blank() -> None:
    questions = (Question("a", "?", "가나", (Answer("가", 0),)), Question("b", "?", "", (Answer("", 0),)))
    posterior = Posterior(
        np.array([0, 1, 1]),
        np.array([0], np.int32),
        np.array([1], np.int32),
        np.array([0.4]),
        np.zeros((2, 3)),
    )
    table = make_table([posterior, posterior], questions)
    for blend in BLENDS.values():
        for decoder in ("argmax", "edit"):
            chosen = table.chosen(np.ones(2), blend, forms_of(decoder), 5)
            assert table.forms[chosen[1]] == ""
