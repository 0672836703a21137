"""Signing in, time limits, retries of reads, and every failure by its kind."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kit.errors import (
    ConfigError,
    KaggleError,
    NoCredentialsError,
    NoSuchCompetitionError,
    NotAuthenticatedError,
    RateLimitedError,
    RejectedError,
    RulesNotAcceptedError,
    UnavailableError,
)
from kit.kaggle.auth import KEY, OAUTH, TOKEN, find_credentials
from kit.kaggle.client import Client, RetryPolicy, connect
from kit.kaggle.errors import daily_limit
from kit.submission.csv import write_submission
from tests.kaggle.conftest import clean
from tests.kaggle.server import Fault, Kaggle

SLUG = "some-contest"
TIMEOUT = 0.6


def ask(client: Client, times: int = 1) -> object:
    """A read by the official client's own classes."""

    def call(api: object) -> object:
        from kagglesdk.competitions.types.competition_api_service import ApiGetCompetitionRequest

        request = ApiGetCompetitionRequest()
        request.competition_name = SLUG
        with api.build_kaggle_client() as kaggle:  # type: ignore[attr-defined]
            return kaggle.competitions.competition_api_client.get_competition(request).ref

    return client.read(call, "looking it up", SLUG)


def test_the_legacy_key_signs_calls_and_asks_nothing_before(kaggle: Kaggle) -> None:
    client = connect()
    assert not kaggle.calls
    assert client.credentials.kind == KEY
    assert str(client.credentials) == "legacy key of person from KAGGLE_USERNAME and KAGGLE_KEY"
    assert "secret" not in repr(client.credentials)
    assert ask(client) == SLUG
    assert client.username == "person"
    assert [call.authorization for call in kaggle.calls] == ["Basic cGVyc29uOnNlY3JldA=="]


def test_a_token_is_checked_once_and_names_the_account(
    kaggle: Kaggle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAGGLE_API_TOKEN", "good-token")
    client = connect()
    assert (client.credentials.kind, client.username) == (TOKEN, "person")
    assert ask(client) == SLUG
    assert [call.method for call in kaggle.calls] == ["IntrospectToken", "GetCompetition"]
    assert kaggle.calls[-1].authorization == "Bearer good-token"


def test_a_bad_token_is_named_even_beside_a_good_key(kaggle: Kaggle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAGGLE_API_TOKEN", "stale-token")
    with pytest.raises(NotAuthenticatedError, match="access token from KAGGLE_API_TOKEN") as error:
        connect()
    assert "stale-token" not in str(error.value)


def test_the_key_is_used_where_the_client_alone_would_send_a_token_file(
    kaggle: Kaggle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").write_text("")
    monkeypatch.setenv("KAGGLE_API_TOKEN", str(tmp_path / "empty"))
    client = connect()
    assert client.credentials.kind == KEY
    assert client.credentials.warnings == (f"{tmp_path / 'empty'}: is empty",)
    assert ask(client) == SLUG
    assert kaggle.calls[-1].authorization.startswith("Basic ")


def test_oauth_signs_in_with_its_stored_token(
    kaggle: Kaggle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KAGGLE_USERNAME")
    monkeypatch.delenv("KAGGLE_KEY")
    (tmp_path / ".kaggle").mkdir()
    stored = {
        "refresh_token": "r", "access_token": "good-token", "username": "person",
        "access_token_expiration": "2999-01-01T00:00:00+00:00", "scopes": [],
    }  # fmt: skip
    path = tmp_path / ".kaggle" / "credentials.json"
    path.write_text(json.dumps(stored))
    path.chmod(0o600)
    client = connect()
    assert client.credentials.kind == OAUTH
    assert ask(client) == SLUG
    assert kaggle.calls[-1].authorization == "Bearer good-token"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{not json", "is not JSON"),
        ('["a", "b"]', 'no object with "username" and "key"'),
        ('{"username": "person"}', "the key is missing"),
        ("", "is empty"),
        (None, "no Kaggle credentials found"),
    ],
)
def test_what_is_wrong_with_the_key_file_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None, says: str
) -> None:
    clean(tmp_path, monkeypatch)
    (tmp_path / ".kaggle").mkdir()
    if content is not None:
        path = tmp_path / ".kaggle" / "kaggle.json"
        path.write_text(content)
        path.chmod(0o600)
    with pytest.raises(NotAuthenticatedError, match=says) as error:
        find_credentials()
    assert "https://www.kaggle.com/settings" in str(error.value)
    assert "chmod 600" in str(error.value)


def test_a_key_that_others_can_read_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clean(tmp_path, monkeypatch)
    (tmp_path / ".kaggle").mkdir()
    path = tmp_path / ".kaggle" / "kaggle.json"
    path.write_text('{"username": "person", "key": "secret"}')
    path.chmod(0o644)
    found = find_credentials()
    assert found.kind == KEY
    assert found.warnings == (f"{path}: others on this machine can read it; chmod 600 {path}",)


def test_a_faulty_file_that_others_can_read_has_both_faults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clean(tmp_path, monkeypatch)
    path = tmp_path / ".kaggle" / "access_token"
    path.parent.mkdir()
    path.write_text("'quoted'")
    path.chmod(0o644)
    with pytest.raises(NotAuthenticatedError, match=r"others on this machine .*is in quotation marks"):
        find_credentials()


def test_inside_kaggle_the_notebooks_token_comes_first_and_says_whose_it_is(
    kaggle: Kaggle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text("good-token\n")
    monkeypatch.setenv("KAGGLE_KERNEL_RUN_TYPE", "Interactive")
    monkeypatch.setenv("KAGGLE_API_V1_TOKEN", str(tmp_path / "token"))
    monkeypatch.setenv("KAGGLE_API_TOKEN", "other-token")
    client = connect()
    assert str(client.credentials) == (
        "access token of person from this Kaggle notebook (Kaggle's token for the account that runs it)"
    )
    assert client.credentials.warnings == (
        "KAGGLE_API_TOKEN: is not used; inside Kaggle the notebook's own token comes first",
    )
    assert ask(client) == SLUG
    assert kaggle.calls[-1].authorization == "Bearer good-token"
    (tmp_path / "token").write_text("stale-token")
    with pytest.raises(NotAuthenticatedError, match="restart the notebook's session; or unset KAGGLE_API_V1"):
        connect()


def test_inside_kaggle_without_a_token_the_secret_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clean(tmp_path, monkeypatch)
    monkeypatch.setenv("KAGGLE_KERNEL_RUN_TYPE", "Batch")
    with pytest.raises(NoCredentialsError, match=r"found: in a Kaggle notebook, .*secret \(Add-ons\)"):
        find_credentials()


def test_a_refused_token_is_not_sent_by_the_client_itself(
    kaggle: Kaggle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where only OAuth is left, the client would read the variable, and the file, once more."""
    for name in ("KAGGLE_USERNAME", "KAGGLE_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("KAGGLE_API_TOKEN", '"quoted-token"')
    folder = tmp_path / ".kaggle"
    folder.mkdir()
    (folder / "access_token").write_text("export KAGGLE_API_TOKEN=pasted")
    (folder / "credentials.json").write_text(
        json.dumps({"refresh_token": "r", "access_token": "old", "username": "person", "scopes": []})
    )
    (folder / "credentials.json").chmod(0o600)
    with pytest.raises(KaggleError):
        connect(RetryPolicy(timeout=0.2, attempts=1))
    assert kaggle.calls
    assert [call.authorization for call in kaggle.calls if call.authorization] == []


@pytest.mark.parametrize(
    ("fault", "kind", "says", "calls"),
    [
        (Fault("status", 401, "Unauthenticated"), NotAuthenticatedError, "legacy key of person", 1),
        (
            Fault("status", 403, "You must accept this competition's rules"),
            RulesNotAcceptedError,
            f"https://www.kaggle.com/c/{SLUG}/rules",
            1,
        ),
        (
            Fault("status", 403, "Permission 'competitions.get' was denied"),
            NoSuchCompetitionError,
            "check the spelling",
            1,
        ),
        (Fault("status", 404, "Not found"), NoSuchCompetitionError, f"404 for {SLUG}", 1),
        (Fault("status", 400, "Bad page size"), RejectedError, "Bad page size", 1),
        (Fault("status", 429, "Slow down", {"Retry-After": "3600"}), RateLimitedError, "in 3600 s", 1),
    ],
)
def test_what_no_retry_can_mend_fails_at_once(
    kaggle: Kaggle, fault: Fault, kind: type[KaggleError], says: str, calls: int
) -> None:
    client = connect()
    kaggle.fail("GetCompetition", fault)
    with pytest.raises(kind, match=says) as error:
        ask(client)
    assert "\n" not in str(error.value)
    assert kaggle.count("GetCompetition") == calls


PASSING = [
    Fault("status", 500),
    Fault("status", 503, "Busy"),
    Fault("status", 429, "Slow down"),
    Fault("status", 429, "Slow down", {"Retry-After": "0.1"}),
    Fault("html"),
    Fault("refuse"),
    Fault("reset"),
    Fault("truncate"),
    Fault("silence"),
]


@pytest.mark.parametrize("fault", PASSING, ids=lambda fault: f"{fault.kind}-{fault.status}-{fault.headers}")
def test_a_read_is_tried_again(kaggle: Kaggle, fault: Fault) -> None:
    client = connect()
    kaggle.fail("GetCompetition", fault)
    assert ask(client) == SLUG
    assert kaggle.count("GetCompetition") == 2


@pytest.mark.parametrize("fault", PASSING, ids=lambda fault: f"{fault.kind}-{fault.status}-{fault.headers}")
def test_and_given_up_in_the_end(kaggle: Kaggle, fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    client = connect(RetryPolicy(timeout=0.2, attempts=3))
    kaggle.fail("GetCompetition", *[fault] * 3)
    began = time.monotonic()
    with pytest.raises((UnavailableError, RateLimitedError)) as error:
        ask(client)
    assert time.monotonic() - began < 3 * (0.2 + 0.4) + 1
    assert kaggle.count("GetCompetition") == 3
    assert "\n" not in str(error.value)


def test_a_retry_waits_as_long_as_it_is_asked_to(kaggle: Kaggle) -> None:
    client = connect()
    kaggle.fail("GetCompetition", Fault("status", 429, "Slow down", {"Retry-After": "0.5"}))
    began = time.monotonic()
    assert ask(client) == SLUG
    assert time.monotonic() - began >= 0.5


def test_nothing_listens_at_the_endpoint(kaggle: Kaggle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIT_KAGGLE_ENDPOINT", "http://127.0.0.1:9")
    client = connect(RetryPolicy(timeout=0.2, attempts=2))
    with pytest.raises(UnavailableError, match="no answer"):
        ask(client)
    assert not kaggle.calls


def test_a_time_limit_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ("0", "-1", "soon", "inf", "nan"):
        monkeypatch.setenv("KIT_KAGGLE_TIMEOUT", text)
        with pytest.raises(ConfigError, match="number of seconds"):
            RetryPolicy.from_environment()


def test_the_day_ends_at_midnight_utc() -> None:
    from datetime import UTC, datetime

    error = daily_limit(SLUG, datetime(2026, 11, 25, 22, 30, tzinfo=UTC))
    assert "00:00 UTC, in 1 h 30 min" in str(error)


def test_importing_prints_nothing_signs_in_nowhere_and_leaves_the_package_alone(
    tmp_path: Path, project: Path
) -> None:
    """With a token set, the official package would call Kaggle while it is imported."""
    program = (
        "import sys, socket\n"
        "def refuse(*words): raise SystemExit('the network was used')\n"
        "socket.socket.connect = refuse\n"
        "from kit.kaggle.import_client import kaggle_api_class\n"
        "assert kaggle_api_class().__name__ == 'KaggleApi'\n"
        "assert 'kaggle' not in sys.modules\n"
    )
    environment = {"PATH": "", "HOME": str(tmp_path), "KAGGLE_API_TOKEN": "t", "PYTHONPATH": str(project)}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["submit", "--help"],
        ["score", "answers.csv", "--answers", "answers.json"],
        ["ensemble", "recipe.yaml", "--data", "answers.json"],
        ["leaderboard"],
    ],
    ids=" ".join,
)
def test_what_needs_no_kaggle_never_imports_it(tmp_path: Path, project: Path, words: list[str]) -> None:
    """Neither the package nor credentials: a class that refuses to find them stands in front."""
    (tmp_path / "answers.csv").write_text("Id,Predicted\nq,바다\n")
    question = {"question": "어디?", "guid": "q", "answers": [{"text": "바다", "answer_start": 0}]}
    data = {"data": [{"title": "", "paragraphs": [{"context": "바다와 산", "qas": [question]}]}]}
    (tmp_path / "answers.json").write_text(json.dumps(data))
    write_submission(tmp_path / "other.csv", ["q"], ["산"])
    (tmp_path / "recipe.yaml").write_text("members:\n  - csv: other.csv\nblend: vote\n")
    program = (
        "import sys\n"
        "class Refusing:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in ('kaggle', 'kagglesdk', 'requests'):\n"
        "            raise AssertionError(name)\n"
        "sys.meta_path.insert(0, Refusing())\n"
        "from kit.cli import main\n"
        "main()\n"
    )
    environment = {"PATH": "", "HOME": str(tmp_path), "PYTHONPATH": str(project)}
    done = subprocess.run(
        [sys.executable, "-c", program, *words],
        capture_output=True, text=True, env=environment, timeout=60, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_an_error_that_is_sent_as_a_success_is_one(kaggle: Kaggle, monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"code": 429, "message": "Slow down"}
    monkeypatch.setitem(Kaggle.methods, "GetCompetition", lambda server, asked: body)
    with pytest.raises(RateLimitedError, match="Slow down"):
        ask(connect(RetryPolicy(timeout=0.2, attempts=1)))


def test_the_user_s_own_import_finds_its_files_as_before(tmp_path: Path, project: Path) -> None:
    """The kit gives the client another folder while it is imported, and none is made in the home."""
    (tmp_path / "other").mkdir()
    program = (
        "from kit.kaggle.import_client import kaggle_api_class\n"
        "print(kaggle_api_class().config_dir, kaggle_api_class().config)\n"
    )
    for given, folder in (({}, ".config/kaggle"), ({"KAGGLE_CONFIG_DIR": str(tmp_path / "other")}, "other")):
        environment = {"PATH": "", "HOME": str(tmp_path), "PYTHONPATH": str(project), **given}
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, env=environment, timeout=60
        )
        assert done.stdout == f"{tmp_path / folder} {tmp_path / folder / 'kaggle.json'}\n", done.stderr
    assert not (tmp_path / ".config").exists()
