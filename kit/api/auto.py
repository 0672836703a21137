"""``kit.auto``: from data to a CSV that is ready to submit, in a given time, by the kit's own commands."""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kit.api.arguments import PathLike, dataset_of, path_given
from kit.api.train import settings_for
from kit.data.records import Dataset
from kit.decoding.default import recipe_of_runs
from kit.decoding.recipes import write_recipe
from kit.display import duration
from kit.errors import ConfigError, KitError, ModelError, counted
from kit.files import locked
from kit.modeling.references import refuse_unknown
from kit.settings.auto_plan import AutoFiles, AutoPlan, PlannedMember
from kit.settings.paths import RUNS, TEST, TRAIN, report_page, submission_csv, tuned_recipe
from kit.settings.runs import read_run
from kit.settings.validation import read_record, write_record
from kit.spans.out_of_fold import missing_folds
from kit.spans.run_folder import open_run

if TYPE_CHECKING:
    from kit.modeling.devices import Device
    from kit.training.choice import Candidate

Say = Callable[[str], object]
Words = Sequence[str]
_FOR_TRAINING = 0.85
"""Share of the time for training and predicting; tuning, decoding and the report get the rest."""


@dataclass(frozen=True, slots=True)
class Automatic:
    """What `auto` does: its plan, the commands of all steps in order, and the CSV that they make.

    ``finished``: whether all of them are done, with every fold trained.
    """

    plan: AutoPlan
    commands: tuple[str, ...]
    submission: Path
    report: Path
    finished: bool


def auto(
    data: PathLike,
    *,
    hours: float = 8.0,
    backbones: Sequence[str] = (),
    folds: int | None = None,
    name: str | None = None,
    allow_leak: bool = False,
    dry_run: bool = False,
    say: Say = lambda line: None,
    run: Callable[[Words], int] | None = None,
) -> Automatic:
    """Check, train, predict, tune, ensemble and report in about *hours*: each step is a command of the kit.

    *data* is a folder with train.json and test.json.  What is trained (backbones, folds, epochs) is chosen by
    presets and by the speed that is measured here; *backbones* and *folds* fix a part of it.  Files are
    called *name*, by default as the folder: runs/NAME-BACKBONE, submissions/NAME.csv and so on, below the
    current folder.  *say* gets the lines and each command before it runs.  The same call continues with the
    first step that is not finished.  *dry_run*: only plan.  *run* carries out the words of a command and
    returns its exit code; by default a new process.

    Raises ConfigError where *name* belongs to other data or backbones, or the time is used up; DataError;
    ModelError where no backbone can be opened, or where a command fails: its own message says why.
    """
    if not hours > 0:
        raise ConfigError(f"--hours {hours:g}: must be above 0")
    if folds is not None and folds < 2:
        raise ConfigError(f"--folds {folds}: must be 2 or more")
    began = time.monotonic()
    files = _files(path_given(data, "data"), name)
    train, test = dataset_of(files.train, answers_needed=True), dataset_of(files.test)
    with locked(files.plan, wait=False):
        plan = read_record(files.plan, AutoPlan, cure="delete it")
        if plan is not None:
            _refuse_other(plan, files, train, test, backbones, folds)
            say(f"{files.plan}: continues; {len(plan.done)} of its steps are done")
        else:
            plan = _planned(files, train, test, hours, backbones, folds, say)
            _refuse_existing(files, plan)
        progress = _Progress(files, plan, hours, began, allow_leak=allow_leak)
        shown = tuple(map(_typed, progress.commands()))
        if dry_run:
            return Automatic(plan, shown, files.submission, files.report, finished=False)
        write_record(files.plan, plan)
        finished = progress.carry_out(run or _in_new_process, say)
    return Automatic(progress.plan, shown, files.submission, files.report, finished)


class _Progress:
    """The steps of a plan, and how far they are."""

    def __init__(
        self, files: AutoFiles, plan: AutoPlan, hours: float, began: float, *, allow_leak: bool
    ) -> None:
        self.plan = plan
        self._files, self._hours = files, hours
        self._began, self._before = began, plan.spent
        self._steps = plan.steps(files, allow_leak=allow_leak)

    def commands(self) -> list[list[str]]:
        """The words of every step, with the time that each training to come would get now."""
        return [[*words, *self._hours_words(key)] for key, words in self._steps.items()]

    def carry_out(self, run: Callable[[Words], int], say: Say) -> bool:
        """Run the steps that are not done; whether all are finished now, every fold included."""
        complete = True
        for number, (key, given) in enumerate(self._steps.items(), 1):
            place = f"[{number}/{len(self._steps)}]"
            if key in self.plan.done:
                continue
            if not complete and key in {"tune", "report"}:
                say(f"{place} kit {given[0]}: left out, since it needs every fold")
                continue
            words = [*given, *self._hours_words(key)]
            if key in {"tune", "ensemble"}:
                self._write_recipe(say)
                if not complete:
                    recipe, tuned = str(self._files.recipe), str(self._files.tuned)
                    words = [recipe if one == tuned else one for one in words]
            say(f"{place} {_typed(words)}")
            try:
                code = run(words)
            finally:
                self._note(self.plan.done)
            if code:
                raise ModelError(
                    f"kit auto: step {number} of {len(self._steps)} ended with exit code {code} (see above): "
                    f"{_typed(words)}; correct what it names and run kit auto again: it continues here"
                )
            complete = complete and (not key.startswith("train ") or _has_all_folds(words))
            if complete:
                self._note((*self.plan.done, key))
        return complete

    def _hours_words(self, key: str) -> list[str]:
        """For a training to come, its part of the time left, by what was expected of each; else nothing."""
        expected = {f"train {member.run}": member.seconds for member in self.plan.members}
        if key not in expected or key in self.plan.done:
            return []
        to_come = sum(seconds for one, seconds in expected.items() if one not in self.plan.done)
        left = self._hours * 3600 * _FOR_TRAINING - self._spent
        if left <= 0:
            raise ConfigError(
                f"--hours {self._hours:g}: are used up ({self._spent / 3600:.2g} h so far), and "
                f"{key.removeprefix('train ')} is not trained; give more --hours"
            )
        return ["--hours", f"{max(left * expected[key] / to_come / 3600, 0.001):.3f}"]

    @property
    def _spent(self) -> float:
        return self._before + time.monotonic() - self._began

    def _note(self, done: tuple[str, ...]) -> None:
        self.plan = self.plan.model_copy(update={"done": done, "spent": round(self._spent, 1)})
        write_record(self._files.plan, self.plan)

    def _write_recipe(self, say: Say) -> None:
        if self._files.recipe.exists():  # perhaps edited since
            return
        recipe = recipe_of_runs([open_run(member.run) for member in self.plan.members])
        comment = f"Written by kit auto for {self._files.train}; edit it freely."
        write_recipe(self._files.recipe, recipe, comment)
        say(f"{self._files.recipe}: the recipe, a text file of {counted(len(recipe.members), 'member')}")


def _files(folder: Path, name: str | None) -> AutoFiles:
    if not folder.is_dir():
        raise ConfigError(f"{folder}: is no folder; give the one with train.json and test.json")
    missing = [one for one in (TRAIN, TEST) if not (folder / one).is_file()]
    if missing:
        raise ConfigError(f"{folder}: has no {' and no '.join(missing)}; kit download goorm-2 brings both")
    chosen = folder.resolve().name if name is None else name
    if Path(chosen).name != chosen or chosen in {"", ".", ".."}:
        raise ConfigError(f"--name {chosen!r}: must be a name without a folder, such as first")
    recipe = Path("ensembles") / f"{chosen}.yaml"
    return AutoFiles(
        chosen,
        folder / TRAIN,
        folder / TEST,
        plan=RUNS / f"{chosen}.plan.json",
        recipe=recipe,
        tuned=tuned_recipe(recipe),
        submission=submission_csv(chosen),
        report=report_page(chosen),
    )


def _refuse_other(
    plan: AutoPlan, files: AutoFiles, train: Dataset, test: Dataset, asked: Sequence[str], folds: int | None
) -> None:
    wrong = []
    if (plan.train, plan.test) != (train.sha256, test.sha256):
        wrong.append("the data differ")
    if asked and tuple(asked) != plan.asked:
        wrong.append(f"its backbones are {', '.join(plan.asked) or 'those that the kit chose'}")
    if folds not in {None, plan.folds}:
        wrong.append(f"it has {plan.folds} folds")
    if wrong:
        raise ConfigError(f"{files.plan}: is another plan: {'; '.join(wrong)}; choose another --name")


def _refuse_existing(files: AutoFiles, plan: AutoPlan) -> None:
    """What was made by hand is neither continued nor overwritten."""
    made = (files.recipe, files.tuned, files.submission, files.report)
    there = [path for path in (*made, *(Path(member.run) for member in plan.members)) if path.exists()]
    if there:
        raise ConfigError(f"{there[0]}: is there already, and kit auto would write it; choose another --name")


def _planned(
    files: AutoFiles,
    train: Dataset,
    test: Dataset,
    hours: float,
    asked: Sequence[str],
    folds: int | None,
    say: Say,
) -> AutoPlan:
    for name in asked:
        refuse_unknown(name)
    from kit.modeling.devices import choose_device
    from kit.training.choice import ON_CPU, ON_GPU, choose

    device = choose_device()
    on_cpu = device.torch.type == "cpu"
    named = tuple(dict.fromkeys(asked)) or (ON_CPU if on_cpu else ON_GPU)
    seconds = hours * 3600 * _FOR_TRAINING
    found = choose(_measured(named, train, device, say), len(train), len(test), seconds, folds)
    members = tuple(
        PlannedMember(
            backbone=member.backbone,
            run=f"runs/{files.name}-{Path(member.backbone).name}",
            epochs=member.epochs,
            max_length=member.max_length,
            seconds=round(member.seconds, 1),
        )
        for member in found.members
    )
    if len({member.run for member in members}) < len(members):
        raise ConfigError(f"--backbone {' '.join(named)}: two have the same name; rename one of the folders")
    return AutoPlan(
        train=train.sha256,
        test=test.sha256,
        asked=tuple(asked),
        device=device.torch.type,
        folds=found.folds,
        limit=found.limit,
        members=members,
    )


def _measured(names: Sequence[str], train: Dataset, device: Device, say: Say) -> Iterator[Candidate]:
    """Each backbone with its speed here; what cannot be opened is left out, unless it is the last hope."""
    from kit.training.choice import CPU_LENGTH, Candidate, measured_speed

    failure: KitError | None = None
    some = False
    for name in names:
        settings = settings_for(name)
        if device.torch.type == "cpu":
            length = min(settings.max_length, CPU_LENGTH)
            settings = settings.model_copy(
                update={
                    "max_length": length,
                    "stride": min(settings.stride, length // 3),
                    "attention_dropout": 0.0,
                }
            )
        try:
            speed = measured_speed(name, settings, train.questions, device)
        except ModelError as error:
            failure = error
            say(f"{name}: left out: {error}")
            continue
        some = True
        epoch = duration(speed.seconds_a_question * len(train))
        say(f"{name}: an epoch of all {len(train):,} questions takes about {epoch} on {device.name}")
        yield Candidate(name, settings, speed)
    if failure is not None and not some:
        raise failure


def _has_all_folds(words: Words) -> bool:
    record = read_run(Path(words[words.index("--run") + 1]))
    return record is not None and not missing_folds(record)


def _typed(words: Words) -> str:
    """A command as it is typed."""
    return shlex.join(["kit", *words])


def _in_new_process(words: Words) -> int:
    return subprocess.run([sys.executable, "-m", "kit", *words], check=False).returncode  # noqa: S603
