"""Decoding for the metric: the text with the least expected edit distance under a posterior."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

from kit.data.records import Question
from kit.spans.posteriors import Posterior
from kit.text_rules.rules import trim

_CERTAIN = 0.5
_DIGITS = 9
"""Decimals to which expected distances are compared: the order of a sum must not decide."""
PARTICLE = re.compile(
    "(?<=[가-힣])(?:"
    "으로부터|에게서|에서는|에서도|이라고|으로는|으로도|까지는|부터는|에서|에게|께서|으로|라고|까지|부터|처럼|보다|"
    "만큼|이나|이라|이며|이고|이다|에는|에도|와의|과의|로의|에의|은|는|이|가|을|를|의|에|로|와|과|도|만|나|라"
    ")$"
)
"""Endings that are particles (조사) in most words: a form without one is only one more text to consider."""


@dataclass(frozen=True, slots=True)
class Considered:
    """The texts weighed for one question, best first.

    texts: C answers; p: float64 (C,), probability of exactly this text; risk: float64 (C,), expected
    edit distance in code points
    """

    texts: tuple[str, ...]
    p: NDArray[np.float64]
    risk: NDArray[np.float64]


def minimum_risk_answers(posterior: Posterior, questions: Sequence[Question]) -> tuple[str, ...]:
    """The answer of least expected edit distance for each question; "" where there is no span at all.

    A text with half of the mass or more is its own answer: by the triangle inequality nothing can
    be expected nearer, the tail's distance included.
    """
    beyond = tail_distances(posterior.tail)
    answers = []
    for number, (texts, p) in enumerate(texts_of(posterior, questions)):
        if not texts:
            answers.append("")
        elif p[0] > _CERTAIN:
            answers.append(texts[0])
        else:
            answers.append(_weighed(texts, p, beyond[number]).texts[0])
    return tuple(answers)


def considered(posterior: Posterior, questions: Sequence[Question]) -> Iterator[Considered]:
    """Every text that `minimum_risk_answers` weighs, question by question."""
    beyond = tail_distances(posterior.tail)
    for number, (texts, p) in enumerate(texts_of(posterior, questions)):
        yield _weighed(texts, p, beyond[number])


def _weighed(texts: Sequence[str], p: NDArray[np.float64], beyond: NDArray[np.float64]) -> Considered:
    """*beyond*: float64 (length_cap + 1,), what the tail adds to a text of each length."""
    known = dict.fromkeys(texts)
    forms = [*texts, *(form for text in texts for form in shorter_forms(text) if form not in known), ""]
    forms = list(dict.fromkeys(forms))
    lengths = np.fromiter(map(len, forms), np.int64, len(forms))
    distances = cdist(forms, texts, scorer=Levenshtein.distance, dtype=np.int32, workers=1)
    risk = np.round(distances @ p + beyond[lengths], _DIGITS)
    order = np.argsort(risk, kind="stable")  # the likelier, then the earlier text wins a tie
    own = np.zeros(len(forms))
    own[: len(texts)] = p
    return Considered(tuple(forms[index] for index in order), own[order], risk[order])


def shorter_forms(text: str) -> Iterator[str]:
    """Shorter forms worth considering: without white space at the ends, without a last particle."""
    trimmed = trim(text)
    yield trimmed
    yield PARTICLE.sub("", trimmed)


def texts_of(
    posterior: Posterior, questions: Sequence[Question]
) -> Iterator[tuple[list[str], NDArray[np.float64]]]:
    """Each question's distinct texts, the likeliest first, with the mass of all spans that read so."""
    for number, question in enumerate(questions):
        mass: dict[str, float] = {}
        for begin, end, p in posterior.spans(number):
            text = question.context[begin:end]
            mass[text] = mass.get(text, 0.0) + p
        ordered = sorted(mass, key=lambda text: -round(mass[text], 12))
        yield ordered, np.array([mass[text] for text in ordered])


def tail_distances(tail: NDArray[np.float64]) -> NDArray[np.float64]:
    """What a tail adds to the expected distance of a text by its length: float64 (Q, length_cap + 1).

    A text of the tail mostly stands elsewhere and shares little: its distance to an answer of n code
    points is taken as the longer of both lengths, which is exact for "".
    """
    lengths = np.arange(tail.shape[1])
    distances: NDArray[np.float64] = tail @ np.maximum(lengths[:, None], lengths[None, :])
    return distances
