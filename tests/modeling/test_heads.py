"""Heads that are fresh, bodies that are whole: what a checkpoint has, and what it lacks."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    CONFIG_MAPPING,
    AutoModel,
    AutoModelForQuestionAnswering,
    AutoModelForSequenceClassification,
    PegasusConfig,
    PegasusModel,
    ViTConfig,
    ViTModel,
)

from kit.errors import ModelError
from kit.files import sha256_file
from kit.modeling.backbones import load_weights, open_backbone
from kit.modeling.checkpoint_files import SPAN_HEAD_FILE, weights_sha256
from kit.modeling.heads import SpanReader, head_weights, read_weights
from kit.modeling.joint_head import JOINT_FILE
from tests.modeling.conftest import ARTICLES
from tools.families.tiny_models import make_family

HEADS = {
    "bert": "qa_outputs",
    "big_bird": "qa_classifier",
    "deberta": "qa_outputs",
    "deberta-v2": "qa_outputs",
    "electra": "qa_outputs",
    "flaubert": "qa_outputs",
    "funnel": "qa_outputs",
    "luke": "qa_outputs",
    "modernbert": "classifier",
    "mpnet": "qa_outputs",
    "bart": "qa_outputs",
    "led": "qa_outputs",
    "llama": "qa_outputs",
    "mt5 with CLS": "qa_outputs",
    "splinter": "splinter_qass",
    "xlm": "qa_outputs",
    "xlnet with CLS": "qa_outputs",
}
"""What the head of a family's question-answering class is called."""


@pytest.fixture(scope="module")
def families(tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    """The folder of a tiny model of a family, made once."""
    folder = tmp_path_factory.mktemp("families")

    def made(name: str) -> Path:
        if not (folder / name).exists():
            make_family(folder / name, name, ARTICLES * 3)
        return folder / name

    return made


def copied(folder: Path, to: Path) -> Path:
    return Path(shutil.copytree(folder, to / "copy"))


def inputs(folder: Path) -> dict[str, torch.Tensor]:
    pair = open_backbone(str(folder)).engine.encode("무엇인가?", ARTICLES[0])
    return {
        "input_ids": torch.tensor([pair.ids]),
        "attention_mask": torch.ones((1, len(pair)), dtype=torch.int64),
    }


@pytest.mark.parametrize("name", HEADS)
def test_what_the_base_model_has_not_is_the_head(families, name: str) -> None:  # type: ignore[no-untyped-def]
    folder = families(name)
    backbone = open_backbone(str(folder))
    loaded = read_weights(backbone)
    assert loaded.fresh
    assert {weight.split(".")[0] for weight in loaded.fresh} == {HEADS[name]}
    with pytest.raises(ModelError, match=rf"no question-answering head \({HEADS[name]}.* is missing\)"):
        load_weights(backbone, head_needed=True)


@pytest.mark.parametrize("name", ["bert", "modernbert", "t5 with CLS", "llama", "xlm", "deberta-v2"])
def test_the_body_is_that_of_the_file(families, name: str) -> None:  # type: ignore[no-untyped-def]
    """Also where the question-answering class calls its body otherwise than the file does."""
    folder = families(name)
    loaded = read_weights(open_backbone(str(folder)))
    body = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    reader = loaded.reader.eval()
    if reader.base_model is not reader:
        given = inputs(folder)
        assert torch.equal(reader.base_model(**given)[0], body(**given)[0])
    shared = {
        key.removeprefix(f"{reader.base_model_prefix}."): value for key, value in reader.state_dict().items()
    }
    same = [torch.equal(value, shared[key]) for key, value in body.state_dict().items() if key in shared]
    assert all(same)
    assert len(same) > 10


def test_a_saved_model_has_its_head(families, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    for name in ("big_bird", "modernbert", "splinter", "llama"):
        reader = read_weights(open_backbone(str(families(name)))).reader
        reader.save_pretrained(tmp_path / name)
        open_backbone(str(families(name))).tokenizer.save_pretrained(tmp_path / name)
        again = read_weights(open_backbone(str(tmp_path / name)))
        assert again.fresh == ()
        assert head_weights(again.reader) == head_weights(reader)
        for key, value in reader.state_dict().items():
            assert torch.equal(value, again.reader.state_dict()[key]), key


def without(folder: Path, part: str | tuple[str, ...]) -> str:
    """Take the first weight with this (or one of these) in its name out of the file; returns its name."""
    path, parts = folder / "model.safetensors", (part,) if isinstance(part, str) else part
    weights = load_file(path)
    name = next(key for key in sorted(weights) if any(one in key for one in parts))
    save_file({key: value for key, value in weights.items() if key != name}, path, metadata={"format": "pt"})
    return name


@pytest.mark.parametrize("name", ["bert", "big_bird", "modernbert", "t5 with CLS", "nomic_bert", "llama"])
def test_a_missing_weight_of_the_body_is_an_error(families, tmp_path: Path, name: str) -> None:  # type: ignore[no-untyped-def]
    folder = copied(families(name), tmp_path)
    layer = {"t5 with CLS": "layer.0.SelfAttention.q.weight", "nomic_bert": "layers.0.norm1.weight"}
    gone = without(folder, layer.get(name, ("layers.0.", "layer.0.")))
    with pytest.raises(
        ModelError, match=r"1 weight of the body missing from the file, first \S+; "
    ) as caught:
        read_weights(open_backbone(str(folder)))
    if name != "nomic_bert":  # whose files have other names
        assert f"first {gone}" in str(caught.value).replace("transformer.", "model.")
    assert str(caught.value).endswith("the checkpoint does not fit its config")


def test_code_that_was_not_run_is_named_as_the_cause(families, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    folder = copied(families("bert"), tmp_path)
    without(folder, "attention.self.query.weight")
    config = json.loads((folder / "config.json").read_text())
    config["auto_map"] = {"AutoConfig": "own.Config", "AutoModel": "own.Model"}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match=r"code of its own, which was not run; .* --trust-remote-code"):
        read_weights(open_backbone(str(folder)))


def test_a_pooler_is_not_missed(families, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """FNet's class has one that start and end do not depend on, and a file of pre-training may lack it."""
    folder = copied(families("fnet"), tmp_path)
    assert "pooler" in without(folder, "pooler.dense.weight")
    assert {name.split(".")[0] for name in read_weights(open_backbone(str(folder))).fresh} == {"qa_outputs"}


def test_a_body_of_another_shape_is_an_error(families, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    folder = copied(families("bert"), tmp_path)
    config = json.loads((folder / "config.json").read_text())
    config["intermediate_size"] = 48
    (folder / "config.json").write_text(json.dumps(config))
    said = r"bert\.\S+ is \(64,.*\), not \(48,.*\) as its config says \(\d+ weights in all do not fit\)"
    with pytest.raises(ModelError, match=said):
        read_weights(open_backbone(str(folder)))


@pytest.mark.parametrize(("name", "labels"), [("modernbert", 3), ("bert", 3), ("electra", 7)])
def test_a_classifiers_labels_are_no_outputs(families, tmp_path: Path, name: str, labels: int) -> None:  # type: ignore[no-untyped-def]
    """Most question-answering classes make as many outputs as the config has labels."""
    folder = copied(families(name), tmp_path)
    model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=labels)
    model.save_pretrained(folder)
    loaded = read_weights(open_backbone(str(folder)))
    assert {weight.split(".")[0] for weight in loaded.fresh} == {HEADS[name]}
    output = loaded.reader(**inputs(folder))
    assert output.start_logits.shape == output.end_logits.shape == inputs(folder)["input_ids"].shape


def test_shards_are_read_and_hashed(families, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    folder = copied(families("bert"), tmp_path)
    whole = read_weights(open_backbone(str(folder))).reader
    whole.save_pretrained(folder, max_shard_size="40KB")
    (folder / "model.safetensors").unlink(missing_ok=True)
    shards = sorted(folder.glob("model-*.safetensors"))
    assert len(shards) > 2
    loaded = read_weights(open_backbone(str(folder)))
    assert loaded.fresh == ()
    for key, value in whole.state_dict().items():
        assert torch.equal(value, loaded.reader.state_dict()[key])
    before = weights_sha256(folder)
    weights = load_file(shards[0])
    save_file({key: value + 1 for key, value in weights.items()}, shards[0], metadata={"format": "pt"})
    assert weights_sha256(folder) != before


# ---- the kit's own head


@pytest.mark.parametrize("name", ["nomic_bert", "eurobert", "gte"])
def test_the_kits_own_head_loads_again(families, tmp_path: Path, name: str) -> None:  # type: ignore[no-untyped-def]
    if name not in CONFIG_MAPPING:
        pytest.skip(f"this transformers knows no {name}")
    folder = families(name)
    backbone = open_backbone(str(folder))
    torch.manual_seed(1)
    model = load_weights(backbone, head_needed=False, head="joint").eval()
    torch.nn.init.normal_(model.head.end.weight)  # fresh it is 0 everywhere
    saved = tmp_path / "saved"
    model.save_pretrained(saved)
    backbone.tokenizer.save_pretrained(saved)
    assert (saved / SPAN_HEAD_FILE).is_file()
    assert not list(saved.glob("*.py"))
    again = load_weights(open_backbone(str(saved)), head_needed=True).eval()
    given = inputs(folder)
    with torch.no_grad():
        one, other = model(**given), again(**given)
    assert torch.equal(one.start_logits, other.start_logits)
    assert torch.equal(one.end_logits, other.end_logits)
    assert torch.equal(one.joint, other.joint)
    assert one.joint.abs().max() > 0
    # an ordinary folder of the encoder
    body = AutoModel.from_pretrained(saved).eval()
    with torch.no_grad():
        hidden = body(**given)[0]
    head = load_file(saved / SPAN_HEAD_FILE)
    start = hidden @ head["weight"][0] + head["bias"][0]
    assert torch.allclose(start, one.start_logits, atol=1e-5)


def test_the_hash_of_the_weights_has_the_heads(families, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    folder = tmp_path / "saved"
    backbone = open_backbone(str(families("nomic_bert")))
    load_weights(backbone, head_needed=False, head="joint").save_pretrained(folder)
    seen = {weights_sha256(folder)}
    for name in (JOINT_FILE, SPAN_HEAD_FILE):
        (folder / name).unlink()
        seen.add(weights_sha256(folder))
    assert len(seen) == 3
    assert weights_sha256(folder) == sha256_file(folder / "model.safetensors")


def test_a_bare_encoder_cannot_predict(families) -> None:  # type: ignore[no-untyped-def]
    backbone = open_backbone(str(families("nomic_bert")))
    assert isinstance(read_weights(backbone).reader, SpanReader)
    with pytest.raises(ModelError, match=r"has no question-answering head .* train it first: kit train"):
        load_weights(backbone, head_needed=True)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda path: path.write_bytes(b"no head"), "is no head of this model"),
        (lambda path: save_file({"weight": torch.ones(2, 8), "bias": torch.ones(2)}, path), "size mismatch"),
        (lambda path: save_file({"weight": torch.zeros(2, 32)}, path), "is no head of this model"),
        (
            lambda path: save_file({"weight": torch.ones(2, 32) / 0, "bias": torch.ones(2)}, path),
            "its numbers are not finite",
        ),
    ],
)  # fmt: skip
def test_a_damaged_head_is_one_line(families, tmp_path: Path, damage, says: str) -> None:  # type: ignore[no-untyped-def]
    folder = copied(families("nomic_bert"), tmp_path)
    damage(folder / SPAN_HEAD_FILE)
    with pytest.raises(
        ModelError, match=f"{SPAN_HEAD_FILE}: is no head of this model.*{says}|{says}"
    ) as caught:
        read_weights(open_backbone(str(folder)))
    assert "\n" not in str(caught.value)
    assert "copy it again" in str(caught.value)


def with_tokenizer(families, folder: Path) -> Path:  # type: ignore[no-untyped-def]
    open_backbone(str(families("roberta"))).tokenizer.save_pretrained(folder)
    return folder


def test_a_decoder_beside_the_encoder_needs_a_class_of_the_library(families, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    config = PegasusConfig(
        vocab_size=700, d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=16, decoder_ffn_dim=16, pad_token_id=0,
    )  # fmt: skip
    PegasusModel(config).save_pretrained(tmp_path)
    backbone = open_backbone(str(with_tokenizer(families, tmp_path)))
    with pytest.raises(ModelError, match=r"pegasus is an encoder with a decoder, .*; use an encoder"):
        read_weights(backbone)


def test_a_model_of_pictures_is_no_text_model(families, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    ViTModel(
        ViTConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
    ).save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="vit reads pixel_values, not text; use a model of text"):
        read_weights(open_backbone(str(with_tokenizer(families, tmp_path))))


def test_bert_loads_as_before(families) -> None:  # type: ignore[no-untyped-def]
    """The same random numbers go into a fresh head as the library itself would take."""
    folder = families("bert")
    torch.manual_seed(7)
    ours = read_weights(open_backbone(str(folder))).reader
    torch.manual_seed(7)
    theirs = AutoModelForQuestionAnswering.from_pretrained(folder, dtype=torch.float32)
    for key, value in theirs.state_dict().items():
        assert torch.equal(value, ours.state_dict()[key]), key
