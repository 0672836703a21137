"""The kit starts itself on several devices: who is started when, with what, and what follows a failure.

`python -m kit` finds a program of the test's in the working folder, in place of the kit.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from kit.api.train import training_job
from kit.errors import ModelError
from kit.settings.job import Job
from kit.spans.run_folder import Run
from kit.training import launch

FOLD = """
import json, os, sys, time
own = {"words": sys.argv[1:], "threads": os.environ["OMP_NUM_THREADS"], "began": time.monotonic()}
fold = sys.argv[sys.argv.index("--fold") + 1]
print("step 1 of 2", file=sys.stderr)
open("began-" + fold, "w").close()
deadline = time.monotonic() + 30
while fold == os.environ.get("WAITS") and not os.path.exists("began-1") and time.monotonic() < deadline:
    time.sleep(0.01)
if fold == os.environ.get("FAILS"):
    sys.exit("error: fold-%s: cannot be written" % fold)
with open("part-" + fold, "w") as file:
    json.dump(own | {"ended": time.monotonic()}, file)
os.rename("part-" + fold, "ended-" + fold)
"""

ALL = """
import json, os, sys, time
rank, other = os.environ["RANK"], "attempts-1"
with open("attempts-" + rank, "a") as file:
    file.write(json.dumps([os.environ["WORLD_SIZE"], *sys.argv[1:]]) + "\\n")
attempt, deadline = len(open("attempts-" + rank).readlines()), time.monotonic() + 30
while rank == "0" and time.monotonic() < deadline:  # until the other one has noted its words, too
    if os.path.exists(other) and len(open(other).readlines()) == attempt:
        break
    time.sleep(0.01)
if attempt <= int(os.environ["SHORT"]):
    if rank == "1":
        time.sleep(30)  # the launcher ends it
    with open(os.environ["KIT_OUT_OF_MEMORY"], "w") as file:
        file.write("--micro-batch-size %d\\nmicro-batches of %d" % (8 >> attempt, 8 >> attempt))
    sys.exit(1)
sys.exit(int(os.environ["ENDS"]))
"""


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, and what a training would have left: the run itself is not looked at."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(launch, "usable_cores", lambda: 6)
    monkeypatch.setattr(launch, "open_run", lambda folder: Run(folder, None))
    for name in ("OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def stand_in(here: Path, program: str) -> None:
    (here / "kit").mkdir()
    (here / "kit" / "__init__.py").touch()
    (here / "kit" / "__main__.py").write_text(program, encoding="utf-8")


def job_in(here: Path) -> Job[Any]:
    """A training of six folds into the folder that the tests look at."""
    return training_job("owner/tiny", "train.json", {"run": here / "run", "folds": 6})


def ended(here: Path) -> dict[int, dict[str, Any]]:
    found = {}
    for path in here.glob("ended-*"):
        found[int(path.name.removeprefix("ended-"))] = json.loads(path.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize(("chosen", "threads"), [("", "3"), ("5", "5")])
def test_folds_stand_side_by_side_and_the_next_begins_when_one_ends(
    here: Path, said: list[str], monkeypatch: pytest.MonkeyPatch, chosen: str, threads: str
) -> None:
    stand_in(here, FOLD)
    monkeypatch.setenv("WAITS", "0")
    monkeypatch.setenv("OMP_NUM_THREADS", chosen)
    launch.train_folds(job_in(here), [0, 1, 3, 4], 2, said.append)
    assert said[0] == "4 folds, 2 at a time, one a process: fold 0, 1, 3, 4"
    assert sorted(said[1:]) == [f"fold {fold}: step 1 of 2" for fold in (0, 1, 3, 4)]
    found = ended(here)
    assert {fold: one["words"] for fold, one in found.items()} == {
        fold: [*job_in(here).asking(fold=fold, jobs=1, allow_leak=True).argv(), "--json"]
        for fold in (0, 1, 3, 4)
    }
    assert {one["threads"] for one in found.values()} == {
        threads
    }  # the user's choice, or a share of the cores
    assert found[1]["began"] < found[0]["ended"]  # side by side
    for moment in (one["began"] for one in found.values()):
        assert sum(one["began"] <= moment < one["ended"] for one in found.values()) <= 2


def test_after_a_failure_no_other_fold_is_begun(
    here: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(here, FOLD)
    monkeypatch.setenv("FAILS", "0")
    with pytest.raises(ModelError) as failed:
        launch.train_folds(job_in(here), [0, 1, 2, 3, 4, 5], 1, said.append)
    cure = "what was trained is kept, continue with --resume"
    assert str(failed.value) == f"{here / 'run'}: fold 0: fold-0: cannot be written; {cure}"
    assert [path.name for path in here.glob("began-*")] == ["began-0"]


def test_out_of_time_every_fold_that_is_not_begun_is_named(
    here: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(here, FOLD)
    monkeypatch.setattr(launch.TimeLimit, "allows", lambda self, seconds: False)
    job = training_job("owner/tiny", "train.json", {"run": here / "run", "folds": 6, "hours": 1.0})
    launch.train_folds(job, [0, 1, 3], 2, said.append)
    assert [line.partition(",")[0] for line in said[1:]] == [f"fold {n}: not begun" for n in (0, 1, 3)]
    assert ended(here) == {}


@pytest.mark.slow
def test_out_of_memory_all_are_started_again_with_less(
    here: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(here, ALL)
    monkeypatch.setenv("SHORT", "2")
    monkeypatch.setenv("ENDS", "0")
    launch.train_on_all(job_in(here), here / "run", 2, said.append)
    assert said[1:] == ["continuing with micro-batches of 4", "continuing with micro-batches of 2"]
    first = [*job_in(here).asking(jobs=1, allow_leak=True).argv(), "--json"]
    second = [*first, "--micro-batch-size", "4", "--resume"]
    third = [*second, "--micro-batch-size", "2", "--resume"]
    for rank in (0, 1):
        lines = (here / f"attempts-{rank}").read_text(encoding="utf-8").splitlines()
        assert [json.loads(line) for line in lines] == [["2", *words] for words in (first, second, third)]


def test_what_ends_early_for_another_reason_is_one_line(
    here: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(here, ALL)
    monkeypatch.setenv("SHORT", "0")
    monkeypatch.setenv("ENDS", "3")
    with pytest.raises(ModelError, match=r"on 2 devices ended early \(see above\); continue with --resume"):
        launch.train_on_all(job_in(here), here / "run", 2, said.append)
    assert len(said) == 1
    assert not {"OMP_NUM_THREADS", launch.OUT_OF_MEMORY} & set(os.environ)
