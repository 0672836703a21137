"""``kit auto``: a plan that fits the time, its commands, and where it continues after an interruption."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

import kit
from kit.cli import app
from kit.data import demo_corpus
from kit.errors import ConfigError, ModelError
from kit.modeling.tiny import Shape, make_backbone
from kit.settings.auto_plan import AutoPlan
from kit.settings.validation import read_record
from kit.submission.csv import read_submission
from tests.commands import run_kit, started

STEPS = ["check", "train", "predict", "tune", "ensemble", "report"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data and a tiny backbone."""
    folder = tmp_path_factory.mktemp("auto")
    files = demo_corpus.write(folder / "data" / "small", train_contexts=16, test_contexts=4)
    texts = [text for question in kit.load(files.train) for text in (question.context, question.text)]
    make_backbone(folder / "tiny", texts, "wordpiece", Shape(600, 32, 1, 2, 32, 160), seed=1)
    return folder


@pytest.fixture
def place(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy to work in."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Commands:
    """Runs each command in the folder *place*, and remembers it; *fail*: the one of that name fails.

    Tuning takes a minute even on little data: it copies the recipe here, and runs in the slow test.
    """

    def __init__(self, place: Path, fail: str = "") -> None:
        self.place, self.fail, self.words = place, fail, list[Sequence[str]]()

    def __call__(self, words: Sequence[str]) -> int:
        self.words.append(words)
        if words[0] == self.fail:
            return 1
        if words[0] == "tune":
            target = self.place / words[words.index("--out") + 1]
            target.parent.mkdir()
            shutil.copy(self.place / words[1], target)
            return 0
        done = run_kit(*words, cwd=self.place)
        assert done.returncode == 0, done.stderr
        return done.returncode

    @property
    def names(self) -> list[str]:
        return [words[0] for words in self.words]


def test_all_steps_and_then_none(place: Path) -> None:
    said: list[str] = []
    commands = Commands(place)
    done = kit.auto("data/small", hours=1, backbones=["tiny"], folds=2, say=said.append, run=commands)
    assert commands.names == STEPS
    assert done.finished
    guids = [question.guid for question in kit.load("data/small/test.json")]
    assert list(read_submission(done.submission)) == guids
    assert done.submission == Path("submissions/small.csv")
    assert done.report.is_file()
    assert Path("runs/small-tiny/run.json").is_file()
    # each command was printed as it can be typed
    typed = [shlex.split(line.partition("] ")[2]) for line in said if line.startswith("[")]
    assert typed == [["kit", *words] for words in commands.words]
    assert [line[:5] for line in said if line.startswith("[")] == [f"[{n}/6]" for n in range(1, 7)]

    again = Commands(place)
    assert kit.auto("data/small", hours=1, backbones=["tiny"], run=again).finished
    assert again.names == []


def test_it_continues_with_the_step_that_failed(place: Path) -> None:
    broken = Commands(place, fail="predict")
    with pytest.raises(
        ModelError, match=r"step 3 of 6 ended with exit code 1 .*: kit predict runs/small-tiny"
    ):
        kit.auto("data/small", hours=1, backbones=["tiny"], folds=2, run=broken)
    assert broken.names == STEPS[:3]
    plan = read_record(Path("runs/small.plan.json"), AutoPlan)
    assert plan is not None
    assert plan.done == ("check", "train runs/small-tiny")
    assert plan.spent > 0
    mended = Commands(place)
    assert kit.auto("data/small", hours=1, run=mended).finished
    assert mended.names == STEPS[2:]


def test_without_time_for_every_fold_there_is_a_submission_all_the_same(place: Path) -> None:
    class Short(Commands):
        """Trains the first fold alone, as ``--hours`` would."""

        def __call__(self, words: Sequence[str]) -> int:
            return super().__call__([*words, *(["--fold", "0"] if words[0] == "train" else [])])

    said: list[str] = []
    short = Short(place)
    done = kit.auto("data/small", hours=1, backbones=["tiny"], folds=2, say=said.append, run=short)
    assert not done.finished
    assert short.names == ["check", "train", "predict", "ensemble"]
    assert short.words[-1][1] == "ensembles/small.yaml"
    assert done.submission.is_file()
    assert "[4/6] kit tune: left out, since it needs every fold" in said
    more = Commands(place)
    assert kit.auto("data/small", hours=2, run=more).finished
    assert more.names == STEPS[1:]


def test_a_dry_run_prints_commands_that_can_be_typed(place: Path) -> None:
    words = ["auto", "data/small", "--hours", "1", "--backbone", "tiny", "--folds", "2", "--dry-run"]
    done = run_kit(*words, cwd=place)
    assert done.returncode == 0, done.stderr
    lines = [shlex.split(line) for line in done.stdout.splitlines() if line.startswith("kit ")]
    assert [line[1] for line in lines] == STEPS
    assert "plan for 1 h: 2 folds" in done.stdout
    assert not (place / "runs" / "small.plan.json").exists()
    train = lines[1]
    assert train[2:8] == ["tiny", "--data", "data/small/train.json", "--run", "runs/small-tiny", "--folds"]
    assert 0.5 < float(train[train.index("--hours") + 1]) <= 0.85
    for line in lines:
        helped = CliRunner().invoke(app, [line[1], "--help-all" if line[1] == "train" else "--help"]).output
        for flag in (word for word in line if word.startswith("--")):
            assert f"{flag} " in helped, line


def test_too_little_time_is_a_limit_on_the_questions(place: Path) -> None:
    done = kit.auto("data/small", hours=0.01, backbones=["tiny"], dry_run=True)
    assert (done.plan.folds, done.plan.limit) == (2, 50)
    assert "--limit 50" in done.commands[1]


def test_what_is_refused(place: Path) -> None:
    for given, says in [
        ({"data": "nowhere"}, "nowhere: is no folder; give the one with train.json and test.json"),
        ({"data": "tiny"}, "tiny: has no train.json and no test.json; kit download"),
        ({"data": "data/small", "hours": 0}, "--hours 0: must be above 0"),
        ({"data": "data/small", "folds": 1}, "--folds 1: must be 2 or more"),
        ({"data": "data/small", "name": "a/b"}, "--name 'a/b': must be a name without a folder"),
    ]:
        with pytest.raises(ConfigError, match=says):
            kit.auto(**given, backbones=["tiny"])  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="absent"):
        kit.auto("data/small", backbones=["./absent"])
    (place / "ensembles").mkdir()
    (place / "ensembles" / "small.yaml").write_text("members: []", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"small\.yaml: is there already, .* another --name"):
        kit.auto("data/small", backbones=["tiny"], dry_run=True)


def test_a_name_belongs_to_its_data_backbones_and_folds(place: Path) -> None:
    with pytest.raises(ModelError, match="step 1 of 6"):
        kit.auto("data/small", hours=1, backbones=["tiny"], folds=2, run=Commands(place, fail="check"))
    shutil.copytree("tiny", "other")
    with pytest.raises(ConfigError, match=r"its backbones are tiny; it has 2 folds; choose another --name"):
        kit.auto("data/small", backbones=["other"], folds=3)
    shutil.copy("data/small/test.json", "data/small/train.json")
    shutil.copy("data/small/test_answers.json", "data/small/train.json")
    with pytest.raises(ConfigError, match="the data differ; choose another --name"):
        kit.auto("data/small", backbones=["tiny"])


def test_the_time_of_all_calls_counts(place: Path) -> None:
    with pytest.raises(ModelError, match="step 1 of 6"):
        kit.auto("data/small", hours=1, backbones=["tiny"], folds=2, run=Commands(place, fail="check"))
    path = Path("runs/small.plan.json")
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"spent": ', '"spent": 9999'), encoding="utf-8")
    with pytest.raises(
        ConfigError, match=r"--hours 1: are used up \(.* h so far\), and runs/small-tiny is not"
    ):
        kit.auto("data/small", hours=1, run=Commands(place))


def test_the_help_says_what_it_does() -> None:
    text = CliRunner().invoke(app, ["auto", "--help"]).output
    for flag in ("--hours", "--backbone", "--folds", "--name", "--allow-leak", "--dry-run"):
        assert f"  {flag} " in text
    assert "kit auto data/goorm-2 --hours 8" in text


@pytest.mark.slow
def test_an_interrupted_one_continues(place: Path) -> None:
    """The process is interrupted in its training, as by Ctrl+C, and the same call finishes the rest."""
    words = ["auto", "data/small", "--hours", "1", "--backbone", "tiny", "--folds", "2"]
    environment = {**os.environ, "PYTHONPATH": str(Path(kit.__file__).resolve().parent.parent)}
    with started([sys.executable, "-m", "kit", *words], place, environment) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "fold 0 of 2" in line:
                break
        time.sleep(1)
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=120)
        assert process.returncode != 0
    plan = read_record(Path("runs/small.plan.json"), AutoPlan)
    assert plan is not None
    assert plan.done == ("check",)
    said, run = list[str](), list[str]()

    def forked(words: Sequence[str]) -> int:
        run.append(words[0])
        return run_kit(*words, cwd=place).returncode

    kit.auto("data/small", hours=1, backbones=["tiny"], folds=2, run=forked, say=said.append)
    assert run == STEPS[1:]
    assert any(line.startswith("[2/6] kit train tiny") for line in said)
    assert not any("[1/6]" in line for line in said)
    assert len(read_submission(Path("submissions/small.csv"))) == len(kit.load("data/small/test.json"))
