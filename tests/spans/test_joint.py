"""Joint scores: stored, carried and decoded as the kept spans say, and no others."""

from __future__ import annotations

import hashlib
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import load_file

from kit.data.records import Answer, Question
from kit.decoding.decoders import argmax_answers, decoded
from kit.errors import SpanFileError
from kit.spans import candidates, posteriors
from kit.spans.candidates import best_spans
from kit.spans.posteriors import Posterior, span_posterior
from kit.spans.span_scores import JointScores, SpanScores, aligned, arrays_of, joined, scores_from
from kit.spans.store import read_provenance, read_spans, write_spans
from kit.tuning.temperature import fit_temperature
from tests.examples import examples
from tests.spans import made

pytestmark = pytest.mark.usefixtures("several_threads")
Row = dict[tuple[int, int], float]


def oracle(scores: SpanScores, cap: int, temperature: float, bonus: list[float]) -> list[Row]:
    """Log odds of the kept spans of each question, one by one; one of two windows has its larger."""
    assert scores.joint is not None
    found = []
    for question in range(len(scores)):
        best: Row = {}
        for window in range(scores.windows[question], scores.windows[question + 1]):
            head = int(scores.tokens[window])
            for span in range(scores.joint.offsets[window], scores.joint.offsets[window + 1]):
                begin = int(scores.char_begin[head + scores.joint.first[span]])
                end = int(scores.char_end[head + scores.joint.last[span]])
                if 0 < end - begin <= cap:
                    value = (float(scores.joint.score[span]) - float(scores.null[window])) / temperature
                    value += bonus[end - begin]
                    best[begin, end] = max(value, best.get((begin, end), -math.inf))
        found.append(best)
    return found


def rows(posterior: Posterior) -> list[Row]:
    found = []
    for question in range(len(posterior)):
        part = slice(posterior.offsets[question], posterior.offsets[question + 1])
        spans = zip(posterior.begin[part].tolist(), posterior.end[part].tolist(), strict=True)
        found.append(dict(zip(spans, posterior.p[part].tolist(), strict=True)))
    return found


@examples(120)
@given(
    made.joint_scores(),
    st.integers(1, 12),
    st.integers(1, 30),
    st.sampled_from([0.5, 1.0, 2.0]),
    st.one_of(st.none(), st.lists(st.integers(-8, 0), min_size=13, max_size=13)),
    st.sampled_from([1.0, 2.5, 40.0]),
    st.integers(1, 5),
)
def test_best_span_and_posterior_are_the_oracles(
    scores: SpanScores,
    cap: int,
    chunk: int,
    temperature: float,
    steps: list[int] | None,
    depth: float,
    count: int,
) -> None:
    bonus = None if steps is None else np.array(steps[: cap + 1]) / 4
    before = candidates._CHUNK_TOKENS, posteriors._CHUNK_TOKENS
    candidates._CHUNK_TOKENS = posteriors._CHUNK_TOKENS = chunk
    try:
        best = best_spans(scores, cap, temperature=temperature, bonus=bonus)
        found = span_posterior(scores, cap, temperature=temperature, bonus=bonus, depth=depth)
        few = span_posterior(scores, cap, temperature=temperature, bonus=bonus, depth=depth, count=count)
    finally:
        candidates._CHUNK_TOKENS, posteriors._CHUNK_TOKENS = before
    expected = oracle(scores, cap, temperature, [0.0] * (cap + 1) if bonus is None else bonus.tolist())
    winners = zip(best.begin.tolist(), best.end.tolist(), best.score.tolist(), strict=True)
    for row, winner, full in zip(rows(found), winners, expected, strict=True):
        if not full:
            assert winner == (0, 0, -math.inf)
            assert not row
            continue
        span = min(full, key=lambda span: (-full[span], span))
        assert winner == (*span, full[span])
        near = {span: math.exp(odds) for span, odds in full.items() if odds >= max(full.values()) - depth}
        total = sum(near.values())
        assert list(row) == sorted(row)
        assert row == pytest.approx({span: weight / total for span, weight in near.items()})
    assert rows(few) == [pytest.approx(row) for row in rows(found.likeliest(count))]
    assert few.tail == pytest.approx(found.likeliest(count).tail)


def test_all_spans_kept_with_nothing_added_are_the_independent_posterior() -> None:
    generator = np.random.default_rng(5)
    logits = generator.normal(0, 2, (9, 2)).tolist()
    tokens = [(2 * n, 2 * n + 2, a, b) for n, (a, b) in enumerate(logits)]
    plain = made.scores([[(0.5, tokens)], [(1.5, tokens[2:7]), (0.0, tokens[4:])]])
    kept = []
    for low, high in zip(plain.tokens[:-1].tolist(), plain.tokens[1:].tolist(), strict=True):
        start, end = plain.start[low:high].tolist(), plain.end[low:high].tolist()
        kept.append([(b, e, start[b] + end[e]) for b in range(high - low) for e in range(b, high - low)])
    joint = made.with_joint(plain, kept)
    one, other = (span_posterior(scores, 9, temperature=1.5, depth=40) for scores in (plain, joint))
    assert rows(one) == [pytest.approx(row, rel=1e-5) for row in rows(other)]
    assert best_spans(plain, 9).begin.tolist() == best_spans(joint, 9).begin.tolist()


def test_a_crossed_span_loses_what_the_head_takes_from_it() -> None:
    """Two answers far apart: alone, a start of one goes with the end of the other as well as with its own."""
    context = "가나 다라 마바"
    tokens = [(0, 2, 4.0, 4.0), (3, 5, -4.0, -4.0), (6, 8, 4.0, 4.5)]
    question = Question("q0", "?", context, (Answer("마바", 6),))
    plain = made.scores([[(0.0, tokens)]])
    assert argmax_answers(plain, [question]) == (context,)
    joint = made.with_joint(plain, [[(0, 0, 8.0), (0, 2, 1.5), (2, 2, 8.5)]])
    assert argmax_answers(joint, [question]) == ("마바",)
    for decoder in ("argmax", "edit"):
        assert decoded(span_posterior(joint, 60), [question], decoder) == ("마바",)


def test_temperatures_are_fitted_to_the_kept_spans() -> None:
    generator = np.random.default_rng(1)
    context, questions, windows, kept = "가나다라마바사아", [], [], []
    for number in range(200):
        odds = generator.normal(0, 2, 8)
        gold = int(generator.choice(8, p=np.exp(odds) / np.exp(odds).sum()))
        windows.append([(0.0, [(at, at + 1, 0.0, 0.0) for at in range(8)])])
        kept.append([(at, at, 2 * float(odds[at])) for at in range(8)])  # twice as sure as it may be
        questions.append(Question(f"q{number}", "?", context, (Answer(context[gold], gold),)))
    scores = made.with_joint(made.scores(windows), kept)
    assert fit_temperature(scores, questions, 60, None) == pytest.approx(2.0, abs=0.4)


# ---- carried and stored


@pytest.fixture
def small() -> SpanScores:
    questions = [[(0.5, [(0, 2, 1.0, -1.0), (2, 3, 0.25, 2.0)]), (1.0, [(5, 9, 3.0, 4.0)])], [(0.0, [])]]
    plain = made.scores(questions, ["가-1", "나 2"])
    return made.with_joint(plain, [[(0, 0, 0.5), (0, 1, 3.25), (1, 1, 2.0)], [(0, 0, 7.5)], []])


def equal(one: SpanScores, other: SpanScores) -> bool:
    a, b = arrays_of(one), arrays_of(other)
    same = a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)
    return same and one.guids == other.guids


@examples(40)
@given(made.joint_scores(), st.data())
def test_selecting_and_joining_keep_every_span_with_its_window(
    scores: SpanScores, data: st.DataObject
) -> None:
    assert equal(scores_from(scores.guids, arrays_of(scores), scores.provenance), scores)
    order = np.array(data.draw(st.permutations(range(len(scores)))), dtype=np.intp)
    turned = scores.select(order)
    cap = [0.0] * 61
    whole = oracle(scores, 60, 1.0, cap)
    assert oracle(turned, 60, 1.0, cap) == [whole[index] for index in order]
    assert equal(aligned(turned, scores.guids, "a"), scores)
    at = data.draw(st.integers(0, len(scores)))
    parts = [scores.select(np.arange(at)), scores.select(np.arange(at, len(scores)))]
    assert equal(joined(parts, scores.provenance), scores)


@examples(25)
@given(scores=made.joint_scores())
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, scores: SpanScores) -> None:
    path = tmp_path_factory.mktemp("spans") / "a.safetensors"
    write_spans(path, made.PROVENANCE, [scores])
    assert equal(read_spans(path), scores)
    assert read_provenance(path) == made.PROVENANCE


def test_a_file_without_joint_scores_is_what_it_always_was(tmp_path: Path, small: SpanScores) -> None:
    write_spans(tmp_path / "plain", made.PROVENANCE, [replace(small, joint=None)])
    found = hashlib.sha256((tmp_path / "plain").read_bytes()).hexdigest()
    assert found == "e3c673fca483766694ba04ccbc688c083a04d11a7fedd4a9c320a3c94ab41042"
    assert read_spans(tmp_path / "plain").joint is None


def test_joint_scores_have_a_format_that_an_older_kit_refuses(tmp_path: Path, small: SpanScores) -> None:
    write_spans(tmp_path / "joint", made.PROVENANCE, [small])
    with safe_open(tmp_path / "joint", framework="numpy") as file:
        assert file.metadata()["format"] == "2"
    assert set(load_file(tmp_path / "joint")) == set(arrays_of(small))


def test_pieces_make_the_file_of_the_whole(tmp_path: Path, small: SpanScores) -> None:
    nobody = replace(small.select(np.array([], dtype=np.intp)), joint=None)
    parts = [small.select(np.array([0])), nobody, small.select(np.array([1]))]
    write_spans(tmp_path / "pieces", made.PROVENANCE, iter(parts))
    write_spans(tmp_path / "whole", made.PROVENANCE, [small])
    assert (tmp_path / "pieces").read_bytes() == (tmp_path / "whole").read_bytes()
    assert equal(joined(parts, made.PROVENANCE), small)


def test_members_of_two_kinds_are_not_mixed(tmp_path: Path, small: SpanScores) -> None:
    first, second = small.select(np.array([0])), replace(small.select(np.array([1])), joint=None)
    for parts in ([first, second], [second, first]):
        with pytest.raises(SpanFileError, match="some questions have joint scores and others have none"):
            joined(parts, made.PROVENANCE)
        with pytest.raises(SpanFileError, match="not written: some questions have joint scores"):
            write_spans(tmp_path / "a.safetensors", made.PROVENANCE, parts)
    assert list(tmp_path.iterdir()) == []


def test_every_truncation_and_every_flipped_byte_is_noticed(tmp_path: Path, small: SpanScores) -> None:
    path = tmp_path / "a.safetensors"
    write_spans(path, made.PROVENANCE, [small])
    whole = path.read_bytes()
    for size in range(0, len(whole), 7):
        path.write_bytes(whole[:size])
        with pytest.raises(SpanFileError):
            read_spans(path)
    for at in range(0, len(whole), 3):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x41]) + whole[at + 1 :])
        try:
            got = read_spans(path)
        except SpanFileError:
            continue
        assert equal(replace(got, guids=small.guids), small)  # only the provenance's own texts have no check
    path.write_bytes(whole.replace(b'"format": "2"', b'"format": "1"'))
    with pytest.raises(SpanFileError, match="damaged"):
        read_spans(path)


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"offsets": np.array([0, 3, 4], np.int64)}, "offsets spans do not fit 3"),
        ({"offsets": np.array([0, 4, 3, 4], np.int64)}, "offsets spans do not fit 3"),
        ({"offsets": np.array([0, 3, 4, 5], np.int64)}, "do not all hold 5 spans"),
        ({"offsets": np.array([0, 3, 3, 4], np.int64)}, "not of tokens of its window"),
        ({"first": np.array([-1, 0, 1, 0], np.int32)}, "not of tokens of its window"),
        ({"last": np.array([0, 2, 1, 0], np.int32)}, "not of tokens of its window"),
        ({"first": np.array([0, 0, 1, 1], np.int32)}, "not of tokens of its window"),
        ({"last": np.array([1, 0, 1, 0], np.int32)}, "not in order"),
        ({"last": np.array([1, 1, 1, 0], np.int32)}, "there twice"),
        ({"score": np.array([1, 2, np.inf, 0], np.float32)}, "joint score is not a finite number"),
        ({"score": np.zeros(4, np.float64)}, "array joint is float64"),
        ({"first": np.zeros((2, 2), np.int32)}, "array first is int32"),
    ],
)
def test_joint_scores_that_break_the_layout_are_never_written(
    tmp_path: Path, small: SpanScores, change: dict[str, np.ndarray], part: str
) -> None:
    assert isinstance(small.joint, JointScores)
    broken = replace(small, joint=replace(small.joint, **change))  # type: ignore[arg-type]
    with pytest.raises(SpanFileError, match=part):
        write_spans(tmp_path / "a.safetensors", made.PROVENANCE, [broken])
    assert list(tmp_path.iterdir()) == []
