"""The probe: padding, neighbours and earlier batches change no scores, whatever the architecture."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from kit.data.records import Question
from kit.errors import ModelError
from kit.modeling import inference, probe
from kit.modeling.backbones import Backbone, load_weights, open_backbone
from kit.modeling.batching import HARMLESS, Batching, budget_batches
from kit.modeling.devices import choose_device
from kit.modeling.inference import score_questions
from kit.modeling.probe import batching_of, longest_that_works
from kit.spans.span_scores import Provenance, SpanScores, joined
from tests.modeling.conftest import ARTICLES
from tools.families.tiny_models import make_family

NOWHERE = Provenance("", "", "", "", 0, 0, "")
HARMFUL = Batching("harmful")
Family = Callable[[str], Path]


def opened(folder: Path) -> tuple[Backbone, torch.nn.Module]:
    backbone = open_backbone(str(folder))
    torch.manual_seed(0)
    return backbone, load_weights(backbone, head_needed=False)


def made(folder: Path, name: str, **changed: Any) -> Path:
    make_family(folder, name, ARTICLES * 3, **changed)
    return folder


@pytest.fixture
def bert(wordpiece_folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Backbone, torch.nn.Module]:
    """A model whose padding is harmless, not probed yet."""
    monkeypatch.setattr(probe, "_found", {})
    return opened(wordpiece_folder)


@pytest.mark.parametrize(
    ("name", "longest", "expected"),
    [
        ("bert", 128, HARMLESS),
        ("roberta", 128, HARMLESS),
        ("albert", 128, HARMLESS),
        ("deberta", 128, HARMLESS),
        ("bart", 128, HARMLESS),
        ("convbert", 128, HARMFUL),
        ("mobilebert", 128, HARMFUL),
        ("fnet", 128, HARMFUL),
        ("nystromformer", 128, HARMFUL),
        ("yoso", 128, HARMFUL),
        ("funnel", 128, HARMFUL),
        ("canine", 64, HARMFUL),
        ("big_bird", 28, Batching(attention="original_full")),
        ("big_bird", 128, Batching("fixed", 128, attention="block_sparse")),
    ],
)
def test_how_the_windows_of_each_family_are_batched(
    family: Family, name: str, longest: int, expected: Batching
) -> None:
    backbone, model = opened(family(name))
    assert batching_of(model, backbone, longest) == expected


def clear_pad_row(model: Any) -> None:
    torch.nn.init.zeros_(model.get_input_embeddings().weight[model.config.pad_token_id])


def test_a_pad_row_of_zeros_is_harmless(tmp_path: Path) -> None:
    backbone, model = opened(made(tmp_path / "mobile", "mobilebert", change=clear_pad_row))
    assert batching_of(model, backbone, 128) == HARMLESS


# ---- what it is for: the scores


def asked(words: str = "무엇인가?") -> list[Question]:
    """Questions on contexts of very different lengths."""
    contexts = [*ARTICLES, ARTICLES[0][:20], ARTICLES[1][:9], " ".join(ARTICLES[2:4])]
    return [Question(f"q{number}", words, text, None) for number, text in enumerate(contexts)]


def scored(
    backbone: Backbone, model: torch.nn.Module, questions: list[Question], length: int = 96
) -> SpanScores:
    parts = score_questions(
        model, backbone, questions, choose_device(), max_length=length, stride=16, provenance=NOWHERE
    )
    return joined(list(parts), NOWHERE)


def furthest(one: SpanScores, other: SpanScores) -> float:
    assert np.array_equal(one.char_begin, other.char_begin)
    pairs = ((one.start, other.start), (one.end, other.end), (one.null, other.null))
    return max(float(np.abs(a - b).max()) for a, b in pairs) / float(one.start.std())


@pytest.mark.parametrize(
    ("name", "length"),
    [
        ("convbert", 96),
        ("mobilebert", 96),
        ("fnet", 96),
        ("nystromformer", 96),
        ("yoso", 96),
        ("funnel", 96),
        ("canine", 64),
        ("big_bird", 96),
        ("big_bird", 28),
    ],
)
def test_a_question_alone_has_the_scores_that_it_has_among_others(
    family: Family, name: str, length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    backbone, model = opened(family(name))
    questions = asked()
    together = scored(backbone, model, questions, length)
    for number, question in enumerate(questions):
        alone = scored(backbone, model, [question], length)
        assert furthest(together.select(np.array([number])), alone) < 1e-4
    assert furthest(together, scored(backbone, model, questions, length)) == 0.0
    monkeypatch.setattr(inference, "batching_of", lambda *_: HARMLESS)
    backbone, model = opened(family(name))
    if name != "big_bird":  # what the scores were without the probe
        assert furthest(together, scored(backbone, model, questions, length)) > 1e-2


def test_a_short_batch_changes_no_later_one(family: Family) -> None:
    backbone, model = opened(family("big_bird"))
    long = asked()[-1:]
    first = scored(backbone, model, long)
    assert model.bert.attention_type == "block_sparse"
    scored(backbone, model, asked()[5:7])  # short enough for full attention
    assert model.bert.attention_type == "block_sparse"
    assert furthest(first, scored(backbone, model, long)) == 0.0


def test_each_length_has_its_attention(family: Family) -> None:
    backbone, model = opened(family("big_bird"))
    for length, attention in ((96, "block_sparse"), (28, "original_full"), (96, "block_sparse")):
        scored(backbone, model, asked()[:2], length)
        assert model.bert.attention_type == attention
        assert model.bert.encoder.layer[1].attention.attention_type == attention


# ---- what no family here does


def blockwise(size: int) -> Callable[[Any, Any, dict[str, Any]], None]:
    def refuse(module: Any, arguments: Any, named: dict[str, Any]) -> None:
        if named["input_ids"].shape[1] % size:
            raise ValueError(f"length must be a multiple of {size}")

    return refuse


def test_an_architecture_of_blocks_gets_one_length(bert: tuple[Backbone, torch.nn.Module]) -> None:
    backbone, model = bert
    model.register_forward_pre_hook(blockwise(32), with_kwargs=True)
    assert batching_of(model, backbone, 70) == Batching("fixed", 96)
    questions = asked()
    together = scored(backbone, model, questions, 70)
    assert furthest(together.select(np.array([6])), scored(backbone, model, questions[6:7], 70)) < 1e-4


def test_a_length_that_only_the_config_names(bert: tuple[Backbone, torch.nn.Module]) -> None:
    backbone, model = bert
    model.config.segment_means_seq_len = 72
    model.register_forward_pre_hook(blockwise(72), with_kwargs=True)
    assert batching_of(model, backbone, 70) == Batching("fixed", 72)
    assert longest_that_works(model, backbone, 100) == 72


def mix(module: Any, arguments: Any, output: torch.Tensor) -> torch.Tensor:
    """Rows of a batch that know each other."""
    return output + output.mean(dim=0, keepdim=True)


def test_lengths_that_only_training_demands(tmp_path: Path) -> None:
    """Reformer pads by itself when it predicts, and when it learns it takes whole chunks only."""
    backbone, model = opened(made(tmp_path / "model", "reformer with CLS"))
    reader = model.base_model
    layers = [layer.attention.self_attention for layer in reader.encoder.layers]
    assert [type(layer).__name__ for layer in layers] == ["LocalSelfAttention", "LSHSelfAttention"]
    model.config.hash_seed = layers[1].hash_seed = 1
    assert batching_of(model, backbone, 90) == Batching("fixed", 96)


@pytest.mark.parametrize("chunk", [16, 32])
def test_hashes_that_are_drawn_anew(tmp_path: Path, chunk: int) -> None:
    """Reformer hashes windows that are longer than a chunk, at random."""
    folder = made(tmp_path / "model", "reformer with CLS", lsh_attn_chunk_length=chunk)
    backbone, model = opened(folder)
    with pytest.raises(ModelError, match=r"gives the same window other scores in a second forward"):
        longest_that_works(model, backbone, 96)
    with pytest.raises(ModelError, match=r"gives the same window other scores in a second forward"):
        batching_of(model, backbone, 96)


def test_rows_that_change_each_other_stand_alone(bert: tuple[Backbone, torch.nn.Module]) -> None:
    backbone, model = bert
    model.bert.embeddings.register_forward_hook(mix)
    assert batching_of(model, backbone, 96) == Batching("harmful", alone=True)
    questions = asked()
    together = scored(backbone, model, questions)
    assert furthest(together.select(np.array([6])), scored(backbone, model, questions[6:7])) < 1e-4


def test_blocks_and_rows_together(bert: tuple[Backbone, torch.nn.Module]) -> None:
    backbone, model = bert
    model.bert.embeddings.register_forward_hook(mix)
    model.register_forward_pre_hook(blockwise(32), with_kwargs=True)
    assert batching_of(model, backbone, 96) == Batching("fixed", 96, alone=True)


def drawing(module: Any, arguments: Any, output: torch.Tensor) -> torch.Tensor:
    return output + torch.randn_like(output)


class Counting:
    """A model that counts its batches, and shows it."""

    count = 0

    def __call__(self, module: Any, arguments: Any, output: torch.Tensor) -> torch.Tensor:
        self.count += 1
        return output * self.count


@pytest.mark.parametrize("hook", [drawing, Counting()])
def test_what_cannot_be_repeated_is_refused(bert: tuple[Backbone, torch.nn.Module], hook: Any) -> None:
    backbone, model = bert
    model.bert.embeddings.register_forward_hook(hook)
    with pytest.raises(
        ModelError, match="gives the same window other scores in a second forward pass"
    ) as caught:
        scored(backbone, model, asked())
    assert "\n" not in str(caught.value)


# ---- what it leaves as it was, and what it costs


def measure(module: Any, arguments: Any, output: Any) -> None:
    """A mean of what a model sees in training, as some keep it."""
    module.meter(torch.rand(9, 1))


def test_weights_modes_and_random_states_stay(family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "_found", {})
    for name in ("bert", "fnet", "big_bird"):
        backbone, model = opened(family(name))
        model.train()
        reader: Any = probe.reader_of(model)
        reader.get_input_embeddings().eval()
        model.register_module("meter", torch.nn.BatchNorm1d(1))
        model.register_forward_hook(measure)
        before = {key: value.clone() for key, value in model.state_dict().items()}
        states = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
        batching_of(model, backbone, 128)
        longest_that_works(model, backbone, 200)
        assert torch.equal(torch.get_rng_state(), states[0])
        assert np.array_equal(np.random.get_state()[1], states[1])
        assert random.getstate() == states[2]
        assert model.state_dict().keys() == before.keys()
        assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
        modes = {module.training for module in model.modules()}
        assert modes == {True, False}
        assert not reader.get_input_embeddings().training
        assert all(parameter.requires_grad and parameter.grad is None for parameter in model.parameters())


def test_it_runs_once_a_process_and_model(
    bert: tuple[Backbone, torch.nn.Module], wordpiece_folder: Path, tmp_path: Path
) -> None:
    backbone, model = bert
    sizes: list[tuple[int, ...]] = []
    model.register_forward_pre_hook(
        lambda _, __, named: sizes.append(tuple(named["input_ids"].shape)), with_kwargs=True
    )
    assert batching_of(model, backbone, 96) == batching_of(model, backbone, 96) == HARMLESS
    assert sizes == [(1, 13), (2, 38), (1, 38), (1, 13), (1, 38)]  # the last one as in training
    again = load_weights(open_backbone(str(wordpiece_folder)), head_needed=True)
    again.register_forward_pre_hook(lambda *_: pytest.fail("probed again"))
    batching_of(again, open_backbone(str(wordpiece_folder)), 96)
    # the same folder with other weights is another model
    folder = tmp_path / "model"
    for name in ("fnet", "bert"):
        shutil.rmtree(folder, ignore_errors=True)
        backbone, model = opened(made(folder, name))
        assert batching_of(model, backbone, 96) == (HARMFUL if name == "fnet" else HARMLESS)


# ---- lengths, ids and languages


@pytest.mark.parametrize(
    ("name", "wanted", "longest"),
    [("bert", 128, 128), ("bert", 160, 128), ("luke", 160, 129), ("ibert", 160, 129), ("yoso", 160, 128)],
)
def test_the_longest_window_is_found_by_trying(family: Family, name: str, wanted: int, longest: int) -> None:
    backbone, model = opened(family(name))
    assert longest_that_works(model, backbone, wanted) == longest


def test_a_decoder_may_end_before_its_encoder(tmp_path: Path) -> None:
    backbone, model = opened(made(tmp_path / "led", "led", max_decoder_position_embeddings=64))
    assert longest_that_works(model, backbone, 128) == 64


def test_token_ids_beyond_the_table(wordpiece_folder: Path, tmp_path: Path) -> None:
    """By their maximum: the vocabulary has a gap, and no more tokens than the table has rows."""
    folder = Path(shutil.copytree(wordpiece_folder, tmp_path / "model"))
    described = json.loads((folder / "tokenizer.json").read_text())
    vocabulary = described["model"]["vocab"]
    last = max(vocabulary, key=vocabulary.get)
    rows = len(vocabulary)
    vocabulary[last] = rows + 6
    (folder / "tokenizer.json").write_text(json.dumps(described))
    backbone, model = opened(folder)
    said = rf"token ids up to {rows + 6}, its embeddings end at {rows - 1}; use the tokenizer that the model"
    with pytest.raises(ModelError, match=said):
        batching_of(model, backbone, 96)


def test_a_segment_that_the_model_lacks(wordpiece_folder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(wordpiece_folder, tmp_path / "model"))
    text = (folder / "tokenizer.json").read_text()
    (folder / "tokenizer.json").write_text(text.replace('"type_id": 1', '"type_id": 2'))
    backbone, model = opened(folder)
    with pytest.raises(
        ModelError, match=r"template gives segment 2, the model knows segments 0 to 1; use the"
    ):
        batching_of(model, backbone, 96)


def test_a_language_that_a_model_needs(family: Family, tmp_path: Path) -> None:
    languages = ["en_XX", "ko_KR"]
    backbone, model = opened(made(tmp_path / "none", "xmod", languages=languages, default_language=None))
    with pytest.raises(ModelError, match=r'"default_language": "en_XX" \(it knows en_XX, ko_KR\)'):
        batching_of(model, backbone, 96)
    backbone, model = opened(family("xmod"))
    assert batching_of(model, backbone, 96) == HARMLESS


def test_separators_that_a_model_needs(family: Family, tmp_path: Path) -> None:
    backbone, model = opened(family("longformer"))
    assert batching_of(model, backbone, 96) == HARMLESS
    folder = Path(shutil.copytree(family("longformer"), tmp_path / "two"))
    described = json.loads((folder / "tokenizer.json").read_text())
    del described["post_processor"]["pair"][2]  # one of the two between question and context
    (folder / "tokenizer.json").write_text(json.dumps(described))
    backbone, model = opened(folder)
    with pytest.raises(ModelError, match=r"other special tokens than the model needs .*three sep"):
        batching_of(model, backbone, 96)


# ---- batches


def test_batches_of_equal_length_and_of_one() -> None:
    lengths = np.array([5, 9, 5, 9, 9, 4, 5])
    batches = [batch.tolist() for batch in budget_batches(lengths, 18, HARMFUL)]
    assert batches == [[1, 3], [4], [0, 2, 6], [5]]
    alone = [batch.tolist() for batch in budget_batches(lengths, 100, Batching("harmful", alone=True))]
    assert alone == [[1], [3], [4], [0], [2], [6], [5]]
    fixed = [batch.tolist() for batch in budget_batches(lengths, 33, Batching("fixed", 16))]
    assert fixed == [[0, 1], [2, 3], [4, 5], [6]]


@pytest.mark.parametrize(
    ("batching", "lines"),
    [
        (HARMLESS, []),
        (HARMFUL, ["x: padding changes its scores; batches hold windows of equal length only"]),
        (Batching("harmful", alone=True), ["x: padding changes its scores; one window a batch"]),
        (
            Batching("fixed", 96, alone=True),
            ["x does not take windows of every length; all are padded to 96 tokens, one window a batch"],
        ),
        (
            Batching(attention="original_full"),
            [
                "x changes its attention with the length of a batch and keeps the change; it is fixed to "
                "original_full"
            ],
        ),
    ],
)
def test_what_is_said_about_it(batching: Batching, lines: list[str]) -> None:
    assert batching.remarks("x") == lines


@pytest.mark.parametrize("weight", ["qa_outputs.weight", "bert.encoder.layer.0.output.dense.weight"])
def test_weights_that_are_no_numbers_are_named(bert: tuple[Backbone, torch.nn.Module], weight: str) -> None:
    backbone, model = bert
    with torch.no_grad():
        dict(model.named_parameters())[weight][:] = torch.nan
    with pytest.raises(ModelError, match=rf"its scores are not finite \({weight} is not of finite numbers\)"):
        batching_of(model, backbone, 60)
