"""What `kit.data.leaks` found, for people, for JSON and for an error message."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

from kit.data import near_duplicates
from kit.data.readers.display import plain
from kit.display import Displayed, Table
from kit.errors import SHOWN, all_of, counted

Kind = Literal["exact", "near"]
Standing = Literal["exact", "near", "different"]

# Letters and digits; about where a question begins to name what it asks about.
SPECIFIC = 20
# Jaccard, on runs of four characters: questions are short, and many differ by a word alone.
QUESTION_NEAR = 0.7


@dataclass(frozen=True, slots=True)
class ContextLeak:
    """A training context that is also a test context, with the questions on both sides.

    ``containment`` and ``jaccard`` are shares of shingles, 0 to 1 (both 1 for ``exact``).
    """

    kind: Kind
    train: Path
    train_guids: tuple[str, ...]
    test_guids: tuple[str, ...]
    containment: float
    jaccard: float


@dataclass(frozen=True, slots=True)
class QuestionMatch:
    """A training question worded like test questions.

    ``contexts`` tells how its context relates to theirs (the closest counts); ``same_answer``
    whether any of them has the same gold, None where the test file withholds them; ``specific``
    whether the wording has SPECIFIC letters and digits or more.
    """

    kind: Kind
    train: Path
    train_guid: str
    test_guids: tuple[str, ...]
    text: str
    contexts: Standing
    same_answer: bool | None
    specific: bool

    @property
    def leaking(self) -> bool:
        """The same specific question with the same gold, even if its article is rewritten."""
        return self.kind == "exact" and self.specific and self.same_answer is True


@dataclass(frozen=True, slots=True, repr=False)
class LeakReport(Displayed):
    """What training files and a test file have in common."""

    test: Path
    trains: tuple[Path, ...]
    contexts: tuple[ContextLeak, ...]
    questions: tuple[QuestionMatch, ...]

    @property
    def leaking(self) -> bool:
        """Whether any context leaks, or a specific question together with its answer."""
        return bool(self.contexts) or any(match.leaking for match in self.questions)

    @property
    def headline(self) -> str:
        """What leaks, in one line."""
        return self.message

    def tables(self) -> list[Table]:
        """The same, and the questions that are worded alike."""
        alike = f"{len(self.questions):,}"
        return [
            Table("leaks", (), [("found", self.message), ("questions worded like a test question", alike)])
        ]

    @property
    def train_guids(self) -> frozenset[tuple[Path, str]]:
        """(file, guid) of every training question to leave out."""
        found = {(leak.train, guid) for leak in self.contexts for guid in leak.train_guids}
        found.update((match.train, match.train_guid) for match in self.questions if match.leaking)
        return frozenset(found)

    @property
    def test_guids(self) -> frozenset[str]:
        """The test questions that a model trained on these files may know."""
        found = {guid for leak in self.contexts for guid in leak.test_guids}
        found.update(guid for match in self.questions if match.leaking for guid in match.test_guids)
        return frozenset(found)

    @property
    def _kinds(self) -> Counter[Kind]:
        return Counter(leak.kind for leak in self.contexts)

    @property
    def message(self) -> str:
        """One line: what leaks into which file, the first ten, and the cure."""
        files = ", ".join(str(path) for path in self.trains)
        if not self.leaking:
            return f"{files}: no context of {self.test} was found, neither exactly nor nearly"
        kinds = self._kinds
        trained = len(self.train_guids)
        named = [_named(leak) for leak in self.contexts]
        named += [_named(match) for match in self.questions if match.leaking]
        return (
            f"{files}: {counted(trained, 'training question')} "
            f"{'shares its' if trained == 1 else 'share their'} article with "
            f"{counted(len(self.test_guids), 'test question')} of {self.test} "
            f"({counted(kinds['exact'], 'context')} exactly, {kinds['near']:,} nearly): "
            f"{all_of(named)}; leave those questions out, or train on another file"
        )

    def as_dict(self) -> dict[str, object]:
        """For JSON: counts, thresholds, and the first ten of each kind in full."""
        alike = Counter((match.kind, match.contexts) for match in self.questions)
        return {
            "test": str(self.test),
            "trains": [str(path) for path in self.trains],
            "leaking": self.leaking,
            "train_questions": len(self.train_guids),
            "test_questions": len(self.test_guids),
            "contexts": {
                **{kind: self._kinds[kind] for kind in get_args(Kind)},
                "first": [
                    {
                        **asdict(leak),
                        "train": str(leak.train),
                        "containment": round(leak.containment, 4),
                        "jaccard": round(leak.jaccard, 4),
                    }
                    for leak in self.contexts[:SHOWN]
                ],
            },
            "questions": {
                **{
                    f"{kind}, context {standing}": alike[kind, standing]
                    for kind in get_args(Kind)
                    for standing in get_args(Standing)
                },
                "first": [
                    {**asdict(match), "train": str(match.train), "test_guids": match.test_guids[:SHOWN]}
                    for match in self.questions[:SHOWN]
                ],
            },
            "thresholds": {
                "context": near_duplicates.NEAR,
                "question": QUESTION_NEAR,
                "specific": SPECIFIC,
            },
        }


def _named(finding: ContextLeak | QuestionMatch) -> str:
    if isinstance(finding, QuestionMatch):
        tests = _listed(finding.test_guids)
        return f"{plain(finding.train_guid)} asks what {tests} asks, with the same answer"
    how = "exactly" if finding.kind == "exact" else f"{finding.containment * 100:.0f} % nearly"
    return f"{_listed(finding.train_guids)} ~ {_listed(finding.test_guids)} ({how})"


def _listed(guids: tuple[str, ...]) -> str:
    first = plain(guids[0])
    return f"{first} (and {len(guids) - 1} more)" if len(guids) > 1 else first
