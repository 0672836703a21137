"""Why a file's starts are wrong: one cause explains most of them, and is then applied exactly.

Starts are counted by a program, so they are wrong in one way throughout: in bytes, from one, in a text whose
line ends or entities were others.  Each such cause is tried on a sample of the answers before any guess.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from kit.data.readers.spelling import COUNTED, EQUIVALENCES, LOOSE, Form
from kit.data.spread import spread

_SAMPLED = 300
_NEARLY_ALL = 0.9
# Below that a file is no proof of a cause: starts that were typed wrong are often wrong by one.
_SHARE, _LEAST = 0.3, 5
_FARTHEST = 10_000
_USUAL_FIRSTS = (0, 1)


@dataclass(frozen=True, slots=True)
class Start:
    """An answer with the number that the file gives as its start."""

    context: str
    text: str
    start: int
    matches: bool


@dataclass(frozen=True, slots=True)
class Unit:
    """What starts are counted in; ``place`` turns a count into code points, None inside a character."""

    name: str
    place: Callable[[str, int], int | None]


def _encoded(encoding: str, width: int) -> Callable[[str, int], int | None]:
    def place(text: str, count: int) -> int | None:
        try:
            data = text.encode(encoding)
            return len(data[: count * width].decode(encoding)) if 0 <= count * width <= len(data) else None
        except UnicodeError:
            return None

    return place


POINTS = Unit("", lambda text, count: count if 0 <= count <= len(text) else None)
UNITS = (
    POINTS, Unit("UTF-8 bytes", _encoded("utf-8", 1)), Unit("UTF-16 units", _encoded("utf-16-le", 2)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cause:
    """One way to count starts wrongly: in which unit, from which number, in texts of which form.

    ``in_place``: the starts are right, and only the answers' texts are of another form.
    """

    unit: Unit = POINTS
    first: int = 0
    form: Form | None = None
    in_place: bool = False

    @property
    def simple(self) -> bool:
        """Whether only one thing is wrong."""
        return (self.unit is not POINTS) + (self.first != 0) + (self.form is not None) == 1

    @property
    def name(self) -> str:
        """The cause in words, to be read after the answer that it explains."""
        if self.in_place and self.form is not None:
            return difference(self.form)
        unit = f"in {self.unit.name}" if self.unit.name else ""
        first = "from one" if self.first == 1 else f"from {self.first}" if self.first else ""
        how = ", ".join(part for part in (unit, first, self.form.counted if self.form else "") if part)
        return f"answer_start is counted {how}"

    def span(self, context: str, text: str, start: int) -> tuple[int, int] | None:
        """The slice of *context* that *start* means; None where *text* is not there."""
        if self.form is None:
            place = self.unit.place(context, start - self.first)
            if place is None or not context.startswith(text, place):
                return None
            return place, place + len(text)
        spelled, wanted = self.form.spell(context), self.form.of(text)
        place = spelled.place(start) if self.in_place else self.unit.place(spelled.text, start - self.first)
        if place is None or place < 0 or not wanted:
            return None
        if not spelled.text.startswith(wanted, place):
            if self.in_place or not spelled.text.startswith(text, place):
                return None
            wanted = text  # an answer may already be in the form that the starts were counted in
        begin, end = spelled.begin(place), spelled.end(place + len(wanted))
        return None if begin is None or end is None or begin >= end else (begin, end)


IN_PLACE = tuple(Cause(form=form, in_place=True) for form in EQUIVALENCES)


def difference(form: Form) -> str:
    """How an answer differs from the slice of its context that is equal to it in *form*."""
    return f"the answer differs from its context in {form.differs}"


@dataclass(frozen=True, slots=True)
class Finding:
    """A cause, and whether it holds for the whole file or only for answers that do not match as given."""

    cause: Cause
    whole: bool


def findings(starts: Sequence[Start]) -> list[Finding]:
    """The causes that explain the wrong starts of a file, those of most answers first.

    One that holds for nearly all answers is the only one; a file put together from several may have one
    for each of its parts.
    """
    found: list[Finding] = []
    starts = list(dict.fromkeys(starts))  # the same mistake again proves nothing more
    wrong = spread([each for each in starts if not each.matches], _SAMPLED)
    right = spread([each for each in starts if each.matches], _SAMPLED)
    wrong = [each for each in wrong if _occurs(each)]
    while wrong and len(found) < len(COUNTED):
        cause, explained = _best(wrong)
        if not explained:
            break
        nearly_all = explained >= _NEARLY_ALL * len(wrong)
        whole = not found and nearly_all and _explained(cause, right) >= _NEARLY_ALL * len(right)
        # Any one start is explained by some number to count from, or by some combination.
        fitted = cause.first not in _USUAL_FIRSTS or not cause.simple
        if explained < _LEAST and (fitted or not whole):
            break
        if not whole and explained < _SHARE * len(wrong):
            break
        found.append(Finding(cause, whole))
        if whole:
            break
        wrong = [each for each in wrong if cause.span(each.context, each.text, each.start) is None]
    return found


def _occurs(each: Start) -> bool:
    """Whether any start at all could be right."""
    return each.text in each.context or LOOSE.of(each.text) in LOOSE.spell(each.context).text


def _best(wrong: Sequence[Start]) -> tuple[Cause, int]:
    """The cause that explains most; the simplest of those that explain the same."""
    best, most = Cause(), 0
    for cause in _causes(_shift(wrong)):
        explained = _explained(cause, wrong, most)
        if explained > most:
            best, most = cause, explained
        if most == len(wrong):
            break
    return best, most


def _causes(shift: int) -> Iterator[Cause]:
    """Every cause, those of one change first; *shift* is by how much starts are too high otherwise."""
    firsts = dict.fromkeys((*_USUAL_FIRSTS, shift))
    yield from IN_PLACE
    every = [Cause(unit, first, form) for form in (None, *COUNTED) for first in firsts for unit in UNITS]
    # A number fitted to the file explains much; what needs none is to be believed first.
    yield from sorted(every, key=lambda cause: (not cause.simple, cause.first not in _USUAL_FIRSTS))


def _explained(cause: Cause, starts: Sequence[Start], least: int = 0) -> int:
    """How many of *starts* a cause explains; 0 where it cannot be more than *least*."""
    missed = 0
    for each in starts:
        if cause.span(each.context, each.text, each.start) is None:
            missed += 1
            if missed >= len(starts) - least:
                return 0
    return len(starts) - missed


def _shift(wrong: Sequence[Start]) -> int:
    """By how much most starts are too high, as where a title stood in front of the context."""
    # Every occurrence votes, since a wrong one votes for another number in each context.
    differences = Counter(
        each.start - place
        for each in wrong
        for place in places(each.context, each.text)
        if abs(each.start - place) < _FARTHEST
    )
    return max(differences, key=lambda shift: (differences[shift], -abs(shift)), default=0)


def places(context: str, text: str) -> Iterator[int]:
    """Every place where *text* begins in *context*, overlapping ones included."""
    place = context.find(text)
    while place >= 0:
        yield place
        place = context.find(text, place + 1)
