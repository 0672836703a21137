"""The groups of related questions that a file's folds are made of, described."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import cached_property

from kit.data import titles
from kit.data.folds import groups
from kit.data.readers.display import plain, quoted
from kit.data.readers.raw import Remark
from kit.data.records import Question
from kit.errors import counted

FOLDS = 5
"""What the documents and presets train with."""


class Grouping:
    """How many groups the questions of a file form and how large they are.

    The groups are found when something is asked: that takes about as long as reading the file.
    """

    def __init__(self, questions: Sequence[Question]) -> None:
        self._questions = questions

    @cached_property
    def _groups(self) -> list[list[Question]]:
        """The questions of each group, in order of their first."""
        found: defaultdict[int, list[Question]] = defaultdict(list)
        for question, label in zip(self._questions, groups(self._questions).tolist(), strict=True):
            found[label].append(question)
        return list(found.values())

    @property
    def _largest(self) -> list[Question]:
        return max(self._groups, key=len, default=[])

    @property
    def uneven(self) -> bool:
        """Whether the largest group has more questions than one of FOLDS folds should have.

        Files with fewer than two questions a fold are not judged: none of their folds could be even.
        """
        return len(self._questions) >= 2 * FOLDS and len(self._largest) * FOLDS > len(self._questions)

    def in_words(self) -> str:
        """For a table."""
        largest = counted(len(self._largest), "question")
        related = "same or nearly the same article, or same title"
        return f"{len(self._groups):,} ({related}); the largest has {largest}"

    def remarks(self) -> list[Remark]:
        """The titles that name no article, and that the largest group exceeds a fold, where it does."""
        found = titles.remarks(self._questions)
        if not self.uneven:
            return found
        members = self._largest
        title, _ = Counter(question.title for question in members).most_common(1)[0]
        named = f"most of them titled {quoted(title)}" if title else f"such as {plain(members[0].guid)}"
        fold = len(self._questions) / FOLDS
        text = (
            f"the largest group is larger than one of {FOLDS} folds ({fold:,.0f} questions), so that folds "
            f"are uneven; its questions, {named}"
        )
        return [*found, Remark(text, len(members))]

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {"count": len(self._groups), "largest": len(self._largest), "exceeds_a_fold": self.uneven}
