"""What to train in a given time on this device: backbones, folds, epochs, and how many questions."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from kit.data.records import Question
from kit.modeling.backbones import open_backbone
from kit.modeling.devices import Device
from kit.modeling.probe import batching_of
from kit.modeling.tokenizer_checks import clamp_lengths
from kit.modeling.windows import make_windows
from kit.settings.training import TrainingSettings
from kit.training.collator import SpanCollator
from kit.training.cost_estimate import BACKWARD, measure
from kit.training.labels import label_windows
from kit.training.losses import Loss
from kit.training.trial import load_for_training

ON_GPU = ("klue-roberta-large", "koelectra", "klue-roberta", "klue-bert", "kcbert")
ON_CPU = ("koelectra", "klue-bert")
"""The presets to try, the likely best first; a CPU has time for few of them."""
CPU_LENGTH = 384
"""Longer windows cost a CPU more than they gain on contexts of a few hundred tokens."""
_LEVELS = ((5, 1.0), (5, 0.6), (3, 0.6), (2, 0.5))
"""Folds, and the share of the preset's epochs: the first that fits the time is taken."""
_MOST = 5
_WORTH = 0.2
"""With a smaller share of the time left no further backbone is looked at."""
_A_MODEL = 20.0
"""Seconds to load, try and save one model."""
_SAMPLE = 64
_FEWEST = 50
"""Questions that a run is trained on at least."""


@dataclass(frozen=True, slots=True)
class Speed:
    """What a backbone costs on this device: seconds to learn one question once, as measured."""

    seconds_a_question: float

    def seconds(self, train: int, test: int, folds: int, epochs: float) -> float:
        """Of *folds* models on *train* questions, with the scoring of these and of *test* questions."""
        learned = (folds - 1) * train * epochs
        scored = train + folds * test
        return self.seconds_a_question * (learned + scored / BACKWARD) + folds * _A_MODEL


@dataclass(frozen=True, slots=True)
class Candidate:
    """A backbone that may be trained, by its preset's settings."""

    backbone: str
    settings: TrainingSettings
    speed: Speed


@dataclass(frozen=True, slots=True)
class ChosenMember:
    """A backbone to train, and the seconds that it will take."""

    backbone: str
    epochs: float
    max_length: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Choice:
    """What fits the time; ``limit``: only so many of the training questions do."""

    folds: int
    limit: int | None
    members: tuple[ChosenMember, ...]


def measured_speed(
    backbone: str, settings: TrainingSettings, questions: Sequence[Question], device: Device
) -> Speed:
    """Time the training step of *backbone* on windows of a few of the *questions*.

    Raises ModelError where it cannot be opened.
    """
    opened = open_backbone(backbone)
    length, stride, _ = clamp_lengths(opened, settings.max_length, settings.stride)
    sample = questions[:: max(len(questions) // _SAMPLE, 1)][:_SAMPLE]
    windows = make_windows(opened, sample, max_length=length, stride=stride)
    labels = label_windows(windows, sample, settings.targets)
    model = load_for_training(opened, settings)
    batching = batching_of(model, opened, length)
    collator = SpanCollator(windows, labels, opened.pad_id, places=settings.soften > 0, batching=batching)
    order = np.argsort(-windows.lengths, kind="stable")
    at_once = 1 if batching.keeps_apart else settings.micro_batch_size
    first = max(len(order) // 2 - at_once // 2, 0)
    chosen = order[first : first + at_once].tolist()
    seconds, _ = measure(model, collator, chosen, device, Loss.of(settings))
    del model
    gc.collect()
    torch.cuda.empty_cache()
    return Speed(seconds / len(chosen) * len(windows) / len(sample))


def choose(
    candidates: Iterable[Candidate], train: int, test: int, seconds: float, folds: int | None = None
) -> Choice:
    """The best of what ends in *seconds*, on *train* questions to learn and *test* to answer.

    As many of the *candidates*, in their order, as there is time for with five folds (or *folds*) and all
    their epochs; a candidate is only taken from the iterable where time is left.  Where there is none even
    for one, the quickest of them with fewer epochs and folds, at last on fewer questions.
    """
    levels = _LEVELS if folds is None else tuple(dict.fromkeys((folds, share) for _, share in _LEVELS))
    most, _ = levels[0]
    left = seconds
    seen: list[Candidate] = []
    taken: list[ChosenMember] = []
    for candidate in candidates:
        seen.append(candidate)
        member = _member(candidate, train, test, most, 1.0)
        if member.seconds <= left:
            taken.append(member)
            left -= member.seconds
        if len(taken) == _MOST or (taken and left < _WORTH * seconds):
            break
    if taken:
        return Choice(most, None, tuple(taken))
    quickest = min(seen, key=lambda one: _member(one, train, test, most, 1.0).seconds)
    for number, share in levels[1:]:
        member = _member(quickest, train, test, number, share)
        if member.seconds <= seconds:
            return Choice(number, None, (member,))
    number, share = levels[-1]
    nothing = _member(quickest, 0, test, number, share).seconds
    everything = _member(quickest, train, test, number, share).seconds
    limit = int(train * max(seconds - nothing, 0) / (everything - nothing))
    limit = min(max(limit, _FEWEST), train)
    return Choice(number, limit, (_member(quickest, limit, test, number, share),))


def _member(candidate: Candidate, train: int, test: int, folds: int, share: float) -> ChosenMember:
    whole = candidate.settings.epochs
    epochs = whole if share == 1 else min(whole, max(round(whole * share, 1), 1.0))
    seconds = candidate.speed.seconds(train, test, folds, epochs)
    return ChosenMember(candidate.backbone, epochs, candidate.settings.max_length, seconds)
