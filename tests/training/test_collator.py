"""The collator: every gold in its place."""

from __future__ import annotations

import pytest

from kit.modeling.backbones import Backbone
from kit.modeling.windows import make_windows
from kit.training.collator import PADDING, SpanCollator
from kit.training.labels import label_windows


@pytest.mark.parametrize("size", [1, 3])
def test_the_collator_places_every_gold(backbone: Backbone, articles: list[str], size: int) -> None:
    from kit.data.records import Answer, Question

    context = articles[1]
    start = context.index("김도현")
    questions = [
        Question("a", "누구?", context, (Answer("김도현 시장", start), Answer("김도현", start))),
        Question("b", "누구?", articles[2], None),
    ]
    windows = make_windows(backbone, questions, max_length=96, stride=8)
    labels = label_windows(windows, questions)
    collate = SpanCollator(windows, labels, backbone.pad_id)
    batch = collate([0, 1][:size])
    golds = batch["golds"][0].tolist()
    assert sorted(map(tuple, golds)) == sorted(
        zip(labels.start[:2].tolist(), labels.end[:2].tolist(), strict=True)
    )
    if size > 1:
        assert batch["golds"][1].tolist() == [[windows.cls, windows.cls], [PADDING, PADDING]]
    assert batch["labels"].tolist() == [0, 1][: len(batch["labels"])]
