"""There and back: the script is executed as Kaggle would, and what it wrote comes home from the server."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

import kit
from kit.cli import main
from kit.data import demo_corpus
from kit.errors import (
    ConfigError,
    DownloadError,
    KernelError,
    KitError,
    LockError,
    NoSuchCompetitionError,
    NotAuthenticatedError,
    RateLimitedError,
    UnavailableError,
)
from kit.files import locked
from kit.kaggle.kernels.bootstrap import MANIFEST, NO_INTERNET
from kit.kaggle.kernels.history import FILE, PushRecord, all_pushed, find_kernel, remember
from kit.kaggle.kernels.script import METADATA, SCRIPT
from kit.modeling.tiny import Shape, make_backbone
from kit.settings.runs import read_run
from tests.commands import started
from tests.kaggle.server import Fault, Kaggle
from tests.kaggle.serving_kernels import Kernel, kernels

SLUG = "k-digital-goorm-2-korean-mrc"
NAME = "person/kit-five"
BACKBONE = "/kaggle/input/tiny"
TRAINING = {
    "epochs": 1.0,
    "batch_size": 8,
    "micro_batch_size": 4,
    "max_length": 160,
    "stride": 40,
    "lr": 1e-3,
    "limit": 40,
}


class Host:
    """A machine of Kaggle's: its three folders, without the kit."""

    def __init__(self, folder: Path) -> None:
        self.input, self.working, self.scratch = (folder / name for name in ("input", "working", "temp"))
        for path in (self.input, self.working, self.scratch):
            path.mkdir(parents=True)

    def start(self, script: Path) -> AbstractContextManager[subprocess.Popen[str]]:
        """Run a kernel's script; no network, no kit but the one inside."""
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        environment |= {
            "KIT_KAGGLE_INPUT": str(self.input),
            "KIT_KAGGLE_WORKING": str(self.working),
            "KIT_KAGGLE_SCRATCH": str(self.scratch),
            "PIP_NO_INDEX": "1",
            "HF_HUB_OFFLINE": "1",
            "OMP_NUM_THREADS": "1",
        }
        return started([sys.executable, str(script)], self.working, environment)

    @property
    def data(self) -> Path:
        """Where the competition's data are, in this machine's layout."""
        return next(path for path in (self.input / place for place, _ in LAYOUTS.values()) if path.is_dir())

    def run(self, script: Path) -> tuple[int, str]:
        """Exit code and log of a kernel's script that runs to its end."""
        with self.start(script) as process:
            log, _ = process.communicate()
        return process.returncode, log

    def manifest(self) -> dict[str, object]:
        """What the kernel wrote about its output."""
        found: dict[str, object] = json.loads((self.working / MANIFEST).read_text(encoding="utf-8"))
        return found


LAYOUTS = {"new": (f"competitions/{SLUG}", "datasets/person/tiny"), "old": (SLUG, "tiny")}
"""Where Kaggle mounts the competition's data and the data set."""


@pytest.fixture(scope="module")
def host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Host:
    """A machine with the competition's data and a tiny backbone as inputs, mounted by links as in LAYOUTS.

    Another data set has a train.json of its own, which nothing may touch.
    """
    layout = LAYOUTS[getattr(request, "param", "new")]
    folder = tmp_path_factory.mktemp("machine")
    machine = Host(folder)
    files = demo_corpus.write(folder / "data", train_contexts=24, test_contexts=8)
    files.test_answers.unlink()
    texts = [text for question in kit.load(files.train) for text in (question.context, question.text)]
    make_backbone(folder / "tiny", texts, "wordpiece", Shape(600, 32, 2, 2, 64, 160), seed=1)
    for place, stored in zip(layout, ("data", "tiny"), strict=True):
        (machine.input / place).parent.mkdir(parents=True, exist_ok=True)
        (machine.input / place).symlink_to(folder / stored)
    other = machine.input / layout[1].replace("tiny", "a").replace("person", "other")
    other.mkdir(parents=True)
    for name in ("train.json", "test.json"):
        (other / name).write_text("not the competition's", encoding="utf-8")
    return machine


@pytest.fixture(scope="module")
def finished(host: Host, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The output folder of a kernel that trained two folds, and its log."""
    folder = tmp_path_factory.mktemp("kernel")
    kit.push_kernel(BACKBONE, run_name="five", out=folder, datasets=["person/tiny"], folds=2, **TRAINING)
    code, log = host.run(folder / SCRIPT)
    assert code == 0, log
    return host.working, log


def run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str
) -> tuple[int, str, str]:
    """`kit WORDS` in this process: exit code, standard output, standard error."""
    monkeypatch.setattr(sys, "argv", ["kit", *words])
    with pytest.raises(SystemExit) as done:
        main()
    said = capsys.readouterr()
    return int(done.value.code or 0), said.out, said.err


@pytest.fixture
def here(kaggle: Kaggle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


# ---- executed


@pytest.mark.slow
def test_the_script_trains_predicts_and_packs(finished: tuple[Path, str], host: Host) -> None:
    working, log = finished
    manifest = host.manifest()
    assert (manifest["state"], manifest["run"], manifest["kit"]) == ("finished", "five", kit.__version__)
    names = {path.relative_to(working).as_posix() for path in working.rglob("*") if path.is_file()}
    test = kit.load(host.data / "test.json")
    train = kit.load(host.data / "train.json")
    spans = {f"run/spans/{test.key}.fold-{fold}.safetensors" for fold in range(2)}
    assert names == {
        MANIFEST,
        "run/run.json",
        "run/folds.json",
        f"run/spans/oof-{train.sha256[:8]}.safetensors",
        *spans,
    }
    assert "kit train" in log
    assert "kit predict" in log
    record = read_run(working / "run")
    assert record is not None
    assert set(record.folds) == {"0", "1"}
    assert record.settings.save_minutes == 10
    # It ran the kit that it carried, not this one.
    assert (host.scratch / "installed" / "kit" / "version.py").is_file()
    assert "Traceback" not in log


@pytest.mark.slow
def test_push_status_output_ensemble(
    kaggle: Kaggle,
    here: Path,
    finished: tuple[Path, str],
    host: Host,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words = ["--folds", "2", "--epochs", "1", "--dataset", "person/tiny"]
    code, out, err = run(capsys, monkeypatch, "kernel", "push", BACKBONE, "--run-name", "five", *words)
    assert code == 0, err
    assert f"{NAME}, version 1" in out
    assert f"https://www.kaggle.com/code/{NAME}" in out
    kernel = kernels(kaggle)[NAME]
    assert kernel.saved["text"].startswith('"""The script that trains a backbone')
    sent = {
        name: kernel.saved.get(name) for name in ("kernelType", "isPrivate", "enableGpu", "enableInternet")
    }
    assert sent == {"kernelType": "script", "isPrivate": True, "enableGpu": True, "enableInternet": True}
    assert kernel.saved["competitionDataSources"] == [SLUG]
    assert kernel.saved["datasetDataSources"] == ["person/tiny"]
    assert kernel.saved["machineShape"] == "NvidiaTeslaT4"

    assert "waiting for a machine" in run(capsys, monkeypatch, "kernel", "status")[1]
    kernel.state = "RUNNING"
    assert "running" in run(capsys, monkeypatch, "kernel", "status", "five")[1]
    code, _, err = run(capsys, monkeypatch, "kernel", "output")
    assert (code, f"{NAME}: is running; ask again: `kit kernel status" in err) == (1, True)

    kernel.state = "COMPLETE"
    kernel.take_output(finished[0])
    code, out, err = run(capsys, monkeypatch, "kernel", "status", "--json")
    assert json.loads(out)["words"] == "finished"
    code, out, err = run(capsys, monkeypatch, "kernel", "output")
    assert code == 0, err
    assert "Edit Score" in out
    assert "next: kit ensemble runs/five --data data/goorm-2/test.json" in err
    left = {path.relative_to("runs").as_posix() for path in Path("runs").rglob("*") if path.is_file()}
    assert left == {FILE} | {name.replace("run/", "five/", 1) for name in kernel.output if name != MANIFEST}
    assert kaggle.count("ListKernelSessionOutput") >= 4  # two calls of two pages

    shutil.copytree(host.data, "data/goorm-2")
    made = run(capsys, monkeypatch, "ensemble", "runs/five", "--data", "data/goorm-2/test.json")
    assert made[0] == 0, made[2]
    answers = Path("submissions/five.csv").read_text(encoding="utf-8").splitlines()
    assert len(answers) == 1 + len(kit.load("data/goorm-2/test.json"))
    card = json.loads(Path("submissions/five.json").read_text(encoding="utf-8"))
    assert card["estimate"]["edit"] > 0  # from the out-of-fold scores that came along

    code, _, err = run(capsys, monkeypatch, "kernel", "output", NAME)
    assert (code, "is this kernel's run already; nothing to do" in err) == (0, True)


@pytest.mark.slow
@pytest.mark.parametrize("host", ["old"], indirect=True)
def test_stopped_before_the_end_and_continued(kaggle: Kaggle, here: Path, host: Host, tmp_path: Path) -> None:
    """A kernel that is told to stop keeps its checkpoints; the next one goes on from them to the end."""
    long = {**TRAINING, "epochs": 6.0, "evaluations": 4}
    kit.push_kernel(BACKBONE, run_name="long", datasets=["person/tiny"], **long)
    first = Host(tmp_path / "first")
    first.input.rmdir()
    first.input.symlink_to(host.input)
    script = tmp_path / "first.py"
    script.write_text(kernels(kaggle)["person/kit-long"].saved["text"], encoding="utf-8")
    with first.start(script) as process:
        while not list(first.scratch.glob("runs/long/full/checkpoints/checkpoint-*/complete")):
            assert process.poll() is None, process.communicate()[0]
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        log, _ = process.communicate()
    assert process.returncode == 0, log
    assert first.manifest()["state"] == "unfinished"
    assert list(first.working.glob("run/full/checkpoints/checkpoint-*/complete"))
    kernels(kaggle)["person/kit-long"].state = "COMPLETE"
    kernels(kaggle)["person/kit-long"].take_output(first.working)
    with pytest.raises(
        KernelError,
        match=r"has not finished long .stopped by SIGTERM.; continue it with .* --continue person/kit-long",
    ):
        kit.kernel_output(quiet=True)
    assert not Path("runs/long").exists()

    pushed = kit.push_kernel(BACKBONE, run_name="long", datasets=["person/tiny"], continued="long", **long)
    assert isinstance(pushed, PushRecord)
    assert pushed.kernel == "person/kit-long-2"
    saved = kernels(kaggle)["person/kit-long-2"].saved
    assert saved["kernelDataSources"] == ["person/kit-long"]
    second = Host(tmp_path / "second")
    for path in host.input.iterdir():
        (second.input / path.name).symlink_to(path)
    output = second.input / ("kit-long" if (host.input / SLUG).exists() else "notebooks/person/kit-long")
    shutil.copytree(first.working, output)
    for path in output.rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)  # inputs are read-only
    script.write_text(saved["text"], encoding="utf-8")
    code, log = second.run(script)
    assert code == 0, log
    assert "continuing long, which an earlier kernel began" in log
    assert second.manifest()["state"] == "finished"
    kernels(kaggle)["person/kit-long-2"].state = "COMPLETE"
    kernels(kaggle)["person/kit-long-2"].take_output(second.working)
    fetched = kit.kernel_output(quiet=True)
    assert fetched.folder == Path("runs/long")
    record = read_run(fetched.folder)
    assert record is not None
    steps = [entry["step"] for entry in record.folds["full"].history]
    assert steps == sorted(set(steps))
    assert steps[-1] == record.folds["full"].steps


@pytest.mark.slow
def test_a_training_that_fails_leaves_word(kaggle: Kaggle, here: Path, host: Host, tmp_path: Path) -> None:
    kit.push_kernel("/kaggle/input/elsewhere", run_name="five", **TRAINING)
    script = tmp_path / "k.py"
    script.write_text(kernels(kaggle)[NAME].saved["text"], encoding="utf-8")
    machine = Host(tmp_path / "machine")
    machine.input.rmdir()
    machine.input.symlink_to(host.input)
    code, log = machine.run(script)
    assert code == 1, log
    manifest = machine.manifest()
    assert manifest["state"] == "failed"
    assert str(manifest["message"]).startswith(f"elsewhere is not mounted below {machine.input}; mounted: ")
    kernels(kaggle)[NAME].state = "ERROR"
    kernels(kaggle)[NAME].take_output(machine.working)
    with pytest.raises(KernelError, match=r"failed .*elsewhere is not mounted .*; its log is on https"):
        kit.kernel_output(quiet=True)
    assert list(Path("runs").iterdir()) == [Path("runs") / FILE]


def test_time_that_is_up_at_once(here: Path, host: Host, tmp_path: Path) -> None:
    kit.push_kernel(BACKBONE, run_name="five", out="k", hours=1e-6, **TRAINING)
    machine = Host(tmp_path / "machine")
    machine.input.rmdir()
    machine.input.symlink_to(host.input)
    code, log = machine.run(Path("k", SCRIPT).absolute())
    assert code == 0, log
    manifest = machine.manifest()
    assert (manifest["state"], manifest["files"]) == ("unfinished", [])
    assert "before Kaggle would have" in str(manifest["message"])


def test_without_internet_the_kernel_says_what_to_switch_on(
    kaggle: Kaggle,
    here: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A server that cannot be reached, and the address' own secret is not repeated."""
    kit.push_kernel(
        "klue-bert", run_name="five", git="https://name:secret@127.0.0.1:9/kit.git@v1", quiet=True
    )
    script = tmp_path / "k.py"
    script.write_text(kernels(kaggle)[NAME].saved["text"], encoding="utf-8")
    machine = Host(tmp_path / "machine")
    code, log = machine.run(script)
    assert code == 1, log
    message = f"pip could not install git+https://127.0.0.1:9/kit.git@v1: {NO_INTERNET}"
    assert machine.manifest()["message"] == message
    kernel = kernels(kaggle)[NAME]
    kernel.state = "ERROR"
    kernel.take_output(machine.working)
    kernel.write(*log.splitlines())
    code, _, err = run(capsys, monkeypatch, "kernel", "output")
    assert code == 1
    assert f"{NAME}: failed ({message}); its log is on" in err
    assert "the end of its log" in err
    assert list(Path("runs").iterdir()) == [Path("runs") / FILE]


# ---- pushed


def test_a_second_push_is_a_new_version_and_a_continuation_a_new_kernel(kaggle: Kaggle, here: Path) -> None:
    kit.push_kernel("klue-bert", run_name="five")
    again = kit.push_kernel("klue-bert", run_name="five", replace=True)
    assert isinstance(again, PushRecord)
    assert (again.kernel, again.version) == (NAME, 2)
    for number in (2, 3):
        pushed = kit.push_kernel("klue-bert", run_name="five", continued="five")
        assert isinstance(pushed, PushRecord)
        assert pushed.kernel == f"{NAME}-{number}"
    other = kit.push_kernel("klue-bert", run_name="five", continued="else/kit-five-4")
    assert isinstance(other, PushRecord)
    assert other.kernel == f"{NAME}-5"
    assert kernels(kaggle)[other.kernel].saved["kernelDataSources"] == ["else/kit-five-4"]


def test_files_for_the_official_client_name_the_account(kaggle: Kaggle, here: Path) -> None:
    kit.push_kernel("klue-bert", run_name="five", out="k")
    assert json.loads(Path("k", METADATA).read_text())["id"] == NAME
    assert not kaggle.calls


# ---- remembered


def pushed_kernel(kernel: str, name: str) -> PushRecord:
    return PushRecord(
        kernel=kernel, version=1, url="u", run=name, backbone="b", competition="c", pushed="t", revision="r"
    )


def test_the_record_of_pushes(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no kernel was pushed from here; name one"):
        find_kernel(tmp_path, None)
    remember(tmp_path, pushed_kernel("p/kit-a", "a"))
    with (tmp_path / FILE).open("ab") as file:
        file.write(b'{"kernel": "torn')  # killed while it wrote
    remember(tmp_path, pushed_kernel("p/kit-b", "b"))
    assert [entry.run for entry in all_pushed(tmp_path)] == ["a", "b"]
    assert find_kernel(tmp_path, None) == "p/kit-b"
    assert find_kernel(tmp_path, "a") == find_kernel(tmp_path, "kit-a") == "p/kit-a"
    assert find_kernel(tmp_path, "other/kernel/3") == "other/kernel/3"
    with pytest.raises(ConfigError, match="c: no kernel or run of this name"):
        find_kernel(tmp_path, "c")
    with pytest.raises(ConfigError, match="is no kernel; give OWNER/SLUG"):
        find_kernel(tmp_path, "../x")


# ---- fetched


RUN_FILE = b'{"not": "looked at"}'


def put(
    kaggle: Kaggle, files: dict[str, bytes], named: dict[str, bytes] | None = None, **about: object
) -> Kernel:
    """A finished kernel with *files* as its output, whose manifest names *named* (default: the same)."""
    import hashlib

    listed = [
        {"name": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in (files if named is None else named).items()
    ]
    manifest = {
        "run": "five", "backbone": "b", "competition": SLUG, "kit": "0", "revision": "r", "state": "finished",
        "message": "", "seconds": 1, "files": listed, **about,
    }  # fmt: skip
    kernel = Kernel({}, state="COMPLETE", output={MANIFEST: json.dumps(manifest).encode(), **files})
    kernels(kaggle)[NAME] = kernel
    return kernel


GOOD = {"run/run.json": RUN_FILE, "run/spans/a.safetensors": b"a", "run/spans/b.safetensors": b"b" * 1000}


def nothing_there() -> None:
    assert [str(path) for path in Path("runs").rglob("*") if path.is_file()] == []
    assert not Path("runs/five").exists()


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("run/../../evil", "leads out of the folder"),
        ("/etc/evil", "has an absolute path"),
        ("run/C:/evil", "has a backslash or colon in its name"),
        ("other/file", "is no file of the run"),
        ("run//x", "has an empty part in its path"),
    ],
)
def test_a_manifest_that_names_files_elsewhere(kaggle: Kaggle, here: Path, name: str, says: str) -> None:
    put(kaggle, GOOD, {**GOOD, name: b"x"})
    with pytest.raises(DownloadError, match=f"which {says}; nothing was fetched"):
        kit.kernel_output(NAME, quiet=True)
    nothing_there()


@pytest.mark.parametrize("name", ["run/../../evil", "run/x/../../../evil", "FOLDER/evil"])
def test_an_output_file_that_leads_elsewhere(kaggle: Kaggle, here: Path, name: str) -> None:
    name = name.replace("FOLDER", str(here))
    put(kaggle, {**GOOD, name: b"x"}, GOOD)
    if not name.startswith("run/"):
        # Not a file of the run: never asked for.
        with pytest.raises(ConfigError, match=r"run\.json"):
            kit.kernel_output(NAME, quiet=True)
    else:
        with pytest.raises(DownloadError, match="Refusing to download"):
            kit.kernel_output(NAME, quiet=True)
    nothing_there()
    assert not list(here.parent.rglob("evil"))


@pytest.mark.parametrize(
    ("output", "says"),
    [
        ({**GOOD, "run/spans/a.safetensors": b"x"}, r"run/spans/a\.safetensors has other content"),
        ({**GOOD, "run/spans/a.safetensors": b"long"}, "has 4 bytes, not 1"),
        ({"run/run.json": RUN_FILE}, r"run/spans/a\.safetensors is missing; run/spans/b"),
    ],
)
def test_output_that_is_not_what_the_kernel_left(
    kaggle: Kaggle, here: Path, output: dict[str, bytes], says: str
) -> None:
    put(kaggle, output, GOOD)
    with pytest.raises(DownloadError, match=says):
        kit.kernel_output(NAME, quiet=True)
    nothing_there()


def test_output_of_another_kernel(kaggle: Kaggle, here: Path) -> None:
    kernels(kaggle)[NAME] = Kernel({}, state="COMPLETE", output={"submission.csv": b"x"})
    with pytest.raises(KernelError, match=r"left no kit-kernel\.json; only kernels of kit kernel push"):
        kit.kernel_output(NAME, quiet=True)
    nothing_there()
    put(kaggle, GOOD, run="../evil")
    with pytest.raises(ConfigError, match=r"run is"):
        kit.kernel_output(NAME, quiet=True)
    nothing_there()


def test_a_run_of_that_name_is_not_replaced(kaggle: Kaggle, here: Path) -> None:
    put(kaggle, GOOD)
    Path("runs/five").mkdir(parents=True)
    Path("runs/five/run.json").write_text("mine")
    with pytest.raises(ConfigError, match=r"runs/five: is another run than the kernel's .*--to"):
        kit.kernel_output(NAME, quiet=True)
    assert Path("runs/five/run.json").read_text() == "mine"
    assert [path.name for path in Path("runs").iterdir()] == ["five"]


def test_of_two_that_fetch_one_does(kaggle: Kaggle, here: Path) -> None:
    put(kaggle, GOOD)
    with locked(Path("runs/person-kit-five"), purpose="output"), pytest.raises(LockError):
        kit.kernel_output(NAME, quiet=True)


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ("QUEUED", "is waiting for a machine; ask again"),
        ("CANCEL_REQUESTED", "is being cancelled; ask again"),
        ("CANCEL_ACKNOWLEDGED", "cancelled .Kaggle gives no reason.; its log is on"),
        ("ERROR", "failed .Kaggle gives no reason.; its log is on"),
        ("NEW_SCRIPT", "is saved, never run"),
    ],
)
def test_states_without_a_run(kaggle: Kaggle, here: Path, state: str, says: str) -> None:
    kernels(kaggle)[NAME] = Kernel({}, state=state)
    with pytest.raises(KernelError, match=says):
        kit.kernel_output(NAME, quiet=True)
    assert not Path("runs/five").exists()


def test_a_failure_in_kaggles_own_words(
    kaggle: Kaggle, here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kernels(kaggle)[NAME] = Kernel({}, state="ERROR", message="Your notebook was\nstopped: memory")
    code, out, _ = run(capsys, monkeypatch, "kernel", "status", NAME)
    assert code == 0
    assert "failed" in out
    assert "Your notebook was stopped: memory" in out
    assert f"https://www.kaggle.com/code/{NAME}" in out
    with pytest.raises(KernelError, match=r"failed .Your notebook was stopped: memory."):
        kit.kernel_output(NAME, quiet=True)


def test_a_failure_with_a_known_cure(
    kaggle: Kaggle, here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "Your notebook was stopped: weekly GPU quota exceeded"
    kernels(kaggle)[NAME] = Kernel({}, state="ERROR", message=said)
    code, out, _ = run(capsys, monkeypatch, "kernel", "status", NAME)
    assert code == 0
    assert f"{said}; `kit kernel quota` shows when it resets; push again then" in out
    with pytest.raises(KernelError, match=r"quota exceeded; `kit kernel quota` shows"):
        kit.kernel_output(NAME, quiet=True)


def test_a_kernel_that_nobody_knows(kaggle: Kaggle, here: Path) -> None:
    for call in (kit.kernel_status, kit.kernel_output):
        with pytest.raises(
            NoSuchCompetitionError,
            match=r"403 for person/nowhere .*https://www\.kaggle\.com/code/person/nowhere",
        ):
            call("person/nowhere")


@pytest.mark.parametrize(
    ("method", "fault", "kind"),
    [
        ("GetKernelSessionStatus", Fault("status", 401), NotAuthenticatedError),
        ("GetKernelSessionStatus", Fault("status", 500), UnavailableError),
        ("ListKernelSessionOutput", Fault("html"), UnavailableError),
        ("ListKernelSessionOutput", Fault("silence"), UnavailableError),
        ("ListKernelSessionOutput", Fault("status", 429, "x", {"Retry-After": "900"}), RateLimitedError),
        ("0", Fault("truncate"), UnavailableError),
        ("0", Fault("status", 403, "ExpiredToken"), UnavailableError),
        ("2", Fault("silence"), UnavailableError),
        ("2", Fault("html"), DownloadError),
    ],
    ids=lambda value: str(getattr(value, "kind", value)),
)
def test_faults_while_fetching(
    kaggle: Kaggle,
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    fault: Fault,
    kind: type[KitError],
) -> None:
    monkeypatch.setenv("KIT_KAGGLE_TIMEOUT", "0.15")
    put(kaggle, GOOD)
    kaggle.fail(method, *[fault] * 4)
    with pytest.raises(kind) as error:
        kit.kernel_output(NAME, quiet=True)
    assert "\n" not in str(error.value)
    nothing_there()
