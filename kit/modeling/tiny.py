"""Tiny backbones made on the spot: a tokenizer trained on given texts, an encoder with random weights.

For the demo and for tests: real files of the real formats, without a download.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import BertConfig, BertForQuestionAnswering, PreTrainedTokenizerFast, set_seed

_SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]

Kind = Literal["wordpiece", "unigram"]


@dataclass(frozen=True, slots=True)
class Shape:
    """Size of a tiny encoder; ``positions`` in tokens, ``spread`` the standard deviation of its weights."""

    vocabulary: int = 4000
    hidden: int = 128
    layers: int = 2
    heads: int = 4
    inner: int = 256
    positions: int = 256
    dropout: float = 0.0
    spread: float = 0.05


def make_backbone(folder: Path, texts: Iterable[str], kind: Kind, shape: Shape, seed: int) -> None:
    """Train a tokenizer of *kind* on *texts* and save it with an untrained BERT of *shape* in *folder*.

    The same arguments give the same weights, but not quite the same vocabulary: the tokenizer trainers
    break ties at random.
    """
    tokenizer = _tokenizer(list(texts), kind, shape)
    set_seed(seed)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=shape.inner,
        max_position_embeddings=shape.positions,
        hidden_dropout_prob=shape.dropout,
        attention_probs_dropout_prob=shape.dropout,
        initializer_range=shape.spread,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = BertForQuestionAnswering(config)
    _wave_positions(model.bert.embeddings.position_embeddings.weight, shape.spread)
    folder.mkdir(parents=True, exist_ok=True)
    transformers.utils.logging.disable_progress_bar()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _tokenizer(texts: list[str], kind: Kind, shape: Shape) -> PreTrainedTokenizerFast:
    if kind == "wordpiece":
        engine = Tokenizer(models.WordPiece(unk_token="[UNK]"))
        engine.normalizer = normalizers.BertNormalizer(lowercase=False, strip_accents=False)
        engine.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        engine.decoder = decoders.WordPiece()
        trainer: trainers.Trainer = trainers.WordPieceTrainer(
            vocab_size=shape.vocabulary, special_tokens=_SPECIALS, show_progress=False
        )
    else:
        engine = Tokenizer(models.Unigram())
        engine.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Metaspace(), pre_tokenizers.Punctuation()]
        )
        engine.decoder = decoders.Metaspace()
        trainer = trainers.UnigramTrainer(
            vocab_size=shape.vocabulary, special_tokens=_SPECIALS, unk_token="[UNK]", show_progress=False
        )
    engine.train_from_iterator(texts, trainer)
    engine.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(token, engine.token_to_id(token)) for token in ("[CLS]", "[SEP]")],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=engine,
        model_max_length=shape.positions,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )


@torch.no_grad()
def _wave_positions(weight: torch.Tensor, spread: float) -> None:
    """Sinusoids (Vaswani et al. 2017, 3.5) at the scale of the other weights: positions need no learning."""
    count, width = weight.shape
    position = torch.arange(count)[:, None]
    rate = torch.exp(torch.arange(0, width, 2) * (-math.log(10000.0) / width))
    weight[:, 0::2] = torch.sin(position * rate) * spread * math.sqrt(2)
    weight[:, 1::2] = torch.cos(position * rate) * spread * math.sqrt(2)
