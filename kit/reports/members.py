"""The members of a recipe as a report shows them: a run counts as one, its folds averaged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kit.data.records import Dataset
from kit.decoding.ensembles import Texts
from kit.decoding.explain import own_answers
from kit.settings.recipe import Recipe
from kit.spans.blending import blended
from kit.spans.posteriors import Posterior
from kit.spans.recipe_members import Source
from kit.text_rules.rules import Rule, apply_rules


@dataclass(frozen=True, slots=True)
class Member:
    """One member over Q questions.

    texts: its own answers, by the recipe's decoder (for ranked: by edit) and rules; p: the probability it
    gives the text it decoded, None for a CSV; posterior: with more spans than the recipe's candidates
    """

    label: str
    weight: float
    sources: tuple[Source, ...]
    texts: tuple[str, ...]
    p: tuple[float | None, ...]
    posterior: Posterior | None

    @property
    def temperature(self) -> float:
        """What its scores are divided by."""
        return self.sources[0].temperature


def members_of(
    recipe: Recipe,
    sources: Sequence[Source],
    parts: Sequence[Posterior | None],
    dataset: Dataset,
    rules: Sequence[Rule],
    csvs: Mapping[str, Texts],
) -> list[Member]:
    """One for each member of the recipe; *parts*: each source's posterior, None for a CSV."""
    by_member: dict[tuple[str, float], list[int]] = {}
    for index, source in enumerate(sources):
        by_member.setdefault((source.run or str(source.file), source.temperature), []).append(index)
    members = []
    for chosen in by_member.values():
        own = tuple(sources[index] for index in chosen)
        label = own[0].label if len(own) == 1 or own[0].opened is None else own[0].opened.name
        weight = sum(source.weight for source in own)
        posteriors = [part for index in chosen if (part := parts[index]) is not None]
        if not posteriors:
            texts = csvs[str(own[0].file)]
            answers = tuple(apply_rules(texts[question.guid], rules) for question in dataset)
            members.append(Member(label, weight, own, answers, (None,) * len(answers), None))
            continue
        together = blended(posteriors, [source.weight for source in own])
        plain, p = own_answers(recipe, together, dataset.questions)
        tidied = tuple(apply_rules(text, rules) for text in plain)
        members.append(Member(label, weight, own, tidied, p, together))
    return members
