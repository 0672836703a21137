"""Tiny models with random weights of every family of backbones, with tokenizers of their own kinds."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import torch
import transformers
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    PreTrainedTokenizerFast,
)

from tools.families.tiny_tokenizers import POSITIONS, VOCABULARY, TokenizerKind, train_tokenizer

SMALL: dict[str, object] = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64,
    "max_position_embeddings": POSITIONS, "embedding_size": 32, "encoder_layers": 2, "decoder_layers": 2,
    "encoder_attention_heads": 4, "decoder_attention_heads": 4, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64,
    "d_ff": 64, "d_kv": 8, "num_decoder_layers": 2, "num_key_value_heads": 2, "head_dim": 8, "n_inner": 64,
    "num_local_experts": 2, "num_experts": 2, "num_experts_per_tok": 1, "moe_intermediate_size": 32,
    "shared_expert_intermediate_size": 32, "ffn_dim": 64, "word_embed_proj_dim": 32, "initializer_range": 0.2,
    "init_std": 0.2, "initializer_factor": 1.0,
}  # fmt: skip
"""Sizes by the names that configs have for them; each config gets those that it knows."""


@dataclass(frozen=True, slots=True)
class Family:
    """How one family is made: its tokenizer, what its config needs beside SMALL, and what its file holds.

    file: "bare" for the weights of the base model, "mlm" or "clm" for those of pre-training
    type: the config's model_type, where the name is another
    """

    tokenizer: TokenizerKind = "bert"
    changed: Mapping[str, object] = field(default_factory=dict)
    file: Literal["bare", "mlm", "clm"] = "bare"
    type: str = ""


def _decoder(**changed: object) -> Family:
    return Family("gpt-cls", changed)


_ROBERTA_POSITIONS = {"max_position_embeddings": POSITIONS + 2, "type_vocab_size": 1}
_DEBERTA_V2 = {
    "relative_attention": True, "pos_att_type": ["p2c", "c2p"], "position_buckets": 16, "type_vocab_size": 0,
    "position_biased_input": False, "share_att_key": True, "norm_rel_ebd": "layer_norm",
}  # fmt: skip
_FUNNEL = {
    "block_sizes": [1, 1], "d_model": 32, "n_head": 4, "d_head": 8, "d_inner": 64, "num_decoder_layers": 1,
    "architectures": ["FunnelModel"],  # the library asks it which of two base models is meant
}  # fmt: skip
_MOBILEBERT = {
    "embedding_size": 16, "intra_bottleneck_size": 16, "true_hidden_size": 16, "num_feedforward_networks": 1,
}  # fmt: skip
_XLNET = {"d_model": 32, "n_layer": 2, "n_head": 4, "d_inner": 64}
_LSH = {
    "axial_pos_embds": False, "attn_layers": ["local", "lsh"], "local_attn_chunk_length": 16,
    "num_buckets": 4, "lsh_attn_chunk_length": 16, "attention_head_size": 8, "feed_forward_size": 64,
    "is_decoder": False,
}  # fmt: skip

FAMILIES: dict[str, Family] = {
    "albert": Family("xlm-roberta", {"embedding_size": 16}, "mlm"),
    "bart": Family("roberta"),
    "bert": Family(file="mlm"),
    "big_bird": Family(
        "bert", {"block_size": 4, "num_random_blocks": 1, "max_position_embeddings": 512}, "mlm"
    ),
    "bigbird_pegasus": Family("t5", {"block_size": 4, "num_random_blocks": 1}),
    "camembert": Family("xlm-roberta", _ROBERTA_POSITIONS, "mlm"),
    "canine": Family(
        "bert", {"num_hash_buckets": 64, "downsampling_rate": 4, "local_transformer_stride": 16}
    ),
    "convbert": Family("bert", {"head_ratio": 2, "num_groups": 1, "conv_kernel_size": 3}, "mlm"),
    "data2vec-text": Family("roberta", _ROBERTA_POSITIONS, "mlm"),
    "deberta": Family("deberta", {"relative_attention": True, "pos_att_type": ["c2p", "p2c"]}, "mlm"),
    "deberta-v2": Family("deberta", _DEBERTA_V2, "mlm"),
    "distilbert": Family("bert", {"dim": 32, "hidden_dim": 64, "n_layers": 2, "n_heads": 4}, "mlm"),
    "electra": Family("bert", {"embedding_size": 16}, "mlm"),
    "ernie": Family("bert", {}, "mlm"),
    "flaubert": Family("xlm-roberta", {"emb_dim": 32, "n_layers": 2, "n_heads": 4}, "mlm"),
    "fnet": Family("xlm-roberta", {"use_tpu_fourier_optimizations": False}, "mlm"),
    "funnel": Family("bert", _FUNNEL),
    "ibert": Family("roberta", _ROBERTA_POSITIONS, "mlm"),
    "jina_embeddings_v3": Family("xlm-roberta", {}),
    "layoutlmv3": Family(
        "roberta", {"coordinate_size": 6, "shape_size": 4, "max_2d_position_embeddings": 64}
    ),
    "led": Family("roberta", {"attention_window": 16, "max_encoder_position_embeddings": POSITIONS}),
    "lilt": Family("xlm-roberta", {**_ROBERTA_POSITIONS, "channel_shrink_ratio": 2, "hidden_size": 24}),
    "longformer": Family("roberta", {**_ROBERTA_POSITIONS, "attention_window": 16}, "mlm"),
    "luke": Family("roberta", {**_ROBERTA_POSITIONS, "entity_vocab_size": 10, "entity_emb_size": 16}, "mlm"),
    "lxmert": Family("bert", {"l_layers": 1, "x_layers": 1, "r_layers": 1}),
    "markuplm": Family("roberta", {**_ROBERTA_POSITIONS, "max_depth": 5}),
    "mbart": Family("t5"),
    "megatron-bert": Family("bert", {}, "mlm"),
    "mobilebert": Family("bert", _MOBILEBERT),
    "modernbert": Family("bert", {"global_attn_every_n_layers": 2, "local_attention": 16}, "mlm"),
    "mpnet": Family("roberta", _ROBERTA_POSITIONS, "mlm"),
    "mra": Family("roberta", {**_ROBERTA_POSITIONS, "approx_mode": "full"}, "mlm"),
    "mt5": Family("t5"),
    "mvp": Family("roberta"),
    "nystromformer": Family("bert", {"num_landmarks": 8, "segment_means_seq_len": 8}, "mlm"),
    "reformer": Family("t5", _LSH),
    "rembert": Family("xlm-roberta", {"input_embedding_size": 16, "output_embedding_size": 16}, "mlm"),
    "roberta": Family("roberta", _ROBERTA_POSITIONS, "mlm"),
    "roberta-prelayernorm": Family("roberta", _ROBERTA_POSITIONS, "mlm"),
    "roc_bert": Family("bert", {"pronunciation_vocab_size": VOCABULARY, "shape_vocab_size": VOCABULARY}),
    "roformer": Family("bert", {"embedding_size": 32}, "mlm"),
    "splinter": Family("bert", {"question_token_id": 5}),
    "squeezebert": Family("bert", {"embedding_size": 32}, "mlm"),
    "t5": Family("t5"),
    "ultrabert": Family("xlm-roberta", {}),
    "umt5": Family("t5"),
    "xlm": Family("roberta", {"emb_dim": 32, "n_layers": 2, "n_heads": 4}, "mlm"),
    "xlm-roberta": Family("xlm-roberta", _ROBERTA_POSITIONS, "mlm"),
    "xlm-roberta-xl": Family("xlm-roberta", _ROBERTA_POSITIONS, "mlm"),
    "xlnet": Family("xlnet", _XLNET),
    "xmod": Family(
        "xlm-roberta", {**_ROBERTA_POSITIONS, "languages": ["ko_KR"], "default_language": "ko_KR"}, "mlm"
    ),
    "yoso": Family("bert", {"use_expectation": True}, "mlm"),
    # Families whose own tokenizers put no CLS token first, under a template that does.
    "bigbird_pegasus with CLS": Family(
        "roberta", {"block_size": 4, "num_random_blocks": 1}, type="bigbird_pegasus"
    ),
    "mbart with CLS": Family("roberta", type="mbart"),
    "mt5 with CLS": Family("xlm-roberta", type="mt5"),
    "reformer with CLS": Family("roberta", _LSH, type="reformer"),
    "t5 with CLS": Family("xlm-roberta", type="t5"),
    "xlnet with CLS": Family("bert", _XLNET, type="xlnet"),
    # No question-answering class in the library.
    "eurobert": Family("gpt-cls", {}, "mlm"),
    "gte": Family("bert", {}),
    "nomic_bert": Family("bert", {}, "mlm"),
    # Decoders.
    "arcee": _decoder(),
    "bloom": _decoder(n_layer=2, n_head=4),
    "diffllama": _decoder(),
    "exaone4": _decoder(),
    "falcon": _decoder(num_kv_heads=4),
    "gpt2": _decoder(n_embd=32, n_layer=2, n_head=4, n_positions=POSITIONS),
    "gpt_neo": _decoder(
        attention_types=[[["global", "local"], 1]], window_size=16, num_layers=2, num_heads=4
    ),
    "gpt_neox": _decoder(),
    "gptj": _decoder(n_embd=32, n_layer=2, n_head=4, rotary_dim=4, n_positions=POSITIONS),
    "llama": Family("gpt-cls", {}, "clm"),
    "minimax": _decoder(),
    "ministral": _decoder(),
    "ministral3": _decoder(),
    "mistral": _decoder(),
    "mixtral": _decoder(),
    "mpt": _decoder(d_model=32, n_heads=4, n_layers=2, max_seq_len=POSITIONS),
    "nemotron": _decoder(),
    "opt": _decoder(),
    "qwen2": Family("gpt"),
    "qwen2_moe": _decoder(),
    "qwen3": Family("gpt-cls", {}, "clm"),
    "qwen3_moe": _decoder(),
    "qwen3_next": _decoder(),
    "seed_oss": _decoder(),
    "smollm3": _decoder(),
}
"""Every family that has a question-answering class in the library, and some that have none."""


def make_family(
    folder: Path,
    name: str,
    texts: Iterable[str],
    seed: int = 1,
    *,
    change: Callable[[Any], object] | None = None,
    **changed: object,
) -> None:
    """Save a tiny model of the family *name* without a question-answering head, and a tokenizer of *texts*.

    *changed*: settings of its config; *change*: what is done to the model before it is saved.
    """
    family = FAMILIES[name]
    tokenizer = train_tokenizer(list(texts), family.tokenizer)
    config = _config(name, replace(family, changed={**family.changed, **changed}), tokenizer)
    transformers.set_seed(seed)
    auto = {"bare": AutoModel, "mlm": AutoModelForMaskedLM, "clm": AutoModelForCausalLM}[family.file]
    model = auto.from_config(config)
    _spread(model)
    if change is not None:
        change(model)
    transformers.utils.logging.disable_progress_bar()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


@torch.no_grad()
def train_pad_row(model: Any) -> None:
    """A row of the padding token as some published checkpoints have it: not zero."""
    weight = model.get_input_embeddings().weight
    weight[model.config.pad_token_id] = 1 + weight[-1]


def _config(name: str, family: Family, tokenizer: PreTrainedTokenizerFast) -> Any:
    name = family.type or name
    kind = type(AutoConfig.for_model(name))
    names = {kind.attribute_map.get(one, one): value for one, value in SMALL.items()}
    known = set(inspect.signature(kind.__init__).parameters) | set(getattr(kind, "__dataclass_fields__", ()))
    sizes = {one: value for one, value in names.items() if one in known}
    own = {"pad_token_id": tokenizer.pad_token_id, "eos_token_id": tokenizer.eos_token_id}
    for name_of_id in ("bos_token_id", "cls_token_id", "sep_token_id", "mask_token_id", "unk_token_id"):
        value = getattr(tokenizer, name_of_id)
        if name_of_id in known and value is not None:
            own[name_of_id] = value
    if getattr(AutoConfig.for_model(name), "is_encoder_decoder", False):
        own["decoder_start_token_id"] = own["pad_token_id"]
    return AutoConfig.for_model(name, **{**sizes, "vocab_size": len(tokenizer), **own, **family.changed})


@torch.no_grad()
def _spread(model: torch.nn.Module) -> None:
    """Weights so large that attention matters: what looks at padding or neighbours shows in the logits."""
    for name, weight in model.named_parameters():
        if weight.dim() > 1 and "norm" not in name.lower():
            weight.normal_(0, 0.3)
