"""The settings that decide what a training does, apart from its data: each option is declared here once."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from kit.settings.option import from_given, option, options_of
from kit.settings.validation import Settings

Precision = Literal["auto", "fp32", "bf16", "fp16"]
Schedule = Literal["linear", "cosine"]
Targets = Literal["all", "first", "shortest", "longest"]
Head = Literal["independent", "joint"]


class TrainingSettings(Settings):
    """Settings of one run.  Sizes in windows, lengths in tokens; ``batch_size`` is the effective batch."""

    epochs: float = option(
        3.0, gt=0, le=1000, group="Optimizer", everyday=True, help="Passes over the data",
        elsewhere=("num_train_epochs", "num_epochs"),
    )  # fmt: skip
    lr: float = option(
        3e-5, gt=0, lt=1, group="Optimizer", everyday=True, help="Peak learning rate",
        elsewhere=("learning_rate",),
    )  # fmt: skip
    warmup: float = option(
        0.1, ge=0, lt=1, group="Optimizer", help="Share of the steps with a rising rate",
        elsewhere=("warmup_ratio", "warmup_steps", "num_warmup_steps"),
    )  # fmt: skip
    schedule: Schedule = option(
        "linear", group="Optimizer", help="How the learning rate falls",
        elsewhere=("lr_scheduler_type", "scheduler"),
    )  # fmt: skip
    weight_decay: float = option(0.01, ge=0, group="Optimizer", help="Weight decay, not on norms and biases")
    layer_decay: float = option(
        1.0, gt=0, le=1, group="Optimizer", help="Learning rate of each layer as a share of the layer above",
        elsewhere=("llrd", "layerwise_lr_decay"),
    )  # fmt: skip
    max_grad_norm: float = option(
        1.0, gt=0, group="Optimizer", help="Gradients are clipped to this norm",
        elsewhere=("clip", "grad_clip", "gradient_clip_val"),
    )  # fmt: skip

    batch_size: int = option(
        32, ge=1, group="Batches", everyday=True, help="Effective batch in windows",
        elsewhere=("train_batch_size", "gradient_accumulation_steps", "accumulate_grad_batches"),
    )  # fmt: skip
    micro_batch_size: int = option(
        8, ge=1, group="Batches", execution=True,
        help="Windows on the device at once; divides the batch; --token-budget replaces it",
        elsewhere=("per_device_train_batch_size", "per_gpu_train_batch_size"),
    )  # fmt: skip
    token_budget: int | None = option(
        None, ge=16, group="Batches", execution=True, unset="--micro-batch-size decides",
        help="Padded tokens on the device at once, instead of a number of windows",
    )  # fmt: skip
    max_length: int = option(
        512, ge=16, group="Batches", everyday=True, help="Tokens in a window",
        elsewhere=("max_seq_length", "max_seq_len", "max_len"),
    )  # fmt: skip
    stride: int = option(
        128, ge=0, group="Batches", help="Tokens that neighbouring windows share",
        elsewhere=("doc_stride",),
    )  # fmt: skip

    precision: Precision = option(
        "auto", group="Precision and memory", help="Numeric precision",
        fixed="it belongs to the machine; fix it with --set precision=bf16",
        elsewhere=("fp16", "bf16", "mixed_precision", "amp"),
    )  # fmt: skip
    gradient_checkpointing: bool = option(
        False, group="Precision and memory", execution=True, help="Use less memory and a third more time",
        elsewhere=("grad_checkpointing",),
    )  # fmt: skip
    compile: bool = option(
        False, group="Precision and memory", execution=True,
        help="Use torch.compile; pays on long trainings on a GPU",
    )  # fmt: skip

    attention_dropout: float | None = option(
        None, ge=0, lt=1, group="Regularisation", unset="the backbone's",
        help="Dropout of attention weights; 0 is much faster on a CPU",
    )  # fmt: skip
    soften: float = option(
        0.0, ge=0, lt=1, group="Regularisation",
        help="Share of each target that is spread over near tokens, by distance in characters",
        elsewhere=("label_smoothing", "label_smoothing_factor"),
    )  # fmt: skip
    adversarial: float = option(
        0.0, ge=0, group="Regularisation",
        help="FGM adversarial training: perturbation size; doubles training time",
        elsewhere=("fgm", "awp"),
    )  # fmt: skip
    r_drop: float = option(
        0.0, ge=0, group="Regularisation",
        help="R-Drop: weight of the divergence between two dropouts; doubles training time",
        elsewhere=("rdrop",),
    )  # fmt: skip
    average: int | None = option(
        None, ge=2, group="Regularisation", unset="no average",
        help="Keep the mean weights of the last N checkpoints",
        elsewhere=("swa", "avg_checkpoints"),
    )  # fmt: skip
    ema: float | None = option(
        None, gt=0, lt=1, group="Regularisation", unset="no average",
        help="Keep an exponential average of the weights with this decay, such as 0.999",
    )  # fmt: skip

    targets: Targets = option("all", group="Data", help="Gold answers to learn from")
    limit: int | None = option(
        None, ge=1, group="Data", unset="all",
        help="Use only the first N questions of each file: to learn, evaluate and score",
        fixed="fewer questions are no better setting; fix it with --set limit=2000",
        elsewhere=("max_train_samples", "max_samples"),
    )  # fmt: skip
    allow_unknown: bool = option(
        False, group="Data", execution=True,
        help="Train although the tokenizer reads over a fifth of common text as [UNK]",
    )  # fmt: skip

    folds: int | None = option(
        None, ge=2, le=100, group="Folds and evaluation", everyday=True, unset="one model",
        help="Train one model for each fold, for out-of-fold scores",
        fixed="a trial is one model judged on one held-out part; retrain the winner with kit train --folds",
        elsewhere=("n_splits", "num_folds", "k_folds", "kfold"),
    )  # fmt: skip
    split_seed: int = option(
        42, ge=0, lt=2**32, group="Folds and evaluation",
        help="Seed of folds and holdout; runs with other --seed values share their folds",
        fixed="trials judged on other questions do not compare; fix it with --set split_seed=7",
    )  # fmt: skip
    evaluations: int = option(
        1, ge=1, group="Folds and evaluation", help="Evaluations and checkpoints in an epoch",
        fixed="more evaluations only make the held-out score too good; fix it with --set evaluations=4",
        elsewhere=("eval_steps", "eval_every", "eval_strategy"),
    )  # fmt: skip
    early_stopping: int | None = option(
        None, ge=1, group="Folds and evaluation", unset="never",
        help="Stop after N evaluations without a better Edit Score",
        fixed="a trial counts by its best evaluation anyway; fix it with --set early_stopping=3",
        elsewhere=("patience", "early_stopping_patience"),
    )  # fmt: skip

    seed: int = option(
        42, ge=0, lt=2**32, group="Run", help="Random seed of the training",
        fixed="a lucky seed is no better setting; fix it with --set seed=7",
        elsewhere=("random_state", "random_seed"),
    )  # fmt: skip
    head: Head = option("independent", group="Run", help="Score start and end alone, or also together")
    save_minutes: float | None = option(
        None, gt=0, group="Run", execution=True, unset="at evaluations only",
        help="Save a checkpoint at least every N minutes, for sessions that may end at any time",
        elsewhere=("save_steps",),
    )  # fmt: skip

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if self.batch_size % self.micro_batch_size:
            raise ValueError(
                f"micro_batch_size {self.micro_batch_size} does not divide batch_size {self.batch_size}; "
                f"choose one of {', '.join(map(str, _divisors(self.batch_size)))}"
            )
        if self.average is not None and self.ema is not None:
            raise ValueError("average and ema are two averages of the same weights; choose one of them")
        if self.average is not None and self.early_stopping is not None:
            raise ValueError("average needs the whole training, which early_stopping may cut short; use ema")
        if self.adversarial and self.compile:
            raise ValueError("adversarial moves what a compiled model has fixed; leave out compile")
        return self

    @property
    def accumulation_steps(self) -> int:
        """Micro-batches in one effective batch, of all processes together: derived, never set."""
        return self.batch_size // self.micro_batch_size

    @property
    def at_once(self) -> str:
        """What the device holds at once, in words."""
        if self.token_budget is not None:
            return f"{self.token_budget:,} tokens at once"
        return f"micro-batches of {self.micro_batch_size}"

    @property
    def at_once_flag(self) -> str:
        """The same as ``kit train`` takes it."""
        if self.token_budget is not None:
            return f"--token-budget {self.token_budget}"
        return f"--micro-batch-size {self.micro_batch_size}"


SETTINGS = options_of(TrainingSettings)
"""What was declared of each setting."""
EXECUTION_ONLY = frozenset(name for name, known in SETTINGS.items() if known.execution)
"""Settings that change how a training runs and not what is trained: a resumed run may change them."""


def _divisors(number: int) -> list[int]:
    return [size for size in range(1, number + 1) if number % size == 0]


def training_settings(**given: object) -> TrainingSettings:
    """Settings from flags or keywords; None means the default.  Raises ConfigError with all mistakes."""
    batch = given.get("batch_size")
    if given.get("micro_batch_size") is None and isinstance(batch, int):
        # A batch size alone must work: the largest of its divisors that the default would have been.
        default = TrainingSettings.model_fields["micro_batch_size"].default
        given["micro_batch_size"] = max([size for size in _divisors(batch) if size <= default], default=1)
    return from_given(TrainingSettings, given, "training settings")


def with_half_at_once(settings: TrainingSettings, processes: int, longest: int) -> TrainingSettings | None:
    """*settings* with about half as much on the device at once and the same effective batch.

    None where the device holds single windows already.  *longest*: tokens of the longest window.
    """
    if settings.token_budget is None:
        # The processes share each micro-step: micro_batch_size * processes divides the effective batch.
        divisors = _divisors(settings.batch_size // processes)
        smaller = [size for size in divisors if size <= settings.micro_batch_size // 2]
        return settings.model_copy(update={"micro_batch_size": max(smaller)}) if smaller else None
    budget = max(settings.token_budget // 2, longest)
    return settings.model_copy(update={"token_budget": budget}) if budget < settings.token_budget else None
