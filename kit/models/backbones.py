"""Backbones: from a name to a tokenizer and a config, and the limits that both of them set.

Nothing here looks at a model's name: what a backbone can take is read from its config, its
tokenizer and the shape of its embedding tables.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import huggingface_hub
import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoModel, AutoModelForQuestionAnswering, AutoTokenizer

from kit.config.training import Head
from kit.errors import ModelError, counted
from kit.files import sha256_file
from kit.models.failures import plain_errors
from kit.models.joint import JOINT_FILE, with_head
from kit.models.presets import PRESETS

_HUB_SECONDS = 10.0
_UNLIMITED = 1_000_000
"""Tokenizers without a limit report a huge number (1e30)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a backbone accepts.

    positions: tokens a window may have, special tokens included
    segments: whether it knows a second segment id, so that token_type_ids are passed on
    """

    positions: int
    segments: bool


@dataclass(frozen=True, slots=True)
class Backbone:
    """An opened backbone: no weights yet."""

    reference: str
    """What the user wrote: a preset, a hub id or a folder."""
    location: str
    """Where it is: a hub id or a folder."""
    config: Any
    tokenizer: Any
    """The transformers tokenizer, saved beside the model."""
    engine: Tokenizer
    """Its own copy of the fast tokenizer underneath: no truncation, no padding, special tokens in text
    read as plain text."""
    blank_ids: NDArray[np.int32]
    """Tokens that stand for white space alone.  SentencePiece puts one before a text, with the offsets
    of the first character, which it is no part of."""
    pad_id: int
    limits: Limits
    loading: dict[str, bool]
    """Keywords for every from_pretrained of this backbone."""

    @property
    def name(self) -> str:
        """How run.json and tables call it; never a full path."""
        return Path(self.reference).name if Path(self.reference).is_dir() else self.reference

    @property
    def version(self) -> str:
        """SHA-256 of a local folder's weights, the hub's commit, or "" where neither is known."""
        return weights_sha256(Path(self.location)) or getattr(self.config, "_commit_hash", None) or ""


def open_backbone(reference: str, *, trust_remote_code: bool = False) -> Backbone:
    """Open a preset, a hub id or a local folder: config and tokenizer, downloaded if need be.

    Raises ModelError in one line where it cannot be fetched (offline, gated, misspelled), has no fast
    tokenizer, or brings code of its own that was not allowed.
    """
    location = PRESETS[reference].hub_id if reference in PRESETS else reference
    _refuse_file(location)
    with plain_errors(reference, location):
        loading = {"trust_remote_code": trust_remote_code, "local_files_only": _cache_must_do(location)}
        config = AutoConfig.from_pretrained(location, **loading)
        tokenizer = AutoTokenizer.from_pretrained(location, **loading)
    return _opened(reference, location, config, tokenizer, loading)


def _cache_must_do(location: str) -> bool:
    """Whether the hub cannot be reached but the model lies in the local cache.

    One question with a time limit, asked before anything is fetched: the library itself would try
    each file six times over before it says that there is no network.
    """
    if Path(location).is_dir() or huggingface_hub.constants.HF_HUB_OFFLINE:
        return False
    try:
        huggingface_hub.HfApi().model_info(location, timeout=_HUB_SECONDS)
    except Exception:  # of several libraries: no network, a server in trouble, a repository now closed
        if isinstance(huggingface_hub.try_to_load_from_cache(location, "config.json"), str):
            return True
        raise
    return False


def _opened(reference: str, location: str, config: Any, tokenizer: Any, loading: dict[str, bool]) -> Backbone:
    if not getattr(tokenizer, "is_fast", False):
        raise ModelError(
            f"{reference}: its tokenizer ({type(tokenizer).__name__}) has no character offsets; "
            "use a backbone with a fast tokenizer (tokenizer.json or vocab.txt)"
        )
    if tokenizer.pad_token_id is None or tokenizer.cls_token_id is None:
        raise ModelError(f"{reference}: its tokenizer has no [PAD] or no [CLS] token; choose an encoder's")
    engine = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    engine.no_truncation()
    engine.no_padding()
    # A context may contain "[SEP]" or "<s>" as text; it must not become a real separator.
    engine.encode_special_tokens = True
    model_pad = getattr(config, "pad_token_id", None)
    limits = _limits(reference, config, tokenizer, loading["trust_remote_code"])
    if model_pad is not None and model_pad != tokenizer.pad_token_id:
        raise ModelError(
            f"{reference}: pad id is {tokenizer.pad_token_id} in the tokenizer and {model_pad} in the "
            "config; they must agree, correct one of the two files"
        )
    return Backbone(
        reference,
        location,
        config,
        tokenizer,
        engine,
        _blank_ids(engine),
        int(tokenizer.pad_token_id),
        limits,
        loading,
    )


def _blank_ids(engine: Tokenizer) -> NDArray[np.int32]:
    pieces = ((piece, number) for piece, number in engine.get_vocab().items() if 0 < len(piece) <= 4)
    blank = [
        number for piece, number in pieces if not engine.decode([number], skip_special_tokens=False).strip()
    ]
    return np.array(sorted(blank), dtype=np.int32)


def _limits(reference: str, config: Any, tokenizer: Any, trusted: bool) -> Limits:
    """Read the embedding tables of a model without weights: what the config promises is not always usable."""
    with plain_errors(reference, reference), torch.device("meta"):
        skeleton = AutoModel.from_config(config, trust_remote_code=trusted)
    positions = segments = None
    for name, module in skeleton.named_modules():
        if not isinstance(module, torch.nn.Embedding):
            continue
        if name.endswith("embeddings.position_embeddings"):
            # RoBERTa-like models count positions from padding_idx + 1, and give the table that
            # padding index: so much less is usable.
            reserved = 0 if module.padding_idx is None else module.padding_idx + 1
            positions = module.num_embeddings - reserved
        elif name.endswith("embeddings.token_type_embeddings"):
            segments = module.num_embeddings
    if positions is None:  # relative positions: the config's word for what it was trained on
        positions = getattr(config, "max_position_embeddings", None) or _UNLIMITED
    if tokenizer.model_max_length < _UNLIMITED:
        positions = min(positions, tokenizer.model_max_length)
    vocabulary = getattr(config, "vocab_size", None)
    if vocabulary is not None and len(tokenizer) > vocabulary:
        raise ModelError(
            f"{reference}: the tokenizer has {len(tokenizer)} tokens, the model {vocabulary} embeddings; "
            "the two folders do not belong together"
        )
    return Limits(int(positions), bool(segments and segments > 1))


def attention_dropout(config: Any) -> tuple[str, float] | None:
    """What a config calls the dropout on attention weights, and its value; None where it has none."""
    for name in ("attention_probs_dropout_prob", "attention_dropout"):
        if hasattr(config, name):
            return name, float(getattr(config, name))
    return None


def load_weights(
    backbone: Backbone,
    *,
    head_needed: bool,
    dropout_on_attention: float | None = None,
    head: Head | None = None,
) -> torch.nn.Module:
    """The backbone's weights under a question-answering head, float32, on the CPU.

    *head_needed*: refuse a checkpoint whose head is missing (for prediction); otherwise a fresh head is
    made from torch's global generator.  *head*: with a joint head or without; None as the folder has it.
    Only safetensors are read, never a pickle.
    """
    _refuse_pickle(backbone)
    changed: dict[str, Any] = {}
    if dropout_on_attention is not None and (known := attention_dropout(backbone.config)):
        changed[known[0]] = dropout_on_attention
    with plain_errors(backbone.reference, backbone.location):
        # float16 files would otherwise train in float16
        model, report = AutoModelForQuestionAnswering.from_pretrained(
            backbone.location,
            dtype=torch.float32,
            use_safetensors=True,
            output_loading_info=True,
            **backbone.loading,
            **changed,
        )
    missing = sorted(report["missing_keys"])
    outputs = [key for key in missing if key.startswith("qa_outputs") or ".qa_outputs" in key]
    if head_needed and outputs:
        raise ModelError(
            f"{backbone.reference}: has no question-answering head ({outputs[0]} is missing); "
            "train it first: kit train"
        )
    body = [key for key in missing if key not in outputs and "pooler" not in key]
    if body:
        raise ModelError(
            f"{backbone.reference}: {counted(len(body), 'weight')} missing from the file, first {body[0]}; "
            "the checkpoint does not fit its config"
        )
    mismatched = report.get("mismatched_keys")
    if mismatched:
        raise ModelError(f"{backbone.reference}: weights of another shape than its config says: {mismatched}")
    return with_head(model, Path(backbone.location), head)


def is_checkpoint(folder: Path) -> bool:
    """Whether *folder* looks like a Hugging Face checkpoint."""
    return (folder / "config.json").is_file()


def weights_file(folder: Path) -> Path:
    """The safetensors file of a local checkpoint (the index of a sharded one)."""
    single = folder / "model.safetensors"
    return single if single.exists() else folder / "model.safetensors.index.json"


def weights_sha256(folder: Path) -> str:
    """SHA-256 of a local checkpoint's weights, hex: of the file, with a joint head of both; "" without."""
    weights, joint = weights_file(folder), folder / JOINT_FILE
    if not weights.exists():
        return ""
    if not joint.is_file():
        return sha256_file(weights)
    return hashlib.sha256(f"{sha256_file(weights)}\n{sha256_file(joint)}\n".encode()).hexdigest()


def _refuse_file(location: str) -> None:
    path = Path(location)
    if path.is_file():
        raise ModelError(f"{location}: is a file; give the model's folder")
    if path.is_dir() and not is_checkpoint(path):
        raise ModelError(f"{location}: holds no config.json; give the folder of a Hugging Face model")
    if not path.exists() and (location.count("/") > 1 or location.startswith((".", "/", "~"))):
        raise ModelError(f"{location}: no such folder; check the path")


def _refuse_pickle(backbone: Backbone) -> None:
    folder = Path(backbone.location)
    if folder.is_dir() and not weights_file(folder).exists():
        pickles = sorted(path.name for path in folder.glob("*.bin"))
        found = f"only {pickles[0]}, a pickle, which can run code when read" if pickles else "no weights"
        raise ModelError(
            f"{backbone.reference}: has {found}; the kit reads model.safetensors: save the model again "
            "with save_pretrained of a current transformers"
        )
    if strange := sorted(map(str, filter(_is_no_shard, _shards(folder)))):
        raise ModelError(
            f"{backbone.reference}: its index names {strange[0]!r} as weights; the kit reads *.safetensors "
            "in the model's own folder: save the model again with save_pretrained"
        )


def _shards(folder: Path) -> set[object]:
    """What the index of a sharded checkpoint names; nothing where there is none that can be read."""
    index = folder / "model.safetensors.index.json"
    if (folder / "model.safetensors").exists() or not index.is_file():
        return set()
    try:
        return set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return set()  # the library says what is wrong with it


def _is_no_shard(name: object) -> bool:
    return not isinstance(name, str) or not name.endswith(".safetensors") or Path(name).name != name
