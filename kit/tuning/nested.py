"""A recipe tuned, and what each part of it gains on questions that nothing was fitted on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kit.data.folds import groups as groups_of
from kit.data.records import Dataset
from kit.display import EDIT, INTERVAL, Displayed, Table, edit, share
from kit.errors import ConfigError
from kit.metrics.bootstrap import Interval, PairedDifference, bootstrap, holm, paired
from kit.metrics.edit_distance import edit_distances
from kit.metrics.predictions import Decile, calibration
from kit.progress import Progress, no_progress
from kit.settings.recipe import DEFAULT_BOUNDARY_WEIGHT, DEFAULT_LENGTH_CAP, Recipe, RuleSpec
from kit.spans.answer_spans import AnswerFile
from kit.text_rules.rules import COURSE_2022, Rule, apply_rules, parse_rules
from kit.tuning.fitting import Fit, Fitter
from kit.tuning.members import OutOfFold, out_of_fold_members, with_out_of_fold_texts
from kit.tuning.outer_folds import FoldAnswers, together_with_folds
from kit.tuning.parallel import Steps
from kit.tuning.second_stage import BOUNDARY, RANKED, SecondStage, last_fit

TRIED: tuple[RuleSpec, ...] = (
    "trim", "balance_quotes", "tighten_symbols", "strip_particles", {"blank_long": 20}, {"blank_long": 30},
)  # fmt: skip
LEVEL = 0.05
_NORMAL_95 = 1.96
_GIVEN = "as given"
_AGAINST = "against as given (characters; chance by Holm)"
_FEATURES = 10
"""Features of the second stage that a table shows."""


@dataclass(frozen=True, slots=True)
class Row:
    """One way to answer, scored on all questions, each by settings fitted without its fold.

    ``versus`` is the paired difference to the recipe as it was given (None for that row itself);
    ``evidence`` whether it is one by Holm's correction over the whole table.
    """

    label: str
    edit: float
    interval: Interval
    exact: float
    versus: PairedDifference | None
    evidence: bool

    @property
    def cells(self) -> tuple[str, ...]:
        """Its cells in the table of `Tuned`."""
        own = (self.label, edit(self.edit), str(self.interval), share(self.exact))
        return (*own, "" if self.versus is None else self.versus.in_words(self.evidence))


@dataclass(frozen=True, slots=True, repr=False)
class Tuned(Displayed):
    """The tuned recipe, the table, and the nested answers' distances, float64 (Q,), of its method."""

    recipe: Recipe
    method: str
    """The row of the table that the recipe answers by, with the rules it keeps."""
    rows: tuple[Row, ...]
    distances: NDArray[np.float64]
    groups: NDArray[np.int64]
    stage: SecondStage | None
    """What the recipe needs beside it: a boundary model and, with ``decoder: ranked``, a ranker."""
    deciles: tuple[Decile, ...]
    """Expected against actual distance of the blend's own choice by `edit`, nested."""
    importances: Mapping[str, float]
    """Share of the second stage's gain by feature, where there was one."""

    @property
    def verdict(self) -> str:
        """One sentence: whether the tuned recipe is better than the recipe as given."""
        own = next(row for row in self.rows if row.label == self.method)
        assert own.versus is not None
        by, interval = abs(own.versus.mean), own.versus.interval
        scores = f"the tuned recipe scores {own.edit:.3f} characters, nested"
        if own.evidence:
            word = "better" if own.versus.mean < 0 else "worse"
            return f"{scores}: {by:.3f} {word} than the recipe as given (95 %: {interval})"
        return f"{scores}: no evidence that it differs from the recipe as given (95 %: {interval})"

    @property
    def headline(self) -> str:
        """The method it chose, and its nested score."""
        return f"{self.method}, nested Edit Score {edit(float(self.distances.mean()))}"

    def tables(self, *, every_row: bool = True) -> list[Table]:
        """The nested scores, the calibration, and the features of the second stage.

        Without *every_row* only the rows that differ from the recipe as given, and the method it chose.
        """
        columns = ("nested, out of fold", EDIT, INTERVAL, "equal to gold", _AGAINST)
        rows = [
            row
            for row in self.rows
            if every_row or row.evidence or row.versus is None or row.label == self.method
        ]
        found = [Table("", columns, [row.cells for row in rows], words=(_AGAINST,))]
        deciles = [
            (f"{number + 1}", f"{row.questions:,}", edit(row.expected), edit(row.actual))
            for number, row in enumerate(self.deciles)
        ]
        heads = ("decile", "questions", "expected (characters)", "actual (characters)")
        title = "calibration: the distance that the blend itself expects, by decile"
        found.append(Table(title, heads, deciles))
        if self.importances:
            gains = [(name, share(gain)) for name, gain in list(self.importances.items())[:_FEATURES]]
            found.append(Table("the second stage's features", ("feature", "share of the gain"), gains))
        return found


def tune(
    recipe: Recipe,
    dataset: Dataset,
    say: Callable[[str], object] = lambda line: None,
    progress: Progress = no_progress,
    files: Mapping[str, AnswerFile] | None = None,
) -> Tuned:
    """Fit *recipe*'s temperatures, weights, length prior, blend, decoder, cap, candidates and rules.

    Every reported figure is nested: for each outer fold (the members' own, which they share)
    everything is fitted on the other folds.  The returned recipe is fitted on all of them.  *files*: every
    file of answers from elsewhere, by the path that the recipe has.  Raises ConfigError where a member has no
    out-of-fold scores on *dataset*.
    """
    groups = groups_of(dataset.questions)
    dataset = with_out_of_fold_texts(recipe, dataset, files or {})
    members = out_of_fold_members(recipe, dataset, files)
    questions = dataset.questions
    golds = [question.golds for question in questions]
    everything = np.ones(len(questions), dtype=np.bool_)
    with progress("tuning", Fitter(members, questions).steps * (members.folds + 1)) as advance:
        steps = Steps(advance)
        fitter = Fitter(members, questions, steps)

        def fit_all() -> tuple[Fit, Fit]:
            """The mean by edit, which a second stage starts from, and the best fit, on all questions."""
            ways = fitter.ways(fitter.start(everything), everything)
            return ways["mean", "edit"], fitter.best(ways.values(), everything)

        by_fold, (mean, best) = together_with_folds(fitter, members, questions, groups, fit_all, say, steps)
    collected, risks = _joined(by_fold, members.fold_of)
    collected |= _given(fitter, recipe, members)
    distances = {label: edit_distances(texts, golds) for label, texts in collected.items()}
    method = "tuned"
    for other in (BOUNDARY, RANKED):
        if other in distances and _worth_it(distances[method], distances[other], groups):
            method = other
    final, stage = best, None
    if method != "tuned":
        final = mean
        stage = last_fit(final, members, questions, groups, ranked=method == RANKED)
    rules = _RuleChoice(collected[method], golds, groups)
    distances |= {f"{method}, {name}": own for name, own in rules.distances.items()}
    answer = f"{method}, rules by choice"
    distances[answer] = edit_distances(rules.nested(members.fold_of), golds)
    return Tuned(
        recipe=_recipe(recipe, final, [rule.spec for rule in rules.kept(everything)], stage),
        method=answer,
        rows=_scored(distances, groups),
        distances=distances[answer],
        groups=groups,
        stage=stage,
        deciles=calibration(risks, distances["mean, edit, tuned weights"]),
        importances={} if stage is None or stage.ranker is None else stage.ranker.importances(),
    )


def _joined(
    by_fold: Mapping[int, FoldAnswers], fold_of: NDArray[np.int64]
) -> tuple[dict[str, Sequence[str]], NDArray[np.float64]]:
    """The folds' answers by label and their risks, each of all questions; only what every fold has."""
    texts: dict[str, Sequence[str]] = {}
    risks = np.zeros(len(fold_of))
    order = np.argsort(np.concatenate([np.flatnonzero(fold_of == fold) for fold in by_fold]))
    first, *others = by_fold.values()
    for label in (label for label in first.texts if all(label in one.texts for one in others)):
        flat = [text for answers in by_fold.values() for text in answers.texts[label]]
        texts[label] = [flat[index] for index in order.tolist()]
    for fold, answers in by_fold.items():
        risks[fold_of == fold] = answers.risks
    return texts, risks


def _given(fitter: Fitter, recipe: Recipe, members: OutOfFold) -> dict[str, Sequence[str]]:
    """Answers that need no fitting, by label: the recipe as given, and the baselines of every member."""
    used = recipe.members
    base = fitter.with_temperatures(
        [member.temperature for member in used], recipe.length_prior, recipe.length_cap
    )
    given = replace(
        base, blend=recipe.blend, decoder=recipe.decoder, candidates=min(recipe.candidates, base.candidates),
        weights=np.array([member.weight for member in used]),
    )  # fmt: skip
    rules = parse_rules(recipe.rules)
    found: dict[str, Sequence[str]] = {_GIVEN: [apply_rules(text, rules) for text in given.texts()]}
    plain = fitter.with_temperatures([1.0] * len(used), 0.0, DEFAULT_LENGTH_CAP)
    for number, label in enumerate(members.labels):
        alone = replace(plain, decoder="argmax", weights=np.eye(len(used))[number]).texts()
        course = parse_rules(COURSE_2022)
        found[f"{label}: argmax"] = alone
        found[f"{label}: course-2022"] = [apply_rules(text, course) for text in alone]
    return found


def _scored(distances: Mapping[str, NDArray[np.float64]], groups: NDArray[np.int64]) -> tuple[Row, ...]:
    given = distances[_GIVEN]
    versus = {label: paired(given, own, groups) for label, own in distances.items() if label != _GIVEN}
    holds = holm([one.p_value for one in versus.values()], LEVEL)
    proven = {label for label, holding in zip(versus, holds, strict=True) if holding}
    rows = []
    for label, own in distances.items():
        interval, exact = bootstrap(own, groups), float((own == 0).mean())
        rows.append(Row(label, float(own.mean()), interval, exact, versus.get(label), label in proven))
    return tuple(sorted(rows, key=lambda row: (row.versus is not None, row.edit)))


class _RuleChoice:
    """Each rule alone on the same *texts*, and which of them are worth keeping."""

    def __init__(
        self, texts: Sequence[str], golds: Sequence[Sequence[str]], groups: NDArray[np.int64]
    ) -> None:
        self._texts, self._groups = texts, groups
        self._plain = edit_distances(texts, golds)
        self._rules = {_name(rule): rule for rule in _rules_to_try()}
        self.distances = {
            name: edit_distances([rule(text) for text in texts], golds) for name, rule in self._rules.items()
        }

    def kept(self, rows: NDArray[np.bool_]) -> list[Rule]:
        """The rules that help on *rows* by more than chance."""
        return [
            self._rules[name]
            for name, own in self.distances.items()
            if _worth_it(self._plain[rows], own[rows], self._groups[rows])
        ]

    def nested(self, fold_of: NDArray[np.int64]) -> list[str]:
        """The texts, each fold's by the rules that the other folds keep."""
        texts = list(self._texts)
        for fold in np.unique(fold_of):
            chosen = self.kept(fold_of != fold)
            for index in np.flatnonzero(fold_of == fold).tolist():
                texts[index] = apply_rules(texts[index], chosen)
        return texts


def _rules_to_try() -> list[Rule]:
    found: list[Rule] = []
    for spec in TRIED:
        try:
            found += parse_rules([spec])
        except ConfigError:  # an optional package is missing: that rule cannot be tried
            continue
    return found


def _name(rule: Rule) -> str:
    return rule.name if rule.argument is None else f"{rule.name} {rule.argument}"


def _worth_it(without: NDArray[np.float64], with_it: NDArray[np.float64], groups: NDArray[np.int64]) -> bool:
    """Whether a rule lowers the Edit Score by more than one standard error of the difference."""
    difference = paired(without, with_it, groups)
    if not difference.interval.known or difference.mean >= 0:
        return False
    standard_error = (difference.interval.high - difference.interval.low) / (2 * _NORMAL_95)
    return difference.mean < -standard_error


def _recipe(
    given: Recipe, fit: Fit, rules: Sequence[RuleSpec | dict[str, int]], stage: SecondStage | None
) -> Recipe:
    members = tuple(
        member.model_copy(update={"weight": round(float(weight), 4), "temperature": temperature})
        for member, weight, temperature in zip(given.members, fit.weights, fit.temperatures, strict=True)
    )
    return given.model_copy(
        update={
            "members": members,
            "blend": fit.blend,
            "decoder": fit.decoder if stage is None or stage.ranker is None else "ranked",
            # Paths are known when the files are written.
            "ranker": None,
            "boundary": None,
            "boundary_weight": DEFAULT_BOUNDARY_WEIGHT if stage is None else stage.weight,
            "length_cap": fit.length_cap,
            "length_prior": fit.length_prior,
            "candidates": fit.candidates,
            "rules": tuple(rules),
            "nested": None,  # it is of the recipe as it is written
        }
    )
