"""The slow oracle of `kit.tuning.fitting`: every start on all rows, with a table of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from kit.data.records import Question
from kit.spans.blending import KEPT, REACH, likeliest_together
from kit.spans.posteriors import span_posterior
from kit.tuning.fitting import CANDIDATES, CAPS, PRIORS, SHARPNESS, Fit, Fitter, decoders_to_try
from kit.tuning.members import OutOfFold
from kit.tuning.temperature import fit_temperature
from tests.decoding.slow_table import slow_table


class SlowFitter(Fitter):
    """Starts and tables as they were before they were made fast."""

    def __init__(self, members: OutOfFold, questions: Sequence[Question]) -> None:
        super().__init__(members, questions)
        self.members, self.questions = members, questions

    def start(self, rows: NDArray[np.bool_]) -> Fit:
        chosen = np.flatnonzero(rows)
        questions = [self.questions[index] for index in chosen.tolist()]
        fitted: dict[float, list[float]] = {}

        def base(prior: float, sharpness: float) -> Fit:
            if prior not in fitted:
                bonus = self.members.bonus(prior, CAPS[0])
                fitted[prior] = [
                    fit_temperature(scores.select(chosen), questions, CAPS[0], bonus)
                    for scores in self.members.scores
                ]
            sharpened = [round(temperature * sharpness, 3) for temperature in fitted[prior]]
            return self.with_temperatures(sharpened, prior, CAPS[0])

        def reached(fit: Fit) -> float:
            means = [self.weights(fit, rows, "mean", decoder) for decoder in decoders_to_try()]
            return round(min(float(one.table.gold[one.chosen()][rows].mean()) for one in means), 6)

        best = min((base(prior, SHARPNESS[0]) for prior in PRIORS), key=reached)
        others = (base(best.length_prior, sharpness) for sharpness in SHARPNESS[1:])
        return min([best, *others], key=reached)

    def with_temperatures(self, temperatures: Sequence[float], length_prior: float, length_cap: int) -> Fit:
        bonus = self.members.bonus(length_prior, length_cap)
        posteriors = [
            span_posterior(scores, length_cap, temperature=temperature, bonus=bonus, count=REACH * KEPT)
            for scores, temperature in zip(self.members.scores, temperatures, strict=True)
        ]
        posteriors = likeliest_together(posteriors, KEPT)
        table = cast(Any, slow_table(posteriors, self.questions))
        count = len(temperatures)
        return Fit(
            tuple(temperatures), length_prior, length_cap, CANDIDATES[0], "mean", "edit",
            np.full(count, 1 / count), tuple(posteriors), table,
        )  # fmt: skip
