"""Everything a report's page shows, as one typed record and as the compact JSON that the page reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kit.decoding.explain import reasons
from kit.metrics.edit_distance import edit_distances
from kit.reports import curves
from kit.reports.curves import Curves
from kit.reports.error_types import KINDS, MEANINGS
from kit.reports.heatmap import packed, strip_of
from kit.reports.metadata import facts_of
from kit.reports.overview import Overview, overview_of
from kit.reports.score_table import Standing
from kit.reports.source import Subject
from kit.version import __version__


@dataclass(frozen=True, slots=True)
class Contents:
    """A report before it is a page.

    details: what a question shows once it is opened, as JSON, one a question
    """

    overview: Overview
    temperatures: Curves
    weights: Curves
    learning: Curves
    facts: tuple[tuple[str, str], ...]
    details: tuple[str, ...]


def contents_of(subject: Subject, versus: Path | None = None) -> Contents:
    """Put a report together.  *versus*: a CSV with answers to the same questions."""
    return Contents(
        overview=overview_of(subject, versus),
        temperatures=curves.temperatures(subject),
        weights=curves.weights(subject),
        learning=curves.learning(subject.members),
        facts=facts_of(subject),
        details=tuple(_details(subject)),
    )


def _details(subject: Subject) -> list[str]:
    """What each question shows once it is opened: candidates, reasons, the members' certainty, the strips."""
    posteriors = [member.posterior for member in subject.members] + [subject.blend]
    strips = [strip_of(one) for one in posteriors if one is not None]
    found = []
    for number, gold in enumerate(subject.golds):
        choice = subject.choices[number] if subject.choices else None
        said = [] if subject.recipe is None else reasons(
            subject.recipe, choice, [(member.texts[number], member.weight) for member in subject.members],
            subject.decoded[number], subject.texts[number], [gold],
        )  # fmt: skip
        candidates = () if choice is None else choice.candidates
        detail = {
            "candidates": [
                [one.rank, one.text, round(one.p, 4), round(one.risk, 2), one.distance] for one in candidates
            ],
            "weighed": 0 if choice is None else choice.weighed,
            "why": said,
            "p": [_rounded(member.p[number]) for member in subject.members],
            "strips": packed(strips, number),
        }
        found.append(_compact(detail))
    return found


def index_of(contents: Contents) -> dict[str, Any]:
    """What the page reads as it opens: everything but the contexts and the details, in columns."""
    overview = contents.overview
    subject = overview.subject
    questions = subject.dataset.questions
    contexts = {context: number for number, context in enumerate(contexts_of(contents))}
    own = overview.own
    unblanked = edit_distances(subject.unblanked, [question.golds for question in questions])
    versus = overview.versus
    return {
        "kit": __version__,
        "name": subject.name,
        "data": subject.dataset.path.name,
        "fitted": subject.fitted,
        "cautions": [{"fitted": one.fitted, "text": one.text} for one in subject.cautions],
        "facts": [list(fact) for fact in contents.facts],
        "standings": [_standing(one) for one in overview.standings],
        "kinds": [{"name": str(kind), "meaning": MEANINGS[kind]} for kind in KINDS],
        "facets": [
            {
                "key": facet.key, "title": facet.title, "unit": facet.unit, "labels": facet.labels,
                "values": facet.values, "reason": facet.reason,
            }
            for facet in overview.facets
        ],
        "questions": {
            "guid": [question.guid for question in questions],
            "text": [question.text for question in questions],
            "title": [question.title for question in questions],
            "context": [contexts[question.context] for question in questions],
            "golds": [[[one.text, one.start] for one in question.answers or ()] for question in questions],
            "answer": subject.texts,
            "decoded": _where_other(subject.decoded, subject.texts),
            "place": subject.place,
            "kind": overview.kinds,
            "distance": own.score.distances.astype(int).tolist(),
            "risk": [_rounded(risk) for risk in overview.risks],
            "p": _probabilities(subject),
            "raw": [[len(text), int(far)] for text, far in zip(subject.unblanked, unblanked, strict=True)],
        },
        "members": [
            {
                "label": member.label,
                "weight": round(member.weight, 4),
                "temperature": member.temperature,
                "strip": member.posterior is not None,
                "answer": _where_other(member.texts, subject.texts),
            }
            for member in subject.members
        ],
        "blend": subject.blend is not None,
        "versus": None if versus is None else {
            "label": versus.score.label,
            "answer": _where_other(versus.texts, subject.texts),
        },
        "temperatures": contents.temperatures.as_dict(),
        "weights": contents.weights.as_dict(),
        "learning": contents.learning.as_dict(),
    }  # fmt: skip


def contexts_of(contents: Contents) -> list[str]:
    """The distinct contexts, in the order in which questions first use them."""
    return list(dict.fromkeys(question.context for question in contents.overview.subject.dataset))


def _standing(standing: Standing) -> dict[str, Any]:
    score, against = standing.score, standing.against
    return {
        "role": standing.role,
        "label": score.label,
        "edit": score.edit,
        "interval": score.interval.as_dict(),
        "exact": score.exact,
        "f1": score.f1,
        "blanks": score.blanks,
        "against": None if against is None else against.as_dict(),
        "distance": score.distances.astype(int).tolist(),
    }


def _probabilities(subject: Subject) -> list[float | None]:
    """What the blend gives each answer's text."""
    if not subject.choices:
        return [None] * len(subject.texts)
    found = (choice.of(text) for choice, text in zip(subject.choices, subject.texts, strict=True))
    return [None if one is None else round(one.p, 4) for one in found]


def _where_other(texts: Sequence[str], answers: Sequence[str]) -> list[str | None]:
    """Each text that is not the answer; None where it is."""
    return [text if text != answer else None for text, answer in zip(texts, answers, strict=True)]


def _rounded(p: float | None) -> float | None:
    return None if p is None else round(p, 4)


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
