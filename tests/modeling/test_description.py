"""`kit doctor MODEL`: what a backbone is, without any data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kit.errors import ModelError
from kit.modeling.description import Finding, describe
from tests.modeling.conftest import ARTICLES
from tools.families.tiny_models import make_family


def found(folder: Path) -> dict[str, Finding]:
    return {finding.name: finding for finding in describe(str(folder))}


def test_a_bert(wordpiece_folder: Path) -> None:
    known = found(wordpiece_folder)
    assert known["family"].value == "bert"
    assert known["model"].value == "BertForQuestionAnswering"
    assert known["head"].value == "in the file"
    assert known["template"].value == "[CLS] question [SEP] context [SEP]"
    assert known["longest window"] == Finding(
        "longest window", "128 tokens", "the table embeddings.position_embeddings"
    )
    assert known["segment ids"].value == "passed on"
    assert known["--gradient-checkpointing"].value == "possible"
    assert known["--head joint"].value == "possible, on 32 numbers a token"
    assert known["tokenizer"].value.startswith("TokenizersBackend, WordPiece, ")
    assert known["tried"].value == "windows of 128 tokens"
    assert known["padding"].value == "harmless: windows of any lengths share a batch"
    assert known["state"].value == "none"
    assert known["[UNK]"].source == "40 contexts of the built-in corpus"
    assert "settings" not in known


@pytest.mark.parametrize(
    ("name", "model", "head"),
    [
        (
            "nomic_bert",
            "NomicBertModel under the kit's own head",
            "fresh: qa_outputs.bias, qa_outputs.weight",
        ),
        ("modernbert", "ModernBertForQuestionAnswering", "fresh: classifier.bias, classifier.weight"),
        ("t5 with CLS", "T5ForQuestionAnswering", "fresh: qa_outputs.bias, qa_outputs.weight"),
    ],
)
def test_others(tmp_path: Path, name: str, model: str, head: str) -> None:
    make_family(tmp_path / "m", name, ARTICLES * 3)
    known = found(tmp_path / "m")
    assert (known["model"].value, known["head"].value) == (model, head)
    joint = "not possible" if name.startswith("t5") else "possible, on 32 numbers a token"
    assert known["--head joint"].value == joint


def test_what_the_probe_found_is_said(tmp_path: Path) -> None:
    make_family(tmp_path / "b", "big_bird", ARTICLES * 3)
    assert found(tmp_path / "b")["state"].value.startswith("attention is fixed to ")
    make_family(tmp_path / "f", "funnel", ARTICLES * 3)
    assert found(tmp_path / "f")["padding"].value.startswith("changes scores: ")


def test_no_limit_is_said(tmp_path: Path) -> None:
    """XLNet's config says -1, and a tokenizer without a limit 1e30."""
    make_family(tmp_path / "m", "xlnet with CLS", ARTICLES * 3)
    path = tmp_path / "m" / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"model_max_length": 10**30}))
    assert found(tmp_path / "m")["longest window"].value == "no limit"


def test_what_cannot_be_used_is_refused(tmp_path: Path) -> None:
    make_family(tmp_path / "m", "xlnet", ARTICLES * 3)
    with pytest.raises(
        ModelError, match="joins question and context as question, special, context, special, not"
    ):
        describe(str(tmp_path / "m"))
