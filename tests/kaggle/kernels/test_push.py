"""The fault table of a push: what is said, how the command ends, what is written, what Kaggle has saved."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import kit
from kit.cli import main
from kit.kaggle.kernels import push as pushing
from kit.kaggle.kernels.history import FILE, PushRecord, all_pushed
from tests.commands import run_program
from tests.kaggle.server import Body, Fault, Kaggle
from tests.kaggle.serving_kernels import Kernel, kernels, saved

SLUG = "k-digital-goorm-2-korean-mrc"
NAME = "person/kit-five"
PAGE = f"https://www.kaggle.com/code/{NAME}"
RUNS = Path("runs")


@pytest.fixture(autouse=True)
def _here(kaggle: Kaggle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("KIT_KAGGLE_TIMEOUT", "0.3")


def push(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str
) -> tuple[int, str, str]:
    """`kit kernel push klue-bert --run-name five WORDS`: exit code, output, and the line of the error."""
    monkeypatch.setattr(sys, "argv", ["kit", "kernel", "push", "klue-bert", "--run-name", "five", *words])
    with pytest.raises(SystemExit) as done:
        main()
    said = capsys.readouterr()
    return int(done.value.code or 0), said.out, (said.err.strip().splitlines() or [""])[-1]


def answer(body: Body) -> Callable[[Kaggle], None]:
    return lambda kaggle: kaggle.state.update({"save answer": body})


def fault(fault: Fault) -> Callable[[Kaggle], None]:
    return lambda kaggle: kaggle.fail("SaveKernel", fault)


QUOTA = "You have exceeded the number of hours allowed to use GPU. Your quota will reset in 2 days"
PHONE = "Phone verification is required to use accelerators"

LOST = ("whether it was saved is not known", PAGE)

# What goes wrong; what is said (each in the last line); the record's state and version, None without an
# entry; versions that Kaggle has in the end.
TABLE: list[tuple[str, Callable[[Kaggle], None], tuple[str, ...], tuple[str, int] | None, int]] = [
    (
        "rules not accepted",
        answer({"invalidCompetitionSources": [SLUG]}),
        (f"saved, see {PAGE}", f"without the data of {SLUG}; accept its rules at", "--replace"),
        ("saved", 1),
        1,
    ),
    (
        "another competition",
        answer({"invalidCompetitionSources": ["other"]}),
        (f"saved, see {PAGE}", "without other, which this account cannot see"),
        ("saved", 1),
        1,
    ),
    (
        "data set not seen",
        answer({"invalidDatasetSources": ["a/b"]}),
        (f"saved, see {PAGE}", "without a/b, which this account cannot see"),
        ("saved", 1),
        1,
    ),
    (
        "kernel and model not seen",
        answer({"invalidKernelSources": ["a/k"], "invalidModelSources": ["a/m"]}),
        (f"saved, see {PAGE}", "without a/k, a/m"),
        ("saved", 1),
        1,
    ),
    (
        "an error with a version",
        answer({"error": "Something\nis odd", "versionNumber": 1}),
        (f"saved, see {PAGE}, but Kaggle complains (Something is odd)",),
        ("saved", 1),
        1,
    ),
    (
        "an error with status 200",
        answer({"error": "Notebook\nsource is too large"}),
        ("Kaggle refused it (Notebook source is too large); correct what it names", "not known", PAGE),
        ("unknown", 0),
        0,
    ),
    (
        "sessions",
        answer({"error": "Maximum batch GPU session count of 2 reached."}),
        ("session count of 2 reached.); wait until one of your sessions ends, or stop", PAGE),
        ("unknown", 0),
        0,
    ),
    ("quota", answer({"error": QUOTA}), (QUOTA, "`kit kernel quota` shows when", PAGE), ("unknown", 0), 0),
    (
        "phone",
        answer({"error": PHONE}),
        (PHONE, "verify your phone number at https://www.kaggle.com/settings", PAGE),
        ("unknown", 0),
        0,
    ),
    (
        "title in use",
        fault(Fault("status", 409, 'The requested title "kit-five" is already in use by a notebook.')),
        ("is already in use by a notebook.); push with another --run-name",),
        None,
        0,
    ),
    ("sessions, as a 400", fault(Fault("status", 400, "Maximum batch GPU session count of 2 reached")),
     ("session count of 2 reached); wait until",), None, 0),
    ("signed out", fault(Fault("status", 401)), ("make a new token",), None, 0),
    ("not found", fault(Fault("status", 404, "Not found")), ("404",), None, 0),
    ("bad request", fault(Fault("status", 400, "Bad slug")), ("Bad slug",), None, 0),
    ("lost 429", fault(Fault("status", 429, "Slow")), LOST, ("unknown", 0), 0),
    ("lost 408", fault(Fault("status", 408, "Slow")), LOST, ("unknown", 0), 0),
    ("lost 503", fault(Fault("status", 503)), LOST, ("unknown", 0), 0),
    ("lost page", fault(Fault("html")), LOST, ("unknown", 0), 0),
    ("lost reset", fault(Fault("reset")), LOST, ("unknown", 0), 0),
    ("lost silence", fault(Fault("silence")), LOST, ("unknown", 0), 0),
]  # fmt: skip


@pytest.mark.parametrize(
    ("prepare", "says", "record", "versions"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_what_goes_wrong_with_a_push(
    kaggle: Kaggle,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    prepare: Callable[[Kaggle], None],
    says: tuple[str, ...],
    record: tuple[str, int] | None,
    versions: int,
) -> None:
    prepare(kaggle)
    code, out, line = push(capsys, monkeypatch)
    assert (code, out) == (1, "")
    assert [part for part in says if part not in line] == [], line
    assert [(one.state, one.version) for one in all_pushed(RUNS)] == ([] if record is None else [record])
    assert all(one.url == PAGE for one in all_pushed(RUNS))
    assert [path.name for path in RUNS.iterdir()] == [FILE]
    assert kaggle.count("SaveKernel") == 1
    assert saved(kaggle) == versions
    # Once all is well again the same command, over what is there, ends with one version more.
    kaggle.faults.clear()
    kaggle.state.pop("save answer", None)
    code, out, line = push(capsys, monkeypatch, "--replace")
    assert code == 0, line
    assert f"{NAME}, version {versions + 1}" in out
    assert saved(kaggle) == versions + 1
    assert all_pushed(RUNS)[-1].version == versions + 1


def other_run(kaggle: Kaggle) -> None:
    kit.push_kernel("klue-bert", run_name="FIVE", quiet=True)


def other_notebook(kaggle: Kaggle) -> None:
    kernels(kaggle)[NAME] = Kernel({"text": "print('mine')"}, state="COMPLETE")


def still_running(kaggle: Kaggle) -> None:
    kit.push_kernel("klue-bert", run_name="five", quiet=True)
    kernels(kaggle)[NAME].state = "RUNNING"


def nothing(kaggle: Kaggle) -> None:
    """All is well there."""


# Options, what there is already, what is said, versions that there were.
REFUSED: list[tuple[tuple[str, ...], Callable[[Kaggle], None], str, int]] = [
    (("--gpu", "T4"), nothing, "did you mean NvidiaTeslaT4? give one of", 0),
    (("--gpu", "TpuV5E8"), nothing, "is a TPU, and the kit trains on GPUs", 0),
    (("--gpu", "p100"), nothing, "NvidiaTeslaP100 is retired (NvidiaTeslaT4 runs in its place)", 0),
    (("--hours", "13"), nothing, "--hours 13: must be above 0, and Kaggle ends a kernel after 12", 0),
    (("--hours", "0"), nothing, "--hours 0: must be above 0", 0),
    (("--run-name", "한국어"), nothing, "names a folder and a kernel; letters (a to z)", 0),
    ((), other_run, "belongs to the run FIVE, which was pushed from here", 1),
    ((), other_notebook, "is not known to train this run", 1),
    ((), still_running, f"{NAME}: its latest version is running ({PAGE})", 1),
    (("--weights", "nowhere"), nothing, "--weights nowhere: is no folder", 0),
    (("--weights", "."), nothing, "--weights .: there is no config.json; there is no .safetensors file", 0),
    (("--continue", "other"), nothing, "other: no kernel or run of this name was pushed from here", 0),
    (("--continue", "a/kernel/2"), nothing, "Kaggle attaches the latest version of a kernel", 0),
]


@pytest.mark.parametrize(("words", "prepare", "says", "versions"), REFUSED)
def test_what_is_refused_before_anything_is_sent(
    kaggle: Kaggle,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    prepare: Callable[[Kaggle], None],
    says: str,
    versions: int,
) -> None:
    prepare(kaggle)
    before = sorted(path.name for path in Path().rglob("*"))
    sent = kaggle.count("SaveKernel")
    code, out, line = push(capsys, monkeypatch, *words)
    assert (code, out) == (1, "")
    assert says in line
    assert sorted(path.name for path in Path().rglob("*")) == before
    assert kaggle.count("SaveKernel") == sent
    assert kaggle.count("StartBlobUpload") == 0
    assert saved(kaggle) == versions


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize(
    "how",
    [
        Fault("status", 503, recorded=True),
        Fault("status", 429, recorded=True),
        Fault("html", recorded=True),
        Fault("reset", recorded=True),
        Fault("refuse", recorded=True),
        Fault("silence", recorded=True),
        Fault("truncate"),
    ],
    ids=lambda how: f"{how.kind}-{how.status}",
)
def test_a_lost_answer_is_found_on_the_account(
    kaggle: Kaggle,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    how: Fault,
    again: bool,
) -> None:
    """A first version, or one over an older: the new one is recognised by its number."""
    if again:
        push(capsys, monkeypatch)
        kernels(kaggle)[NAME].state = "COMPLETE"
    sent, number = kaggle.count("SaveKernel"), 2 if again else 1
    kaggle.fail("SaveKernel", how)
    code, out, line = push(capsys, monkeypatch)
    assert code == 0, line
    assert f"{NAME}, version {number}" in out
    assert all_pushed(RUNS)[-1].state == "saved"
    assert all_pushed(RUNS)[-1].version == number
    assert kaggle.count("SaveKernel") == sent + 1
    assert saved(kaggle) == number


def test_an_account_that_cannot_be_asked_after_it_leaves_it_unknown(
    kaggle: Kaggle, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kaggle.fail("SaveKernel", Fault("reset", recorded=True))
    monkeypatch.setattr(pushing, "latest_version", lambda client, kernel: None)  # not shown yet
    code, _, line = push(capsys, monkeypatch)
    assert code == 1
    assert "whether it was saved is not known" in line
    assert PAGE in line
    assert saved(kaggle) == 1
    (entry,) = all_pushed(RUNS)
    assert (entry.state, entry.version, entry.url) == ("unknown", 0, PAGE)
    assert kit.kernel_status("five").kernel == NAME  # the record names it all the same


def test_a_kernel_that_kaggle_gives_another_slug_is_remembered_by_it(kaggle: Kaggle) -> None:
    kaggle.state["save answer"] = {"ref": "/code/person/kit-five-renamed", "url": "https://x/y"}
    done = kit.push_kernel("klue-bert", run_name="five", quiet=True)
    assert isinstance(done, PushRecord)
    assert (done.kernel, done.url) == ("person/kit-five-renamed", "https://x/y")
    assert [one.kernel for one in all_pushed(RUNS)] == ["person/kit-five-renamed"]


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL there")
@pytest.mark.parametrize(("when", "versions"), [("before", 0), ("after", 1)])
def test_killed_around_the_sending_the_record_has_it(kaggle: Kaggle, when: str, versions: int) -> None:
    Path("tmp").mkdir()
    done = run_program(
        "tests.kaggle.kernels.pusher", when, cwd=Path.cwd(), TMPDIR=str(Path("tmp").absolute())
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert saved(kaggle) == versions
    (entry,) = all_pushed(RUNS)
    assert (entry.run, entry.kernel, entry.state, entry.version) == ("five", NAME, "unknown", 0)


def test_of_two_processes_one_pushes(kaggle: Kaggle, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other waits for its turn, and then finds a version that waits for a machine."""
    monkeypatch.setenv("KIT_KAGGLE_TIMEOUT", "5")
    done = run_program("tests.kaggle.kernels.pusher", cwd=Path.cwd(), processes=2)
    assert done.returncode == 1
    assert "its latest version is waiting for a machine" in done.stderr
    assert saved(kaggle) == 1
    assert [one.version for one in all_pushed(RUNS)] == [1]
