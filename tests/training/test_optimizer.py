"""Learning rates by depth, for the families of backbones the kit has presets for."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForQuestionAnswering, BertConfig, ElectraConfig, RobertaConfig

from kit.errors import ModelError
from kit.modeling.joint_head import with_head
from kit.training.optimizer import depths, parameter_groups
from tests.training.gradients import trainer

SMALL = {
    "vocab_size": 20,
    "hidden_size": 8,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 8,
}


@pytest.mark.parametrize("config", [BertConfig(**SMALL), ElectraConfig(**SMALL), RobertaConfig(**SMALL)])
def test_the_head_is_on_top_and_the_words_below_all_layers(config: object) -> None:
    model = AutoModelForQuestionAnswering.from_config(config)
    found = depths(model)
    assert set(found) == {name for name, _ in model.named_parameters()}
    for name, depth in found.items():
        if name.startswith("qa_outputs"):
            assert depth == 0, name
        elif ".layer." in name:
            assert depth == 3 - int(name.split(".layer.")[1].split(".")[0]), name
        else:
            assert "embedding" in name
            assert depth == 4, name


def test_a_joint_head_is_on_top_too() -> None:
    model = with_head(AutoModelForQuestionAnswering.from_config(BertConfig(**SMALL)), Path("none"), "joint")
    found = depths(model)
    assert found["head.end.weight"] == found["reader.qa_outputs.bias"] == 0
    assert found["reader.bert.encoder.layer.2.output.dense.weight"] == 1
    assert found["reader.bert.embeddings.word_embeddings.weight"] == 4


def test_the_optimizer_has_a_rate_a_layer_and_decays_what_it_should(
    wordpiece_folder: Path, tmp_path: Path
) -> None:
    run = trainer(wordpiece_folder, tmp_path, 4, 4, 4, lr=0.1, layer_decay=0.5)
    run.args.weight_decay = 0.3
    run.create_optimizer()
    groups = run.optimizer.param_groups
    of = {id(weight): group for group in groups for weight in group["params"]}
    below = depths(run.model)
    assert len(of) == len(list(run.model.parameters()))
    for name, weight in run.model.named_parameters():
        assert of[id(weight)]["lr"] == pytest.approx(0.1 * 0.5 ** below[name]), name
        plain = "LayerNorm" in name or name.endswith("bias")
        assert of[id(weight)]["weight_decay"] == (0.0 if plain else 0.3), name
    assert groups[0]["lr"] == 0.1  # what Trainer logs as the rate is the head's


def test_frozen_weights_are_in_no_group() -> None:
    model = AutoModelForQuestionAnswering.from_config(BertConfig(**SMALL))
    model.qa_outputs.weight.requires_grad_(False)
    groups = parameter_groups(model, [], lr=1.0, weight_decay=0.0, layer_decay=0.9)
    kept = {id(weight) for group in groups for weight in group["params"]}
    assert kept == {id(weight) for weight in model.parameters() if weight.requires_grad}


def test_a_model_without_layers_is_refused() -> None:
    with pytest.raises(ModelError, match="--layer-decay: this backbone has no stack of layers; leave it out"):
        depths(torch.nn.Linear(2, 2))
