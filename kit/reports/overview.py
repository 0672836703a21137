"""What a report says at a glance: scores, the kind of error of each answer, the facets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kit.decoding.candidate_list import risks_of
from kit.reports import facets, unk_tokens
from kit.reports.error_types import KINDS, kind_of
from kit.reports.facets import Facet
from kit.reports.score_table import Standing, standings_of
from kit.reports.source import Subject

_ONE_MEMBER = "there is one member, so nobody to disagree"
_CSV = "a CSV says nothing of it"


@dataclass(frozen=True, slots=True)
class Overview:
    """Q questions, their answers, and how good they are.

    kinds: for each question an index into KINDS; facets: the kind of error first; risks: expected distance
    of each answer, None where unknown
    """

    subject: Subject
    standings: tuple[Standing, ...]
    kinds: tuple[int, ...]
    facets: tuple[Facet, ...]
    risks: tuple[float | None, ...]

    @property
    def own(self) -> Standing:
        """The subject's own standing."""
        return self.standings[0]

    @property
    def versus(self) -> Standing | None:
        """The answers that the subject's are compared to, where there are any."""
        return next((standing for standing in self.standings if standing.role == "versus"), None)


def overview_of(subject: Subject, versus: Path | None = None) -> Overview:
    """Score and divide the subject's answers.  *versus*: a CSV with answers to the same questions."""
    standings = standings_of(subject, versus)
    kinds = _kinds(subject, subject.texts)
    risks: tuple[float | None, ...] = (None,) * len(subject.texts)
    if subject.choices:
        known = risks_of(subject.choices, subject.texts).tolist()
        risks = tuple(None if math.isnan(risk) else risk for risk in known)
    plain = Overview(subject, standings, kinds, (), risks)
    return Overview(subject, standings, kinds, tuple(_facets(subject, plain.own, kinds, plain.versus)), risks)


def _kinds(subject: Subject, texts: Sequence[str]) -> tuple[int, ...]:
    return tuple(
        KINDS.index(kind_of(text, question)) for text, question in zip(texts, subject.dataset, strict=True)
    )


def _facets(subject: Subject, own: Standing, kinds: Sequence[int], rival: Standing | None) -> list[Facet]:
    found = [facets.kept(Facet("kind", "kind of error", labels=KINDS, values=tuple(kinds)))]
    if rival is not None:
        change = np.sign(own.score.distances - rival.score.distances).astype(int) + 1
        labels = ("better", "as near", "worse")
        found.append(facets.kept(Facet("change", "change", labels=labels, values=tuple(change.tolist()))))
        others = _kinds(subject, rival.texts)
        title = f"kind of error in {rival.score.label}"
        found.append(facets.kept(Facet("before", title, labels=KINDS, values=others)))
    found += facets.of_questions(subject.dataset.questions)
    found.append(_windows(subject))
    found.append(unk_tokens.facet(subject.members, subject.dataset.questions))
    found += facets.of_answers(own.score.distances, subject.golds)
    found.append(_disagreement(subject))
    return found


def _windows(subject: Subject) -> Facet:
    scored = [member.sources[0] for member in subject.members if member.posterior is not None]
    if not scored:
        return facets.missing("windows", "window count", _CSV)
    counts = np.max([np.diff(source.scores(subject.dataset).windows) for source in scored], axis=0)
    return facets.binned("windows", "window count", "windows", counts.tolist(), (0, 1, 2, 3, 4, 5, 7, 11))


def _disagreement(subject: Subject) -> Facet:
    key, title = "others", "members with another answer"
    count = len(subject.members)
    if count < 2:
        return facets.missing(key, title, _ONE_MEMBER if count else _CSV)
    others = [
        sum(member.texts[number] != text for member in subject.members)
        for number, text in enumerate(subject.texts)
    ]
    labels = tuple(f"{number} of {count}" for number in range(count + 1))
    return facets.kept(Facet(key, title, labels=labels, values=tuple(others)))
