"""What the second stage sees of a candidate's text, of the place where it stands, and of the question."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from kit.spans.minimum_risk import PARTICLE

_HANGUL = re.compile("[가-힣]")
_DIGIT = re.compile("[0-9]")
_OPENERS, _CLOSERS = "“‘(\"'〈《「『[", "”’)\"'〉》」』]"
ASKED = (
    ("who", re.compile("누구|누가|이름|사람|인물|작가|감독|선수|대통령")),
    ("when", re.compile("언제|몇 ?년|몇 ?월|며칠|시기|연도|날짜")),
    ("where", re.compile("어디|장소|지역|나라|국가|도시|곳")),
    ("how_many", re.compile("몇|얼마|수는|개수|횟수|인원|금액|퍼센트|%")),
    ("what", re.compile("무엇|무슨|어떤|뭐")),
    ("why", re.compile("왜|이유|원인|까닭")),
    ("how", re.compile("어떻게|방법|어찌")),
)
_PERSON_LIKE = re.compile("^[가-힣]{2,4}$")
_DATE_LIKE = re.compile("[0-9]+ ?(년|월|일|시|세기)")

TEXT = (
    "length", "log_prior", "words", "digits", "only_digits", "opens", "closes", "unbalanced", "particle_end",
    "date_like", "person_like", "blank",
)  # fmt: skip
CONTEXT = (
    "at_word_start", "at_word_end", "cut_inside_word", "particle_follows", "occurrences", "position",
)  # fmt: skip
QUESTION = (
    *(f"asks_{name}" for name, _ in ASKED), "in_question", "bigrams_in_question", "number_wanted_and_there",
)  # fmt: skip


def text_features(text: str, log_prior: NDArray[np.float64]) -> list[float]:
    length = len(text)
    prior = float(log_prior[length]) if 0 < length < len(log_prior) else float(log_prior[1:].min())
    digits = len(_DIGIT.findall(text))
    opens = sum(text.count(mark) for mark in _OPENERS)
    closes = sum(text.count(mark) for mark in _CLOSERS)
    return [
        length, prior, text.count(" ") + 1, digits, float(digits == length > 0), opens, closes,
        float(opens != closes), float(bool(PARTICLE.search(text))), float(bool(_DATE_LIKE.search(text))),
        float(bool(_PERSON_LIKE.match(text))), float(not text),
    ]  # fmt: skip


def context_features(text: str, context: str, begin: int | None) -> list[float]:
    if not text:
        return [0.0] * len(CONTEXT)
    if begin is None:
        begin = max(context.find(text), 0)
    end = begin + len(text)
    before, after = context[begin - 1 : begin], context[end : end + 6]
    follows = after.split(" ")[0]
    return [
        float(not before or not _HANGUL.match(before)),
        float(not after or not _HANGUL.match(after)),
        float(bool(_HANGUL.match(after)) and bool(_HANGUL.match(text[-1]))),
        float(bool(follows) and bool(PARTICLE.fullmatch(f"가{follows}", 1))),
        context.count(text),
        begin / max(len(context), 1),
    ]


def question_features(text: str, question: str, asked: list[float]) -> list[float]:
    bigrams = [text[at : at + 2] for at in range(len(text) - 1)]
    shared = sum(bigram in question for bigram in bigrams) / max(len(bigrams), 1)
    number_wanted = max(asked[1], asked[3])
    return [
        *asked, float(bool(text) and text in question), shared,
        number_wanted * (1.0 if _DIGIT.search(text) else -1.0),
    ]  # fmt: skip
