"""Everything that a report's page shows, as one typed record and as the compact JSON that the page reads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from kit.decoding.candidate_list import CandidateList
from kit.decoding.explain import reasons
from kit.display import Brief
from kit.metrics.edit_distance import edit_distances
from kit.phrase import Phrase, numbered, portable
from kit.progress import Progress, no_progress, watched
from kit.reports import curves
from kit.reports.curves import Curves
from kit.reports.error_types import ERROR_TYPES, LABELS, MEANINGS
from kit.reports.heatmap import heatmap_of, packed
from kit.reports.language import Language, korean
from kit.reports.overview import Overview, ScoreRow, overview_of
from kit.reports.run_comparison import differing
from kit.reports.source import Member, ReportSource
from kit.reports.suggestions import Suggestion, suggestions_of
from kit.settings.recipe import Recipe, RuleSpec
from kit.submission.card import Card, Estimate, Revision
from kit.version import __version__


@dataclass(frozen=True, slots=True, repr=False)
class Contents(Brief):
    """A report before it is a page.

    facts: how it was made, as names and values; details: what an opened question shows, one JSON text each
    title: its heading; date: when it was made; language: None for the one of the reader's browser
    """

    title: str
    date: date
    language: Language | None
    overview: Overview
    suggestions: tuple[Suggestion, ...]
    temperatures: Curves
    weights: Curves
    learning: Curves
    losses: Curves
    facts: tuple[tuple[str, str], ...]
    details: tuple[str, ...]

    @property
    def headline(self) -> str:
        """What it is about, and its score."""
        return self.overview.own.headline


def contents_of(
    source: ReportSource,
    versus: Path | None = None,
    *,
    title: str = "",
    language: Language | None = None,
    progress: Progress = no_progress,
) -> Contents:
    """Put a report together.  *versus*: a CSV with answers to the same questions; *title*: "" for NAME."""
    passes = 1 if source.blend is None else 2
    with progress("comparing with the gold answers", passes * len(source.texts)) as advance:
        overview = overview_of(source, versus, advance)
        details = tuple(watched(_details(overview), advance))
    return Contents(
        title=title or source.name,
        date=date.today(),
        language=language,
        overview=overview,
        suggestions=suggestions_of(overview),
        temperatures=curves.temperatures(source),
        weights=curves.weights(source),
        learning=curves.learning(source.members),
        losses=curves.losses(source.members),
        facts=_facts(source),
        details=details,
    )


def _reasons(source: ReportSource, candidates: CandidateList | None, number: int) -> list[str]:
    if source.recipe is None:
        return []
    votes = [(member.texts[number], member.weight) for member in source.members]
    golds = source.dataset.questions[number].golds[:1]
    return reasons(source.recipe, candidates, votes, source.decoded[number], source.texts[number], golds)


def _details(overview: Overview) -> Iterator[str]:
    """What each question shows once it is opened: candidates, reasons, the members' certainty, heatmaps."""
    source = overview.source
    posteriors = [member.posterior for member in source.members] + [source.blend]
    heatmaps = [side for one in posteriors if one is not None for side in heatmap_of(one)]
    for number in range(len(source.texts)):
        candidates = overview.candidates[number] if overview.candidates else None
        detail = {
            "candidates": [
                [one.rank, one.text, round(one.p, 4), round(one.risk, 2), one.distance]
                for one in (candidates.candidates if candidates else ())
            ],
            "weighed": candidates.weighed if candidates else 0,
            "why": portable(_reasons(source, candidates, number)),
            "p": [_rounded(member.p[number]) for member in source.members],
            "heatmaps": packed(heatmaps, number),
        }
        yield compact(detail)


def _facts(source: ReportSource) -> tuple[tuple[str, str], ...]:
    """Names and values of data, recipe, members and card, in the order shown."""
    data = source.dataset
    articles = numbered(len({question.context for question in data}), "article")
    found: list[tuple[str, str]] = [
        (Phrase("data"), f"{data.path.name} ({data.sha256[:8]})"),
        (Phrase("questions"), Phrase("{n} on {articles}", n=f"{len(data):,}", articles=articles)),
    ]
    if source.recipe is not None:
        found += _recipe_facts(source.recipe)
        found += [(member.label, _training(member)) for member in source.members]
        found += _differing_settings(source.members)
    if source.card is not None:
        found += _card_facts(source.card)
    return tuple(found)


def _recipe_facts(recipe: Recipe) -> list[tuple[str, str]]:
    boundary = f"{recipe.boundary} ({recipe.boundary_weight:g})" if recipe.boundary is not None else _NONE
    return [
        (Phrase("blend"), recipe.blend),
        (Phrase("decoder"), recipe.decoder + (f" ({recipe.ranker})" if recipe.ranker else "")),
        (Phrase("boundary model"), boundary),
        (Phrase("length cap"), numbered(recipe.length_cap, "character")),
        (Phrase("length prior"), f"{recipe.length_prior:g}"),
        (Phrase("candidates"), numbered(recipe.candidates, "span")),
        (Phrase("rules"), ", ".join(map(_rule, recipe.rules)) or _NONE),
    ]


def _training(member: Member) -> str:
    """A member's weight and temperature, and how its run was trained, where that is known."""
    values = {"weight": f"{member.weight:.0%}", "temperature": f"{member.temperature:g}"}
    if (record := member.record) is None:
        return Phrase("weight {weight}, temperature {temperature}", **values)
    return Phrase(
        "weight {weight}, temperature {temperature}; {backbone}, epochs: {epochs}, {tokens} tokens a window",
        **values, backbone=record.backbone, epochs=f"{record.settings.epochs:g}",
        tokens=str(record.settings.max_length),
    )  # fmt: skip


def _card_facts(card: Card) -> list[tuple[str, str]]:
    at = card.made_at or Phrase("unknown time")
    return [
        (Phrase("CSV"), card.csv_sha256[:8]),
        (Phrase("made"), Phrase("{at} by kit {version}", at=at, version=card.kit_version)),
        (Phrase("revision"), _NONE if card.revision is None else _revision(card.revision)),
        (Phrase("recipe"), json.dumps(dict(card.recipe), ensure_ascii=False)),
        (Phrase("members"), ", ".join(f"{one.label} ({one.weight:g})" for one in card.members) or _NONE),
        (Phrase("estimate then"), _estimate(card.estimate)),
    ]


def _differing_settings(members: Sequence[Member]) -> list[tuple[str, str]]:
    """Settings of the members' trainings that are not the same in all, as `kit runs --compare` shows them."""
    records = {member.label: member.record for member in members if member.record is not None}
    if not records:
        return []
    return [
        (
            Phrase("{setting} of the members", setting=name),
            "; ".join(f"{label}: {value or _NONE}" for label, value in zip(records, values, strict=True)),
        )
        for name, values in differing(list(records.values())).items()
    ]


_NONE = Phrase("none")


def _rule(spec: RuleSpec) -> str:
    if isinstance(spec, str):
        return spec
    return ", ".join(f"{name}: {argument}" for name, argument in spec.items())


def _revision(revision: Revision) -> str:
    commit = revision.commit[:12]
    return Phrase("{commit}, with uncommitted changes", commit=commit) if revision.dirty else commit


def _estimate(estimate: Estimate) -> str:
    if estimate.edit is None:
        return estimate.reason or _NONE
    about = " ".join(filter(None, [estimate.kind, estimate.reason and f"({estimate.reason})"]))
    return f"{estimate.edit:.3f} {about}".rstrip()


def index_of(contents: Contents) -> dict[str, Any]:
    """What the page reads when it opens: everything but the contexts and the details, in columns."""
    overview = contents.overview
    source = overview.source
    questions = source.dataset.questions
    contexts = {context: number for number, context in enumerate(contexts_of(contents))}
    own = overview.own
    unblanked = edit_distances(source.unblanked, [question.golds for question in questions])
    versus = overview.versus
    return {
        "kit": __version__,
        "language": contents.language,
        "korean": {} if contents.language == "en" else korean(),
        "title": contents.title,
        "date": contents.date.isoformat(),
        "suggestions": [portable(asdict(one)) for one in contents.suggestions],
        "data": source.dataset.path.name,
        "fitted": source.fitted,
        "cautions": [{"fitted": one.fitted, "text": portable(one.text)} for one in source.cautions],
        "facts": portable(contents.facts),
        "scores": [_score_row(row) for row in overview.scores],
        "error_types": portable(
            [{"name": name, "meaning": MEANINGS[one]} for one, name in zip(ERROR_TYPES, LABELS, strict=True)]
        ),
        "facets": [portable(asdict(facet)) for facet in overview.facets],
        "questions": {
            "guid": [question.guid for question in questions],
            "text": [question.text for question in questions],
            "title": [question.title for question in questions],
            "context": [contexts[question.context] for question in questions],
            "golds": [[[one.text, one.start] for one in question.answers or ()] for question in questions],
            "answer": source.texts,
            "decoded": _where_other(source.decoded, source.texts),
            "place": source.place,
            "error_type": overview.error_types,
            "distance": own.score.distances.astype(int).tolist(),
            "risk": [_rounded(risk) for risk in overview.risks],
            "p": _probabilities(overview),
            "raw": [[len(text), int(far)] for text, far in zip(source.unblanked, unblanked, strict=True)],
        },
        "members": [
            {
                "label": member.label,
                "weight": round(member.weight, 4),
                "temperature": member.temperature,
                "heatmap": member.posterior is not None,
                "answer": _where_other(member.texts, source.texts),
            }
            for member in source.members
        ],
        "blend": source.blend is not None,
        "versus": None if versus is None else {
            "label": versus.score.label,
            "answer": _where_other(versus.texts, source.texts),
        },
        "temperatures": contents.temperatures.as_dict(),
        "weights": contents.weights.as_dict(),
        "learning": contents.learning.as_dict(),
        "losses": contents.losses.as_dict(),
    }  # fmt: skip


def contexts_of(contents: Contents) -> list[str]:
    """The distinct contexts, in the order in which questions first use them."""
    return list(dict.fromkeys(question.context for question in contents.overview.source.dataset))


def _score_row(row: ScoreRow) -> dict[str, Any]:
    score, against = row.score, row.against
    return {
        "role": row.role,
        "label": portable(score.label),
        "edit": score.edit,
        "interval": score.interval.as_dict(),
        "metrics": score.named_metrics(),
        "against": None if against is None else against.as_dict() | {"words": portable(against.in_words())},
        "distance": score.distances.astype(int).tolist(),
    }


def _probabilities(overview: Overview) -> list[float | None]:
    """The probability of each answer's text in the blend."""
    texts = overview.source.texts
    if not overview.candidates:
        return [None] * len(texts)
    found = (one.of(text) for one, text in zip(overview.candidates, texts, strict=True))
    return [None if one is None else round(one.p, 4) for one in found]


def _where_other(texts: Sequence[str], answers: Sequence[str]) -> list[str | None]:
    """Each text that differs from the answer; None where it is the same."""
    return [text if text != answer else None for text, answer in zip(texts, answers, strict=True)]


def _rounded(p: float | None) -> float | None:
    return None if p is None else round(p, 4)


def compact(value: object) -> str:
    """*value* as JSON without spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
