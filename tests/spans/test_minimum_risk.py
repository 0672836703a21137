"""Edit-distance decoding equals the plain double loop, and its shortcut never changes an answer."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from Levenshtein import distance

from kit.data.records import Question
from kit.spans.minimum_risk import considered, minimum_risk_answers
from kit.spans.posteriors import Posterior
from kit.spans.span_scores import offsets_of
from tests.examples import examples

CAP = 8
CONTEXT = "한국은행은 3일 한국은 금리를 3일 올렸다."


@st.composite
def posteriors(draw: st.DrawFn) -> Posterior:
    """One question's spans with a random share of the mass, the rest in the tail."""
    spans = draw(
        st.sets(
            st.tuples(st.integers(0, len(CONTEXT) - 1), st.integers(1, CAP)).map(
                lambda pair: (pair[0], min(pair[0] + pair[1], len(CONTEXT)))
            ),
            max_size=12,
        )
    )
    ordered = sorted(spans)
    masses = draw(st.lists(st.integers(1, 50), min_size=len(ordered) + CAP, max_size=len(ordered) + CAP))
    share = draw(st.sampled_from([0.0, 0.3]))
    own, rest = np.array(masses[: len(ordered)], float), np.array(masses[len(ordered) :], float)
    tail = np.zeros((1, CAP + 1))
    if share or not ordered:
        tail[0, 1:] = rest / rest.sum() * (share if ordered else 1.0)
    else:
        share = 0.0
    p = own / own.sum() * (1 - share) if ordered else own
    return Posterior(
        offsets_of(np.array([len(ordered)])),
        np.array([begin for begin, _ in ordered], np.int32),
        np.array([end for _, end in ordered], np.int32),
        p,
        tail,
    )


@examples(300)
@given(posteriors())
def test_the_answer_has_the_least_expected_distance(posterior: Posterior) -> None:
    question = Question("q", "?", CONTEXT, None)
    (answer,) = minimum_risk_answers(posterior, [question])
    spans = [CONTEXT[b:e] for b, e in zip(posterior.begin.tolist(), posterior.end.tolist(), strict=True)]
    if not spans:
        assert answer == ""
        return

    def risk(text: str) -> float:
        listed = sum(p * distance(text, span) for span, p in zip(spans, posterior.p.tolist(), strict=True))
        tail = sum(mass * max(len(text), length) for length, mass in enumerate(posterior.tail[0].tolist()))
        return listed + tail

    (table,) = considered(posterior, [question])
    for text, value in zip(table.texts, table.risk.tolist(), strict=True):
        assert abs(risk(text) - value) < 1e-6
    assert {*spans, "", *(span.strip() for span in spans)} <= set(table.texts)
    assert risk(answer) <= min(map(risk, table.texts)) + 1e-6
    for text, p in zip(table.texts, table.p.tolist(), strict=True):
        assert (
            abs(p - sum(q for span, q in zip(spans, posterior.p.tolist(), strict=True) if span == text))
            < 1e-9
        )


def one(spans: dict[str, float], context: str = CONTEXT) -> tuple[Posterior, Question]:
    places = sorted((context.index(text), context.index(text) + len(text), p) for text, p in spans.items())
    begin, end, p = (np.array(column) for column in zip(*places, strict=True))
    tail = np.zeros((1, 61))
    tail[0, 20] = 1 - p.sum()
    counts = offsets_of(np.array([len(places)]))
    return Posterior(counts, begin.astype(np.int32), end.astype(np.int32), p, tail), Question(
        "q", "?", context, None
    )


def test_between_near_texts_the_middle_one_wins_although_another_is_likelier() -> None:
    posterior, question = one({"한국은행은": 0.35, "한국은행": 0.33, "한국은": 0.32})
    assert minimum_risk_answers(posterior, [question]) == ("한국은행",)


def test_a_blank_is_chosen_when_everything_is_unlikely_and_far_apart() -> None:
    context = "가나다라마바사아자차카타파하 기니디리미비시이지치키티피히"
    posterior, question = one(
        {"가나다라마바사아자차카타파하": 0.3, "기니디리미비시이지치키티피히": 0.3}, context
    )
    assert minimum_risk_answers(posterior, [question]) != ("",)
    short, question = one({"가나다라마바사아자차카타파하": 0.02}, context)
    short = Posterior(short.offsets, short.begin, short.end, short.p, np.eye(1, 61, 2) * 0.98)
    assert minimum_risk_answers(short, [question]) == ("",)


def test_a_form_without_its_particle_is_considered() -> None:
    posterior, question = one({"금리를": 0.4, "한국은": 0.1})
    (table,) = considered(posterior, [question])
    assert {"금리", "한국", ""} <= set(table.texts)
