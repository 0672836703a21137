"""The facts of a report's head: the data, the recipe, the members, and what the card of a CSV says."""

from __future__ import annotations

import json

from kit.errors import counted
from kit.reports.source import Subject


def facts_of(subject: Subject) -> tuple[tuple[str, str], ...]:
    """Names and values, in the order shown."""
    data = subject.dataset
    articles = len({question.context for question in data})
    found = [
        ("data", f"{data.path.name} ({data.sha256[:8]})"),
        ("questions", f"{len(data):,} on {counted(articles, 'article')}"),
    ]
    recipe = subject.recipe
    if recipe is not None:
        found += [
            ("blend", recipe.blend),
            ("decoder", recipe.decoder + (f" ({recipe.ranker})" if recipe.ranker else "")),
            ("length cap", counted(recipe.length_cap, "character")),
            ("length prior", f"{recipe.length_prior:g}"),
            ("candidates", counted(recipe.candidates, "span")),
            ("rules", ", ".join(map(_rule, recipe.rules)) or "none"),
        ]
        for member in subject.members:
            run = member.sources[0].opened
            record = None if run is None else run.record
            about = f"weight {member.weight:.0%}, temperature {member.temperature:g}"
            if record is not None:
                settings = record.settings
                epochs = f"{settings.epochs:g} epoch{'s' * (settings.epochs != 1)}"
                about += f"; {record.backbone}, {epochs}, {settings.max_length} tokens a window"
            found.append((member.label, about))
    card = subject.card
    if card is not None:
        found += [
            ("CSV", card.csv_sha256[:8]),
            ("made", (card.made_at or "at an unknown time") + f" by kit {card.kit_version}"),
            ("revision", _revision(card.revision.commit, card.revision.dirty) if card.revision else "none"),
            ("recipe", json.dumps(dict(card.recipe), ensure_ascii=False)),
            ("members", ", ".join(f"{one.label} ({one.weight:g})" for one in card.members) or "none"),
            ("estimate then", _estimate(card.estimate.edit, card.estimate.reason)),
        ]
    return tuple(found)


def _rule(spec: object) -> str:
    return (
        spec if isinstance(spec, str) else json.dumps(spec, ensure_ascii=False).strip("{}").replace('"', "")
    )


def _revision(commit: str, dirty: bool | None) -> str:
    return commit[:12] + (", with uncommitted changes" if dirty else "")


def _estimate(edit: float | None, reason: str) -> str:
    return reason or "none" if edit is None else f"{edit:.3f}" + (f" ({reason})" if reason else "")
