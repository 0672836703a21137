"""The change that one epoch makes to the weights, by one process or by several."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch
from transformers import TrainingArguments

from kit.data.records import Answer, Question
from kit.modeling.backbones import load_weights, open_backbone
from kit.modeling.batching import HARMLESS, Batching
from kit.modeling.distributed import join_processes
from kit.modeling.joint_head import JointReader
from kit.modeling.windows import make_windows
from kit.settings.training import Head
from kit.training.collator import SpanCollator
from kit.training.labels import label_windows
from kit.training.losses import Loss
from kit.training.sampler import LengthGroupedSampler, MicroBatches
from kit.training.trainer import SpanTrainer, steps_of


def trainer(
    folder: Path,
    output: Path,
    batch: int,
    micro: int,
    count: int,
    budget: int = 0,
    lr: float = 0.1,
    *,
    head: Head = "independent",
    **options: Any,
) -> SpanTrainer:
    """Plain SGD without clipping, so that the step's change of weights is the gradient.

    *budget*: padded tokens a micro-batch, in place of *micro* windows; 0 for none, -1 for micro-batches of
    windows of equal length.
    """
    processes = join_processes()
    backbone = open_backbone(str(folder))
    context = "무령시는 오는 15일 시청 앞 광장에서 김도현 시장이 참석한 가운데 행사를 연다고 밝혔다."
    words = context.split()
    questions = []
    for number in range(count):
        word = words[number % len(words)]
        text = context + " 끝." * (number // 2 * 6)  # different lengths, of two windows each: padding matters
        questions.append(Question(str(number), "무엇?", text, (Answer(word, text.index(word)),)))
    windows = make_windows(backbone, questions, max_length=128, stride=16)
    assert len(windows) == count
    torch.manual_seed(3)
    model = load_weights(backbone, head_needed=False, head=head)
    if isinstance(model, JointReader):
        torch.nn.init.normal_(model.head.end.weight, std=0.1)  # as if it had begun to learn
    order = LengthGroupedSampler(windows.lengths, batch, seed=1)
    batching = Batching("harmful") if budget < 0 else HARMLESS
    sampler = MicroBatches(order, micro, budget if budget > 0 else None, processes, batching)
    arguments = TrainingArguments(
        output_dir=str(output),
        per_device_train_batch_size=micro,
        gradient_accumulation_steps=sampler.steps,
        max_steps=-(-count // batch),
        learning_rate=lr,
        optim="sgd",
        lr_scheduler_type="constant",
        max_grad_norm=0.0,
        use_cpu=True,
        ddp_backend="gloo" if processes.size > 1 else None,
        ddp_find_unused_parameters=False,
        report_to="none",
        save_strategy="no",
        remove_unused_columns=False,
        label_names=["labels"],
        disable_tqdm=True,
        logging_nan_inf_filter=False,
        seed=1,
    )
    labels = label_windows(windows, questions)
    collator = SpanCollator(windows, labels, backbone.pad_id, places=True)
    return SpanTrainer(model, arguments, collator, sampler, lambda _: {"edit": 0.0}, [], **options)


def changes(
    folder: Path, output: Path, batch: int, micro: int, count: int, budget: int = 0, **options: Any
) -> torch.Tensor:
    """What one epoch of *count* windows adds to the weights, float32 (parameters,)."""
    run = trainer(folder, output, batch, micro, count, budget, **options)
    before = torch.cat([parameter.detach().flatten().clone() for parameter in run.model.parameters()])
    run.train()
    assert run.state.global_step == steps_of(count, batch, 1)
    after = torch.cat([parameter.detach().flatten() for parameter in run.model.parameters()])
    return after - before


Asked = tuple[Head, float, float, float]
"""Head, soften, R-Drop and adversarial."""
Row = tuple[int, int, int, int, Asked]
"""Batch, micro, count, budget, and what is asked."""


def options(head: Head, soften: float, r_drop: float, adversarial: float) -> dict[str, Any]:
    """As *trainer* takes them."""
    return {"head": head, "loss": Loss(soften, r_drop), "adversarial": adversarial}


def main() -> None:
    """``BACKBONE FOLDER ROWS``, the rows as JSON: their changes go into files 0, 1, ...."""
    backbone, folder, rows = sys.argv[1:]
    for number, (batch, micro, count, budget, asked) in enumerate(json.loads(rows)):
        found = changes(Path(backbone), Path(folder), batch, micro, count, budget, **options(*asked))
        if join_processes().first:
            Path(folder, str(number)).write_bytes(found.numpy().tobytes())
