"""Several members' posteriors as one: the blends, on characters of the context, whatever the tokenizers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kit.errors import entry_of
from kit.spans.posteriors import Posterior, likeliest_of
from kit.spans.span_scores import offsets_of

EPSILON = 0.01
"""Mass that a product spreads over all spans of each member: a span it cannot express keeps a chance."""
KEPT = 60
"""Spans of each question that take part in a blend, unless its recipe has more candidates."""
REACH = 4
"""A member brings this many times as many spans: other members may raise what it ranks lower."""
Floats = NDArray[np.float64]
Rows = Iterable[Floats]
Tails = Sequence[Floats] | Floats


@dataclass(frozen=True, slots=True)
class Blend:
    """One way to make several members' posteriors one.

    about: what it does, as documents say it
    combine: what *prepare* made of the members' probabilities of the same S spans, float64 (S,) each, their
        weights, float64 (M,) of sum 1, and each span's question, int64 (S,), ascending → the blend's
        probabilities, float64 (S,)
    prepare: one member's probabilities and each span's question → what does not depend on the weights
    keeps_tails: whether the members' tails, averaged, are the blend's; otherwise it has none
    votes: whether members vote with their own texts; *combine* then breaks ties and explains
    """

    about: str
    combine: Callable[[Rows, Floats, NDArray[np.int64]], Floats]
    keeps_tails: bool = False
    votes: bool = False
    prepare: Callable[[Floats, NDArray[np.int64]], Floats] = lambda row, question: row

    def of(self, rows: Rows, weights: Floats, question: NDArray[np.int64]) -> Floats:
        """The blend of members' probabilities, *rows*, float64 (S,) each; the rest as for *combine*."""
        return self.combine((self.prepare(row, question) for row in rows), weights, question)

    def tail(self, tails: Tails, weights: Floats) -> Floats:
        """The blend's tail from the members', float64 (Q, length_cap + 1) each."""
        total = np.zeros_like(tails[0])
        if self.keeps_tails:
            for tail, weight in zip(tails, weights, strict=True):
                total += weight * tail
        return total


def _mean(rows: Rows, weights: Floats, question: NDArray[np.int64]) -> Floats:
    """Σ w p."""
    p = np.zeros(len(question))
    for row, weight in zip(rows, weights, strict=True):
        p += weight * row
    return p


def _logs(row: Floats, question: NDArray[np.int64]) -> Floats:
    """log((1 - ε) p + ε / |U|) over the union U of the members' spans."""
    share = EPSILON / np.bincount(question)[question]
    found: Floats = np.log(share + (1 - EPSILON) * row)
    return found


def _product(rows: Rows, weights: Floats, question: NDArray[np.int64]) -> Floats:
    """Softmax of Σ w log p, the logarithms as `_logs` gives them."""
    log_p = _mean(rows, weights, question)
    if not len(log_p):
        return log_p
    heads = np.flatnonzero(np.diff(question, prepend=-1))
    sizes = np.diff(np.append(heads, len(question)))
    mass = np.exp(log_p - np.repeat(np.maximum.reduceat(log_p, heads), sizes))
    p: Floats = mass / np.bincount(question, weights=mass)[question]
    return p


BLENDS: Mapping[str, Blend] = {
    "mean": Blend("the weighted mean of the members' probabilities", _mean, keeps_tails=True),
    "product": Blend(
        "the normalised weighted product of the members' probabilities", _product, prepare=_logs
    ),
    "vote": Blend("the text that members of the largest weight decode", _mean, keeps_tails=True, votes=True),
}
"""Every blend by the name that recipes use; a new one is an entry here."""


def blended(posteriors: Sequence[Posterior], weights: Sequence[float], how: str = "mean") -> Posterior:
    """The blend of *posteriors* over the same questions; *weights* ≥ 0, of any sum, are scaled to 1.

    The members are added up in the order given: the caller sorts them, so that the result does not
    depend on it to the last bit.  Raises ConfigError where *how* is not in `BLENDS`.
    """
    blend = entry_of(BLENDS, how, "blend")
    if len(posteriors) == 1:
        return posteriors[0]
    scaled = np.asarray(weights, dtype=np.float64) / np.sum(weights)
    union = Union.of(posteriors)
    p = blend.of(union.rows(posteriors), scaled, union.question)
    counts = np.bincount(union.question, minlength=len(posteriors[0]))
    tail = blend.tail([one.tail for one in posteriors], scaled)
    return Posterior(offsets_of(counts), union.begin, union.end, p, tail)


def likeliest_together(posteriors: Sequence[Posterior], count: int) -> list[Posterior]:
    """Each posterior cut to the same *count* spans a question: those that a member finds likeliest.

    No mean of the members holds more of a span than the member that likes it best, so that what is cut
    is little under any weights; it goes to each member's tail.
    """
    union = Union.of(posteriors)
    highest = np.zeros(len(union.begin))
    for row in union.rows(posteriors):
        np.maximum(highest, row, out=highest)
    offsets = offsets_of(np.bincount(union.question, minlength=len(posteriors[0])))
    kept = likeliest_of(highest, offsets, count)
    return [one.only(kept[place]) for one, place in zip(posteriors, union.places, strict=True)]


@dataclass(frozen=True, slots=True)
class Union:
    """All spans that any of several members lists, ordered by question, begin and end.

    question: int64 (U,); begin, end: int32 (U,); places: for each member the index of its spans, in its order
    """

    question: NDArray[np.int64]
    begin: NDArray[np.int32]
    end: NDArray[np.int32]
    places: tuple[NDArray[np.intp], ...]

    @classmethod
    def of(cls, posteriors: Sequence[Posterior]) -> Union:
        """The union of the members' spans, which are over the same questions."""
        cap = posteriors[0].tail.shape[1] - 1
        reach = max(int(one.begin.max(initial=0)) for one in posteriors) + 1
        keys = [(one.question * reach + one.begin) * (cap + 1) + (one.end - one.begin) for one in posteriors]
        union = np.sort(np.concatenate(keys))
        union = union[np.r_[True, np.diff(union) != 0]] if len(union) else union
        place, length = np.divmod(union, cap + 1)
        question, begin = np.divmod(place, reach)
        places = tuple(np.searchsorted(union, key) for key in keys)
        return cls(question, begin.astype(np.int32), (begin + length).astype(np.int32), places)

    def rows(self, posteriors: Sequence[Posterior]) -> Iterator[NDArray[np.float64]]:
        """Each member's probabilities of all spans of the union, float64 (U,); 0 where it lists none."""
        for one, place in zip(posteriors, self.places, strict=True):
            row = np.zeros(len(self.begin))
            row[place] = one.p
            yield row
