"""Windows are what the tokenizer itself would make, and characters are those of the original context."""

from __future__ import annotations

import sys
import unicodedata

import numpy as np
import pytest
import tokenizers
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from kit.data.records import Answer, Question
from kit.errors import ModelError
from kit.modeling.backbones import Backbone, open_backbone
from kit.modeling.tokens import tokenize
from kit.modeling.windows import Windows, make_windows
from kit.training.labels import label_windows
from tests.examples import examples

texts = st.text(
    st.one_of(
        st.sampled_from("가나다라 \n\xa0\u200b\xad…‘’“”㎜①美中👩‍👩‍👧"),
        st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3),
        st.characters(min_codepoint=0x1100, max_codepoint=0x11FF),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=60,
)


def usual(backbone: Backbone, question: Question, max_length: int, stride: int) -> list[list[int]]:
    """The usual preparation: the library's own truncation with overflow."""
    encoded = backbone.tokenizer(
        question.text,
        question.context,
        truncation="only_second",
        max_length=max_length,
        stride=stride,
        return_overflowing_tokens=True,
    )
    return [list(ids) for ids in encoded["input_ids"]]


def ids_of(windows: Windows, question: int) -> list[list[int]]:
    chosen = np.flatnonzero(windows.question == question)
    return [windows.ids[windows.offsets[w] : windows.offsets[w + 1]].tolist() for w in chosen]


def test_windows_equal_the_librarys_own(backbone: Backbone, articles: list[str]) -> None:
    contexts = [articles[0], " ".join(articles), " ".join(articles * 4), "짧다."]
    questions = [Question(str(n), "새 로봇의 이름은?", context, None) for n, context in enumerate(contexts)]
    for max_length, stride in ((64, 16), (96, 20), (40, 0)):
        windows = make_windows(backbone, questions, max_length=max_length, stride=stride)
        for number, question in enumerate(questions):
            assert ids_of(windows, number) == usual(backbone, question, max_length, stride)
        assert windows.lengths.max() <= max_length


def test_segments_are_the_tokenizers(backbone: Backbone, articles: list[str]) -> None:
    question = Question("a", "가격은?", articles[0], None)
    windows = make_windows(backbone, [question], max_length=96, stride=16)
    assert windows.segments is not None
    expected = backbone.tokenizer(question.text, question.context)["token_type_ids"]
    assert windows.segments[: windows.offsets[1]].tolist() == expected[: windows.offsets[1]]


def test_published_vocabularies_give_the_librarys_windows(shared: object, articles: list[str]) -> None:
    for name in ("kcbert", "kpfbert"):
        backbone = open_backbone(f"{shared}/tokenizers/{name}")
        question = Question("a", "지도 교사는 누구인가?", " ".join(articles * 6), None)
        windows = make_windows(backbone, [question], max_length=120, stride=30)
        assert ids_of(windows, 0) == usual(backbone, question, 120, 30)


@examples(150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    contexts=st.lists(texts, min_size=1, max_size=4),
    question=texts,
    length=st.integers(16, 96),
    stride=st.integers(0, 60),
)
def test_every_token_of_every_context_is_in_a_window(
    backbone: Backbone, contexts: list[str], question: str, length: int, stride: int
) -> None:
    questions = [Question(str(n), question, context, None) for n, context in enumerate(contexts)]
    windows = make_windows(backbone, questions, max_length=length, stride=stride)
    assert sorted(set(windows.question.tolist())) == list(range(len(contexts)))
    for number, context in enumerate(contexts):
        text = windows.context[number]
        low, high = windows.contexts.offsets[text], windows.contexts.offsets[text + 1]
        seen = np.zeros(high - low, dtype=int)
        for window in np.flatnonzero(windows.question == number):
            first = windows.token_at[window]
            seen[first : first + windows.tokens[window]] += 1
        assert (seen > 0).all()
        begin, end = windows.contexts.begin[low:high], windows.contexts.end[low:high]
        assert (begin >= 0).all()
        assert (end <= len(context)).all()
        for b, e in zip(begin.tolist(), end.tolist(), strict=True):
            assert b == e or not (context[b].isspace() or context[e - 1].isspace())
    assert (windows.lengths <= length).all()


def test_leading_white_space_is_not_part_of_a_token(unigram_folder: object) -> None:
    backbone = open_backbone(str(unigram_folder))
    found = tokenize(backbone, ["서울  본사\xa0 에서"])
    spans = [(b, e) for b, e in zip(found.begin.tolist(), found.end.tolist(), strict=True) if e > b]
    covered = "".join("서울  본사\xa0 에서"[b:e] for b, e in spans)
    assert covered == "서울본사에서"


def test_the_tokenizer_leaves_nothing_with_the_texts(unigram_folder: object) -> None:
    """A text that the engine encodes keeps its UTF-8 form, larger than a Korean text itself."""
    texts = [f"한국은행이 {number} 밝혔다. " * 20 for number in range(3)]
    before = [sys.getsizeof(text) for text in texts]
    backbone = open_backbone(str(unigram_folder))
    tokenize(backbone, texts)
    assert [sys.getsizeof(text) for text in texts] == before
    backbone.engine.encode(texts[0])
    keeps = [int(part) for part in tokenizers.__version__.split(".")[:2]] >= [0, 23]
    assert (sys.getsizeof(texts[0]) > before[0]) == keeps  # what newer engines do to a text itself


def test_special_tokens_in_a_context_are_plain_text(backbone: Backbone) -> None:
    question = Question("a", "무엇인가?", "서울 [SEP] 본사 [CLS] [PAD]", None)
    windows = make_windows(backbone, [question], max_length=96, stride=16)
    specials = [backbone.tokenizer.sep_token_id, backbone.tokenizer.cls_token_id, backbone.pad_id]
    assert [int(np.isin(windows.ids, special).sum()) for special in specials] == [2, 1, 0]


@pytest.mark.parametrize(
    "context",
    ["", " \n\xa0 ", "가" * 20_000, unicodedata.normalize("NFD", "한국은행이 밝혔다."), "👩‍👩‍👧 美國 中"],
)
def test_unusual_contexts_are_all_right(backbone: Backbone, context: str) -> None:
    windows = make_windows(backbone, [Question("a", "?", context, None)], max_length=64, stride=16)
    assert len(windows) >= 1
    assert windows.contexts.end.max(initial=0) <= len(context)


def test_a_long_question_is_cut_and_counted(backbone: Backbone, articles: list[str]) -> None:
    questions = [Question("a", "무엇 " * 300, articles[0], None), Question("b", "무엇?", articles[0], None)]
    windows = make_windows(backbone, questions, max_length=64, stride=16)
    assert windows.cut_questions == 1
    assert (windows.tokens > 0).all()


def test_questions_of_one_context_share_its_tokens(backbone: Backbone, articles: list[str]) -> None:
    questions = [Question(str(n), "무엇인가?", articles[0], None) for n in range(50)]
    windows = make_windows(backbone, questions, max_length=96, stride=16)
    assert len(windows.contexts.offsets) == 2


def test_too_little_room_is_refused(backbone: Backbone) -> None:
    with pytest.raises(ModelError, match="leaves no room for a context; give at least"):
        make_windows(backbone, [Question("a", "무엇인가?", "서울", None)], max_length=4, stride=0)


def test_windows_and_labels_do_not_depend_on_how_many_are_made_at_once(
    backbone: Backbone, articles: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    questions = []
    for number in range(40):
        context = " ".join(articles[: 1 + number % 5])
        words = [context[at : at + 3] for at in rng.integers(0, len(context) - 3, number % 3)]
        golds = tuple(Answer(word, context.index(word)) for word in words)
        questions.append(Question(str(number), "무엇인가? " * (number % 4), context, golds))
    whole = make_windows(backbone, questions, max_length=64, stride=16)
    labels = label_windows(whole, questions)
    for size in (1, 7):
        monkeypatch.setattr("kit.modeling.windows._AT_ONCE", size)
        monkeypatch.setattr("kit.training.labels._AT_ONCE", size)
        windows = make_windows(backbone, questions, max_length=64, stride=16)
        for name in ("ids", "segments", "offsets"):
            assert np.array_equal(getattr(windows, name), getattr(whole, name))
        own = label_windows(windows, questions)
        for name in ("window", "start", "end", "unplaced"):
            assert np.array_equal(getattr(own, name), getattr(labels, name))
