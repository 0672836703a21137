"""``kit demo`` as a function: every step on the built-in corpus, with two tiny models."""

from __future__ import annotations

import hashlib
import shlex
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import kit
from kit.api.arguments import PathLike, path_given
from kit.data import demo_corpus
from kit.data.readers import load
from kit.data.records import Dataset
from kit.decoding.default import recipe_of_runs
from kit.decoding.recipes import write_recipe
from kit.display import Displayed, Table
from kit.errors import ConfigError, ModelError, counted
from kit.hints import command
from kit.metrics.scores import SCORE_COLUMNS, Score, score_answers
from kit.settings.paths import DATA, RUNS, SUBMISSIONS, report_page, submission_csv
from kit.settings.recipe import Member, Recipe
from kit.spans.run_folder import Run, open_run
from kit.text_rules.rules import COURSE_2022
from kit.threads import usable_cores

if TYPE_CHECKING:
    from kit.modeling.tiny import Kind

_TOKENIZERS: tuple[Kind, ...] = ("unigram", "wordpiece")
"""They cut words differently."""
_SETTINGS = {
    "epochs": 2.0, "lr": 2e-3, "batch_size": 8, "micro_batch_size": 8, "max_length": 256, "stride": 64,
    "targets": "first",
}  # fmt: skip


@dataclass(frozen=True, slots=True, repr=False)
class Demonstration(Displayed):
    """What the demo made.

    scores: of every way to answer, all blank first; recipe: the best way, as a file; worst: the guid of the
    question that it answers worst
    """

    submission: Path
    scores: tuple[Score, ...]
    recipe: Path
    report: Path
    worst: str

    @property
    def headline(self) -> str:
        return f"{self.submission}; {self.scores[-1].headline}"

    def tables(self) -> list[Table]:
        title = "articles that no model has seen"
        return [Table(title, SCORE_COLUMNS, [score.row for score in self.scores])]


def demo(
    folder: PathLike = ".",
    *,
    seed: int = demo_corpus.SEED,
    articles: int = 1200,
    say: Callable[[str], object] = lambda line: None,
) -> Demonstration:
    """Write the corpus, make and train two backbones, predict, decode, write a submission, score it.

    *articles*: number of articles to train on.  All files are written below *folder*: data/demo, runs/demo-*,
    submissions/demo.csv (and its recipe demo.yaml) and reports/demo.html.  Runs that an earlier demo finished
    with the same corpus and settings are kept, others of that name are replaced.  Raises ModelError where a
    training fails.
    """
    folder = path_given(folder, "folder")
    files = demo_corpus.write(folder / DATA / "demo", seed, articles)
    for path in (files.train, files.test):
        report = kit.check(path)
        state = "clean" if report.clean else counted(len(report.faults), "fault")
        held = f"{counted(report.questions, 'question')} on {counted(report.contexts, 'article')}"
        say(f"{path}: {held}, {state}")
    train = load(files.train, answers_needed=True)
    test, truth = load(files.test), load(files.test_answers)

    scores = [score_answers(dict.fromkeys((q.guid for q in test), ""), truth, label="all blank")]
    groups = scores[0].groups
    runs = _trained(folder, train, test, seed, say)
    for run in runs:
        kit.predict(run, test)
        for label, recipe in _recipes(run):
            answers = kit.decode(recipe, test)
            scores.append(score_answers(answers, truth, label=f"{run.name}, {label}", groups=groups))
    for label, recipe in _together(runs):
        answers = kit.decode(recipe, test)
        scores.append(score_answers(answers, truth, label=f"both, {label}", groups=groups))
    recipe_file = folder / SUBMISSIONS / "demo.yaml"
    write_recipe(recipe_file, dict(_together(runs))["mean, edit"], "Both models of kit demo.")
    made = kit.ensemble(recipe_file, test, out=folder / submission_csv("demo"), answers=truth)
    page = kit.report(recipe_file, test, answers=truth, out=folder / report_page("demo"))
    assert made.score is not None
    worst = test.questions[int(made.score.distances.argmax())].guid
    return Demonstration(made.path, tuple(scores), recipe_file, page.path, worst)


def _trained(
    folder: Path, train: Dataset, test: Dataset, seed: int, say: Callable[[str], object]
) -> list[Run]:
    """The runs of both backbones: side by side where nothing of them is there and two cores are."""
    from kit.training.launch import in_processes, visible_gpus

    asked: dict[str, Any] = {}
    for kind in _TOKENIZERS:
        options = _SETTINGS | {"run": folder / RUNS / f"demo-{kind}", "against": test.path, "seed": seed}
        asked[str(_backbone(folder, train, kind, seed))] = options
    fresh = not any(options["run"].exists() for options in asked.values())
    if fresh and usable_cores() > 1 and not visible_gpus():
        words = {
            options["run"].name: shlex.split(
                command("train", backbone, data=train.path, json=True, **options)
            )[1:]
            for backbone, options in asked.items()
        }
        if failed := in_processes(iter(words.items()), len(words), say):
            raise ModelError("; ".join(f"{name}: {last}" for name, last in failed.items()))
        return [open_run(options["run"]) for options in asked.values()]
    runs = []
    for backbone, options in asked.items():
        options["resume"] = True
        try:
            runs.append(kit.train(backbone, train, **options))
        except ConfigError:
            shutil.rmtree(options["run"])  # an earlier version's demo
            runs.append(kit.train(backbone, train, **options))
    return runs


def _backbone(folder: Path, train: Dataset, kind: Kind, seed: int) -> Path:
    """A BERT under a tokenizer of this *kind*, so small that it trains in a minute."""
    from kit.modeling.tiny import Shape, make_backbone

    shape = Shape(vocabulary=2000, spread=0.12)
    key = hashlib.sha256(f"{train.sha256} {kind} {shape} {seed}".encode()).hexdigest()[:8]
    backbone = folder / DATA / "demo" / "backbones" / f"tiny-{kind}-{key}"
    if not (backbone / "tokenizer_config.json").is_file():  # the last file that is written
        texts = [text for question in train for text in (question.context, question.text)]
        make_backbone(backbone, texts, kind, shape, seed)
    return backbone


def _recipes(run: Run) -> list[tuple[str, Recipe]]:
    members = (Member(run=str(run.folder)),)
    default = recipe_of_runs([run])
    return [
        ("plain argmax", Recipe(members=members)),
        ("course-2022", Recipe(members=members, rules=COURSE_2022)),
        ("length prior", default.model_copy(update={"decoder": "argmax"})),
        ("default", default),
    ]


def _together(runs: Sequence[Run]) -> list[tuple[str, Recipe]]:
    """Ways to answer with both models, whose tokenizers differ."""
    default = recipe_of_runs(runs)
    ways = (("vote", "argmax"), ("mean", "argmax"), ("mean", "edit"))
    return [
        (f"{blend}, {decoder}", default.model_copy(update={"blend": blend, "decoder": decoder}))
        for blend, decoder in ways
    ]
