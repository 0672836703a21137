"""The loss: independent of padding and of how an effective batch is cut into micro-batches."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import TrainingArguments

from kit.data.records import Answer, Question
from kit.errors import ModelError
from kit.models.backbones import load_weights, open_backbone
from kit.models.batches import LengthGroupedSampler, SpanCollator, WindowDataset
from kit.models.labels import label_windows
from kit.models.trainer import SpanTrainer, span_loss, steps_of
from kit.models.windows import make_windows


def test_the_loss_is_the_mean_cross_entropy_of_start_and_end() -> None:
    torch.manual_seed(0)
    start, end = torch.randn(3, 7), torch.randn(3, 7)
    mask = torch.ones(3, 7, dtype=torch.long)
    golds = torch.tensor([[[1, 2]], [[0, 0]], [[6, 6]]])
    expected = torch.nn.functional.cross_entropy(start, golds[:, 0, 0], reduction="sum")
    expected = (expected + torch.nn.functional.cross_entropy(end, golds[:, 0, 1], reduction="sum")) / 2
    assert torch.allclose(span_loss(start, end, mask, golds), expected)


def test_padding_does_not_change_the_loss() -> None:
    torch.manual_seed(0)
    start, end = torch.randn(2, 5), torch.randn(2, 5)
    golds = torch.tensor([[[1, 2]], [[0, 0]]])
    plain = span_loss(start, end, torch.ones(2, 5, dtype=torch.long), golds)
    wide = [torch.cat([logits, torch.full((2, 4), 9.0)], dim=1) for logits in (start, end)]
    mask = torch.tensor([[1] * 5 + [0] * 4] * 2)
    assert torch.allclose(span_loss(*wide, mask, golds), plain)


def test_several_golds_count_as_one_window() -> None:
    torch.manual_seed(0)
    start, end = torch.randn(1, 5), torch.randn(1, 5)
    mask = torch.ones(1, 5, dtype=torch.long)
    one, other = torch.tensor([[[1, 2]]]), torch.tensor([[[1, 3]]])
    both = torch.tensor([[[1, 2], [1, 3], [-1, -1]]])
    mean = (span_loss(start, end, mask, one) + span_loss(start, end, mask, other)) / 2
    assert torch.allclose(span_loss(start, end, mask, both), mean)


def trainer(folder: Path, output: Path, batch: int, micro: int, count: int, lr: float = 0.1) -> SpanTrainer:
    """Plain SGD without clipping, so that the step's change of weights is the gradient."""
    backbone = open_backbone(str(folder))
    context = "무령시는 오는 15일 시청 앞 광장에서 김도현 시장이 참석한 가운데 행사를 연다고 밝혔다."
    words = context.split()
    questions = []
    for number in range(count):
        word = words[number % len(words)]
        text = context + " 끝." * (number * 3)  # different lengths: padding matters
        questions.append(Question(str(number), "무엇?", text, (Answer(word, text.index(word)),)))
    windows = make_windows(backbone, questions, max_length=128, stride=16)
    assert len(windows) == count
    torch.manual_seed(3)
    model = load_weights(backbone, head_needed=False)
    arguments = TrainingArguments(
        output_dir=str(output),
        per_device_train_batch_size=micro,
        gradient_accumulation_steps=batch // micro,
        max_steps=-(-count // batch),
        learning_rate=lr,
        optim="sgd",
        lr_scheduler_type="constant",
        max_grad_norm=0.0,
        use_cpu=True,
        report_to="none",
        save_strategy="no",
        remove_unused_columns=False,
        label_names=["labels"],
        disable_tqdm=True,
        logging_nan_inf_filter=False,
        seed=1,
    )
    sampler = LengthGroupedSampler(windows.lengths, batch, seed=1)
    labels = label_windows(windows, questions)
    collator = SpanCollator(windows, labels, backbone.pad_id)
    return SpanTrainer(
        model, arguments, WindowDataset(windows), collator, sampler, lambda _: {"edit": 0.0}, []
    )


def changes(folder: Path, output: Path, batch: int, micro: int, count: int) -> torch.Tensor:
    run = trainer(folder, output, batch, micro, count)
    before = torch.cat([parameter.detach().flatten().clone() for parameter in run.model.parameters()])
    run.train()
    assert run.state.global_step == steps_of(count, batch, 1)
    after = torch.cat([parameter.detach().flatten() for parameter in run.model.parameters()])
    return after - before


@pytest.mark.slow
@pytest.mark.parametrize("count", [8, 5, 13])
def test_micro_batches_give_the_gradient_of_the_whole_batch(
    wordpiece_folder: Path, tmp_path: Path, count: int
) -> None:
    whole = changes(wordpiece_folder, tmp_path, 8, 8, count)
    assert whole.norm() > 1e-3
    for micro in (4, 2, 1):
        other = changes(wordpiece_folder, tmp_path, 8, micro, count)
        assert (other - whole).norm() / whole.norm() < 1e-5, micro


def test_norms_and_biases_do_not_decay(wordpiece_folder: Path, tmp_path: Path) -> None:
    run = trainer(wordpiece_folder, tmp_path, 4, 4, 4)
    run.args.weight_decay = 0.3
    run.create_optimizer()
    decay = {id(p): group["weight_decay"] for group in run.optimizer.param_groups for p in group["params"]}
    for name, parameter in run.model.named_parameters():
        expected = 0.0 if "LayerNorm" in name or name.endswith("bias") else 0.3
        assert decay[id(parameter)] == expected, name


@pytest.mark.parametrize(
    ("windows", "batch", "epochs", "steps"), [(16, 8, 2, 4), (17, 8, 2, 6), (5, 8, 0.1, 1)]
)
def test_steps_count_short_last_batches(windows: int, batch: int, epochs: float, steps: int) -> None:
    assert steps_of(windows, batch, epochs) == steps


@pytest.mark.slow
def test_a_loss_that_is_not_finite_stops_with_step_and_cure(wordpiece_folder: Path, tmp_path: Path) -> None:
    run = trainer(wordpiece_folder, tmp_path, 4, 4, 8)
    with torch.no_grad():
        run.model.qa_outputs.bias.fill_(float("nan"))
    with pytest.raises(ModelError, match=r"the loss is nan at step 1; lower --lr"):
        run.train()
