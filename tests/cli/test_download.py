"""`kit download` through the command line, against a Kaggle and a KorQuAD on 127.0.0.1."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import kit
from kit.cli import main
from kit.data import demo_corpus
from kit.errors import (
    ConfigError,
    DownloadError,
    KitError,
    LockError,
    NoSuchCompetitionError,
    NotAuthenticatedError,
    RateLimitedError,
    RulesNotAcceptedError,
    UnavailableError,
)
from kit.kaggle.downloads.manifest import MANIFEST, Manifest, changes, read_manifest
from kit.kaggle.slugs import Source, source_of
from tests.kaggle.server import Fault, Kaggle
from tests.kaggle.serving_data import ARCHIVE, offer, zipped

PROJECT = Path(kit.__file__).resolve().parent.parent
SLUG = "k-digital-goorm-2-korean-mrc"
TARGET = Path("data/goorm-2")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A competition's three files."""
    folder = tmp_path_factory.mktemp("corpus")
    made = demo_corpus.write(folder, train_contexts=10, test_contexts=4)
    return {path.name: path.read_bytes() for path in (made.train, made.test, made.sample_submission)}


@pytest.fixture
def place(
    kaggle: Kaggle, files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """An empty working folder; the server offers the competition."""
    offer(kaggle, SLUG, files)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    # Whatever happened: nothing half-made is left beside the target.
    assert [path.name for path in tmp_path.rglob("*.part")] == []


def run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str
) -> tuple[int, str, str]:
    """`kit WORDS` in this process: exit code, standard output, standard error."""
    monkeypatch.setattr(sys, "argv", ["kit", *words])
    with pytest.raises(SystemExit) as done:
        main()
    said = capsys.readouterr()
    return int(done.value.code or 0), said.out, said.err


def whole(folder: Path, files: dict[str, bytes]) -> Manifest:
    """Hold that *folder* has exactly these files and their manifest; returns it."""
    found = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    assert set(found) == {*files, MANIFEST}
    assert {name: found[name].read_bytes() for name in files} == files
    manifest = read_manifest(folder)
    assert manifest is not None
    assert changes(folder, manifest.files) == []
    assert {file.name for file in manifest.files} == set(files)
    return manifest


# ---- what is asked for


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("goorm-2", Source("goorm-2", SLUG)),
        ("goorm-4", Source("goorm-4", "k-digital-goorm-4-korean-mrc")),
        ("goorm-11", Source("goorm-11", "k-digital-goorm-11-korean-mrc")),
        (SLUG, Source("goorm-2", SLUG)),
        ("titanic", Source("titanic", "titanic")),
        ("korquad", Source("korquad", "korquad")),
        (f"https://www.kaggle.com/competitions/{SLUG}/data", Source("goorm-2", SLUG)),
        ("https://www.kaggle.com/c/titanic", Source("titanic", "titanic")),
    ],
)
def test_names_of_competitions(text: str, expected: Source) -> None:
    assert source_of(text) == expected


@pytest.mark.parametrize("text", ["", "../x", "a/b", "Goorm 2", "goorm_2", "-x", "https://example.org/c/x"])
def test_what_is_no_competition_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="is no competition; give goorm-2, korquad"):
        source_of(text)


# ---- the good road


def test_all_files_come_checked_with_a_manifest(
    kaggle: Kaggle,
    place: Path,
    files: dict[str, bytes],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code, out, err = run(capsys, monkeypatch, "download", "goorm-2")
    assert code == 0, err
    manifest = whole(place / TARGET, files)
    assert (manifest.slug, manifest.kit) == (SLUG, kit.__version__)
    assert manifest.source == f"https://www.kaggle.com/competitions/{SLUG}"
    report = kit.check(TARGET / "train.json")
    assert f"{report.questions:,}" in out
    assert "withheld" in out  # the test file
    assert "next: kit check data/goorm-2/train.json --against data/goorm-2/test.json" in err
    assert kaggle.count("ListDataFiles") == 2  # both pages
    assert "\r" not in out + err  # no progress bar where nobody watches


def test_a_second_time_it_verifies_and_asks_nobody(
    kaggle: Kaggle,
    place: Path,
    files: dict[str, bytes],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run(capsys, monkeypatch, "download", "goorm-2")
    before = {path: path.stat().st_mtime_ns for path in (place / TARGET).iterdir()}
    calls = len(kaggle.calls)
    code, out, err = run(capsys, monkeypatch, "download", SLUG)
    assert (code, out) == (0, "")
    assert "already downloaded" in err
    assert "3 files verified, nothing to do" in err
    assert len(kaggle.calls) == calls
    assert {path: path.stat().st_mtime_ns for path in (place / TARGET).iterdir()} == before


def test_json_for_other_programs(
    place: Path,
    files: dict[str, bytes],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = json.loads(run(capsys, monkeypatch, "download", "goorm-2", "--to", "here", "--json")[1])
    assert told["fresh"]
    assert told["folder"] == "here"
    assert {file["name"] for file in told["files"]} == set(files)
    assert told["checks"]["train.json"]["clean"]
    again = json.loads(run(capsys, monkeypatch, "download", "goorm-2", "--to", "here", "--json")[1])
    assert not again["fresh"]


def test_what_was_changed_is_named_and_replaced_only_by_force(
    place: Path,
    files: dict[str, bytes],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kit.download("goorm-2", quiet=True)
    train, test = TARGET / "train.json", TARGET / "test.json"
    changed = b"x" + train.read_bytes()[1:]
    train.write_bytes(changed)
    test.unlink()
    (TARGET / "notes.txt").write_text("mine")
    code, _, err = run(capsys, monkeypatch, "download", "goorm-2")
    assert code == 1
    assert "train.json has other content" in err
    assert "test.json is missing" in err
    assert "--force downloads again" in err
    assert train.read_bytes() == changed
    assert run(capsys, monkeypatch, "download", "goorm-2", "--force")[0] == 0
    assert (TARGET / "notes.txt").read_text() == "mine"
    (TARGET / "notes.txt").unlink()
    whole(place / TARGET, files)


def test_other_files_of_the_folder_stay(place: Path, files: dict[str, bytes]) -> None:
    TARGET.mkdir(parents=True)
    (TARGET / "notes.txt").write_text("mine")
    (TARGET / "train.json").write_bytes(files["train.json"])  # the same, by hand
    assert kit.download("goorm-2", quiet=True).fresh
    assert (TARGET / "notes.txt").read_text() == "mine"
    assert not kit.download("goorm-2", quiet=True).fresh


def test_a_file_of_the_users_own_is_not_replaced(place: Path) -> None:
    TARGET.mkdir(parents=True)
    (TARGET / "train.json").write_text("mine")
    with pytest.raises(DownloadError, match=r"has another train\.json, which no download wrote; --force"):
        kit.download("goorm-2", quiet=True)
    assert [path.name for path in TARGET.iterdir()] == ["train.json"]
    assert (TARGET / "train.json").read_text() == "mine"


def test_a_folder_of_another_download_is_not_mixed_with(kaggle: Kaggle, place: Path) -> None:
    offer(kaggle, "titanic", {"train.csv": b"a,b\n1,2\n"})
    kit.download("titanic", "here", quiet=True)
    for force in (False, True):
        with pytest.raises(DownloadError, match="holds the files of titanic; choose another folder"):
            kit.download("goorm-2", "here", quiet=True, force=force)
    whole(place / "here", {"train.csv": b"a,b\n1,2\n"})


def test_files_in_folders_keep_them(kaggle: Kaggle, place: Path) -> None:
    files = {"a/b/한글.csv": b"1", "a/c.csv": b"22", "empty.txt": b""}
    offer(kaggle, "titanic", files)
    kit.download("titanic", quiet=True)
    whole(place / "data/titanic", files)


def test_a_damaged_manifest_is_said(place: Path, files: dict[str, bytes]) -> None:
    kit.download("goorm-2", quiet=True)
    (TARGET / MANIFEST).write_text("{")
    with pytest.raises(ConfigError, match=r"manifest\.json: is damaged .* download again with --force"):
        kit.download("goorm-2", quiet=True)
    kit.download("goorm-2", quiet=True, force=True)
    whole(place / TARGET, files)


def test_of_two_at_once_one_downloads(kaggle: Kaggle, place: Path, files: dict[str, bytes]) -> None:
    """The other is in the middle of its download: the server keeps silent to it."""
    kaggle.fail(ARCHIVE, Fault("silence"))
    with at_work(place):
        wait_until(lambda: kaggle.count(ARCHIVE) == 1)
        with pytest.raises(LockError, match="data/goorm-2: another process is at work on it; wait for it"):
            kit.download("goorm-2", quiet=True)
        assert kaggle.count("DownloadDataFiles") == 1
    kit.download("goorm-2", quiet=True)
    whole(place / TARGET, files)


@contextlib.contextmanager
def at_work(place: Path, *words: str) -> Iterator[None]:
    """`kit download` in a process of its own that waits long for an answer, and is killed in the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "kit", "download", "goorm-2", *words],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(PROJECT), "KIT_KAGGLE_TIMEOUT": "30"},
    )
    try:
        yield
    finally:
        process.kill()
        process.wait()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


# ---- every way to go wrong


ANSWERS = [
    ("ListDataFiles", Fault("status", 401, "Unauthenticated"), NotAuthenticatedError, "make a new token"),
    (
        "DownloadDataFiles",
        Fault("status", 403, "You must accept this competition's rules"),
        RulesNotAcceptedError,
        f"https://www.kaggle.com/c/{SLUG}/rules",
    ),
    ("ListDataFiles", Fault("status", 403, "denied"), NoSuchCompetitionError, "check the spelling"),
    ("ListDataFiles", Fault("status", 404, "Not found"), NoSuchCompetitionError, "404"),
    ("ListDataFiles", Fault("status", 429, "Slow"), RateLimitedError, "try again later"),
    (
        "ListDataFiles",
        Fault("status", 429, "Slow", {"Retry-After": "900"}),
        RateLimitedError,
        "try again in 900 s",
    ),
    ("DownloadDataFiles", Fault("status", 500), UnavailableError, "answered 500"),
    ("ListDataFiles", Fault("html"), UnavailableError, "no answer that can be read"),
    ("DownloadDataFiles", Fault("html"), DownloadError, "is no zip archive but begins with '<html>"),
    ("ListDataFiles", Fault("refuse"), UnavailableError, "no answer"),
    ("DownloadDataFiles", Fault("reset"), UnavailableError, "no answer"),
    ("ListDataFiles", Fault("silence"), UnavailableError, "no answer"),
    (ARCHIVE, Fault("silence"), UnavailableError, "no answer"),
    (ARCHIVE, Fault("truncate"), UnavailableError, "no answer"),
    (ARCHIVE, Fault("reset"), UnavailableError, "no answer"),
    (
        ARCHIVE,
        Fault("status", 403, "ExpiredToken"),
        UnavailableError,
        "the storage behind Kaggle answered 403",
    ),
    (ARCHIVE, Fault("html"), DownloadError, "is no zip archive but begins with '<html>"),
]


@pytest.mark.parametrize("earlier", [False, True], ids=["first", "again"])
@pytest.mark.parametrize(
    ("method", "fault", "kind", "says"), ANSWERS, ids=lambda value: str(getattr(value, "kind", value))[:40]
)
def test_faults_of_the_network(
    kaggle: Kaggle,
    place: Path,
    files: dict[str, bytes],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    fault: Fault,
    kind: type[KitError],
    says: str,
    earlier: bool,
) -> None:
    monkeypatch.setenv("KIT_KAGGLE_TIMEOUT", "0.15")
    if earlier:
        kit.download("goorm-2", quiet=True)
    kaggle.fail(method, *[fault] * 4)
    began = time.monotonic()
    code, out, err = run(capsys, monkeypatch, "download", "goorm-2", "--force")
    assert time.monotonic() - began < 6  # the client's own retries would take a minute
    assert (code, out) == (1, "")
    assert says in err
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    if earlier:
        whole(place / TARGET, files)
    else:
        assert not TARGET.exists()
    kaggle.faults[method] = [fault] * 4
    with pytest.raises(kind):
        kit.download("goorm-2", "elsewhere", quiet=True)
    assert not Path("elsewhere").exists()


def test_nothing_listens(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIT_KAGGLE_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(UnavailableError, match="no answer that can be read"):
        kit.download("goorm-2", quiet=True)
    assert not TARGET.exists()


@pytest.mark.parametrize("kind", ["truncate", "reset", "silence", "status"])
def test_a_passing_fault_costs_only_another_attempt(
    kaggle: Kaggle, place: Path, files: dict[str, bytes], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIT_KAGGLE_TIMEOUT", "0.2")
    kaggle.fail(ARCHIVE, Fault(kind))
    kit.download("goorm-2", quiet=True)
    whole(place / TARGET, files)
    assert kaggle.count(ARCHIVE) == 2


def test_without_credentials(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KAGGLE_KEY")
    monkeypatch.delenv("KAGGLE_USERNAME")
    with pytest.raises(NotAuthenticatedError, match="no Kaggle credentials found"):
        kit.download("goorm-2", quiet=True)
    assert not TARGET.exists()


def test_what_came_is_compared_with_the_list(kaggle: Kaggle, place: Path, files: dict[str, bytes]) -> None:
    other = {**files, "train.json": files["train.json"] + b" "}
    for archive, says in (
        (zipped(other), f"train.json has {len(other['train.json']):,} bytes, listed with"),
        (zipped({"train.json": files["train.json"]}), "test.json is missing"),
        (zipped({**files, "extra.json": b"{}"}), "extra.json is not among the listed files"),
    ):
        offer(kaggle, SLUG, files, archive)
        with pytest.raises(DownloadError, match=says):
            kit.download("goorm-2", quiet=True)
        assert not TARGET.exists()


def test_a_competition_without_files(kaggle: Kaggle, place: Path) -> None:
    offer(kaggle, SLUG, {})
    with pytest.raises(DownloadError, match="Kaggle lists no file"):
        kit.download("goorm-2", quiet=True)


def test_a_file_of_the_manifests_own_name(kaggle: Kaggle, place: Path) -> None:
    offer(kaggle, SLUG, {MANIFEST: b"{}"})
    with pytest.raises(DownloadError, match=r"holds a file called manifest\.json"):
        kit.download("goorm-2", quiet=True)
    assert not TARGET.exists()


@pytest.mark.parametrize("earlier", [False, True])
def test_killed_during_the_download(
    kaggle: Kaggle, place: Path, files: dict[str, bytes], earlier: bool
) -> None:
    """SIGKILL while the server is silent: nothing looks complete, and the next run tidies up and succeeds."""
    if earlier:
        kit.download("goorm-2", quiet=True)
        (TARGET / "train.json").write_bytes(b"changed")
    kaggle.fail(ARCHIVE, Fault("silence"))
    calls = kaggle.count(ARCHIVE)
    with at_work(place, *(["--force"] if earlier else [])):
        wait_until(lambda: kaggle.count(ARCHIVE) > calls)
    left = [path for path in (place / "data").iterdir() if path.name != "goorm-2"]
    assert [path.suffix for path in left] == [".part"]
    assert TARGET.exists() == earlier
    kit.download("goorm-2", quiet=True, force=earlier)
    whole(place / TARGET, files)


def test_killed_between_two_files_of_the_placing(
    place: Path, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Into a folder with other files they go one by one: until the manifest is there, it is no download."""
    TARGET.mkdir(parents=True)
    (TARGET / "notes.txt").write_text("mine")
    program = (
        "import os, pathlib, kit\n"
        "replace, count = pathlib.Path.replace, 0\n"
        "def dying(self, target):\n"
        "    global count\n"
        "    if pathlib.Path(target).parent.name == 'goorm-2':\n"
        "        count += 1\n"
        "        if count == 3: os.kill(os.getpid(), 9)\n"
        "    return replace(self, target)\n"
        "pathlib.Path.replace = dying\n"
        "kit.download('goorm-2')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        check=False,
        timeout=60,
    )
    assert done.returncode == -9
    assert read_manifest(TARGET) is None
    assert len(list(TARGET.iterdir())) == 3
    assert kit.download("goorm-2", quiet=True).fresh
    (TARGET / "notes.txt").unlink()
    whole(place / TARGET, files)


def test_a_full_disk_is_said_before(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(place)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=10))
    with pytest.raises(KitError, match="and 10 are free"):
        kit.download("goorm-2", quiet=True)
    assert not TARGET.exists()


# ---- KorQuAD


@pytest.fixture
def korquad(
    kaggle: Kaggle, files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, bytes]:
    """KorQuAD's site, with invented articles, and no credentials."""
    made = {}
    for name, content in (("train", files["train.json"]), ("dev", files["train.json"])):
        text = content.decode().replace('"guid"', '"id"')
        made[f"KorQuAD_v1.0_{name}.json"] = text.encode()
        kaggle.stored[f"/dataset/KorQuAD_v1.0_{name}.json"] = text.encode()
    monkeypatch.setenv("KIT_KORQUAD_URL", f"{kaggle.endpoint}/dataset/")
    monkeypatch.setenv("KIT_KAGGLE_TIMEOUT", "0.15")
    monkeypatch.delenv("KAGGLE_KEY")
    monkeypatch.delenv("KAGGLE_USERNAME")
    monkeypatch.chdir(tmp_path)
    return made


def test_korquad_needs_no_account(
    kaggle: Kaggle,
    korquad: dict[str, bytes],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code, out, err = run(capsys, monkeypatch, "download", "korquad")
    assert code == 0, err
    whole(tmp_path / "data/korquad", korquad)
    assert "KorQuAD" in out
    assert "its publisher gives no checksums" in err
    assert all(call.authorization == "" for call in kaggle.calls)
    assert "nothing to do" in run(capsys, monkeypatch, "download", "korquad")[2]


def test_korquad_never_loads_kaggle(kaggle: Kaggle, korquad: dict[str, bytes], tmp_path: Path) -> None:
    program = (
        "import sys, kit\nkit.download('korquad', quiet=True)\n"
        "print(sorted({'kaggle', 'kagglesdk', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("fault", "kind", "says"),
    [
        (Fault("status", 404, "gone"), DownloadError, "answered 404 .* set KIT_KORQUAD_URL"),
        (Fault("status", 403, "no"), DownloadError, "answered 403"),
        (Fault("status", 429, "Slow", {"Retry-After": "900"}), RateLimitedError, "try again in 900 s"),
        (Fault("status", 503, "Busy"), UnavailableError, "answered 503"),
        (Fault("html"), DownloadError, "is not KorQuAD's JSON .begins with '<html>"),
        (Fault("refuse"), UnavailableError, "no readable answer"),
        (Fault("reset"), UnavailableError, "no readable answer"),
        (Fault("silence"), UnavailableError, "no readable answer"),
        (Fault("truncate"), UnavailableError, "no readable answer"),
    ],
    ids=lambda value: str(getattr(value, "kind", "")),
)
def test_faults_of_korquads_site(
    kaggle: Kaggle, korquad: dict[str, bytes], tmp_path: Path, fault: Fault, kind: type[KitError], says: str
) -> None:
    kaggle.fail("KorQuAD_v1.0_dev.json", *[fault] * 4)
    with pytest.raises(kind, match=says) as error:
        kit.download("korquad", quiet=True)
    assert "\n" not in str(error.value)
    assert list((tmp_path / "data").iterdir()) == []


def test_another_file_in_korquads_place(
    kaggle: Kaggle, korquad: dict[str, bytes], files: dict[str, bytes], tmp_path: Path
) -> None:
    kaggle.stored["/dataset/KorQuAD_v1.0_train.json"] = files["train.json"]
    with pytest.raises(DownloadError, match=r"what came has the layout .*, not KorQuAD"):
        kit.download("korquad", quiet=True)
    assert list((tmp_path / "data").iterdir()) == []
