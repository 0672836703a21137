"""The second stage in a recipe: its members in their fixed order, and the check that they are the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path, PurePath

from kit.data.records import Question
from kit.errors import ConfigError
from kit.ranking.boundary import Refinement, refinement
from kit.ranking.boundary_file import read_boundary
from kit.ranking.features import candidates_of
from kit.ranking.model import Ranker, read_ranker
from kit.settings.recipe import Recipe
from kit.spans.blending import blended
from kit.spans.lengths import log_length_prior
from kit.spans.posteriors import Posterior
from kit.spans.recipe_members import ScoreSource, answer_lengths_of


def member_order(digests: Sequence[str]) -> list[int]:
    """The order in which the second stage sees members, whatever the recipe's: by their digests."""
    return sorted(range(len(digests)), key=lambda index: digests[index])


def fitted_on(digests: Sequence[str]) -> str:
    """Stands for the members whose scores a second stage is fitted on: SHA-256, hex.

    *digests*: of a run's weights, or of a file of out-of-fold answers.
    """
    return hashlib.sha256(json.dumps(sorted(digests)).encode()).hexdigest()


def ranked_texts(
    recipe: Recipe,
    sources: Sequence[ScoreSource],
    posteriors: Sequence[Posterior],
    blend: Posterior,
    questions: Sequence[Question],
) -> tuple[str, ...]:
    """The candidate of *blend* that the recipe's ranker scores lowest, for each question.

    *posteriors*: one a source; the folds of a run are averaged, as the ranker knew it by one.
    Raises ConfigError where the ranker was fitted with other members.
    """
    assert recipe.ranker is not None
    ranker = read_ranker(Path(recipe.ranker))
    members_of: dict[str, list[int]] = {}
    for index, source in enumerate(sources):
        if not source.digest:
            raise ConfigError(f"{source.run}: decoder: ranked needs runs that kit train made")
        members_of.setdefault(source.run or str(source.file), []).append(index)
    digests = [sources[own[0]].digest for own in members_of.values()]
    if fitted_on(digests) != ranker.fitted_on:
        names = (PurePath(name).name for name in members_of)
        raise ConfigError(
            f"{recipe.ranker}: was fitted with other members than {', '.join(names)}; tune this recipe with "
            "kit tune"
        )
    averaged = []
    for own in members_of.values():
        weights = [sources[index].weight for index in own]
        averaged.append(blended([posteriors[index] for index in own], weights))
    members = [averaged[index] for index in member_order(digests)]
    lengths = answer_lengths_of(one.opened.record for one in sources if one.opened is not None)
    prior = log_length_prior(lengths, recipe.length_cap)
    candidates = candidates_of(
        blend, members, questions, prior, _refinement(recipe, ranker, blend, questions)
    )
    return tuple(candidates.texts[index] for index in ranker.chosen(candidates).tolist())


def _refinement(
    recipe: Recipe, ranker: Ranker, blend: Posterior, questions: Sequence[Question]
) -> Refinement | None:
    """*blend* by the recipe's boundary model, which must be the one that the ranker was fitted with."""
    if recipe.boundary is None:
        if ranker.boundary:
            raise ConfigError(
                f"{recipe.ranker}: was fitted with a boundary model and the recipe names none; add boundary: "
                "or tune this recipe with kit tune"
            )
        return None
    model = read_boundary(Path(recipe.boundary))
    if ranker.boundary != model.digest:
        other = (
            "another boundary model than" if ranker.boundary else "no boundary model, and the recipe names"
        )
        raise ConfigError(
            f"{recipe.ranker}: was fitted with {other} {recipe.boundary}; tune this recipe with kit tune"
        )
    return refinement(blend, questions, model, recipe.boundary_weight)
