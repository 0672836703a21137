"""How scores become answers where no recipe says it: for a run as it is, and while a model is trained.

The settings need no tuning; ensembles/RESULTS.md has what they were chosen among.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Self

from kit.data.records import Question
from kit.decoding.decoders import decoder_of
from kit.settings.recipe import DEFAULT_LENGTH_CAP, Member, Recipe
from kit.spans.lengths import length_of_share, log_length_prior
from kit.spans.posteriors import span_posterior
from kit.spans.recipe_members import answer_lengths_of
from kit.spans.run_folder import Run
from kit.spans.span_scores import SpanScores

DECODER, LENGTH_PRIOR, LENGTH_CAP = "edit", 0.5, 30
NO_PRIOR = "no length prior"
COVERED = 0.99
"""Share of the known answers that the cap has room for: data with longer answers raise it."""
_LONGEST_CAP = 1000
_CANDIDATES: int = Recipe.model_fields["candidates"].default


@dataclass(frozen=True, slots=True)
class Decoding:
    """The part of a recipe that turns one member's scores into answers, before the rules."""

    decoder: str
    length_prior: float
    length_cap: int

    @classmethod
    def of(cls, recipe: Recipe) -> Self:
        """That of *recipe*."""
        return cls(recipe.decoder, recipe.length_prior, recipe.length_cap)

    def __str__(self) -> str:
        prior = f"length_prior {self.length_prior:g}" if self.length_prior else NO_PRIOR
        return f"{self.decoder} with {prior}, cap {self.length_cap}"

    def answers(
        self, scores: SpanScores, questions: Sequence[Question], lengths: Mapping[int, int]
    ) -> tuple[str, ...]:
        """One answer for each question, in order, as a recipe of one member with these settings gives it.

        *scores*: of these questions, in this order; *lengths*: gold answer length in code points → how often.
        """
        bonus = None
        if self.length_prior:
            bonus = self.length_prior * log_length_prior(lengths, self.length_cap)
        decoder = decoder_of(self.decoder)
        if decoder.from_scores is not None:
            return decoder.from_scores(scores, questions, length_cap=self.length_cap, bonus=bonus)
        posterior = span_posterior(scores, self.length_cap, bonus=bonus, count=_CANDIDATES)
        return decoder.texts(posterior, questions)


PLAIN = Decoding("argmax", 0.0, DEFAULT_LENGTH_CAP)
"""What a recipe without these keys has."""


def default_decoding(lengths: Mapping[int, int]) -> Decoding:
    """The decoding for data whose gold answers have these *lengths*; {} where none are known: no prior."""
    cap = min(max(LENGTH_CAP, length_of_share(lengths, COVERED)), _LONGEST_CAP)
    return Decoding(DECODER, LENGTH_PRIOR if lengths else 0.0, cap)


def recipe_of_runs(runs: Sequence[Run], *, plain: bool = False) -> Recipe:
    """The recipe of *runs* on their own: the mean of equal members, no rules.

    Decoded as `default_decoding` says from the lengths that the runs recorded, or by plain argmax.
    """
    lengths = answer_lengths_of(run.record for run in runs)
    chosen = PLAIN if plain else default_decoding(lengths)
    return Recipe(members=tuple(Member(run=str(run.folder)) for run in runs), **asdict(chosen))
