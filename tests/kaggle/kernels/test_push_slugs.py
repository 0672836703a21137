"""One slug, one run: names that fall together are refused with a free one, here and on the account."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import kit
from kit.errors import ConfigError, KernelError
from kit.kaggle.kernels.history import FILE, PushRecord, all_pushed, locate, remember
from kit.kaggle.kernels.script import LONGEST_NAME, Plan, free_name, run_in, script_text, slug_of
from tests.kaggle.kernels.test_output import GOOD, put
from tests.kaggle.server import Fault, Kaggle
from tests.kaggle.serving_kernels import Kernel, kernels, saved

RUNS = Path("runs")


@pytest.fixture(autouse=True)
def _here(kaggle: Kaggle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")


def push(name: str, **options: object) -> PushRecord:
    done = kit.push_kernel("klue-bert", run_name=name, quiet=True, **options)  # type: ignore[arg-type]
    assert isinstance(done, PushRecord)
    return done


def finish(kaggle: Kaggle) -> None:
    for kernel in kernels(kaggle).values():
        kernel.state = "COMPLETE"


@pytest.mark.parametrize(
    ("first", "second", "free"),
    [
        ("k.b", "k-b", "k-b-2"),
        ("k-b", "k.b", "k.b-2"),
        ("KB", "kb", "kb-2"),
        ("k_b", "k__b", "k__b-2"),
        ("k-b", "k-b-", "k-b-2"),
        ("x" * 36 + "_a", "x" * 36 + "-a", "x" * 36 + "-a-2"),
    ],
)
def test_names_that_fall_together(kaggle: Kaggle, first: str, second: str, free: str) -> None:
    push(first)
    finish(kaggle)
    expected = (
        f"--run-name {second}: its kernel would be person/{slug_of(second)}, which belongs to the run {first}"
    )
    for elsewhere in (False, True):
        if elsewhere:  # a machine that has pushed nothing yet
            (RUNS / FILE).unlink()
        with pytest.raises(ConfigError) as error:
            push(second, replace=True)
        assert str(error.value).startswith(expected)
        assert str(error.value).endswith(f"push with --run-name {free}")
    assert saved(kaggle) == 1
    assert push(free).kernel == f"person/{slug_of(free)}"
    assert push(first).version == 2


def test_the_name_to_use_is_free_indeed(kaggle: Kaggle) -> None:
    push("k.b")
    push("k-b-2")
    kernels(kaggle)["person/kit-k-b-3"] = Kernel({"text": "print(1)"})
    (RUNS / "k-b-4").mkdir()
    with pytest.raises(ConfigError, match=r"push with --run-name k-b-5$"):
        push("k-b")


@pytest.mark.parametrize("name", ["한국어", "../x", "a b", "x" * 60, "-x", ""])
def test_a_name_that_is_none_gets_one_that_is(name: str) -> None:
    with pytest.raises(ConfigError, match=r"names a folder and a kernel; .* such as ") as error:
        push(name)
    proposed = str(error.value).rsplit(" ", 1)[1]
    assert Plan(proposed, "klue-bert", "c", ()).slug == slug_of(proposed)
    assert len(proposed) <= LONGEST_NAME


def test_a_free_name_is_short_enough_whatever_its_number() -> None:
    name = free_name("x" * 100, lambda name: not name.endswith("-12"))
    assert name == "x" * (LONGEST_NAME - 3) + "-12"


def test_a_notebook_of_the_same_slug_is_left_alone(kaggle: Kaggle) -> None:
    kernels(kaggle)["person/kit-five"] = Kernel({"text": "print('mine')"}, state="COMPLETE")
    with pytest.raises(ConfigError, match=r"is not known to train this run .*--run-name five-2"):
        push("five")
    assert kernels(kaggle)["person/kit-five"].version == 1


def test_a_run_pushed_from_another_machine_goes_on_there(kaggle: Kaggle) -> None:
    push("five")
    finish(kaggle)
    (RUNS / FILE).unlink()
    assert push("five").version == 2


def test_a_continuation_takes_no_other_runs_slug(kaggle: Kaggle) -> None:
    push("five")
    push("five-2")
    finish(kaggle)
    assert push("five", continued="five").kernel == "person/kit-five-3"
    finish(kaggle)
    (RUNS / FILE).unlink()
    assert push("five", continued="person/kit-five").kernel == "person/kit-five-4"
    with pytest.raises(ConfigError, match="five-3: its kernel would be person/kit-five-3, which belongs to"):
        push("five-3")


def test_the_run_is_read_from_a_kernels_script() -> None:
    plan = Plan("its-five", "b\\'x", "c", ("--x", "'\""))
    assert run_in(script_text(plan, "r")) == "its-five"
    for source in ("", "PLAN: dict[str, Any] = json.loads(1)", "PLAN: dict[str, Any] = json.loads('[]')"):
        assert run_in(source) is None


# ---- versions


@pytest.mark.parametrize("state", ["QUEUED", "RUNNING", "CANCEL_REQUESTED"])
def test_a_version_that_is_not_over_is_pushed_over_only_on_request(kaggle: Kaggle, state: str) -> None:
    push("five")
    kernels(kaggle)["person/kit-five"].state = state
    with pytest.raises(
        KernelError, match=r"its latest version is .*kaggle\.com/code/person/kit-five.*--replace"
    ):
        push("five")
    assert saved(kaggle) == 1
    assert push("five", replace=True).version == 2


@pytest.mark.parametrize("state", ["COMPLETE", "ERROR", "CANCEL_ACKNOWLEDGED", "NEW_SCRIPT"])
def test_one_that_is_over_is_not_in_the_way(kaggle: Kaggle, state: str) -> None:
    push("five")
    kernels(kaggle)["person/kit-five"].state = state
    assert push("five").version == 2


def test_every_version_stays_reachable(kaggle: Kaggle) -> None:
    first = put(kaggle, GOOD)
    latest = Kernel({}, version=2, state="RUNNING", earlier={1: first})
    kernels(kaggle)["person/kit-five"] = latest
    remember(RUNS, pushed("person/kit-five", "five", 2))
    assert kit.kernel_status("five").state == "RUNNING"
    assert kit.kernel_status("five/1").state == "COMPLETE"
    assert kit.kernel_status("person/kit-five/v1").state == "COMPLETE"
    with pytest.raises(KernelError, match="person/kit-five: is running"):
        kit.kernel_output("five", quiet=True)
    with pytest.raises(ConfigError, match=r"run\.json"):  # the output came; its files are no real run
        kit.kernel_output("five/1", quiet=True)
    labels = [
        call.body.get("versionLabel")  # type: ignore[union-attr]
        for call in kaggle.calls
        if call.method == "ListKernelSessionOutput"
    ]
    assert labels == ["v1"] * len(labels)


def test_a_client_that_knows_no_versions_never_brings_another_one(
    kaggle: Kaggle, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kit.kaggle.import_client import kaggle_api_class

    put(kaggle, GOOD)
    monkeypatch.delattr(kaggle_api_class(), "_kernel_version_label")
    for call in (kit.kernel_status, kit.kernel_output, kit.kernel_logs):
        with pytest.raises(kit.KitError, match=r"asking for a version: .*client .* pip install"):
            call("person/kit-five/1")
    assert not kaggle.calls


def test_the_run_of_another_name_never_comes_home(kaggle: Kaggle) -> None:
    """Two runs on one slug, as earlier versions of the kit allowed."""
    put(kaggle, GOOD, run="k-b")
    kernels(kaggle)["person/kit-k-b"] = kernels(kaggle).pop("person/kit-five")
    remember(RUNS, pushed("person/kit-k-b", "k.b", 0))
    with pytest.raises(
        KernelError, match=r"holds the run k-b, not k\.b; older versions are person/kit-k-b/V"
    ):
        kit.kernel_output("k.b", quiet=True)
    assert [path.name for path in RUNS.iterdir()] == [FILE]


def pushed(kernel: str, run: str, version: int, **more: object) -> PushRecord:
    return PushRecord(
        kernel=kernel, version=version, url="u", run=run, backbone="b", competition="c", pushed="t",
        revision="r", **more,
    )  # type: ignore[arg-type]  # fmt: skip


def test_what_a_name_means(tmp_path: Path) -> None:
    remember(tmp_path, pushed("p/kit-k-b", "k.b", 1))
    remember(tmp_path, pushed("p/kit-big", "Big", 1))
    remember(tmp_path, pushed("p/kit-five", "five", 3))
    for named, kernel, run in (
        (None, "p/kit-five", "five"),
        ("five", "p/kit-five", "five"),
        ("five/2", "p/kit-five/2", "five"),
        ("five/v2", "p/kit-five/2", "five"),
        ("kit-five", "p/kit-five", None),
        ("Kit-Five/1", "p/kit-five/1", None),
        ("Else/Some-Kernel", "else/some-kernel", None),
        ("else/kernel/12", "else/kernel/12", None),
        ("else/12345", "else/12345", None),
        ("https://www.kaggle.com/code/Else/some-kernel", "else/some-kernel", None),
        ("kaggle.com/code/else/some-kernel/log", "else/some-kernel", None),
        ("https://www.kaggle.com/code/else/some-kernel?scriptVersionId=12", "else/some-kernel", None),
        ("https://www.kaggle.com/code/else/some-kernel/3", "else/some-kernel/3", None),
        ("Big/1", "p/kit-big/1", "Big"),
        ("k.b", "p/kit-k-b", "k.b"),
    ):
        found = locate(tmp_path, named)
        assert (found.kernel, found.run) == (kernel, run), named
    for named, says in (
        ("six", "six: no kernel or run of this name"),
        ("five/x", "is no kernel; give OWNER/SLUG"),
        ("a/b/c/d", "is no kernel; give OWNER/SLUG"),
    ):
        with pytest.raises(ConfigError, match=says):
            locate(tmp_path, named)
    remember(tmp_path, pushed("p/kit-k-b", "k-b", 2))
    assert locate(tmp_path, "k.b").kernel == "p/kit-k-b/1"  # its own version, not the latest
    assert locate(tmp_path, "k-b").kernel == "p/kit-k-b"


def test_the_record_knows_one_push_from_its_two_lines(tmp_path: Path) -> None:
    remember(tmp_path, pushed("p/kit-a", "a", 0, id="1", state="unknown"))
    assert [one.state for one in all_pushed(tmp_path)] == ["unknown"]
    remember(tmp_path, pushed("p/kit-a", "a", 4, id="1"))
    remember(tmp_path, pushed("p/kit-b", "b", 0, id="2", state="unknown"))
    remember(tmp_path, pushed("p/kit-b", "b", 0, id="2", state="refused"))
    assert [(one.run, one.version, one.state) for one in all_pushed(tmp_path)] == [("a", 4, "saved")]
    lines = [json.loads(line) for line in (tmp_path / FILE).read_text().splitlines()]
    assert [line.get("state", "saved") for line in lines] == ["unknown", "saved", "unknown", "refused"]


def test_an_account_that_cannot_be_asked_stops_the_push(kaggle: Kaggle) -> None:
    kaggle.fail("GetKernel", *[Fault("status", 500)] * 4)
    with pytest.raises(kit.KitError, match="looking for the kernel: Kaggle answered 500"):
        push("five")
    assert saved(kaggle) == 0
    assert not RUNS.exists()
