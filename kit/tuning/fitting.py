"""One fit: temperatures, length prior, weights, blend, decoder, cap and candidates, on the rows given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kit.data.records import Question
from kit.decoding.decoders import DECODERS, forms_of
from kit.decoding.form_table import FormTable, make_table
from kit.settings.recipe import DEFAULT_LENGTH_CAP
from kit.spans.blending import BLENDS, KEPT, REACH, blended, likeliest_together
from kit.spans.posteriors import Posterior, span_posterior
from kit.tuning.members import OutOfFold
from kit.tuning.temperature import ENOUGH, fit_temperature, sample
from kit.tuning.weights import Weights, search

PRIORS = (0.0, 0.25, 0.5, 1.0)
SHARPNESS = (0.75, 1.0, 0.6)
"""What the temperatures of likelihood are multiplied with; the first is used while the prior is chosen.

A mean of calibrated members is underconfident (Ranjan and Gneiting, Combining probability forecasts, 2010),
and so is a member whose starts and ends were learned apart: expected distances come out too large."""
CAPS = (DEFAULT_LENGTH_CAP, 30)
CANDIDATES = (50, 20)
_NOT_TRIED = {("vote", "argmax")}
"""A member's own text by edit is the better ballot, and each way more costs a search."""
_WORTH = 2e-3
"""A setting is given up for another only if the Edit Score falls by more than this."""
SAMPLE = 2_000
"""Questions on which all starts are compared; the best two of them are compared on all rows."""
FINALISTS = 2
Rows = NDArray[np.bool_]
Setting = tuple[float, float]
"""Length prior and sharpness."""


@dataclass(frozen=True, slots=True)
class Fit:
    """What was fitted, and the table that it was fitted in (over all questions)."""

    temperatures: tuple[float, ...]
    length_prior: float
    length_cap: int
    candidates: int
    blend: str
    decoder: str
    weights: Weights
    posteriors: tuple[Posterior, ...]
    table: FormTable

    def chosen(self) -> NDArray[np.int64]:
        """The form of the table that answers each question, int64 (Q,)."""
        return self.table.chosen(self.weights, BLENDS[self.blend], forms_of(self.decoder), self.candidates)

    def blended(self) -> Posterior:
        """The members' posteriors as one (their mean for a vote), cut to the candidates."""
        return blended(self.posteriors, self.weights.tolist(), self.blend).likeliest(self.candidates)

    def texts(self) -> list[str]:
        """The answer to each question, before any rule."""
        return [self.table.forms[index] for index in self.chosen().tolist()]


def decoders_to_try() -> list[str]:
    """The decoders that can be evaluated for many weights, and need nothing fitted before them."""
    return [name for name, one in DECODERS.items() if one.forms is not None and one.ensemble is None]


def ways_to_try(members: int) -> list[tuple[str, str]]:
    """Blend and decoder of every way to answer; one member's blends are all the same."""
    blends = list(BLENDS)[: None if members > 1 else 1]
    ways = [(blend, decoder) for blend in blends for decoder in decoders_to_try()]
    return [way for way in ways if way not in _NOT_TRIED]


class Fitter:
    """Fits on some rows of the members' out-of-fold scores.

    *advance* is called after each of the `steps` of a whole fit, and often in between with 0.  What it raises
    ends the fit.
    """

    def __init__(
        self,
        members: OutOfFold,
        questions: Sequence[Question],
        advance: Callable[[int], object] = lambda done: None,
    ) -> None:
        self._members, self._questions, self._advance = members, questions, advance

    @property
    def steps(self) -> int:
        """Steps of `start`, `ways` and `best` together."""
        return len(PRIORS) + len(SHARPNESS) + len(ways_to_try(len(self._members.labels))) + 1

    def start(self, rows: Rows) -> Fit:
        """Where all fits begin: temperatures, then length prior and sharpness by Edit Score on *rows*.

        Temperatures are fitted by likelihood, member by member.  Prior and sharpness are those with which
        the members' mean reaches the lowest Edit Score, its weights fitted: with equal weights a bad
        member would choose, and by likelihood the answers came out 3 % to 5 % worse.  With more than `SAMPLE`
        rows, all starts are compared on a sample of `SAMPLE` rows, and the best `FINALISTS` on all rows.
        """
        chosen = np.flatnonzero(rows)
        fitted = self._temperatures(chosen)
        fewer = sample(chosen, SAMPLE, seed=1)
        small = self._on(fewer)
        reached: dict[Setting, float] = {}

        def base(fitter: Fitter, setting: Setting) -> Fit:
            prior, sharpness = setting
            sharpened = [round(temperature * sharpness, 3) for temperature in fitted(prior)]
            return fitter.with_temperatures(sharpened, prior, CAPS[0])

        def compare(settings: Iterable[Setting]) -> Setting:
            for setting in settings:
                reached[setting] = small.reached(base(small, setting), np.ones(len(fewer), np.bool_))
                self._advance(1)
            return min(reached, key=lambda setting: reached[setting])

        prior, _ = compare((prior, SHARPNESS[0]) for prior in PRIORS)
        best = compare((prior, sharpness) for sharpness in SHARPNESS[1:])
        finalists = [best]
        if len(fewer) < len(chosen):
            finalists = sorted(reached, key=lambda setting: reached[setting])[:FINALISTS]
        fits = [base(self, setting) for setting in finalists]
        found = fits[0] if len(fits) == 1 else min(fits, key=lambda fit: self.reached(fit, rows))
        self._advance(1)
        return found

    def _temperatures(self, chosen: NDArray[np.intp]) -> Callable[[float], list[float]]:
        """The members' temperatures by length prior, fitted on *chosen* questions when first asked for."""
        enough = sample(chosen, ENOUGH)
        questions = [self._questions[index] for index in enough.tolist()]
        selected = [scores.select(enough) for scores in self._members.scores]
        known: dict[float, list[float]] = {}

        def fitted(prior: float) -> list[float]:
            if prior not in known:
                bonus = self._members.bonus(prior, CAPS[0])
                known[prior] = []
                for scores in selected:
                    self._advance(0)
                    known[prior].append(fit_temperature(scores, questions, CAPS[0], bonus))
            return known[prior]

        return fitted

    def _on(self, chosen: NDArray[np.intp]) -> Fitter:
        """A fitter that knows no other questions."""
        questions = [self._questions[index] for index in chosen.tolist()]
        return Fitter(self._members.questions(chosen), questions, lambda done: self._advance(0))

    def reached(self, fit: Fit, rows: Rows) -> float:
        """The lowest Edit Score of the members' mean on *rows*, over the decoders and weights."""
        means = [self.weights(fit, rows, "mean", decoder) for decoder in decoders_to_try()]
        return round(min(_edit(mean, rows) for mean in means), 6)

    def with_temperatures(self, temperatures: Sequence[float], length_prior: float, length_cap: int) -> Fit:
        """Equal weights, mean and edit, with these temperatures."""
        bonus = self._members.bonus(length_prior, length_cap)
        posteriors = []
        for scores, temperature in zip(self._members.scores, temperatures, strict=True):
            self._advance(0)
            posteriors.append(
                span_posterior(scores, length_cap, temperature=temperature, bonus=bonus, count=REACH * KEPT)
            )
        posteriors = likeliest_together(posteriors, KEPT)
        table = make_table(posteriors, self._questions)
        count = len(temperatures)
        return Fit(
            tuple(temperatures), length_prior, length_cap, CANDIDATES[0], "mean", "edit",
            np.full(count, 1 / count), tuple(posteriors), table,
        )  # fmt: skip

    def ways(self, base: Fit, rows: Rows) -> dict[tuple[str, str], Fit]:
        """*base* by every blend and decoder that makes sense for its members, each with its best weights."""
        found = {}
        for way in ways_to_try(len(base.weights)):
            found[way] = self.weights(base, rows, *way)
            self._advance(1)
        return found

    def weights(self, base: Fit, rows: Rows, blend: str, decoder: str) -> Fit:
        """*base* with the weights that this blend and decoder do best with on *rows*."""
        fit = replace(base, blend=blend, decoder=decoder)
        known: dict[bytes, float] = {}

        def score(weights: Weights) -> float:
            key = weights.tobytes()
            if key not in known:
                self._advance(0)
                known[key] = _edit(replace(fit, weights=weights), rows)
            return known[key]

        return replace(fit, weights=search(score, len(base.weights)))

    def best(self, fits: Iterable[Fit], rows: Rows) -> Fit:
        """The best of *fits*, then cap and candidates, by the Edit Score on *rows*."""
        found = min(fits, key=lambda fit: round(_edit(fit, rows), 6))
        for cap in CAPS[1:]:
            other = self.with_temperatures(found.temperatures, found.length_prior, cap)
            other = replace(other, blend=found.blend, decoder=found.decoder, weights=found.weights)
            found = other if _edit(other, rows) < _edit(found, rows) - _WORTH else found
        for count in CANDIDATES[1:]:
            other = replace(found, candidates=count)
            found = other if _edit(other, rows) < _edit(found, rows) - _WORTH else found
        self._advance(1)
        return found


def _edit(fit: Fit, rows: Rows) -> float:
    return float(fit.table.gold[fit.chosen()][rows].mean())
