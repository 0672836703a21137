"""The vote equals a slow count of it."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kit.data.records import Question
from kit.decoding.voting import Ballot, elected
from kit.spans.posteriors import Posterior
from kit.spans.span_scores import offsets_of
from tests.examples import examples

CONTEXT = "가나 다가 나"
TEXTS = ["가", "나", "다가", "나 ", "", "없음", "가나"]


def posterior(spans: list[dict[tuple[int, int], float]]) -> Posterior:
    """One question each: (begin, end) → p."""
    listed = [sorted(own.items()) for own in spans]
    return Posterior(
        offsets_of(np.array([len(own) for own in listed], dtype=np.int64)),
        np.array([begin for own in listed for (begin, _), _ in own], dtype=np.int32),
        np.array([end for own in listed for (_, end), _ in own], dtype=np.int32),
        np.array([p for own in listed for _, p in own], dtype=np.float64),
        np.zeros((len(spans), 9)),
    )


spans = st.dictionaries(
    st.tuples(st.integers(0, 6), st.integers(1, 3)).map(lambda pair: (pair[0], min(sum(pair), 7))),
    st.sampled_from([0.1, 0.2, 0.4]), max_size=4,
)  # fmt: skip


@st.composite
def ballots(draw: st.DrawFn) -> list[Ballot]:
    def one() -> Ballot:
        texts = draw(st.lists(st.sampled_from(TEXTS), min_size=2, max_size=2))
        held = draw(st.none() | st.tuples(spans, spans).map(lambda pair: posterior(list(pair))))
        return Ballot(texts, draw(st.sampled_from([0.5, 1.0, 1.5])), held)

    return [one() for _ in range(draw(st.integers(1, 4)))]


def slow(ballots: list[Ballot], number: int) -> str:
    def votes(text: str) -> float:
        return round(sum(ballot.weight for ballot in ballots if ballot.texts[number] == text), 9)

    def mass(text: str) -> float:
        total = 0.0
        for ballot in ballots:
            held = ballot.posterior
            if held is not None:
                for index in range(held.offsets[number], held.offsets[number + 1]):
                    if CONTEXT[held.begin[index] : held.end[index]] == text:
                        total += ballot.weight * held.p[index]
        return round(total, 9)

    def place(text: str) -> int:
        return CONTEXT.index(text) if text and text in CONTEXT else len(CONTEXT)

    named = {ballot.texts[number] for ballot in ballots}
    return min(named, key=lambda text: (-votes(text), -mass(text), place(text), len(text), text))


@examples(300)
@given(ballots())
def test_the_elected_are_the_slow_counts(ballots: list[Ballot]) -> None:
    questions = [Question(f"q{number}", "?", CONTEXT, None) for number in range(2)]
    assert elected(ballots, questions) == (slow(ballots, 0), slow(ballots, 1))


def test_ties_by_hand() -> None:
    questions = [Question(f"q{number}", "?", CONTEXT, None) for number in range(2)]
    held = posterior([{(0, 1): 0.4, (1, 2): 0.1}, {(1, 2): 0.4, (6, 7): 0.2}])
    other = posterior([{(0, 1): 0.1, (1, 2): 0.4}, {(0, 1): 0.5}])

    def of(one: str, two: str, *posteriors: Posterior | None) -> tuple[str, ...]:
        held_by = posteriors or (None, None)
        return elected([Ballot([one] * 2, 1.0, held_by[0]), Ballot([two] * 2, 1.0, held_by[1])], questions)

    assert of("나", "가") == ("가", "가")  # the earlier in the context
    assert of("나", "가", held, None) == ("가", "나")  # the likelier
    assert of("나", "가", other, held) == ("가", "나")  # 0.5 each; 0.6 beside 0.5
    assert of("없음", "가") == ("가", "가")
    assert of("", "나") == ("나", "나")
    assert of("없음", "") == ("", "")  # neither stands there: the shorter
    alone = [Ballot(["나"] * 2, 1.5, None), Ballot(["가"] * 2, 1.0, held)]
    assert elected(alone, questions) == ("나", "나")  # votes come first
