"""Why a backbone cannot be opened: one line, with the cure that helps."""

from __future__ import annotations

import json
import shutil
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from transformers import BertTokenizer

from kit.errors import ModelError
from kit.modeling import load_errors
from kit.modeling.backbones import open_backbone
from kit.modeling.load_errors import plain_errors


@pytest.fixture
def folder(wordpiece_folder: Path, tmp_path: Path) -> Path:
    """A sound backbone, to be spoilt."""
    return Path(shutil.copytree(wordpiece_folder, tmp_path / "b"))


def refusal(folder: Path) -> str:
    with pytest.raises(ModelError) as caught:
        open_backbone(str(folder))
    said = str(caught.value)
    assert "\n" not in said
    assert said.startswith(f"{folder}: ")
    return said.removeprefix(f"{folder}: ")


def without_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").unlink(missing_ok=True)


def changed(folder: Path, name: str, **entries: object) -> None:
    path = folder / name
    content = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    path.write_text(json.dumps(content | entries), encoding="utf-8")


def dropped(folder: Path, name: str, *entries: str) -> None:
    content = json.loads((folder / name).read_text(encoding="utf-8"))
    for entry in entries:
        content.pop(entry, None)
    (folder / name).write_text(json.dumps(content), encoding="utf-8")


def vocabulary(folder: Path) -> None:
    """vocab.txt in place of tokenizer.json."""
    pieces = open_backbone(str(folder)).engine.get_vocab()
    text = "\n".join(sorted(pieces, key=pieces.__getitem__)) + "\n"
    without_tokenizer(folder)
    (folder / "vocab.txt").write_text(text, encoding="utf-8")


# ---- tokenizers


def test_no_tokenizer_files(folder: Path) -> None:
    without_tokenizer(folder)
    assert refusal(folder) == (
        "has no tokenizer files (tokenizer.json, vocab.txt or a SentencePiece model); copy them from where "
        "the model comes from"
    )


@pytest.mark.parametrize("kind", ["roberta", "xlm-roberta", "deberta-v2", "electra"])
def test_no_tokenizer_files_whatever_class_makes_one_of_nothing(folder: Path, kind: str) -> None:
    without_tokenizer(folder)
    changed(folder, "config.json", model_type=kind)
    assert refusal(folder).startswith("has no tokenizer files (tokenizer.json, vocab.txt or a SentencePiece")


def test_a_class_that_the_library_does_not_know(folder: Path) -> None:
    vocabulary(folder)
    changed(folder, "tokenizer_config.json", tokenizer_class="KoBertTokenizer")
    assert "is of the class KoBertTokenizer, which the library does not know; save it as" in refusal(folder)


def test_a_vocabulary_without_a_class(folder: Path) -> None:
    vocabulary(folder)
    changed(folder, "tokenizer_config.json", tokenizer_class="PreTrainedTokenizerFast")
    said = refusal(folder)
    assert said.startswith("its files do not make a tokenizer; give it a tokenizer.json, or write the class")
    assert said.endswith('as in "tokenizer_class": "BertTokenizer" for a vocab.txt of WordPieces')
    changed(folder, "tokenizer_config.json", tokenizer_class="BertTokenizer", do_lower_case=False)
    assert isinstance(open_backbone(str(folder)).tokenizer, BertTokenizer)


@pytest.mark.parametrize("name", ["spiece.model", "sentencepiece.bpe.model", "tokenizer.model"])
def test_a_sentencepiece_model_alone_needs_the_extra(
    folder: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_tokenizer(folder)
    (folder / name).write_bytes(b"\x0a\x05no model")
    kind = {"spiece.model": "albert", "sentencepiece.bpe.model": "xlm-roberta", "tokenizer.model": "bert"}[
        name
    ]
    changed(folder, "config.json", model_type=kind)
    if name == "tokenizer.model":
        changed(folder, "tokenizer_config.json", tokenizer_class="PreTrainedTokenizerFast")
    monkeypatch.setattr(load_errors, "is_sentencepiece_available", lambda: False)
    assert refusal(folder) == (
        f"its tokenizer is a SentencePiece model ({name}), which needs a package that is not here: "
        "pip install 'korean-mrc-kit[sentencepiece]'"
    )
    monkeypatch.setattr(load_errors, "is_sentencepiece_available", lambda: True)
    assert refusal(folder).startswith(f"{name} is no SentencePiece model; copy it again")


def test_the_extra_is_what_helps(folder: Path, tmp_path: Path, articles: list[str]) -> None:
    """A folder with nothing but a SentencePiece model opens where the package is installed."""
    sentencepiece = pytest.importorskip("sentencepiece")
    without_tokenizer(folder)
    (tmp_path / "text").write_text("\n".join(articles * 3), encoding="utf-8")
    sentencepiece.SentencePieceTrainer.train(
        input=str(tmp_path / "text"), model_prefix=str(tmp_path / "m"), vocab_size=250,
        hard_vocab_limit=False,
        pad_id=0, unk_id=1, bos_id=2, eos_id=3, pad_piece="<pad>", bos_piece="[CLS]", eos_piece="[SEP]",
        user_defined_symbols=["[MASK]"], minloglevel=3,
    )  # fmt: skip
    shutil.copy(tmp_path / "m.model", folder / "spiece.model")
    changed(folder, "config.json", model_type="albert", pad_token_id=0)
    backbone = open_backbone(str(folder))
    assert backbone.engine.encode(articles[0], add_special_tokens=False).tokens[0].startswith("▁")


# ---- packages


@pytest.mark.parametrize(
    ("error", "cure"),
    [
        (
            ImportError(
                "This modeling file requires the following packages that were not found in your environment: "
                "einops, flash_attn. Run `pip install einops flash_attn`"
            ),
            "needs what is not installed: pip install einops flash_attn",
        ),
        (
            ImportError("\nRoFormerTokenizer requires the rjieba library but it was not found in your env."),
            "needs what is not installed: pip install rjieba",
        ),
        (ModuleNotFoundError("No module named 'sacremoses'", name="sacremoses"), "pip install sacremoses"),
        (
            ValueError("Couldn't do it, one of: \n(1) the first\n(2) the second"),
            "cannot be loaded (Couldn't do it, one of: (1) the first)",
        ),
        (ValueError(""), "cannot be loaded (unknown reason)"),
    ],
)  # fmt: skip
def test_what_the_library_says_becomes_a_cure(folder: Path, error: Exception, cure: str) -> None:
    with pytest.raises(ModelError) as caught, plain_errors("b", str(folder)):
        raise error
    assert str(caught.value).endswith(cure)
    assert "\n" not in str(caught.value)


def test_a_package_that_is_missed_further_down_is_found(folder: Path) -> None:
    def load() -> None:
        try:
            raise ModuleNotFoundError("No module named 'fugashi'", name="fugashi")
        except ModuleNotFoundError as error:
            raise OSError("Can't load tokenizer") from error

    with pytest.raises(ModelError, match=r"pip install fugashi$"), plain_errors("b", str(folder)):
        load()


# ---- configs


def no_type(folder: Path) -> None:
    dropped(folder, "config.json", "model_type", "architectures")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (
            lambda folder: changed(folder, "config.json", model_type="of-tomorrow"),
            "model type 'of-tomorrow' is not known to transformers ",
        ),
        (no_type, 'its config.json names no model_type; add it, for example "model_type": "bert"'),
    ],
)
def test_a_config_that_says_too_little(folder: Path, spoil: Callable[[Path], None], says: str) -> None:
    spoil(folder)
    assert refusal(folder).startswith(says)


# ---- this machine


@pytest.mark.parametrize(
    ("inner", "says"),
    [
        (
            PermissionError(13, "Permission denied", "/home/.cache/huggingface/token"),
            "/home/.cache/huggingface/token cannot be read or written (Permission denied); set HF_HOME",
        ),
        (OSError(30, "Read-only file system", "/cache"), "/cache cannot be read or written (Read-only file"),
        (ssl.SSLCertVerificationError(1, "unable to get local issuer certificate"), "set SSL_CERT_FILE to"),
        (
            ConnectionError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed"),
            "the hub's certificate is not trusted",
        ),
    ],
)
def test_the_cache_and_the_certificate_are_named(inner: Exception, says: str) -> None:
    outer = RuntimeError("cannot be reached")
    outer.__cause__ = inner
    with pytest.raises(ModelError) as error, plain_errors("mine", "owner/name"):
        raise outer
    assert str(error.value).startswith("mine: owner/name cannot be fetched: ")
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_of_a_folder_is_no_matter_of_the_cache(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as error, plain_errors("mine", str(tmp_path)):
        raise PermissionError(13, "Permission denied", str(tmp_path / "config.json"))
    assert "HF_HOME" not in str(error.value)
    assert "Permission denied" in str(error.value)
