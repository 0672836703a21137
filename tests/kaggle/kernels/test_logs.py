"""Logs: read whole, followed while a kernel writes, and the end of one that failed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import kit
from kit.errors import ConfigError, KernelError, NoSuchCompetitionError, UnavailableError
from kit.kaggle.kernels.logs import END_LINES, LogEntry, end_of, entries_of
from tests.kaggle.kernels.commands import run
from tests.kaggle.server import Fault, Kaggle
from tests.kaggle.serving_kernels import Kernel, kernels

NAME = "person/kit-five"


@pytest.fixture(autouse=True)
def _here(kaggle: Kaggle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")


def kernel(kaggle: Kaggle, *lines: str, state: str = "COMPLETE") -> Kernel:
    made = kernels(kaggle)[NAME] = Kernel({}, version=2, state=state)
    made.write(*lines)
    made.earlier[1] = Kernel({}, version=1, state="ERROR")
    made.earlier[1].write("the older one")
    return made


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        (
            '[{"stream_name":"stderr","time":1.5,"data":"one\\n"}\n,{"data":"two"}]',
            (LogEntry("stderr", 1.5, "one\n"), LogEntry("stdout", None, "two")),
        ),
        ("plain\nlines", (LogEntry("stdout", None, "plain\n"), LogEntry("stdout", None, "lines"))),
        ("[cut off", (LogEntry("stdout", None, "[cut off"),)),
    ],
)
def test_a_log_in_any_form(text: str, expected: tuple[LogEntry, ...]) -> None:
    assert entries_of(text) == expected


def test_the_end_of_a_log_has_no_blank_lines() -> None:
    entries = [LogEntry("stdout", None, text) for text in ("one\n", "\n", "two\nthree", "  \n")]
    assert end_of(entries) == ["one", "two", "three"]
    assert end_of(entries, 2) == ["two", "three"]
    assert len(end_of([LogEntry("stdout", None, f"{n}\n") for n in range(100)])) == END_LINES


def test_the_log_of_any_version_as_a_command(
    kaggle: Kaggle, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel(kaggle, "한 줄", "two")
    assert run(capsys, monkeypatch, "logs", NAME) == (0, "한 줄\ntwo\n", "")
    assert run(capsys, monkeypatch, "logs", f"{NAME}/1")[1] == "the older one\n"
    _, out, _ = run(capsys, monkeypatch, "logs", NAME, "--json")
    assert json.loads(out)[0] == {"stream": "stdout", "time": 0.0, "text": "한 줄\n"}
    assert [entry.text for entry in kit.kernel_logs(NAME)] == ["한 줄\n", "two\n"]
    with pytest.raises(NoSuchCompetitionError, match="404"):
        kit.kernel_logs(f"{NAME}/7")
    with pytest.raises(ConfigError, match="no kernel was pushed from here"):
        kit.kernel_logs()


def test_a_running_kernel_is_followed_to_its_end(kaggle: Kaggle) -> None:
    """Every connection begins with the whole log: nothing comes twice."""
    made = kernel(kaggle, state="RUNNING")
    made.steps = [(["a"], "RUNNING"), ([], "RUNNING"), (["b", "c"], "RUNNING"), (["d"], "COMPLETE")]
    assert [entry.text for entry in kit.kernel_logs(NAME, follow=True)] == ["a\n", "b\n", "c\n", "d\n"]


def test_following_as_a_command(
    kaggle: Kaggle, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel(kaggle, state="RUNNING").steps = [(["a"], "RUNNING"), (["b"], "ERROR")]
    assert run(capsys, monkeypatch, "logs", NAME, "--follow") == (0, "a\nb\n", "")
    kernel(kaggle, state="RUNNING").steps = [(["a"], "COMPLETE")]
    code, out, _ = run(capsys, monkeypatch, "logs", NAME, "--follow", "--json")
    assert (code, json.loads(out)) == (0, {"stream": "stdout", "time": 0.0, "text": "a\n"})


def test_one_that_is_over_is_read_whole(kaggle: Kaggle) -> None:
    kernel(kaggle, "a", "b")
    assert [entry.text for entry in kit.kernel_logs(NAME, follow=True)] == ["a\n", "b\n"]
    assert kaggle.count("kit-five") == 0


@pytest.mark.parametrize("kind", ["reset", "refuse", "silence", "truncate"])
def test_a_connection_that_breaks_is_made_again(
    kaggle: Kaggle, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setenv("KIT_KAGGLE_TIMEOUT", "0.2")
    made = kernel(kaggle, state="RUNNING")
    made.steps = [(["a"], "RUNNING"), (["b"], "RUNNING"), (["c"], "COMPLETE")]
    kaggle.fail("kit-five", *[Fault(kind)] * 2)
    texts = [entry.text for entry in kit.kernel_logs(NAME, follow=True)]
    assert texts == ["a\n", "b\n", "c\n"]


def test_a_stream_that_never_works_ends(kaggle: Kaggle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIT_KAGGLE_TIMEOUT", "0.2")
    kernel(kaggle, state="RUNNING")
    kaggle.fail("kit-five", *[Fault("status", 500)] * 9)
    with pytest.raises(UnavailableError, match="following its log"):
        list(kit.kernel_logs(NAME, follow=True))
    assert kaggle.count("kit-five") == 5


def test_a_kernel_that_waits_is_waited_for(
    kaggle: Kaggle, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = kernel(kaggle, state="QUEUED")
    made.steps = [(["a"], "COMPLETE")]
    asked = Kaggle.methods["GetKernelSessionStatus"]

    def later(server: Kaggle, body: dict[str, object]) -> object:
        answer = asked(server, body)
        if server.count("GetKernelSessionStatus") == 3:
            made.state = "RUNNING"
        return answer

    monkeypatch.setitem(Kaggle.methods, "GetKernelSessionStatus", later)
    assert [entry.text for entry in kit.kernel_logs(NAME, follow=True)] == ["a\n"]
    assert capsys.readouterr().err.count("is waiting for a machine") == 1


# ---- a kernel that failed


def test_output_of_a_failed_kernel_shows_the_end_of_its_log(
    kaggle: Kaggle, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel(kaggle, *(f"line {n}" for n in range(40)), "RuntimeError: CUDA out of memory", state="ERROR")
    code, out, err = run(capsys, monkeypatch, "output", NAME)
    assert (code, out) == (1, "")
    assert "line 26\n" in err
    assert "line 25\n" not in err
    last = err.strip().splitlines()[-1]
    assert f"{NAME}: failed (RuntimeError: CUDA out of memory); its log is on https://www" in last
    with pytest.raises(KernelError, match=r"failed .RuntimeError: CUDA out of memory."):
        kit.kernel_output(NAME, quiet=True)
    assert capsys.readouterr().err == ""


def test_a_log_that_cannot_be_read_hides_no_failure(
    kaggle: Kaggle, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel(kaggle, "x", state="ERROR").message = "Your notebook was stopped"
    kaggle.fail("ListKernelSessionOutput", *[Fault("status", 500)] * 4)
    code, _, err = run(capsys, monkeypatch, "output", NAME)
    assert code == 1
    assert "its log cannot be read (reading its log: Kaggle answered 500" in err
    assert "failed (Your notebook was stopped)" in err
