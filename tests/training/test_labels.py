"""Labels point at the gold answer in every window that has it, and at CLS in every other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from kit.data.records import Answer, Question
from kit.modeling.backbones import Backbone
from kit.modeling.windows import Windows, make_windows
from kit.training.labels import Labels, label_windows
from tests.examples import examples


def labelled(windows: Windows, labels: Labels, questions: list[Question]) -> list[tuple[int, str | None]]:
    """(window, text under the label), None for CLS."""
    found: list[tuple[int, str | None]] = []
    for window, start, end in zip(
        labels.window.tolist(), labels.start.tolist(), labels.end.tolist(), strict=True
    ):
        if start == windows.cls:
            assert end == windows.cls
            found.append((window, None))
            continue
        question = windows.question[window]
        shift = (
            windows.contexts.offsets[windows.context[question]]
            + windows.token_at[window]
            - windows.context_at[window]
        )
        begin, stop = windows.contexts.begin[start + shift], windows.contexts.end[end + shift]
        found.append((window, questions[question].context[begin:stop]))
    return found


@examples(200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_label_covers_its_gold_and_hardly_more(
    backbone: Backbone, articles: list[str], data: st.DataObject
) -> None:
    context = " ".join(articles * 2)
    begin = data.draw(st.integers(0, len(context) - 1))
    end = data.draw(st.integers(begin + 1, min(begin + 40, len(context))))
    gold = context[begin:end]
    questions = [Question("a", "무엇인가?", context, (Answer(gold, begin),))]
    windows = make_windows(backbone, questions, max_length=64, stride=20)
    labels = label_windows(windows, questions)
    assert sorted(set(labels.window.tolist())) == list(range(len(windows)))
    texts = [text for _, text in labelled(windows, labels, questions) if text is not None]
    if not gold.strip():
        assert texts == []
        assert labels.unplaced == 1
        return
    for text in texts:
        assert gold.strip() in text
        longest = (windows.contexts.end - windows.contexts.begin).max()
        assert len(text) <= len(gold.strip()) + 2 * (longest - 1)
    # a window lacks it only where its tokens do not reach over the whole gold
    for window in range(len(windows)):
        low = windows.contexts.offsets[0] + windows.token_at[window]
        kept = slice(low, low + windows.tokens[window])
        first, last = windows.contexts.begin[kept].min(), windows.contexts.end[kept].max()
        stripped = begin + len(gold) - len(gold.lstrip())
        whole = first <= stripped and last >= stripped + len(gold.strip())
        has = any(w == window and text is not None for w, text in labelled(windows, labels, questions))
        assert has == whole


def test_an_answer_beyond_the_first_window_is_labelled_there(backbone: Backbone, articles: list[str]) -> None:
    # truncation would have lost it, or clamped it to the last position
    context = " ".join(articles * 3) + " 마지막 낱말은 이서윤 씨다."
    begin = context.rindex("이서윤")
    questions = [Question("a", "누구인가?", context, (Answer("이서윤", begin),))]
    windows = make_windows(backbone, questions, max_length=64, stride=16)
    found = labelled(windows, label_windows(windows, questions), questions)
    assert found[0] == (0, None)
    assert "이서윤" in str(found[-1][1])


def test_all_golds_or_one_of_them(backbone: Backbone, articles: list[str]) -> None:
    context = articles[1]
    start = context.index("김도현")
    answers = (Answer("김도현 시장", start), Answer("김도현", start), Answer("15일", context.index("15일")))
    questions = [Question("a", "누구?", context, answers)]
    windows = make_windows(backbone, questions, max_length=96, stride=16)
    counts = {
        targets: len(label_windows(windows, questions, targets).window)
        for targets in ("all", "first", "shortest", "longest")
    }
    assert counts == {"all": 3, "first": 1, "shortest": 1, "longest": 1}
    shortest = labelled(windows, label_windows(windows, questions, "shortest"), questions)
    assert "김도현" in str(shortest[0][1]) or "15일" in str(shortest[0][1])
    longest = labelled(windows, label_windows(windows, questions, "longest"), questions)
    assert "김도현 시장" in str(longest[0][1])


@pytest.mark.parametrize("answers", [None, ()])
def test_without_answers_every_window_points_to_cls(
    backbone: Backbone, articles: list[str], answers: object
) -> None:
    questions = [Question("a", "?", " ".join(articles * 2), answers)]  # type: ignore[arg-type]
    windows = make_windows(backbone, questions, max_length=64, stride=16)
    labels = label_windows(windows, questions)
    assert len(labels.window) == len(windows) > 1
    assert np.array_equal(labels.start, np.full(len(windows), windows.cls))


def test_real_golds_are_under_their_labels(shared: object) -> None:
    from kit.data.readers import load
    from kit.modeling.backbones import open_backbone

    questions = list(load(f"{shared}/data/goorm2-standin/train.json"))[:600]
    for name in ("e5-small-ko", "e5-small-wp"):
        backbone = open_backbone(f"{shared}/models/{name}")
        windows = make_windows(backbone, questions, max_length=300, stride=100)
        labels = label_windows(windows, questions)
        assert labels.unplaced == 0
        for window, text in labelled(windows, labels, questions):
            gold = questions[windows.question[window]].answers[0].text  # type: ignore[index]
            assert text is None or gold.strip() in text
