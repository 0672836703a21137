"""Inference: how windows are batched changes nothing, and scores stand on the right characters."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kit.data.records import Question
from kit.modeling import inference
from kit.modeling.backbones import load_weights, open_backbone
from kit.modeling.batching import budget_batches, pad_batch
from kit.modeling.devices import choose_device
from kit.modeling.inference import score_questions
from kit.modeling.windows import make_windows
from kit.spans.span_scores import Provenance, SpanScores, joined
from tests.examples import examples

NOWHERE = Provenance("", "", "", "", 0, 0, "")


@examples(100)
@given(st.lists(st.integers(1, 500), max_size=60), st.integers(1, 2000))
def test_budget_batches_hold_every_window_once_within_the_budget(lengths: list[int], budget: int) -> None:
    sizes = np.array(lengths, dtype=np.int64)
    batches = list(budget_batches(sizes, budget))
    assert sorted(np.concatenate([np.zeros(0, int), *batches]).tolist()) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * sizes[batch].max() <= budget


def test_padding_is_masked_by_length_not_by_id(wordpiece_folder: Path, articles: list[str]) -> None:
    backbone = open_backbone(str(wordpiece_folder))
    windows = make_windows(
        backbone,
        [Question("a", "?", articles[0], None), Question("b", "?", "짧다", None)],
        max_length=96,
        stride=8,
    )
    # the pad id may also be a real token's: then a mask made from ids would hide it
    inputs = pad_batch(windows, np.array([0, 1]), pad_id=int(windows.ids[3]))
    assert inputs["attention_mask"].sum(dim=1).tolist() == windows.lengths.tolist()


@pytest.fixture(scope="module")
def questions(shared_articles: list[str]) -> list[Question]:
    contexts = [*shared_articles, " ".join(shared_articles * 3), "", " \n ", "짧다."]
    return [
        Question(f"q{n}", "새 로봇의 이름은 무엇인가?", context, None) for n, context in enumerate(contexts)
    ]


@pytest.fixture(scope="module")
def shared_articles() -> list[str]:
    return [
        "한빛전자는 3일 서울 본사에서 새 로봇 ‘누리’를 공개했다.",
        "무령시는 15일 나무 심기 행사를 연다고 밝혔다.",
    ]


def scored(folder: Path, questions: list[Question], length: int = 64) -> SpanScores:
    backbone = open_backbone(str(folder))
    model = load_weights(backbone, head_needed=True)
    parts = score_questions(
        model, backbone, questions, choose_device(), max_length=length, stride=16, provenance=NOWHERE
    )
    return joined(list(parts), NOWHERE)


def test_progress_counts_questions_batch_by_batch(
    wordpiece_folder: Path, questions: list[Question], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each batch of windows, not once a thousand questions; all of them are counted once."""
    monkeypatch.setitem(inference._BUDGET, "cpu", 64)
    told: list[int] = []
    backbone = open_backbone(str(wordpiece_folder))
    model = load_weights(backbone, head_needed=True)
    list(
        score_questions(
            model, backbone, questions, choose_device(), max_length=64, stride=16, provenance=NOWHERE,
            advance=told.append,
        )
    )  # fmt: skip
    windows = make_windows(backbone, questions, max_length=64, stride=16)
    assert len(told) == len(list(budget_batches(windows.lengths, 64))) > 3
    assert sum(told) == len(questions)
    assert min(told) >= 0
    assert max(told) < len(questions)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=30), st.integers(0, 100))
def test_progress_in_parts_ends_at_the_whole(parts: list[int], whole: int) -> None:
    told: list[int] = []
    advance = inference.Whole(told.append, max(sum(parts), 1), whole)
    for part in [*parts, *([1] if not sum(parts) else [])]:
        advance(part)
    assert sum(told) == whole
    assert all(one >= 0 for one in told)


@pytest.mark.parametrize("kind", ["wordpiece_folder", "unigram_folder"])
def test_batching_and_chunking_do_not_change_the_scores(
    kind: str, questions: list[Question], request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = request.getfixturevalue(kind)
    together = scored(folder, questions)
    monkeypatch.setattr(inference, "_QUESTIONS_AT_ONCE", 1)
    monkeypatch.setitem(inference._BUDGET, "cpu", 1)
    alone = scored(folder, questions)
    assert together.guids == alone.guids == tuple(question.guid for question in questions)
    for name in ("windows", "tokens", "char_begin", "char_end"):
        assert np.array_equal(getattr(together, name), getattr(alone, name)), name
    for name in ("start", "end", "null"):
        np.testing.assert_allclose(getattr(together, name), getattr(alone, name), atol=2e-5)


def test_scores_are_the_models_logits_at_the_tokens_characters(
    wordpiece_folder: Path, questions: list[Question]
) -> None:
    backbone = open_backbone(str(wordpiece_folder))
    model = load_weights(backbone, head_needed=True).eval()
    question = questions[0]
    found = scored(wordpiece_folder, [question], length=96)
    encoded = backbone.tokenizer(
        question.text, question.context, return_tensors="pt", return_offsets_mapping=True
    )
    offsets = encoded.pop("offset_mapping")[0].tolist()
    with torch.inference_mode():
        output = model(**encoded)
    context = [n for n, owner in enumerate(encoded.sequence_ids(0)) if owner == 1]
    assert list(zip(found.char_begin.tolist(), found.char_end.tolist(), strict=True)) == [
        tuple(offsets[n]) for n in context
    ]
    np.testing.assert_allclose(found.start, output.start_logits[0, context].numpy(), atol=1e-5)
    np.testing.assert_allclose(found.end, output.end_logits[0, context].numpy(), atol=1e-5)
    np.testing.assert_allclose(
        found.null, (output.start_logits[0, 0] + output.end_logits[0, 0]).numpy(), atol=1e-5
    )


def test_white_space_never_starts_or_ends_a_span(unigram_folder: Path) -> None:
    question = Question("a", "?", "서울  본사\xa0\xa0에서\n\n공개했다 ", None)
    found = scored(unigram_folder, [question])
    for begin, end in zip(found.char_begin.tolist(), found.char_end.tolist(), strict=True):
        assert not question.context[begin].isspace()
        assert not question.context[end - 1].isspace()


def test_an_empty_context_has_a_window_without_tokens(wordpiece_folder: Path) -> None:
    found = scored(wordpiece_folder, [Question("a", "?", "", None), Question("b", "?", "서울", None)])
    assert np.diff(found.windows).tolist() == [1, 1]
    assert np.diff(found.tokens)[0] == 0
    assert len(found.null) == 2
