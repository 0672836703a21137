"""Why a recipe answers a question as it does: candidates, expected distances, the members' own answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from kit.data.records import Dataset, Question
from kit.decoding.decoders import decoded
from kit.decoding.ensembles import Texts, answers_of, blend_of, length_bonus, member_posterior
from kit.errors import DataError
from kit.settings.recipe import Recipe
from kit.spans.minimum_risk import Considered, considered, texts_of
from kit.spans.posteriors import Posterior
from kit.spans.recipe_members import Source, sources_of
from kit.spans.recipes import rules_of
from kit.text_rules.rules import apply_rules


@dataclass(frozen=True, slots=True)
class Opinion:
    """One member's (fold's) own answer by the recipe's decoder (for ranked: by edit), and its probability."""

    label: str
    weight: float
    text: str
    p: float | None
    """None for a CSV."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """One question: the answer, before and after the rules, what it was chosen among, and by whom."""

    question: Question
    answer: str
    decoded: str
    considered: Considered | None
    """The blend's texts, the best first; None for a vote, which blends no posteriors."""
    opinions: tuple[Opinion, ...]

    @property
    def place(self) -> int | None:
        """Where the decoded text first stands in the context, in code points; None where it does not."""
        found = self.question.context.find(self.decoded) if self.decoded else -1
        return None if found < 0 else found


def explain(
    recipe: Recipe, dataset: Dataset, guid: str, csvs: Mapping[str, Texts] | None = None
) -> Explanation:
    """How *recipe* comes to its answer to the question *guid* of *dataset*.

    Raises DataError where there is no such question, and what `answers_of` raises.
    """
    found = next((question for question in dataset if question.guid == guid), None)
    if found is None:
        raise DataError(f"{dataset.path}: has no question {guid}; check the guid")
    one = replace(dataset, questions=(found,))
    sources = sources_of(recipe, one)
    posteriors = member_posteriors(recipe, sources, one)
    opinions = []
    for source, posterior in zip(sources, posteriors, strict=True):
        if posterior is None:
            text: str = (csvs or {})[str(source.file)].get(guid, "")
            opinions.append(Opinion(source.label, source.weight, text, None))
        else:
            (text,), (p,) = own_answers(recipe, posterior, [found])
            opinions.append(Opinion(source.label, source.weight, text, p))
    weighed = None
    if recipe.blend != "vote":
        blend = blend_of(recipe, sources, [one for one in posteriors if one is not None])
        (weighed,) = considered(blend, [found])
    plain = answers_of(recipe.model_copy(update={"rules": ()}), one, csvs).texts[guid]
    return Explanation(found, apply_rules(plain, rules_of(recipe)), plain, weighed, tuple(opinions))


def member_posteriors(recipe: Recipe, sources: Sequence[Source], dataset: Dataset) -> list[Posterior | None]:
    """The posterior of each of *sources*; None for a CSV."""
    bonus = length_bonus(recipe, sources)
    return [
        None if source.opened is None else member_posterior(recipe, source, dataset, bonus)
        for source in sources
    ]


def own_answers(
    recipe: Recipe, posterior: Posterior, questions: Sequence[Question]
) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """A member's own answers by the recipe's decoder (for ranked: by edit), before the rules; and their p."""
    kept = posterior.likeliest(recipe.candidates)
    texts = decoded(kept, questions, "argmax" if recipe.decoder == "argmax" else "edit")
    masses = (dict(zip(names, p.tolist(), strict=True)) for names, p in texts_of(kept, questions))
    return texts, tuple(mass.get(text, 0.0) for mass, text in zip(masses, texts, strict=True))
