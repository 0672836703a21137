"""The table of many weights answers as the real decoders and the real vote do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kit.data.records import Answer, Dataset, Question
from kit.decoding.decoders import decoded, forms_of
from kit.decoding.form_table import make_table
from kit.decoding.voting import Ballot, elected
from kit.metrics.edit_distance import edit_distances
from kit.spans.blending import BLENDS, blended
from kit.spans.posteriors import span_posterior
from tests.spans.made import letters, scores_of, words


@pytest.fixture
def data() -> Dataset:
    generator = np.random.default_rng(5)
    nouns = ["한국은행", "무령시", "박하린", "기상청", "도서관", "광장", "출판사", "동해안"]
    questions = []
    for number in range(60):
        chosen = [str(noun) for noun in generator.choice(nouns, 5, replace=False)]
        context = " ".join(noun + str(generator.choice(["은", "이", "에서", "의"])) for noun in chosen)
        gold = chosen[int(generator.integers(5))]
        questions.append(Question(f"q{number}", "무엇인가?", context, (Answer(gold, context.index(gold)),)))
    return Dataset(Path("t.json"), "0" * 64, "korquad", tuple(questions))


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
    golds = [question.golds for question in data]
    assert table.gold[chosen].tolist() == edit_distances(found, golds).tolist()
