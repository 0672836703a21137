"""What decides a training run, apart from the data itself."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from kit.errors import ConfigError, all_of
from kit.settings.validation import Settings, mistakes_in

Precision = Literal["auto", "fp32", "bf16", "fp16"]
Schedule = Literal["linear", "cosine"]
Targets = Literal["all", "first", "shortest", "longest"]
Head = Literal["independent", "joint"]


class TrainingSettings(Settings):
    """Settings of one run.  Sizes in windows, lengths in tokens; ``batch_size`` is the effective batch."""

    epochs: Annotated[float, Field(gt=0, le=1000)] = 3.0
    lr: Annotated[float, Field(gt=0, lt=1)] = 3e-5
    batch_size: Annotated[int, Field(ge=1)] = 32
    micro_batch_size: Annotated[int, Field(ge=1)] = 8
    token_budget: Annotated[int, Field(ge=16)] | None = None
    """Padded tokens a micro-batch may hold; with it ``micro_batch_size`` decides nothing."""
    max_length: Annotated[int, Field(ge=16)] = 512
    stride: Annotated[int, Field(ge=0)] = 128
    warmup: Annotated[float, Field(ge=0, lt=1)] = 0.1
    schedule: Schedule = "linear"
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    max_grad_norm: Annotated[float, Field(gt=0)] = 1.0
    precision: Precision = "auto"
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 42
    targets: Targets = "all"
    head: Head = "independent"
    """Whether start and end are scored each alone, or also together."""
    limit: Annotated[int, Field(ge=1)] | None = None
    evaluations: Annotated[int, Field(ge=1)] = 1
    """How often an epoch is evaluated, where the best checkpoint is chosen, and a checkpoint is kept."""
    folds: Annotated[int, Field(ge=2, le=100)] | None = None
    """Number of folds; None trains one model and holds out a tenth, or --valid."""
    split_seed: Annotated[int, Field(ge=0, lt=2**32)] = 42
    """Deals folds and holdouts, apart from ``seed``: members trained with other seeds share their folds."""
    early_stopping: Annotated[int, Field(ge=1)] | None = None
    """Evaluations without a better Edit Score after which training stops."""
    attention_dropout: Annotated[float, Field(ge=0, lt=1)] | None = None
    """None: the backbone's own."""
    gradient_checkpointing: bool = False
    compile: bool = False
    save_minutes: Annotated[float, Field(gt=0)] | None = None
    """A checkpoint at least so often, for machines that are taken away."""
    soften: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of each target that is spread over the tokens around it, by their distance in characters."""
    layer_decay: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Each layer below the head learns at this share of the rate of the one above it."""
    average: Annotated[int, Field(ge=2)] | None = None
    """Keep the mean weights of so many of the last checkpoints."""
    ema: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Keep an exponential average of the weights with this decay a step."""
    adversarial: Annotated[float, Field(ge=0)] = 0.0
    """Length by which a window's embedded words are moved for a second, adversarial pass."""
    allow_unknown: bool = False
    """Train although the tokenizer reads more than a fifth of common text as [UNK]."""
    r_drop: Annotated[float, Field(ge=0)] = 0.0
    """Weight of the divergence between two passes with different dropout."""

    @model_validator(mode="after")
    def _divides(self) -> Self:
        if self.batch_size % self.micro_batch_size:
            raise ValueError(
                f"micro_batch_size {self.micro_batch_size} does not divide batch_size {self.batch_size}; "
                f"choose one of {', '.join(map(str, _divisors(self.batch_size)))}"
            )
        return self

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
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


EXECUTION_ONLY = frozenset(
    {"micro_batch_size", "token_budget", "gradient_checkpointing", "compile", "save_minutes", "allow_unknown"}
)
"""Settings that change how the same training is carried out, not what it is: a run may go on with others."""


def _divisors(number: int) -> list[int]:
    return [size for size in range(1, number + 1) if number % size == 0]


def training_settings(**given: object) -> TrainingSettings:
    """Settings from flags or keywords; None means the default.  Raises ConfigError with all mistakes."""
    chosen = {name: value for name, value in given.items() if value is not None}
    if "micro_batch_size" not in chosen and isinstance(batch := chosen.get("batch_size", 32), int):
        # A batch size alone must work: the largest of its divisors that the default would have been.
        default = TrainingSettings.model_fields["micro_batch_size"].default
        chosen["micro_batch_size"] = max([size for size in _divisors(batch) if size <= default], default=1)
    try:
        return TrainingSettings.model_validate(chosen)
    except ValidationError as error:
        mistakes = [_as_flag(mistake) for mistake in mistakes_in(error, TrainingSettings)]
        raise ConfigError(f"training settings: {all_of(mistakes)}") from None


def smaller_micro_batch(settings: TrainingSettings, processes: int = 1) -> int | None:
    """The next smaller micro-batch that keeps the effective batch; None where there is none.

    *processes* share each micro-step, so that ``micro * processes`` must divide the effective batch.
    """
    a_process = settings.batch_size // processes
    smaller = [size for size in _divisors(a_process) if size <= settings.micro_batch_size // 2]
    return max(smaller, default=None)


def with_half_at_once(settings: TrainingSettings, processes: int, longest: int) -> TrainingSettings | None:
    """*settings* with about half as much on the device at once and the same effective batch.

    None where that are single windows already.  *longest*: tokens of the longest window.
    """
    changed: dict[str, int | None]
    if settings.token_budget is None:
        changed = {"micro_batch_size": smaller_micro_batch(settings, processes)}
    else:
        smaller = max(settings.token_budget // 2, longest)
        changed = {"token_budget": smaller if smaller < settings.token_budget else None}
    return None if None in changed.values() else settings.model_copy(update=changed)


def fold_numbers(text: str, folds: int | None) -> tuple[int, ...]:
    """The folds that ``--fold 0,2`` names.  Raises ConfigError for what is no fold of the run."""
    parts = [part.strip() for part in text.split(",")]
    if folds is None:
        raise ConfigError(f"--fold {text}: is only for runs with folds; add --folds 5")
    wrong = [part for part in parts if not part.isdecimal() or int(part) >= folds]
    if wrong:
        raise ConfigError(f"--fold {text}: {wrong[0]!r} is no fold; folds are 0 to {folds - 1}, as in 0,2")
    return tuple(dict.fromkeys(int(part) for part in parts))


def _as_flag(mistake: str) -> str:
    name, space, rest = mistake.partition(" ")
    return f"--{name.replace('_', '-')}{space}{rest}" if name in TrainingSettings.model_fields else mistake
