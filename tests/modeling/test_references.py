"""Names of backbones: what is certainly none is refused at once, with the name that was meant."""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import kit
from kit.errors import ModelError
from kit.modeling.references import refuse_unknown


@pytest.fixture(autouse=True)
def _offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        (
            "klue-bret",
            "klue-bret: is no preset, no folder and no hub id (owner/name); did you mean klue-bert?",
        ),
        (
            "koelektra",
            "koelektra: is no preset, no folder and no hub id (owner/name); did you mean koelectra?",
        ),
        ("zzz", "zzz: is no preset, no folder and no hub id (owner/name); presets: kcbert, "),
        ("mine", "did you mean models/mine?"),
        ("models/mien", "models/mien: no such folder; did you mean models/mine?"),
        ("modles/sub/mine", "modles/sub/mine: no such folder; did you mean models/sub/mine?"),
        ("./zzz", "./zzz: no such folder; check the path"),
    ],
)
def test_what_is_certainly_no_model_is_refused(reference: str, message: str) -> None:
    for name in ("models/mine", "models/sub/mine"):
        Path(name).mkdir(parents=True)
    with pytest.raises(ModelError) as caught:
        refuse_unknown(reference)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "reference",
    [
        "klue-bert",
        "folder",
        "bert-base-multilingual-cased",
        "gpt2",
        "xlm-roberta-base",
        "owner/model",
        "cached",
    ],
)
def test_what_may_be_a_model_is_opened(reference: str, tmp_path: Path) -> None:
    Path("folder").mkdir()
    (tmp_path / "cache" / "models--cached").mkdir(parents=True)
    refuse_unknown(reference)


class Hub(http.server.BaseHTTPRequestHandler):
    """A hub that has the models of one owner."""

    def do_GET(self) -> None:
        owner = self.path.removeprefix("/api/models/").split("/")[0]
        there = owner == "owner"
        body = json.dumps({"id": "owner/model", "tags": [], "siblings": [], "sha": "a" * 40}).encode()
        self.send_response(200 if there else 404)
        if not there:
            self.send_header("X-Error-Code", "RepoNotFound")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_misspelt_name_fails_before_torch_and_the_data(endpoint: str, tmp_path: Path) -> None:
    """In a new process: the import of torch alone takes longer than all this."""
    code = (
        "import sys; from kit.cli import main\n"
        "try: main()\n"
        "finally: print('LOADED', sorted({'torch', 'transformers'} & set(sys.modules)))"
    )
    environment = {**os.environ, "HF_ENDPOINT": endpoint, "HF_HOME": str(tmp_path / "home")}
    environment.pop("HF_HUB_OFFLINE", None)
    for words, message in (
        (["train", "klue-bret", "--data", "none.json", "--run", "r"], "did you mean klue-bert?"),
        (["train", "klue/bert-bse", "--data", "none.json", "--run", "r"], "did you mean klue/bert-base?"),
        (
            ["sweep", "nobody/model", "--data", "x", "--run", "r", "--range", "lr=1e-5:1e-4"],
            "check the spelling",
        ),
        (["doctor", "kcbret"], "did you mean kcbert?"),
        (["train", "owner/model", "--data", "none.json", "--run", "r"], "none.json: there is no such file"),
    ):
        done = subprocess.run(
            [sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=60, env=environment
        )
        assert done.returncode == 1, done.stderr
        assert message in done.stderr
        assert done.stdout.endswith("LOADED []\n")


def test_a_kernel_takes_a_data_set_of_kaggle_and_no_misspelt_preset(tmp_path: Path) -> None:
    refuse_unknown("/kaggle/input/my-model", ask_hub=False)
    with pytest.raises(ModelError, match=r"did you mean klue-bert\?"):
        kit.push_kernel("klue-brt", run_name="five", out=tmp_path / "kernel")
