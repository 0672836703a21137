"""Backbones: limits are read from tables, and what cannot be used is refused in one line."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BigBirdConfig,
    DebertaV2Config,
    ElectraConfig,
    RobertaConfig,
    XLMRobertaConfig,
)

from kit.errors import ModelError
from kit.modeling.backbones import Limits, _limits, load_weights, open_backbone
from kit.modeling.presets import PRESETS
from tests.commands import run_program
from tools.chaos.processes import Done, ForkServer


class Length:
    """As much of a tokenizer as the limits ask for."""

    def __init__(self, model_max_length: int = 10**30, tokens: int = 10) -> None:
        self.model_max_length, self._tokens = model_max_length, tokens

    def __len__(self) -> int:
        return self._tokens


SMALL = {
    "num_hidden_layers": 1,
    "hidden_size": 8,
    "num_attention_heads": 1,
    "intermediate_size": 8,
    "vocab_size": 50,
}


ROBERTA = {"max_position_embeddings": 514, "type_vocab_size": 1, "pad_token_id": 1, **SMALL}
DEBERTA = {"max_position_embeddings": 256, "position_biased_input": False, "type_vocab_size": 0, **SMALL}


@pytest.mark.parametrize(
    ("config", "tokenizer", "expected"),
    [
        (BertConfig(max_position_embeddings=512, **SMALL), Length(), Limits(512, True)),
        (BertConfig(max_position_embeddings=300, **SMALL), Length(300), Limits(300, True)),
        (BertConfig(max_position_embeddings=512, **SMALL), Length(128), Limits(128, True)),
        (RobertaConfig(**ROBERTA), Length(), Limits(512, False)),
        (XLMRobertaConfig(**ROBERTA), Length(512), Limits(512, False)),
        (ElectraConfig(embedding_size=8, **SMALL), Length(), Limits(512, True)),
        (DebertaV2Config(**DEBERTA), Length(), Limits(256, False)),
        (BigBirdConfig(**SMALL), Length(4096), Limits(4096, True)),
    ],
)  # fmt: skip
def test_limits_come_from_the_embedding_tables(config: object, tokenizer: Length, expected: Limits) -> None:
    assert _limits("x", config, tokenizer, False) == expected


def test_klue_robertas_usable_length_is_two_less_than_its_table() -> None:
    config = RobertaConfig(max_position_embeddings=512, type_vocab_size=1, pad_token_id=1, **SMALL)
    assert _limits("x", config, Length(), False).positions == 510
    assert PRESETS["klue-roberta"].max_length == 510


def test_the_limit_is_where_the_model_really_ends() -> None:
    from transformers import RobertaModel

    config = RobertaConfig(max_position_embeddings=20, type_vocab_size=1, pad_token_id=1, **SMALL)
    model = RobertaModel(config)
    usable = _limits("x", config, Length(), False).positions
    model(torch.full((1, usable), 5))
    with pytest.raises((IndexError, RuntimeError)):
        model(torch.full((1, usable + 1), 5))


def test_a_tokenizer_with_more_tokens_than_embeddings_is_refused() -> None:
    with pytest.raises(ModelError, match="the tokenizer has 51 tokens, the model 50 embeddings"):
        _limits("x", BertConfig(**SMALL), Length(tokens=51), False)


def test_kcbert_has_300_positions(shared: Path) -> None:
    assert open_backbone(str(shared / "tokenizers" / "kcbert")).limits == Limits(300, True)


def test_a_model_without_token_type_ids_gets_none(shared: Path) -> None:
    backbone = open_backbone(str(shared / "models" / "e5-small-ko"))
    assert "token_type_ids" not in backbone.tokenizer.model_input_names


def test_float16_files_are_loaded_in_float32(shared: Path) -> None:
    model = load_weights(open_backbone(str(shared / "models" / "e5-small-wp")), head_needed=False)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


def test_a_checkpoint_without_a_head_cannot_predict(wordpiece_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "headless"
    shutil.copytree(wordpiece_folder, folder)
    BertForMaskedLM(BertConfig.from_pretrained(folder)).save_pretrained(folder)
    backbone = open_backbone(str(folder))
    with pytest.raises(ModelError, match=r"has no question-answering head .*train it first: kit train"):
        load_weights(backbone, head_needed=True)
    assert load_weights(backbone, head_needed=False) is not None


def test_only_a_pickle_is_refused(wordpiece_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pickled"
    shutil.copytree(wordpiece_folder, folder)
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"only pytorch_model.bin, a pickle, which can run code"):
        load_weights(open_backbone(str(folder)), head_needed=False)


def test_remote_code_is_refused(wordpiece_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "remote"
    shutil.copytree(wordpiece_folder, folder)
    config = json.loads((folder / "config.json").read_text())
    config["auto_map"] = {"AutoConfig": "evil.Config", "AutoModelForQuestionAnswering": "evil.Model"}
    config["model_type"] = "of-its-own"
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "evil.py").write_text("raise SystemExit('ran')")
    with pytest.raises(ModelError, match="trust-remote-code"):
        open_backbone(str(folder))


@pytest.mark.parametrize(
    ("damage", "part"),
    [
        (lambda folder: (folder / "config.json").unlink(), "holds no config.json"),
        (lambda folder: (folder / "config.json").write_text("{"), "cannot be loaded"),
        (lambda folder: (folder / "tokenizer.json").write_text("{}"), "cannot be loaded"),
        (lambda folder: os.truncate(folder / "model.safetensors", 1000), "cannot be loaded"),
    ],
)
def test_a_damaged_folder_is_one_line(wordpiece_folder: Path, tmp_path: Path, damage, part: str) -> None:  # type: ignore[no-untyped-def]
    folder = tmp_path / "damaged"
    shutil.copytree(wordpiece_folder, folder)
    damage(folder)
    with pytest.raises(ModelError, match=part) as caught:
        load_weights(open_backbone(str(folder)), head_needed=False)
    assert "\n" not in str(caught.value)


def test_a_file_and_a_missing_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ModelError, match="is a file; give the model's folder"):
        open_backbone(str(tmp_path / "file"))
    with pytest.raises(ModelError, match="no such folder; check the path"):
        open_backbone(str(tmp_path / "none"))


class Hub(http.server.BaseHTTPRequestHandler):
    """As much of a model hub as a download touches; how it behaves depends on the model's owner."""

    files: Path

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        owner = self.path.removeprefix("/api/models").strip("/").split("/")[0]
        name = self.path.rsplit("/", 1)[-1].split("?")[0]
        if owner == "missing":
            self._answer(404, b"{}", {"X-Error-Code": "RepoNotFound"})
        elif "/tree/" in self.path:
            listing = [
                {"type": "file", "path": path.name, "size": 1, "oid": "a"} for path in self.files.iterdir()
            ]
            self._answer(200, json.dumps(listing).encode(), {})
        elif self.path.startswith("/api/models/"):
            body = {
                "id": f"{owner}/model",
                "modelId": f"{owner}/model",
                "tags": [],
                "siblings": [],
                "sha": "a" * 40,
            }
            self._answer(200, json.dumps(body).encode(), {})
        elif owner == "gated":
            self._answer(403, b"{}", {"X-Error-Code": "GatedRepo"})
        elif (self.files / name).is_file():
            content = (self.files / name).read_bytes()
            cut = owner == "torn" and name == "model.safetensors" and self.command == "GET"
            headers = {"ETag": f'"{name}"', "X-Repo-Commit": "a" * 40, "Content-Length": str(len(content))}
            self._answer(200, content[: len(content) // 2] if cut else content, headers)
        else:
            self._answer(404, b"", {"X-Error-Code": "EntryNotFound"})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for key, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(key, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


NOWHERE = {"http_proxy": "http://127.0.0.1:9", "no_proxy": "", "NO_PROXY": ""}
"""The environment in which nothing can be reached."""
Fetch = Callable[..., Done]


@pytest.fixture(scope="module")
def hub_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hub")


@pytest.fixture(scope="module")
def fetch(wordpiece_folder: Path, hub_cache: Path) -> Iterator[Fetch]:
    """Open and load a model in a process of its own, whose only hub is on loopback."""
    handler = type("Handler", (Hub,), {"files": wordpiece_folder})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    known = {
        "HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
        "HF_HOME": str(hub_cache),
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_OFFLINE": None,
    }
    modules = ("kit.modeling.backbones", "transformers.models.bert.modeling_bert")
    with ForkServer(modules, known) as process:

        def fetched(model: str, **environment: str) -> Done:
            whole = {**os.environ, **environment}
            whole.pop("HF_HUB_OFFLINE", None)
            return process.undisturbed([model], hub_cache, whole, program="tests.modeling.fetching")

        yield fetched
    server.shutdown()
    server.server_close()


@pytest.mark.slow
def test_a_hub_model_is_fetched_and_then_works_without_the_hub(fetch: Fetch) -> None:
    assert fetch("owner/model").out.strip() == "loaded"
    gone = fetch("owner/model", **NOWHERE)
    assert gone.out.strip() == "loaded", gone.err
    assert "not reachable" in fetch("owner/another", **NOWHERE).out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "part"),
    [
        (
            "missing/model",
            "no model missing/model on the Hugging Face hub; check the spelling (presets: kcbert,",
        ),
        ("gated/model", "gated/model is gated; accept its terms at https://huggingface.co/gated/model"),
    ],
)
def test_gated_and_misspelled_models_say_so(fetch: Fetch, model: str, part: str) -> None:
    said = fetch(model).out.strip()
    assert part in said
    assert "\n" not in said


@pytest.mark.slow
def test_without_a_hub_it_says_so_at_once(fetch: Fetch) -> None:
    result = fetch("klue-bert", **NOWHERE)
    assert "klue/bert-base cannot be fetched: the Hugging Face hub is not reachable" in result.out
    assert "\n" not in result.out.strip()
    assert result.err == ""


def test_offline_mode_is_named(tmp_path: Path) -> None:
    # The process that it is forked from was started with this setting: it is read while importing.
    said = run_program("tests.modeling.fetching", "klue-bert", cwd=tmp_path, HF_HUB_OFFLINE="1").stdout
    assert "HF_HUB_OFFLINE is set; unset it or give a folder" in said


@pytest.mark.slow
def test_a_torn_download_is_not_taken_for_a_model(fetch: Fetch, hub_cache: Path) -> None:
    said = fetch("torn/model").out.strip()
    assert said != "loaded"
    place = hub_cache / "hub" / "models--torn--model"
    assert place.is_dir()
    assert not [path for path in place.rglob("snapshots/*/model.safetensors") if path.exists()]
