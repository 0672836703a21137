"""Why a recipe answers a question as it does: candidates, expected distances, the members' own answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from kit.data.records import Dataset, Question
from kit.decoding.candidate_list import Candidate, CandidateList, candidate_lists, quoted
from kit.decoding.decoders import decoded, decoder_of
from kit.decoding.default import Decoding
from kit.decoding.ensembles import answers_of, blend_of, length_bonus, posterior_of, with_boundary
from kit.display import Displayed, Table, edit, share
from kit.display import quoted as in_quotes
from kit.errors import DataError, counted
from kit.metrics.edit_distance import edit_distances
from kit.phrase import Phrase, numbered
from kit.settings.recipe import Recipe
from kit.spans.answer_spans import AnswerFile
from kit.spans.blending import BLENDS
from kit.spans.minimum_risk import texts_of
from kit.spans.posteriors import Posterior
from kit.spans.recipe_members import ScoreSource, sources_of, with_free_texts_of
from kit.text_rules.rules import apply_rules, parse_rules

_ALL = 1 << 62
_SHOWN = 10
"""Candidates that a table shows, besides the answer and the gold."""
_AROUND = 60
"""Code points of context shown on both sides of the answer."""


@dataclass(frozen=True, slots=True)
class MemberAnswer:
    """One member's (fold's) own answer by the recipe's decoder (for ranked: by edit), and its probability."""

    label: str
    weight: float
    text: str
    p: float | None
    """None where it only votes."""


@dataclass(frozen=True, slots=True, repr=False)
class Explanation(Displayed):
    """One question: the answer, before and after the rules, what it was chosen among, and by whom."""

    question: Question
    answer: str
    decoded: str
    choice: CandidateList | None
    """All texts of the blend; None for a vote, which blends no posteriors."""
    members: tuple[MemberAnswer, ...]
    reasons: tuple[str, ...] = ()
    """Why this answer, in words."""
    decoding: str = ""
    """Decoder, length prior and cap, in words."""

    @property
    def place(self) -> int | None:
        """Where the decoded text first stands in the context, in code points; None where it does not."""
        found = self.question.context.find(self.decoded) if self.decoded else -1
        return None if found < 0 else found

    @property
    def distance(self) -> int | None:
        """Edit distance of the answer to the gold, in code points; None where the gold is not known."""
        return self._to_gold(self.answer) if self.question.golds else None

    def _to_gold(self, text: str) -> int:
        return int(edit_distances([text], [self.question.golds])[0])

    @property
    def headline(self) -> str:
        """The question and its answer."""
        away = "" if self.distance is None else f", {counted(self.distance, 'character')} from the gold"
        return f"{self.question.guid}: {in_quotes(self.answer)}{away}"

    def tables(self) -> list[Table]:
        """The answer and why, the candidates, and the members' own answers."""
        question, golds = self.question, self.question.golds
        about = [("question", question.text), ("answer", in_quotes(self.answer))]
        if self.decoded != self.answer:
            about.append(("before the rules", in_quotes(self.decoded)))
        if golds:
            away = counted(self._to_gold(self.answer), "character")
            about += [("gold", ", ".join(map(in_quotes, golds))), ("distance", f"{away} from the gold")]
        about += [("why", " ".join(self.reasons)), ("context", self._marked())]
        found = [Table(f"question {question.guid}", (), about)]
        if self.choice is not None:
            found.append(self._candidates(self.choice, bool(golds)))
        columns = ["member", "answer", "probability", "weight", *(["distance"] if golds else [])]
        rows = [
            [one.label, in_quotes(one.text), share(one.p), share(one.weight)]
            + ([f"{self._to_gold(one.text)}"] if golds else [])
            for one in self.members
        ]
        return [*found, Table("the members' own answers", columns, rows, words=("answer",))]

    def _candidates(self, choice: CandidateList, scored: bool) -> Table:
        wanted = {self.decoded, self.answer, *self.question.golds[:1]}
        shown = [one for place, one in enumerate(choice.candidates) if place < _SHOWN or one.text in wanted]
        left_out = choice.weighed - len(shown)
        title = "texts by expected distance" + (f" (and {left_out:,} more)" if left_out else "")
        columns = ["text", "rank", "probability", "expected distance (characters)"]
        if scored:
            columns += ["distance to the gold", ""]
        return Table(title, columns, [self._cells(one, scored) for one in shown], words=("",))

    def _cells(self, one: Candidate, scored: bool) -> list[str]:
        cells = [in_quotes(one.text), f"{one.rank}", share(one.p), edit(one.risk)]
        if not scored:
            return cells
        roles = {"answer": {self.answer}, "gold": set(self.question.golds)}
        marks = ", ".join(name for name, texts in roles.items() if one.text in texts)
        return [*cells, "" if one.distance is None else f"{one.distance}", marks]

    def _marked(self) -> str:
        """The context around the answer, the answer between ▶ and ◀."""
        context, place = self.question.context, self.place
        if place is None:
            return context[: 2 * _AROUND] + ("…" if len(context) > 2 * _AROUND else "")
        end = place + len(self.decoded)
        first, last = max(place - _AROUND, 0), min(end + _AROUND, len(context))
        before = ("…" if first else "") + context[first:place]
        after = context[end:last] + ("…" if last < len(context) else "")
        return f"{before}▶{context[place:end]}◀{after}"

    def as_dict(self) -> dict[str, object]:
        """For ``--json``."""
        candidates = () if self.choice is None else self.choice.candidates
        return {
            "guid": self.question.guid,
            "question": self.question.text,
            "answer": self.answer,
            "decoded": self.decoded,
            "begin": self.place,
            "golds": list(self.question.golds),
            "distance": self.distance,
            "candidates": [
                {"text": one.text, "p": one.p, "expected_distance": one.risk, "distance": one.distance}
                for one in candidates
            ],
            "reasons": list(self.reasons),
            "members": [
                {"member": one.label, "answer": one.text, "p": one.p, "weight": one.weight}
                for one in self.members
            ],
        }


def explain(
    recipe: Recipe, dataset: Dataset, guid: str, files: Mapping[str, AnswerFile] | None = None
) -> Explanation:
    """How *recipe* comes to its answer to the question *guid* of *dataset*.

    Raises DataError where there is no such question, and what `answers_of` raises.
    """
    found = next((question for question in dataset if question.guid == guid), None)
    if found is None:
        raise DataError(dataset.unknown(guid))
    one = replace(dataset, questions=(found,))
    plain = answers_of(recipe.model_copy(update={"rules": ()}), one, files).texts[guid]
    answer = apply_rules(plain, parse_rules(recipe.rules))
    sources = sources_of(recipe, one, files)
    one = with_free_texts_of(sources, one)
    posteriors = member_posteriors(recipe, sources, one)
    members = []
    for source, posterior in zip(sources, posteriors, strict=True):
        voted, p = source.voted(one.questions), None
        text = voted[0] if voted else ""
        if posterior is not None:
            (text,), (p,) = own_answers(recipe, posterior, one.questions)
        members.append(MemberAnswer(source.label, source.weight, text, p))
    choice = None
    if not BLENDS[recipe.blend].votes:
        blend = blend_of(recipe, sources, [part for part in posteriors if part is not None], one.questions)
        (choice,) = candidate_lists(blend, one.questions, [plain], [answer], _ALL)
    why = reasons(recipe, choice, [(one.text, one.weight) for one in members], plain, answer, found.golds[:1])
    decoding = str(Decoding.of(recipe)) + (", boundary model" if recipe.boundary is not None else "")
    return Explanation(found, answer, plain, choice, tuple(members), tuple(why), decoding)


def member_posteriors(
    recipe: Recipe, sources: Sequence[ScoreSource], dataset: Dataset
) -> list[Posterior | None]:
    """The posterior of each of *sources* on the data of `with_free_texts_of`; None where it only votes."""
    bonus = length_bonus(recipe, sources)
    return [
        None if source.only_votes else posterior_of(recipe, source, source.scores(dataset), bonus)
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
    why: list[str] = []
    if BLENDS[recipe.blend].votes:
        backers = [weight for text, weight in votes if text in {decoded, answer}]
        why.append(
            Phrase(
                "The vote: {n} of {all} with {weight} of the weight answer {text}.",
                n=str(len(backers)),
                all=numbered(len(votes), "member"),
                weight=f"{sum(backers):.0%}",
                text=quoted(decoded),
            )
        )
    elif choice is not None:
        why.append(decoder_of(recipe.decoder).reason(choice, decoded))
    if decoded != answer:
        text = "Then the rules changed {decoded} to {answer}."
        why.append(Phrase(text, decoded=quoted(decoded), answer=quoted(answer)))
    if choice is not None and golds and answer != golds[0]:
        why.append(_why_not_gold(choice, golds[0], recipe.length_cap))
    return why


def _why_not_gold(choice: CandidateList, gold: str, length_cap: int) -> str:
    found = choice.of(gold)
    if found is None:
        if len(gold) > length_cap:
            text = "The gold has {n}; length_cap allows {cap}."
            return Phrase(text, n=numbered(len(gold), "character"), cap=str(length_cap))
        return Phrase(
            "The gold is not among the candidates: every member finds it unlikely or has no span for it."
        )
    return Phrase(
        "The gold {text} is number {rank} of {all}: probability {p}, expected distance {risk}.",
        text=quoted(gold), rank=str(found.rank), all=str(choice.weighed), p=f"{found.p:.1%}",
        risk=f"{found.risk:.2f}",
    )  # fmt: skip
