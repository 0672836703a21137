"""Model folders made to harm: pickles, code of their own, headers that lie.  Nothing of theirs ever runs."""

from __future__ import annotations

import contextlib
import json
import pickle
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

import kit.modeling.prediction  # noqa: F401  (torch once, before any fork)
from kit.errors import ModelError
from kit.modeling.backbones import load_weights, open_backbone
from kit.modeling.tiny import Shape, make_backbone
from tests.hostile.refusals import refused

CODE = """
from pathlib import Path

Path({marker!r}).touch()


class Config:
    model_type = "of-its-own"
"""


class Harm:
    """A pickle that does something when it is read."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.marker,)


@pytest.fixture(scope="module")
def _tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("backbone") / "tiny"
    texts = ["서울 부산 대구 인천 광주 대전 무엇?"] * 3
    make_backbone(folder, texts, "wordpiece", Shape(60, 16, 1, 2, 32, 64), seed=1)
    return folder


@pytest.fixture
def model(_tiny: Path, here: Path) -> Path:
    """A sound checkpoint called ``m`` beside the data."""
    return Path(shutil.copytree(_tiny, here / "m"))


def pickled(model: Path, harmed: Path) -> None:
    (model / "model.safetensors").unlink()
    (model / "pytorch_model.bin").write_bytes(pickle.dumps(Harm(harmed)))


def in_its_place(model: Path, harmed: Path) -> None:
    (model / "model.safetensors").write_bytes(pickle.dumps(Harm(harmed)))


def beside(model: Path, harmed: Path) -> None:
    in_its_place(model, harmed)
    (model / "pytorch_model.bin").write_bytes(pickle.dumps(Harm(harmed)))


def indexed(model: Path, harmed: Path) -> None:
    """Shards that an index names, and which are pickles, one of them outside the folder."""
    (model / "model.safetensors").unlink()
    (model.parent / "shard.bin").write_bytes(pickle.dumps(Harm(harmed)))
    index = {"metadata": {}, "weight_map": {"bert.x": "../shard.bin", "bert.y": "../shard.bin"}}
    (model / "model.safetensors.index.json").write_text(json.dumps(index))


def header(change: Callable[[dict[str, object]], object]) -> Callable[[Path, Path], None]:
    def lie(model: Path, harmed: Path) -> None:
        path = model / "model.safetensors"
        content = path.read_bytes()
        size = struct.unpack("<Q", content[:8])[0]
        text = json.dumps(change(json.loads(content[8 : 8 + size]))).encode()
        path.write_bytes(struct.pack("<Q", len(text)) + text + content[8 + size :])

    return lie


def longer(model: Path, harmed: Path) -> None:
    path = model / "model.safetensors"
    path.write_bytes(struct.pack("<Q", 1 << 62) + path.read_bytes()[8:])


def _stretched(tensors: dict[str, object]) -> object:
    name = next(name for name in tensors if name != "__metadata__")
    return {**tensors, name: {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 1 << 42]}}


WEIGHTS = {
    "only a pickle": (pickled, "has only pytorch_model.bin, a pickle, which can run code when read"),
    "a pickle of that name": (in_its_place, "cannot be loaded ("),
    "pickles of both names": (beside, "cannot be loaded ("),
    "shards that are pickles elsewhere": (
        indexed,
        "its index names '../shard.bin' as weights; the kit reads *.safetensors in the model's own folder",
    ),
    "a header longer than the file": (longer, "cannot be loaded ("),
    "a tensor longer than the file": (header(_stretched), "cannot be loaded ("),
    "no tensor at all": (header(lambda tensors: {}), "cannot be loaded ("),
    "nested deeply": (header(lambda tensors: {"__metadata__": {"a": "[" * 9999}}), "cannot be loaded ("),
}


@pytest.mark.parametrize("name", WEIGHTS)
def test_weights(here: Path, model: Path, name: str) -> None:
    spoil, says = WEIGHTS[name]
    harmed = here / "harmed"
    spoil(model, harmed)
    for trusted in (False, True):  # trusting its code is not trusting pickles
        with pytest.raises(ModelError) as caught:
            load_weights(open_backbone(str(model), trust_remote_code=trusted), head_needed=False)
        assert says in str(caught.value)
        assert "\n" not in str(caught.value)
    assert not harmed.exists()


def with_code(model: Path, marker: Path) -> None:
    config = json.loads((model / "config.json").read_text())
    config["auto_map"] = {"AutoConfig": "own.Config"}
    config["model_type"] = "of-its-own"
    (model / "config.json").write_text(json.dumps(config))
    (model / "own.py").write_text(CODE.format(marker=str(marker)))


def with_a_tokenizers_code(model: Path, marker: Path) -> None:
    config = json.loads((model / "tokenizer_config.json").read_text())
    config["auto_map"] = {"AutoTokenizer": [None, "own.Tokenizer"]}
    config["tokenizer_class"] = "Tokenizer"
    (model / "tokenizer_config.json").write_text(json.dumps(config))
    (model / "own.py").write_text(CODE.format(marker=str(marker)))


def test_code_of_its_own_runs_only_when_trusted(
    model: Path, here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path / "modules"))
    monkeypatch.setattr("sys.path", [str(tmp_path / "modules"), *__import__("sys").path])
    with_code(model, here / "ran")
    with pytest.raises(
        ModelError, match="brings code of its own; read it, then allow it with --trust-remote-code"
    ):
        open_backbone(str(model))
    assert not (here / "ran").exists()
    with pytest.raises(ModelError):  # it does run then, and is no model that could be used
        open_backbone(str(model), trust_remote_code=True)
    assert (here / "ran").exists()


def test_a_tokenizers_code_does_not_run(model: Path, here: Path) -> None:
    with_a_tokenizers_code(model, here / "ran")
    with contextlib.suppress(ModelError):  # or the tokenizer.json beside it is used
        open_backbone(str(model))
    assert not (here / "ran").exists()


@pytest.mark.parametrize("command", [["predict", "m", "--data", "t.json"],
                                     ["train", "m", "--data", "t.json", "--run", "runs/new"]])  # fmt: skip
@pytest.mark.parametrize("spoil", [pickled, in_its_place, longer, with_code])
def test_the_commands_refuse_them(
    here: Path, model: Path, command: list[str], spoil: Callable[[Path, Path], None]
) -> None:
    harmed = here / "harmed"
    spoil(model, harmed)
    says = refused(*command, cwd=here, notes=True, made="runs/new")
    assert says.startswith("m: ")
    assert not harmed.exists()
