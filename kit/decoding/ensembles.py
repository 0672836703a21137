"""A recipe carried out: members' stored scores in, one answer a question out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kit.data.readers import load
from kit.data.records import Dataset, Question
from kit.decoding.decoders import decoded, decoder_of
from kit.decoding.recipes import check
from kit.decoding.voting import Ballot, elected
from kit.errors import ConfigError
from kit.progress import Progress, no_progress
from kit.ranking.boundary import refinement
from kit.ranking.boundary_file import read_boundary
from kit.settings.recipe import Recipe
from kit.spans.answer_spans import AnswerFile
from kit.spans.blending import BLENDS, KEPT, REACH, blended, likeliest_together
from kit.spans.lengths import answer_lengths, log_length_prior
from kit.spans.posteriors import Posterior, span_posterior
from kit.spans.recipe_members import ScoreSource, answer_lengths_of, sources_of, with_free_texts_of
from kit.spans.span_scores import SpanScores
from kit.text_rules.rules import apply_rules, parse_rules
from kit.threads import threads_for

PIECE = 4_096
"""Questions decoded at a time."""
_AT_ONCE = 2
"""Pieces at once: one is read and weighed while another is decoded."""


@dataclass(frozen=True, slots=True)
class Answers:
    """guid → answer, in the data's order, and the files they came from."""

    texts: dict[str, str]
    sources: tuple[ScoreSource, ...]


def answers_of(
    recipe: Recipe,
    dataset: Dataset,
    files: Mapping[str, AnswerFile] | None = None,
    progress: Progress = no_progress,
) -> Answers:
    """Answer every question of *dataset* as *recipe* says.

    *files*: every file of answers, by the path that the recipe has.  Raises SpanFileError where scores are
    missing (with the command that makes them), SubmissionError where answers from elsewhere miss a question.
    Decodes `PIECE` questions at a time, so that memory does not grow with the members' scores.
    """
    check(recipe)
    rules = parse_rules(recipe.rules)
    sources = sources_of(recipe, dataset, files)
    dataset = with_free_texts_of(sources, dataset)
    questions = dataset.questions
    voted = [source.voted(questions) for source in sources]
    parts = [None if source.only_votes else source.parts(dataset) for source in sources]
    bonus = length_bonus(recipe, sources)

    def piece(first: int) -> Sequence[str]:
        last = min(first + PIECE, len(questions))
        scores = [None if part is None else part(first, last) for part in parts]
        texts = [None if own is None else own[first:last] for own in voted]
        return _decoded(recipe, sources, scores, texts, bonus, questions[first:last])

    firsts = range(0, len(questions), PIECE)
    pool = ThreadPoolExecutor(threads_for(min(len(firsts), _AT_ONCE)))
    decoded_texts: list[str] = []
    try:
        with progress("decoding", len(questions)) as advance:
            for texts in pool.map(piece, firsts):
                decoded_texts += texts
                advance(len(texts))
    finally:
        pool.shutdown(cancel_futures=True)
    guids = (question.guid for question in dataset)
    tidied = (apply_rules(text, rules) for text in decoded_texts)
    return Answers(dict(zip(guids, tidied, strict=True)), sources)


def _decoded(
    recipe: Recipe,
    sources: Sequence[ScoreSource],
    scores: Sequence[SpanScores | None],
    texts: Sequence[Sequence[str] | None],
    bonus: NDArray[np.float64] | None,
    questions: Sequence[Question],
) -> Sequence[str]:
    """The answers before the rules; for each source its scores, or the texts that it votes for."""
    decoder = decoder_of(recipe.decoder)
    alone = len(sources) == 1 and recipe.boundary is None
    if alone and decoder.from_scores is not None and scores[0] is not None:
        (source,) = sources
        return decoder.from_scores(
            scores[0], questions,
            length_cap=recipe.length_cap, temperature=source.temperature, bonus=bonus, label=source.label,
        )  # fmt: skip
    posteriors = [
        None if own is None else posterior_of(recipe, source, own, bonus)
        for source, own in zip(sources, scores, strict=True)
    ]
    if BLENDS[recipe.blend].votes:
        ballots = [
            _ballot(recipe, source, posterior, own, questions)
            for source, posterior, own in zip(sources, posteriors, texts, strict=True)
        ]
        return elected(ballots, questions)
    parts = [one for one in posteriors if one is not None]
    together = _together(recipe, sources, parts)
    if decoder.ensemble is not None:
        return decoder.ensemble(recipe, sources, parts, together, questions)
    return decoder.texts(with_boundary(recipe, together, questions), questions)


def blend_of(
    recipe: Recipe, sources: Sequence[ScoreSource], parts: Sequence[Posterior], questions: Sequence[Question]
) -> Posterior:
    """The posterior that the recipe's blend gives: its likeliest candidates, by the boundary model where the
    recipe has one, and the mass of the rest."""
    return with_boundary(recipe, _together(recipe, sources, parts), questions)


def with_boundary(recipe: Recipe, posterior: Posterior, questions: Sequence[Question]) -> Posterior:
    """*posterior* times the recipe's boundary model to the power of its weight; itself without one."""
    if recipe.boundary is None or recipe.boundary_weight == 0:
        return posterior
    model = read_boundary(Path(recipe.boundary))
    return refinement(posterior, questions, model, recipe.boundary_weight).posterior


def _together(recipe: Recipe, sources: Sequence[ScoreSource], parts: Sequence[Posterior]) -> Posterior:
    weights = [source.weight for source in sources]
    kept = likeliest_together(parts, _kept(recipe))
    return blended(kept, weights, recipe.blend).likeliest(recipe.candidates)


def posterior_of(
    recipe: Recipe, source: ScoreSource, scores: SpanScores, bonus: NDArray[np.float64] | None
) -> Posterior:
    """One source's posterior from its *scores*, with more candidates than the blend will keep."""
    return span_posterior(
        scores, recipe.length_cap,
        temperature=source.temperature, bonus=bonus, count=REACH * _kept(recipe),
    )  # fmt: skip


def _kept(recipe: Recipe) -> int:
    return max(KEPT, recipe.candidates)


def length_bonus(recipe: Recipe, sources: Sequence[ScoreSource]) -> NDArray[np.float64] | None:
    """λ log prior by length in code points, float64 (length_cap + 1,); None where λ is 0."""
    if not recipe.length_prior:
        return None
    if recipe.lengths is not None:
        lengths: Mapping[int, int] = answer_lengths(load(recipe.lengths, answers_needed=True))
    else:
        lengths = answer_lengths_of(one.opened.record for one in sources if one.opened is not None)
    if not lengths:
        raise ConfigError(
            f"length_prior {recipe.length_prior} needs gold answer lengths and no member's run recorded any; "
            "name the training file with lengths:"
        )
    return recipe.length_prior * log_length_prior(lengths, recipe.length_cap)


def _ballot(
    recipe: Recipe,
    source: ScoreSource,
    posterior: Posterior | None,
    texts: Sequence[str] | None,
    questions: Sequence[Question],
) -> Ballot:
    if posterior is None:
        assert texts is not None
        return Ballot(texts, source.weight)
    kept = with_boundary(recipe, posterior.likeliest(recipe.candidates), questions)
    return Ballot(decoded(kept, questions, recipe.decoder), source.weight, kept)
