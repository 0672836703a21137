"""What to do next: the steps that a report's own figures name, each with its gain at most and a command.

A gain is an upper bound, computed from the answers: the distance that would vanish on these questions if the
condition of the suggestion held.  Gains of several suggestions overlap.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kit import hints
from kit.errors import KitError
from kit.metrics.edit_distance import edit_distances
from kit.modeling.presets import PRESETS
from kit.phrase import Phrase, numbered
from kit.reports.error_types import ERROR_TYPES, ErrorType
from kit.reports.facets import Facet
from kit.reports.overview import Overview, facet_rows
from kit.reports.source import ReportSource
from kit.settings.recipe import Member, Recipe, RuleSpec
from kit.settings.runs import RunRecord
from kit.spans.blending import BLENDS
from kit.spans.out_of_fold import OUT_OF_FOLD
from kit.text_rules.particles import INSTALL, installed
from kit.tuning.members import find_training_data

MOST = 3
_LEAST_SHARE = 0.005
"""Share of the distance below which a step is not worth a line."""
_LONGEST = 60
"""The longest answer, in characters, that may get a blanking rule of its own length."""
_KINDS = ("word", "category", "source")
"""Facets whose values are kinds of question that more data could teach."""
_LEAST_OF_A_KIND = 0.01
_KORQUAD = Path("data/korquad/KorQuAD_v1.0_train.json")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One step.

    topic: what it changes (decoding, rules or training); finding: what costs distance; remedy: what to do
    gain: characters a question that the Edit Score would fall by at most; condition: when it would
    command: to copy; facet, value: the questions that it is about, for the page's filter, "" for no filter
    """

    topic: str
    finding: Phrase
    remedy: Phrase
    gain: float
    condition: Phrase
    command: str
    facet: str = ""
    value: int = 0


def suggestions_of(overview: Overview) -> tuple[Suggestion, ...]:
    """At most three steps, the largest gain first: the best of each topic, then the best of the rest."""
    least = _LEAST_SHARE * overview.own.score.edit
    ways = (_lengths, _particles, _blanks, _kind_of_question, _wrong_place)
    found = [one for way in ways for one in way(overview) if one.gain > least]
    found.sort(key=lambda one: -one.gain)
    first = {one.topic: one for one in reversed(found)}
    chosen = sorted(found, key=lambda one: first[one.topic] is not one)[:MOST]  # stable: by gain inside
    return tuple(sorted(chosen, key=lambda one: -one.gain))


def _of_type(overview: Overview, error_type: ErrorType) -> tuple[np.ndarray, dict[str, str], int | None]:
    """Where answers are of *error_type*, bool (Q,); how many and their share; its value of the facet."""
    rows = np.array(overview.error_types) == ERROR_TYPES.index(error_type)
    facet = overview.facets[0]
    value = facet.labels.index(error_type) if error_type in facet.labels else None
    return rows, _shares(overview, rows), value


def _shares(overview: Overview, rows: np.ndarray) -> dict[str, str]:
    distances = overview.own.score.distances
    total = distances.sum() or 1.0
    return {"n": f"{int(rows.sum()):,}", "share": f"{100 * distances[rows].sum() / total:.0f} %"}


def _lengths(overview: Overview) -> Iterator[Suggestion]:
    """Answers that are too long or too short: the length prior and the decoder, by hand or by kit tune."""
    source, recipe = overview.source, overview.source.recipe
    if recipe is None or BLENDS[recipe.blend].votes or source.fitted:
        return
    for error_type, finding in (
        (ErrorType.TOO_LONG, "{n} answers are too long: {share} of the distance"),
        (ErrorType.TOO_SHORT, "{n} answers are too short: {share} of the distance"),
    ):
        rows, shares, value = _of_type(overview, error_type)
        if value is None:
            continue
        if _can_be_tuned(source):
            remedy = Phrase("kit tune fits the length prior, the temperatures and the decoder on other rows")
            command = hints.command("tune", source.asked.subject, data=source.asked.data)
        elif recipe.ranker is not None or recipe.nested is not None:
            continue  # kit tune chose them on other rows
        else:
            longer = error_type == ErrorType.TOO_LONG
            prior = recipe.length_prior * (2.0 if longer else 0.5) or (1.0 if longer else 0.0)
            if prior == recipe.length_prior and recipe.decoder == "edit":
                continue
            changed = recipe.model_copy(update={"length_prior": prior, "decoder": "edit"})
            remedy = Phrase("length_prior: {prior} and decoder: edit", prior=f"{prior:g}")
            command = _reported(source, changed, "prior")
        yield Suggestion(
            "decoding", Phrase(finding, **shares), remedy, _mean(overview, rows),
            Phrase("if each of them became the gold"), command, "error", value,
        )  # fmt: skip


def _particles(overview: Overview) -> Iterator[Suggestion]:
    """Answers with a particle too many: the rule strip_particles."""
    source = overview.source
    rows, _, value = _of_type(overview, ErrorType.PARTICLE_ONLY)
    longer = [len(text) > len(gold) for text, gold in zip(source.texts, source.golds, strict=True)]
    rows = rows & np.array(longer, dtype=bool)
    if value is None or not rows.any():
        return
    command = _reported(source, _with_rule(source, "strip_particles"), "particles")
    shares = _shares(overview, rows)
    yield Suggestion(
        "rules", Phrase("{n} answers end with a particle (조사) too many: {share} of the distance", **shares),
        Phrase("the rule strip_particles"), _mean(overview, rows),
        Phrase("if these lost the particle and no other answer changed"),
        command if installed() else f"{INSTALL} && {command}", "error", value,
    )  # fmt: skip


def _blanks(overview: Overview) -> Iterator[Suggestion]:
    """Long answers that cost more than blanks: the rule blank_long with the best length on these rows."""
    source = overview.source
    golds = [question.golds for question in source.dataset]
    lengths = np.array([len(text) for text in source.unblanked])
    distances = edit_distances(source.unblanked, golds)
    blank = np.array([len(gold) for gold in source.golds], dtype=float)
    scores = {
        least: float(np.where(lengths >= least, blank, distances).mean()) for least in range(1, _LONGEST + 1)
    }
    best = min(scores, key=lambda least: (scores[least], -least))
    rows = lengths >= best
    if not rows.any():
        return
    yield Suggestion(
        "rules",
        Phrase("{n} answers have {length} or more: {share} of the distance, more than blanks would have",
               length=numbered(best, "character"), **_shares(overview, rows)),
        Phrase("the rule blank_long: {length}", length=str(best)),
        overview.own.score.edit - scores[best],
        Phrase("on these questions, for which the length was chosen"),
        _reported(source, _with_rule(source, {"blank_long": best}), "blanks"),
    )  # fmt: skip


def _kind_of_question(overview: Overview) -> Iterator[Suggestion]:
    """The kind of question that costs most beyond the others: outside data before the training."""
    kinds = [kind for facet in overview.facets if facet.key in _KINDS for kind in _excesses(overview, facet)]
    record = next(iter(_records(overview.source)), None)
    before = record is not None and (record.before is not None or len(record.data) > 1)
    if not kinds or before:
        return
    excess, facet, value = max(kinds, key=lambda kind: kind[0])
    row = facet_rows(overview, facet)[value]
    command = _trained(overview.source, _backbone(record), "korquad", _KORQUAD)
    if not command:
        return
    download = "" if _KORQUAD.is_file() else "kit download korquad && "
    others = (overview.own.score.distances.sum() - row.distance) / (len(overview.error_types) - row.questions)
    name = row.label if isinstance(row.label, Phrase) else f"“{row.label}”"
    finding = Phrase(
        "{n} of {facet} {kind} have {mean} characters on average, the others {rest}",
        n=numbered(row.questions, "question"), facet=facet.title, kind=name, mean=f"{row.mean:.2f}",
        rest=f"{others:.2f}",
    )  # fmt: skip
    yield Suggestion(
        "training", finding, Phrase("more questions to learn from: KorQuAD 1.0 before the data"), excess,
        Phrase("if they were as near to their golds as the others"), download + command, facet.key, value,
    )  # fmt: skip


def _excesses(overview: Overview, facet: Facet) -> Iterator[tuple[float, Facet, int]]:
    """For each kind: what it costs beyond the mean of the others, characters a question of all questions."""
    rows = facet_rows(overview, facet) if not facet.reason else []
    questions, distance = sum(row.questions for row in rows), sum(row.distance for row in rows)
    for value, row in enumerate(rows):
        rest = questions - row.questions
        if rest and row.questions >= _LEAST_OF_A_KIND * questions:
            others = (distance - row.distance) / rest
            yield (row.distance - row.questions * others) / questions, facet, value


def _wrong_place(overview: Overview) -> Iterator[Suggestion]:
    """Answers at the wrong place: another backbone to blend with."""
    source = overview.source
    rows, shares, value = _of_type(overview, ErrorType.WRONG_PLACE)
    known = {record.backbone for record in _records(source)}
    other = next((name for name in ("klue-bert", "koelectra", "klue-roberta") if name not in known), None)
    command = _trained(source, other, "") if other else ""
    if value is None or not command:
        return
    yield Suggestion(
        "training", Phrase("{n} answers are at a wrong place: {share} of the distance", **shares),
        Phrase("a second backbone, {name}, to blend with", name=str(other)), _mean(overview, rows),
        Phrase("if each of them became the gold"), command, "error", value,
    )  # fmt: skip


def _mean(overview: Overview, rows: np.ndarray) -> float:
    """The distance of *rows*, characters a question of all questions."""
    return float(overview.own.score.distances[rows].sum() / len(rows))


def _can_be_tuned(source: ReportSource) -> bool:
    """Whether `kit tune` can fit the recipe: a file whose members are all out of fold here."""
    subject = source.asked.subject
    file = subject is not None and subject.suffix in {".yaml", ".yml"}
    return file and all(one.fold == OUT_OF_FOLD for member in source.members for one in member.sources)


def _with_rule(source: ReportSource, rule: RuleSpec) -> Recipe:
    """The recipe (for a CSV: one that takes its answers) with *rule* in place of one of the same name."""
    if source.recipe is None:
        return Recipe(members=(Member(csv=str(source.asked.subject)),), blend="vote", rules=(rule,))
    kept = [one for one in source.recipe.rules if _name_of(one) != _name_of(rule)]
    return source.recipe.model_copy(update={"rules": (*kept, rule)})


def _name_of(rule: RuleSpec) -> str:
    return rule if isinstance(rule, str) else next(iter(rule))


def _reported(source: ReportSource, recipe: Recipe, name: str) -> str:
    """The command that writes *recipe* and reports on it."""
    settings = recipe.model_dump(mode="json", exclude_defaults=True, exclude={"nested"})
    content = json.dumps(settings, ensure_ascii=False)
    file = f"{source.name}-{name}.yaml"
    asked = source.asked
    report = hints.command("report", file, data=asked.data, answers=asked.answers)
    return f"echo {shlex.quote(content)} > {shlex.quote(file)} && {report}"


def _trained(source: ReportSource, backbone: str, name: str, before: Path | None = None) -> str:
    """The command that trains another member; "" where the training file is not known."""
    data = _training_file(source)
    if data is None:
        return ""
    folds = next((one.settings.folds for one in _records(source) if one.settings.folds), 5)
    run = Path("runs") / "-".join(filter(None, (Path(backbone).name, name)))
    return hints.command("train", backbone, data=data, before=before, folds=folds, run=run)


def _training_file(source: ReportSource) -> Path | None:
    data, records = source.dataset, _records(source)
    if any(file.sha256 == data.sha256 for record in records for file in record.data):
        return source.asked.data
    if source.recipe is not None and records:
        try:
            return find_training_data(source.recipe, data.path.parent, Path())
        except KitError:
            return None
    beside = data.path.parent / "train.json"
    return beside if beside.is_file() else None


def _records(source: ReportSource) -> list[RunRecord]:
    return [member.record for member in source.members if member.record is not None]


def _backbone(record: RunRecord | None) -> str:
    """A backbone that can be named again: the record has only the name of a folder."""
    name = "" if record is None else record.backbone
    return name if name and (name in PRESETS or "/" in name or Path(name).is_dir()) else "klue-bert"
