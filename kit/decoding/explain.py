"""Why a recipe answers a question as it does: candidates, expected distances, the members' own answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from kit.data.records import Dataset, Question
from kit.decoding.candidate_list import CandidateList, candidate_lists, quoted
from kit.decoding.decoders import decoded, decoder_of
from kit.decoding.ensembles import Texts, answers_of, blend_of, length_bonus, member_posterior, with_boundary
from kit.decoding.recipes import rules_of
from kit.errors import DataError, counted
from kit.settings.recipe import Recipe
from kit.spans.blending import BLENDS
from kit.spans.minimum_risk import texts_of
from kit.spans.posteriors import Posterior
from kit.spans.recipe_members import Source, sources_of
from kit.text_rules.rules import apply_rules

_ALL = 1 << 62


@dataclass(frozen=True, slots=True)
class MemberAnswer:
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
    choice: CandidateList | None
    """All texts of the blend; None for a vote, which blends no posteriors."""
    members: tuple[MemberAnswer, ...]
    reasons: tuple[str, ...] = ()
    """Why this answer, in words."""

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
    plain = answers_of(recipe.model_copy(update={"rules": ()}), one, csvs).texts[guid]
    answer = apply_rules(plain, rules_of(recipe))
    sources = sources_of(recipe, one)
    posteriors = member_posteriors(recipe, sources, one)
    members = []
    for source, posterior in zip(sources, posteriors, strict=True):
        text, p = (csvs or {}).get(str(source.file), {}).get(guid, ""), None
        if posterior is not None:
            (text,), (p,) = own_answers(recipe, posterior, [found])
        members.append(MemberAnswer(source.label, source.weight, text, p))
    choice = None
    if not BLENDS[recipe.blend].votes:
        blend = blend_of(recipe, sources, [one for one in posteriors if one is not None], [found])
        (choice,) = candidate_lists(blend, [found], [plain], [answer], _ALL)
    why = reasons(recipe, choice, [(one.text, one.weight) for one in members], plain, answer, found.golds[:1])
    return Explanation(found, answer, plain, choice, tuple(members), tuple(why))


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
    """What a member alone would answer, before the rules, and the probability it gives that text."""
    kept = with_boundary(recipe, posterior.likeliest(recipe.candidates), questions)
    texts = decoded(kept, questions, recipe.decoder)
    masses = (dict(zip(names, p.tolist(), strict=True)) for names, p in texts_of(kept, questions))
    return texts, tuple(mass.get(text, 0.0) for mass, text in zip(masses, texts, strict=True))


def reasons(
    recipe: Recipe,
    choice: CandidateList | None,
    votes: Sequence[tuple[str, float]],
    decoded: str,
    answer: str,
    golds: Sequence[str],
) -> list[str]:
    """In words, why a question is answered with *answer*.

    *votes*: every member's own text and weight; *golds*: the gold text, () where it is not known.
    """
    why = []
    if BLENDS[recipe.blend].votes:
        backers = [weight for text, weight in votes if text in {decoded, answer}]
        why.append(
            f"The vote: {len(backers)} of {counted(len(votes), 'member')} with {sum(backers):.0%} of the "
            f"weight answer {quoted(decoded)}."
        )
    elif choice is not None:
        why.append(decoder_of(recipe.decoder).reason(choice, decoded))
    if decoded != answer:
        why.append(f"Then the rules changed {quoted(decoded)} to {quoted(answer)}.")
    if choice is not None and golds and answer != golds[0]:
        why.append(_why_not_gold(choice, golds[0], recipe.length_cap))
    return why


def _why_not_gold(choice: CandidateList, gold: str, length_cap: int) -> str:
    found = choice.of(gold)
    if found is None:
        if len(gold) > length_cap:
            return f"The gold has {counted(len(gold), 'character')}; length_cap allows {length_cap}."
        return "The gold is not among the candidates: every member finds it unlikely or has no span for it."
    return (
        f"The gold {quoted(gold)} is number {found.rank} of {choice.weighed}: probability "
        f"{found.p:.1%}, expected distance {found.risk:.2f}."
    )
