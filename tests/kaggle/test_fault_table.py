"""What users of the real Kaggle met: for each its line, exit code, ledger, and the submissions recorded."""

from __future__ import annotations

import json
import shutil
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

import kit
from kit.cli import main
from kit.errors import ClientVersionError, NetworkError
from kit.kaggle.network import BUNDLES
from kit.submission.csv import write_submission
from kit.submission.ledger import NOT_SENT, OPEN, Ledger
from tests.kaggle.proxy import refusing
from tests.kaggle.server import Fault, Kaggle, running
from tests.kaggle.serving_competitions import show
from tests.kaggle.serving_submissions import records

SLUG = "k-digital-goorm-2-korean-mrc"
HERE = {"k_digital_goorm_2_korean_mrc": True, "titanic": True, "another": True}
"""What the account has entered: SLUG and two more."""
NOT_ENTERED = HERE | {"k_digital_goorm_2_korean_mrc": False}
KEY = "0123456789abcdef0123456789abcdef"
TOKEN = f"KGAT_{KEY}"
PARTICIPATE = "Permission 'competitions.participate' was denied"
VERSION = "kaggle 2.2"


@dataclass(frozen=True)
class Row:
    """One fault of `kit submit`.

    says, never: what its standard error holds, and what it does not; ledger: the statuses of its entries;
    recorded: submissions on the server; methods: which were asked ("" for any)
    """

    name: str
    arrange: Callable[[Kaggle, pytest.MonkeyPatch, Path], object]
    says: tuple[str, ...]
    never: tuple[str, ...] = ("try again later",)
    words: tuple[str, ...] = ()
    code: int = 1
    ledger: tuple[str, ...] = ()
    recorded: int = 0
    asked: bool = True


def _denied(
    slug_seen: dict[str, bool], *fault: object, method: str = "ListSubmissions", reason: str = ""
) -> Callable[..., None]:
    def arrange(kaggle: Kaggle, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
        show(kaggle, **slug_seen)
        kaggle.fail(method, Fault("status", *fault, reason=reason))  # type: ignore[arg-type]

    return arrange


def _environment(**variables: str) -> Callable[..., None]:
    def arrange(kaggle: Kaggle, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
        for name in ("KAGGLE_USERNAME", "KAGGLE_KEY"):
            monkeypatch.delenv(name)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return arrange


def _file(name: str, content: str | bytes) -> Callable[..., None]:
    def arrange(kaggle: Kaggle, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
        _environment()(kaggle, monkeypatch, home)
        path = home / ".kaggle" / name
        path.parent.mkdir()
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        path.chmod(0o600)

    return arrange


def _answers(method: str, body: dict[str, object]) -> Callable[..., None]:
    """*method* answers with what this client cannot read."""

    def arrange(kaggle: Kaggle, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
        monkeypatch.setitem(Kaggle.methods, method, lambda server, asked: body)

    return arrange


def _lacks(name: str) -> Callable[..., None]:
    """The installed client has no such method."""

    def arrange(kaggle: Kaggle, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
        from kit.kaggle.import_client import kaggle_api_class

        monkeypatch.delattr(kaggle_api_class(), name)

    return arrange


TOKENS = ("belongs into ~/.kaggle/access_token or KAGGLE_API_TOKEN",)
KEYS = ("belongs into ~/.kaggle/kaggle.json, or KAGGLE_USERNAME and KAGGLE_KEY",)
TABLE = [
    Row(
        "misspelt, participate denied",
        _denied(HERE, 403, PARTICIPATE),
        (f"check the spelling of the slug; this account has entered {SLUG}", PARTICIPATE),
        ("rules",),
        words=("--competition", "k-digital-goorm-22-korean-mrc"),
    ),
    Row(
        "misspelt, get denied",
        _denied(HERE, 403, "Permission 'competitions.get' was denied"),
        ("shows this account no competition titanik", "has entered titanic", "competitions.get"),
        ("rules",),
        words=("--competition", "titanik"),
    ),
    Row(
        "misspelt, no reason, and a word that rules have",
        _denied(HERE, 403, "Cannot accept this request"),
        ("check the spelling of the slug; this account has entered titanic", "Cannot accept this request"),
        ("rules",),
        words=("--competition", "titanik"),
    ),
    Row(
        "misspelt, 404",
        _denied(HERE, 404, "Not found"),
        ("no competition titanik (404, Kaggle: Not found)", "has entered titanic"),
        ("rules",),
        words=("--competition", "Titanik"),
    ),
    Row(
        "nothing like it was entered",
        _denied({"zzz": True}, 403, PARTICIPATE),
        (f"no competition {SLUG}", "check the spelling of the slug, and that this account may see"),
        ("rules", "zzz"),
    ),
    Row(
        "rules not accepted, by permission",
        _denied(NOT_ENTERED, 403, PARTICIPATE),
        (f"the rules of {SLUG} are not accepted yet (Kaggle: {PARTICIPATE})", f"/c/{SLUG}/rules"),
        ("spelling",),
    ),
    Row(
        "rules not accepted, at the last step",
        _denied(NOT_ENTERED, 403, "Forbidden", method="CreateSubmission", reason="X_Y"),
        ("are not accepted yet (Kaggle: Forbidden [X_Y])",),
        ("spelling",),
        ledger=(NOT_SENT,),
    ),
    Row(
        "entered, and refused for another reason",
        _denied(HERE, 403, "This competition does not accept submissions any more"),
        ("which this account has entered", "does not accept submissions any more"),
        ("rules", "spelling"),
    ),
    Row(
        "a 400 with the word daily",
        _denied(HERE, 400, "The daily export must be a CSV", method="CreateSubmission"),
        ("The daily export must be a CSV",),
        ("no submission is left",),
        ledger=(NOT_SENT,),
    ),
    Row(
        "a limit that only the last step knew",
        lambda kaggle, patch, home: (
            kaggle.fail("GetSubmissionLimits", *[Fault("status", 503)] * 4),
            kaggle.state.update(left=0),
        ),
        (
            "how many submissions are left today is not known",
            "no submission is left today",
            "Kaggle: You have reached",
        ),
        (),
        ledger=(NOT_SENT,),
    ),
    # Tokens in the wrong place or form.
    Row(
        "BOM",
        _file("access_token", b"\xef\xbb\xbf" + TOKEN.encode()),
        ("byte order mark", "plain UTF-8"),
        asked=False,
    ),
    Row("UTF-16", _file("access_token", TOKEN.encode("utf-16")), ("is saved as UTF-16",), asked=False),
    Row(
        "UTF-16 without a mark",
        _file("access_token.txt", TOKEN.encode("utf-16-le")),
        ("is saved as UTF-16",),
        asked=False,
    ),
    Row(
        "quotes",
        _environment(KAGGLE_API_TOKEN=f'"{TOKEN}"'),
        ("KAGGLE_API_TOKEN: is in quotation marks",),
        asked=False,
    ),
    Row("typographic quotes", _file("access_token", f"“{TOKEN}”"), ("is in quotation marks",), asked=False),
    Row(
        "export", _file("access_token", f"export KAGGLE_API_TOKEN={TOKEN}"), ("is a shell line",), asked=False
    ),
    Row(
        "set",
        _environment(KAGGLE_API_TOKEN=f"set KAGGLE_API_TOKEN={TOKEN}"),
        ("is a shell line",),
        asked=False,
    ),
    Row(
        "PowerShell",
        _file("access_token", f'$env:KAGGLE_API_TOKEN = "{TOKEN}"'),
        ("is a shell line",),
        asked=False,
    ),
    Row(
        "an env file",
        _file("access_token", f"# mine\nKAGGLE_API_TOKEN={TOKEN}\n"),
        ("is a shell line",),
        asked=False,
    ),
    Row(
        "a header",
        _environment(KAGGLE_API_TOKEN=f"Bearer {TOKEN}"),
        ("is a header with its scheme",),
        asked=False,
    ),
    Row(
        "two lines",
        _file("access_token", f"{TOKEN}\n{TOKEN}\n"),
        ("has white space or a line break inside",),
        asked=False,
    ),
    Row("invisible", _environment(KAGGLE_API_TOKEN=f"\u200b{TOKEN}"), ("invisible",), asked=False),
    Row("empty", _file("access_token", " \n"), ("access_token: is empty",), asked=False),
    Row(
        "a path",
        _environment(KAGGLE_API_TOKEN="~/.kaggle/nowhere"),
        ("is a path, and no file is there",),
        asked=False,
    ),
    Row(
        "JSON of a key",
        _file("access_token", json.dumps({"username": "person", "key": KEY})),
        KEYS,
        asked=False,
    ),
    Row(
        "other JSON",
        _file("access_token", json.dumps({"token": TOKEN})),
        ("is JSON; put the token alone there",),
        asked=False,
    ),
    Row(
        "a legacy key as token",
        _environment(KAGGLE_API_TOKEN=KEY),
        ("KAGGLE_API_TOKEN: is a legacy key", *KEYS),
        asked=False,
    ),
    Row("user:key as token", _file("access_token", f"person:{KEY}"), ("is a legacy key", *KEYS), asked=False),
    Row(
        "a token as key",
        _environment(KAGGLE_USERNAME="person", KAGGLE_KEY=TOKEN),
        ("KAGGLE_KEY: the key is an access token", *TOKENS),
        asked=False,
    ),
    Row(
        "a token in kaggle.json",
        _file("kaggle.json", json.dumps({"username": "person", "key": TOKEN})),
        ("kaggle.json: the key is an access token", *TOKENS),
        asked=False,
    ),
    Row(
        "kaggle.json is a token", _file("kaggle.json", TOKEN), ("holds an access token", *TOKENS), asked=False
    ),
    Row(
        "kaggle.json is a list",
        _file("kaggle.json", json.dumps(["person", KEY])),
        ("is a JSON list",),
        asked=False,
    ),
    Row(
        "kaggle.json with a BOM",
        _file("kaggle.json", json.dumps({"username": "person", "key": KEY}).encode("utf-8-sig")),
        ("byte order mark",),
        asked=False,
    ),
    Row(
        "no username",
        _file("kaggle.json", json.dumps({"key": KEY})),
        ("kaggle.json: the username is missing",),
        asked=False,
    ),
    Row("neither", _file("kaggle.json", "{}"), ('has neither "username" nor "key"',), asked=False),
    Row(
        "swapped",
        _file("kaggle.json", json.dumps({"username": KEY, "key": "person"})),
        ("user name and key are swapped",),
        asked=False,
    ),
    Row(
        "swapped variables",
        _environment(KAGGLE_USERNAME=KEY, KAGGLE_KEY="person"),
        ("KAGGLE_USERNAME and KAGGLE_KEY: user name and key are swapped",),
        asked=False,
    ),
    Row(
        "an e-mail address",
        _environment(KAGGLE_USERNAME="person@example.org", KAGGLE_KEY=KEY),
        ("is an e-mail address",),
        asked=False,
    ),
    Row(
        "a quoted key",
        _environment(KAGGLE_USERNAME="person", KAGGLE_KEY=f"'{KEY}'"),
        ("the key is in quotation marks",),
        asked=False,
    ),
    # The client's version.
    Row(
        "a status it does not know",
        _answers("ListSubmissions", {"submissions": [{"ref": 1, "status": "POSTPONED"}]}),
        ("POSTPONED", VERSION, "too old or too new"),
    ),
    Row(
        "a call it does not have",
        _lacks("competition_get_submission_limits"),
        ("is not known", VERSION, "too old or too new"),
        code=0,
        ledger=("pending",),
        recorded=1,
    ),
    Row(
        "limits that Kaggle does not give",
        lambda kaggle, patch, home: kaggle.fail("GetSubmissionLimits", Fault("status", 501, "Unimplemented")),
        ("is not known", "too old or too new"),
        code=0,
        ledger=("pending",),
        recorded=1,
    ),
    Row(
        "limits that may not be seen",
        _denied(HERE, 404, "Not found", method="GetSubmissionLimits"),
        ("is not known",),
        code=0,
        ledger=("pending",),
        recorded=1,
    ),
    # What Kaggle may have recorded.
    Row(
        "429, recorded",
        lambda kaggle, patch, home: kaggle.fail(
            "CreateSubmission", Fault("status", 429, "Slow", recorded=True)
        ),
        ("signed in",),
        code=0,
        ledger=("pending",),
        recorded=1,
    ),
    Row(
        "408, not recorded",
        lambda kaggle, patch, home: kaggle.fail("CreateSubmission", Fault("status", 408, "Timeout")),
        ("was sent, but the answer was lost",),
        (),
        ledger=(OPEN,),
    ),
]


@pytest.fixture
def csv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A CSV for three questions, and the sample submission that names them."""
    place = tmp_path / "work"
    place.mkdir()
    monkeypatch.chdir(place)
    write_submission(Path("data/goorm-2/sample_submission.csv"), ["a", "b", "c"], ["", "", ""])
    write_submission(Path("submissions/one.csv"), ["a", "b", "c"], ["서울", "", "부산, 대구"])
    return Path("submissions/one.csv")


def kit_submit(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """`kit submit` of the CSV; its exit code."""
    monkeypatch.setattr(
        sys, "argv", ["kit", "submit", "submissions/one.csv", "--message", "x", "--no-wait", *words]
    )
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_its_line_its_code_its_ledger_and_nothing_twice(
    kaggle: Kaggle, csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], row: Row
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        row.arrange(kaggle, patch, tmp_path)
        code = kit_submit(patch, *row.words)
    output = capsys.readouterr()
    assert code == row.code, output.err
    assert "Traceback" not in output.err
    last = output.err.splitlines()[-1]
    assert last.startswith("error: ") == bool(row.code)
    said = last if row.code else output.err
    if row.name == "a limit that only the last step knew":
        said = output.err
    assert [one for one in row.says if one not in said] == [], output.err
    assert [one for one in row.never if one in last] == [], last
    assert not (code and output.out)
    assert KEY not in output.err + output.out
    assert [entry.status for entry in Ledger().entries()] == list(row.ledger)
    assert len(records(kaggle)) == row.recorded
    assert bool(kaggle.calls) == row.asked
    # Once all is well again, the same command ends with one submission.
    shutil.rmtree(tmp_path / ".kaggle", ignore_errors=True)
    kaggle.faults.clear()
    kaggle.state.pop("left", None)
    show(kaggle, **HERE)
    with pytest.MonkeyPatch.context() as patch:
        assert kit_submit(patch) == 0
    assert len(records(kaggle)) == 1


def test_a_misspelt_download_names_what_was_entered(
    kaggle: Kaggle, csv: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    show(kaggle, **HERE)
    kaggle.fail("ListDataFiles", Fault("status", 403, PARTICIPATE))
    monkeypatch.setattr(sys, "argv", ["kit", "download", "https://www.kaggle.com/c/Titanic2/data"])
    with pytest.raises(SystemExit):
        main()
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: listing files: Kaggle shows this account no competition titanic2 (403, ")
    assert line.endswith("check the spelling of the slug; this account has entered titanic")
    assert [call.method for call in kaggle.calls] == [
        "ListDataFiles", "ListCompetitions", "ListCompetitions", "GetCompetition", "ListCompetitions",
    ]  # fmt: skip
    assert not Path("data/titanic2").exists()


def test_a_kernel_state_that_the_client_does_not_know(
    kaggle: Kaggle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(Kaggle.methods, "GetKernelSessionStatus", lambda server, asked: {"status": "ASLEEP"})
    with pytest.raises(ClientVersionError, match="ASLEEP") as error:
        kit.kernel_status("person/kit-five")
    assert VERSION in str(error.value)
    assert kaggle.count("GetKernelSessionStatus") == 1  # no retry helps


# ---- certificates and proxies


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1 in one PEM file with its key."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("certificate")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", "key.pem", "-out", "certificate.pem"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    whole = folder / "both.pem"
    whole.write_text((folder / "key.pem").read_text() + (folder / "certificate.pem").read_text())
    return whole


@contextmanager
def encrypted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kaggle]:
    """A server behind TLS, to which the kit is pointed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    for name in BUNDLES:
        monkeypatch.delenv(name, raising=False)
    with running(context) as server:
        monkeypatch.setenv("KIT_KAGGLE_ENDPOINT", server.endpoint)
        yield server


def one_error(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    assert kit_submit(monkeypatch) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert "Traceback" not in output.err
    assert not Ledger().entries()
    last = output.err.splitlines()[-1]
    assert "try again later" not in last
    return last


def test_a_certificate_that_nobody_knows_names_the_variable(
    kaggle: Kaggle,
    csv: Path,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with encrypted(certificate, monkeypatch) as server:
        said = one_error(monkeypatch, capsys)
        assert (
            f"the certificate of {server.endpoint.removeprefix('https://')} is not trusted (self-signed"
            in said
        )
        assert said.endswith("set REQUESTS_CA_BUNDLE to the PEM file of its CA")
        assert not server.calls
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
        assert kit_submit(monkeypatch) == 0
        assert len(records(server)) == 1


def test_a_bundle_that_cannot_help_is_named(
    kaggle: Kaggle,
    csv: Path,
    certificate: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    import certifi

    empty = tmp_path / "empty.pem"
    empty.write_text("no certificate\n")
    with encrypted(certificate, monkeypatch) as server:
        for variable, bundle, says in (
            ("REQUESTS_CA_BUNDLE", str(tmp_path / "nowhere.pem"), "there is no such file"),
            ("CURL_CA_BUNDLE", str(tmp_path / "nowhere.pem"), "there is no such file"),
            ("REQUESTS_CA_BUNDLE", str(empty), "holds no certificate"),
            ("REQUESTS_CA_BUNDLE", certifi.where(), "lacks the CA that signed it"),
        ):
            with monkeypatch.context() as patch:
                patch.setenv(variable, bundle)
                said = one_error(patch, capsys)
            assert f"{variable}={bundle}" in said
            assert says in said
        assert not server.calls


def test_a_server_that_speaks_no_tls_is_not_waited_for(
    kaggle: Kaggle, csv: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KIT_KAGGLE_ENDPOINT", kaggle.endpoint.replace("http:", "https:"))
    assert "the encrypted connection to 127.0.0.1" in one_error(monkeypatch, capsys)


def behind(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have everything go through *proxy*."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, proxy)
        monkeypatch.setenv(name.upper(), proxy)


@pytest.mark.parametrize(
    ("scheme", "status", "says"),
    [
        ("http", 407, "it wants a user name and a password"),
        ("https", 407, "it wants a user name and a password"),
        ("https", 403, "ask who runs it"),  # without encryption it would look like the server's own answer
    ],
)
def test_the_proxy_refuses_not_kaggle(
    kaggle: Kaggle, csv: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    scheme: str, status: int, says: str,
) -> None:  # fmt: skip
    monkeypatch.setenv("KIT_KAGGLE_ENDPOINT", f"{scheme}://kaggle.invalid")
    with refusing(status) as proxy:
        behind(proxy.address.replace("://", "://someone:hidden@"), monkeypatch)
        said = one_error(monkeypatch, capsys)
    assert f"the proxy refused the connection to kaggle.invalid with {status}" in said
    assert "not Kaggle" in said
    assert says in said
    assert "hidden" not in said
    assert proxy.asked == ["CONNECT" if scheme == "https" else "POST"]  # once: no retry helps


@pytest.mark.parametrize(
    "proxy",
    ["http://127.0.0.1:9", "socks5://127.0.0.1:9", "http://:9"],
    ids=["unreachable", "socks", "malformed"],
)
def test_a_proxy_that_cannot_be_used_is_named(
    kaggle: Kaggle, csv: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], proxy: str
) -> None:
    monkeypatch.setenv("KIT_KAGGLE_ENDPOINT", "https://kaggle.invalid")
    behind(proxy, monkeypatch)
    said = one_error(monkeypatch, capsys)
    assert f"HTTPS_PROXY={proxy} cannot be used" in said
    assert not kaggle.calls


def test_korquads_site_behind_the_same_network(
    kaggle: Kaggle, csv: Path, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with encrypted(certificate, monkeypatch) as server:
        monkeypatch.setenv("KIT_KORQUAD_URL", server.endpoint)
        with pytest.raises(NetworkError, match=r"is not trusted .*REQUESTS_CA_BUNDLE"):
            kit.download("korquad", quiet=True)
        with monkeypatch.context() as patch:
            patch.setenv("REQUESTS_CA_BUNDLE", "/nowhere.pem")
            with pytest.raises(NetworkError, match=r"=/nowhere\.pem: there is no such file"):
                kit.download("korquad", quiet=True)
        assert not server.calls
    with refusing(407) as proxy:
        behind(proxy.address, monkeypatch)
        for scheme in ("http", "https"):
            monkeypatch.setenv("KIT_KORQUAD_URL", f"{scheme}://korquad.invalid")
            with pytest.raises(
                NetworkError, match=r"the proxy refused the connection to korquad\.invalid with 407"
            ):
                kit.download("korquad", quiet=True)
    assert proxy.asked == ["GET", "CONNECT"]
