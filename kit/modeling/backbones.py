"""Backbones: from a name to a tokenizer and a config, and the limits that both of them set.

Nothing here looks at a model's name: what a backbone can take is read from its config, its
tokenizer and the shape of its embedding tables.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import huggingface_hub
import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoModel, AutoTokenizer

from kit.errors import ModelError
from kit.modeling.checkpoint_files import refuse_file, weights_sha256
from kit.modeling.heads import read_weights
from kit.modeling.joint_head import with_head
from kit.modeling.load_errors import plain_errors, refuse_without_vocabulary
from kit.modeling.presets import PRESETS
from kit.settings.training import Head

_HUB_SECONDS = 10.0
_UNLIMITED = 1_000_000
"""No limit, as it is reported here; tokenizers say a huge number (1e30), configs -1 or nothing."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a backbone accepts.

    positions: tokens a window may have, special tokens included
    segments: whether it knows a second segment id, so that token_type_ids are passed on
    source: where the number of positions was found
    """

    positions: int
    segments: bool
    source: str = field(default="", compare=False)

    @property
    def unlimited(self) -> bool:
        """Whether nothing sets a limit to a window."""
        return self.positions >= _UNLIMITED


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
    cls_id: int
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
    refuse_file(location)
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
    engine = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    engine.no_truncation()
    engine.no_padding()
    # A context may contain "[SEP]" or "<s>" as text; it must not become a real separator.
    engine.encode_special_tokens = True
    refuse_without_vocabulary(reference, location, engine, tokenizer)
    pad, cls = _special_ids(reference, config, tokenizer)
    limits = _limits(reference, config, tokenizer, loading["trust_remote_code"])
    blank = _blank_ids(engine)
    return Backbone(reference, location, config, tokenizer, engine, blank, pad, cls, limits, loading)


def _special_ids(reference: str, config: Any, tokenizer: Any) -> tuple[int, int]:
    """The ids that pad a window and that stand at its beginning.

    Decoders often have neither by these names: their end token may fill (the attention mask hides it), and
    their first token may begin.
    """
    model_pad = getattr(config, "pad_token_id", None)
    if isinstance(model_pad, int) and model_pad < 0:
        model_pad = None
    pad = tokenizer.pad_token_id
    if pad is not None and model_pad is not None and model_pad != pad:
        raise ModelError(
            f"{reference}: pad id is {pad} in the tokenizer and {model_pad} in the "
            "config; they must agree, correct one of the two files"
        )
    known = [one for one in (pad, model_pad, tokenizer.eos_token_id) if one is not None]
    cls = tokenizer.cls_token_id if tokenizer.cls_token_id is not None else tokenizer.bos_token_id
    if not known or cls is None:
        raise ModelError(
            f"{reference}: its tokenizer has no {'[CLS]' if known else '[PAD]'} token; choose an encoder, or "
            "name one in tokenizer_config.json that its template (tokenizer.json: post_processor) puts first"
        )
    return int(known[0]), int(cls)


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
    found: list[tuple[int, str]] = []
    segments = None
    for name, module in skeleton.named_modules():
        if not isinstance(module, torch.nn.Embedding):
            continue
        if name.endswith("embeddings.position_embeddings"):
            # RoBERTa-like models count positions from padding_idx + 1, and give the table that
            # padding index: so much less is usable.
            reserved = 0 if module.padding_idx is None else module.padding_idx + 1
            found = [(module.num_embeddings - reserved, f"the table {name}")]
        elif name.endswith("embeddings.token_type_embeddings"):
            segments = module.num_embeddings
    if not found:  # relative positions: the config's word for what it was trained on
        found = [(_length(getattr(config, "max_position_embeddings", None)), "max_position_embeddings")]
    found.append((_length(tokenizer.model_max_length), "the tokenizer's model_max_length"))
    positions, source = min(found, key=lambda pair: pair[0])
    vocabulary = getattr(config, "vocab_size", None)
    if vocabulary is not None and len(tokenizer) > vocabulary:
        raise ModelError(
            f"{reference}: the tokenizer has {len(tokenizer)} tokens, the model {vocabulary} embeddings; "
            "the two folders do not belong together"
        )
    return Limits(positions, bool(segments and segments > 1), source)


def _length(value: object) -> int:
    """A number of tokens as configs and tokenizers write it; -1, 0, nothing and huge numbers are no limit."""
    return int(value) if isinstance(value, int | float) and 0 < value < _UNLIMITED else _UNLIMITED


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
    changed: dict[str, Any] = {}
    if dropout_on_attention is not None and (known := attention_dropout(backbone.config)):
        changed[known[0]] = dropout_on_attention
    loaded = read_weights(backbone, **changed)
    if head_needed and loaded.fresh:
        raise ModelError(
            f"{backbone.reference}: has no question-answering head ({loaded.fresh[0]} is missing); "
            "train it first: kit train"
        )
    return with_head(loaded.reader, Path(backbone.location), head)
