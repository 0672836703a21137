"""Presets: what was published fits into what their models can take."""

from __future__ import annotations

from typing import Any

import pytest
from transformers import (
    BertConfig,
    BigBirdConfig,
    DebertaV2Config,
    ElectraConfig,
    PreTrainedConfig,
    RobertaConfig,
    XLMRobertaConfig,
)

import kit
from kit.modeling.backbones import Limits, _limits
from kit.modeling.presets import PRESETS
from tests.modeling.test_backbones import Length

_SMALL: dict[str, Any] = {
    "num_hidden_layers": 1, "hidden_size": 8, "num_attention_heads": 1, "intermediate_size": 8,
    "vocab_size": 50,
}  # fmt: skip
_ROBERTA = {**_SMALL, "max_position_embeddings": 514, "pad_token_id": 1, "type_vocab_size": 1}

SHAPES: dict[str, tuple[PreTrainedConfig, int, Limits]] = {
    "kcbert": (BertConfig(**_SMALL, max_position_embeddings=300), 300, Limits(300, True)),
    "bert-kor": (BertConfig(**_SMALL, max_position_embeddings=512), 512, Limits(512, True)),
    "klue-bert": (BertConfig(**_SMALL, max_position_embeddings=512), 512, Limits(512, True)),
    "koelectra": (ElectraConfig(**_SMALL, embedding_size=8), 512, Limits(512, True)),
    "klue-roberta": (RobertaConfig(**_ROBERTA), 512, Limits(512, False)),
    "klue-roberta-large": (RobertaConfig(**_ROBERTA), 512, Limits(512, False)),
    "kobigbird": (BigBirdConfig(**_SMALL, max_position_embeddings=4096), 4096, Limits(4096, True)),
    "kpfbert": (BertConfig(**_SMALL, max_position_embeddings=512), 10**30, Limits(512, True)),
    "xlm-roberta-large": (XLMRobertaConfig(**_ROBERTA), 512, Limits(512, False)),
    "mdeberta": (
        DebertaV2Config(
            **_SMALL, max_position_embeddings=512, type_vocab_size=0, position_biased_input=False,
            relative_attention=True, position_buckets=256, pos_att_type=["p2c", "c2p"],
        ),
        10**30,
        Limits(512, False),
    ),
}  # fmt: skip
"""A small config of each preset's shape, its tokenizer's limit, and the limits that they set."""


def test_every_preset_has_a_shape() -> None:
    assert set(SHAPES) == set(PRESETS)


@pytest.mark.parametrize("name", PRESETS)
def test_the_published_windows_fit(name: str) -> None:
    config, longest, limits = SHAPES[name]
    assert _limits(name, config, Length(longest), False) == limits
    preset = PRESETS[name]
    assert preset.max_length <= limits.positions
    assert preset.stride <= preset.max_length // 2
    assert "/" in preset.hub_id
    assert preset.source


@pytest.mark.parametrize("name", PRESETS)
def test_the_published_settings_are_those_of_a_training(name: str) -> None:
    settings, preset = kit.settings_for(name), PRESETS[name]
    assert (settings.lr, settings.epochs, settings.batch_size) == (
        preset.lr,
        preset.epochs,
        preset.batch_size,
    )
    assert (settings.max_length, settings.warmup) == (preset.max_length, preset.warmup)
    assert settings.weight_decay == preset.weight_decay
    assert settings.batch_size % settings.micro_batch_size == 0


def test_xtremes_settings() -> None:
    """3 epochs, 4 windows accumulated 8 times, 384 tokens, 500 warm-up steps of about 8,250."""
    preset = PRESETS["xlm-roberta-large"]
    assert (preset.lr, preset.epochs, preset.batch_size, preset.max_length) == (3e-5, 3, 4 * 8, 384)
    assert preset.warmup == pytest.approx(500 / 8250, abs=0.001)
