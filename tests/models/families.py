"""Tiny random models of many architectures, with one tokenizer: the wordpiece backbone's."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import AutoModelForQuestionAnswering

SMALL: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 160,
    "type_vocab_size": 2,
    "initializer_range": 0.3,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}
SEQ2SEQ: dict[str, Any] = {
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 64,
    "decoder_ffn_dim": 64,
    "init_std": 0.3,
    "dropout": 0.0,
    "bos_token_id": 2,
    "eos_token_id": 3,
    "decoder_start_token_id": 2,
}
FAMILIES: dict[str, dict[str, Any]] = {
    "Bert": SMALL,
    "Roberta": {**SMALL, "type_vocab_size": 1},
    "Electra": {**SMALL, "embedding_size": 32},
    "Albert": {**SMALL, "embedding_size": 16},
    "ConvBert": {**SMALL, "embedding_size": 32},
    "MobileBert": {
        **SMALL,
        "embedding_size": 16,
        "intra_bottleneck_size": 16,
        "true_hidden_size": 16,
        "normalization_type": "layer_norm",
    },
    "FNet": SMALL,
    "Nystromformer": {**SMALL, "conv_kernel_size": 5},
    "Yoso": {**SMALL, "conv_window": 5},
    "Mra": {**SMALL, "approx_mode": "full"},
    "Luke": {**SMALL, "entity_vocab_size": 10},
    "IBert": {**SMALL, "type_vocab_size": 1},
    "BigBird": {**SMALL, "block_size": 8, "num_random_blocks": 1},
    "Deberta": {**SMALL, "relative_attention": True, "pos_att_type": ["c2p", "p2c"]},
    "Longformer": {**SMALL, "attention_window": 8},
    "Xmod": {**SMALL, "languages": ["en_XX", "ko_KR"]},
    "Funnel": {
        "block_sizes": [1, 1],
        "num_decoder_layers": 1,
        "d_model": 32,
        "n_head": 2,
        "d_head": 16,
        "d_inner": 64,
        "hidden_dropout": 0.0,
        "attention_dropout": 0.0,
        "initializer_std": 0.3,
    },
    "Bart": {**SEQ2SEQ, "max_position_embeddings": 160},
    "LED": {
        **SEQ2SEQ,
        "max_encoder_position_embeddings": 160,
        "max_decoder_position_embeddings": 64,
        "attention_window": 8,
    },
    "Canine": {
        **SMALL,
        "num_hash_buckets": 64,
        "num_hash_functions": 2,
        "local_transformer_stride": 16,
        "upsampling_kernel_size": 4,
        "downsampling_rate": 4,
    },
}


def make_family(
    folder: Path,
    name: str,
    wordpiece: Path,
    change: Callable[[Any], object] | None = None,
    **changed: Any,
) -> Path:
    """A model of the family *name* in *folder*; *change* is done to it first, *changed* is of its config."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(wordpiece)
    size = {"vocab_size": len(tokenizer), "pad_token_id": tokenizer.pad_token_id}
    special = {"sep_token_id": tokenizer.sep_token_id, "cls_token_id": tokenizer.cls_token_id}
    config = getattr(transformers, f"{name}Config")(**{**special, **FAMILIES[name], **size, **changed})
    torch.manual_seed(1)
    model = AutoModelForQuestionAnswering.from_config(config)
    if change is not None:
        change(model)
    model.save_pretrained(folder)
    for path in wordpiece.glob("tokenizer*"):
        shutil.copy(path, folder)
    limit_off(folder)
    return folder


def limit_off(folder: Path) -> None:
    """The tokenizer sets no limit of its own."""
    path = folder / "tokenizer_config.json"
    described = json.loads(path.read_text())
    described["model_max_length"] = 10**6 - 1
    path.write_text(json.dumps(described))


def trained_pad(model: Any) -> None:
    """A pad row as some published checkpoints have it: not zero."""
    words = model.get_input_embeddings()
    with torch.no_grad():
        words.weight[words.padding_idx or 0] = words.weight[5:6].mean(dim=0) + 1
