"""What the second stage looks at: members, blend, text, question and context of every candidate."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kit.data.records import Question
from kit.spans.minimum_risk import PARTICLE, considered, texts_of
from kit.spans.posteriors import Posterior
from kit.spans.span_scores import offsets_of

CONSIDERED = 30
"""Candidates a question: the best by expected distance."""
_TINY = 1e-6

_HANGUL = re.compile("[가-힣]")
_DIGIT = re.compile("[0-9]")
_OPENERS, _CLOSERS = "“‘(\"'〈《「『[", "”’)\"'〉》」』]"
_ASKED = (
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
    *(f"asks_{name}" for name, _ in _ASKED), "in_question", "bigrams_in_question", "number_wanted_and_there",
)  # fmt: skip
BLEND = ("p", "log_p", "p_to_best", "rank_p", "risk", "risk_above_best", "rank_risk", "best_p")


@dataclass(frozen=True, slots=True)
class Candidates:
    """C candidate texts of Q questions and their features.

    offsets: int64 (Q + 1,); texts: C; values: float64 (C, features), in the order of *names*
    """

    offsets: NDArray[np.int64]
    texts: tuple[str, ...]
    values: NDArray[np.float64]
    names: tuple[str, ...]


def feature_groups(members: int) -> dict[str, tuple[str, ...]]:
    """Names of the features by group, in the order of the columns."""
    own = tuple(f"{what}_{number}" for number in range(members) for what in ("p", "log_p", "rank"))
    return {"members": own, "blend": BLEND, "text": TEXT, "context": CONTEXT, "question": QUESTION}


def candidates_of(
    blend: Posterior,
    members: Sequence[Posterior],
    questions: Sequence[Question],
    log_prior: NDArray[np.float64],
) -> Candidates:
    """The candidates of every question with their features.

    *log_prior*: float64 (length_cap + 1,), of answer lengths; *members*: one posterior each, in the
    fixed order that the second stage was fitted with.
    """
    by_member = [list(texts_of(member, questions)) for member in members]
    places = _places(blend, questions)
    texts: list[str] = []
    rows: list[list[float]] = []
    counts = []
    for number, (question, weighed) in enumerate(zip(questions, considered(blend, questions), strict=True)):
        mine = [dict(zip(names, p.tolist(), strict=True)) for names, p in (one[number] for one in by_member)]
        ranks = [{text: rank for rank, text in enumerate(one)} for one in mine]
        asked = [float(bool(pattern.search(question.text))) for _, pattern in _ASKED]
        chosen = weighed.texts[:CONSIDERED]
        p, risk = weighed.p[:CONSIDERED], weighed.risk[:CONSIDERED]
        rank_p = np.argsort(np.argsort(-p, kind="stable"), kind="stable")
        best_p = float(weighed.p.max(initial=0.0))
        for at, text in enumerate(chosen):
            row: list[float] = []
            for own, rank in zip(mine, ranks, strict=True):
                there = own.get(text, 0.0)
                row += [there, float(np.log(there + _TINY)), rank.get(text, len(rank))]
            row += [
                p[at], float(np.log(p[at] + _TINY)), p[at] / max(best_p, _TINY), float(rank_p[at]), risk[at],
                risk[at] - risk[0], float(at), best_p,
            ]  # fmt: skip
            row += _text_features(text, log_prior)
            row += _context_features(text, question.context, places[number].get(text))
            row += _question_features(text, question.text, asked)
            rows.append(row)
            texts.append(text)
        counts.append(len(chosen))
    names = tuple(name for group in feature_groups(len(members)).values() for name in group)
    values = np.array(rows, dtype=np.float64).reshape(len(rows), len(names))
    return Candidates(offsets_of(np.array(counts, dtype=np.int64)), tuple(texts), values, names)


def _places(blend: Posterior, questions: Sequence[Question]) -> list[dict[str, int]]:
    """Where the likeliest span of each text begins, question by question."""
    found = []
    for number, question in enumerate(questions):
        part = slice(blend.offsets[number], blend.offsets[number + 1])
        spans = zip(blend.p[part].tolist(), blend.begin[part].tolist(), blend.end[part].tolist(), strict=True)
        own: dict[str, int] = {}
        for _, begin, end in sorted(spans):
            own[question.context[begin:end]] = begin
        found.append(own)
    return found


def _text_features(text: str, log_prior: NDArray[np.float64]) -> list[float]:
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


def _context_features(text: str, context: str, begin: int | None) -> list[float]:
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


def _question_features(text: str, question: str, asked: list[float]) -> list[float]:
    bigrams = [text[at : at + 2] for at in range(len(text) - 1)]
    shared = sum(bigram in question for bigram in bigrams) / max(len(bigrams), 1)
    number_wanted = max(asked[1], asked[3])
    return [
        *asked, float(bool(text) and text in question), shared,
        number_wanted * (1.0 if _DIGIT.search(text) else -1.0),
    ]  # fmt: skip
