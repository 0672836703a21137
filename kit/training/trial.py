"""One trial of everything before the first step, so that what would fail later fails at once, in one line."""

from __future__ import annotations

import dataclasses
import gc
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers

from kit.errors import KitError, ModelError
from kit.files import fresh_beside, locked
from kit.modeling.backbones import Backbone, load_weights
from kit.modeling.batching import Batching
from kit.modeling.devices import Device
from kit.modeling.forward_passes import synthetic_windows, unchanged_random_state
from kit.modeling.joint_head import reader_of
from kit.modeling.probe import batching_of, identity, longest_that_works, reason
from kit.settings.training import TrainingSettings
from kit.training.adversarial import moved, watched
from kit.training.checkpoints import saying_when_the_disk_is_full
from kit.training.collator import SpanCollator
from kit.training.labels import label_windows
from kit.training.losses import Loss
from kit.training.optimizer import parameter_groups

_SHORT = 16
"""Tokens of the window that is tried beside the longest one: the least --max-length."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What a trial found out.  max_length: tokens that a window may have, at most those asked for."""

    max_length: int
    batching: Batching


@dataclass(frozen=True, slots=True)
class _Flag:
    """A setting that a model may not be able to do, what *without* it is, and the cure in words."""

    setting: str
    without: object
    words: str
    cure: str


_FLAGS = (
    _Flag("gradient_checkpointing", False, "--gradient-checkpointing",
          "leave it out; a smaller --micro-batch-size saves memory, too"),
    _Flag("head", "independent", "--head joint", "use --head independent"),
    _Flag("compile", False, "--compile", "leave it out"),
    _Flag("adversarial", 0.0, "--adversarial", "leave it out"),
    _Flag("layer_decay", 1.0, "--layer-decay", "leave it out"),
    _Flag("r_drop", 0.0, "--r-drop", "leave it out"),
    _Flag("soften", 0.0, "--soften", "leave it out"),
    _Flag("attention_dropout", None, "--attention-dropout", "leave it out"),
)  # fmt: skip

_tried: dict[tuple[object, ...], Trial] = {}


def try_training(
    backbone: Backbone, settings: TrainingSettings, device: Device, folder: Path | None = None
) -> Trial:
    """Try to train *backbone* with *settings* on *device*: one step from a short and a longest window.

    Forward and backward pass, optimizer step, saving and loading again of body and head (in or beside
    *folder*; None: not tried), on weights of its own: the training that follows begins as without it.  Done
    once in a process for the same model and settings.  Raises ModelError with the flag that fails and the
    cure, WriteError where the disk is full.  Too little memory is no failure here: the training tries smaller
    micro-batches.
    """
    flags = tuple(getattr(settings, flag.setting) for flag in _FLAGS)
    key = (*identity(backbone), settings.max_length, device.precision, *flags)
    if key not in _tried:
        with unchanged_random_state():
            _tried[key] = _tried_with(backbone, settings, device, folder)
            gc.collect()
            torch.cuda.empty_cache()
    return _tried[key]


def load_for_training(backbone: Backbone, settings: TrainingSettings) -> torch.nn.Module:
    """The weights to begin with, under the head that the settings ask for, on the CPU."""
    model = load_weights(
        backbone, head_needed=False, dropout_on_attention=settings.attention_dropout, head=settings.head
    )
    if settings.gradient_checkpointing:
        # Its name is about to change, for Trainer's argument too.
        names = ("activation_checkpointing_enable", "gradient_checkpointing_enable")
        reader = reader_of(model)
        enable: Any = next((getattr(reader, name) for name in names if hasattr(reader, name)), None)
        if enable is None:
            raise ValueError(f"{type(reader).__name__} does not support it")
        enable({"use_reentrant": False})
    return model


def longest_window(backbone: Backbone, wanted: int) -> int:
    """Tokens that a window of *backbone* may have, at most *wanted*: by trying."""
    with unchanged_random_state():
        return longest_that_works(load_weights(backbone, head_needed=False), backbone, wanted)


def _tried_with(backbone: Backbone, settings: TrainingSettings, device: Device, folder: Path | None) -> Trial:
    model = load_weights(backbone, head_needed=False)
    longest = longest_that_works(model, backbone, settings.max_length)
    batching = batching_of(model, backbone, longest)
    del model
    plain = settings.model_copy(update={flag.setting: flag.without for flag in _FLAGS})
    fitting = {"max_length": longest, "stride": min(settings.stride, longest // 2)}
    settings, plain = (one.model_copy(update=fitting) for one in (settings, plain))
    if said := _failure(backbone, settings, device, folder):
        raise ModelError(f"{backbone.reference}: {_guilty(backbone, settings, plain, device, folder, said)}")
    return Trial(longest, batching)


def _failure(backbone: Backbone, settings: TrainingSettings, device: Device, folder: Path | None) -> str:
    """What the trial ends with, in part of a line; "" where it succeeds."""
    try:
        _step(backbone, settings, device, folder)
    except (torch.OutOfMemoryError, MemoryError):
        return ""
    except KitError:
        raise
    except Exception as error:  # of any kind: what a model or a library says to what it cannot do
        return reason(error)
    return ""


def _guilty(
    backbone: Backbone,
    settings: TrainingSettings,
    plain: TrainingSettings,
    device: Device,
    folder: Path | None,
    said: str,
) -> str:
    """Which flag makes the trial fail, found by leaving out one after the other, and the cure."""
    exact = dataclasses.replace(device, precision="fp32")
    if _failure(backbone, plain, exact, folder):
        return f"cannot be trained here ({said}); choose another backbone"
    found = []
    if device.precision != "fp32":
        found.append((f"--precision {device.precision}", "use --precision fp32", settings, exact))
    for flag in _FLAGS:
        if getattr(settings, flag.setting) != flag.without:
            without = settings.model_copy(update={flag.setting: flag.without})
            found.append((flag.words, flag.cure, without, device))
    for words, cure, without, on in found:
        if not _failure(backbone, without, on, folder):
            return f"does not train with {words} ({said}); {cure}"
    every = " and ".join(words for words, *_ in found)
    return f"does not train with {every} ({said}); leave them out, one after the other"


def _step(backbone: Backbone, settings: TrainingSettings, device: Device, folder: Path | None) -> None:
    model = load_for_training(backbone, settings)
    batching = batching_of(model, backbone, settings.max_length)
    windows, questions = synthetic_windows(backbone, (_SHORT, settings.max_length))
    labels = label_windows(windows, questions)
    collator = SpanCollator(windows, labels, backbone.pad_id, places=settings.soften > 0, batching=batching)
    model.to(device.torch).train()
    called: Any = torch.compile(model) if settings.compile else model
    optimizer = _optimizer(model, settings, device)
    for number in range(len(windows)):
        batch = {name: tensor.to(device.torch) for name, tensor in collator([number]).items()}
        _learn(called, batch, settings, device)
    optimizer.step()
    del optimizer, called
    model.zero_grad(set_to_none=True)
    if folder is not None:
        _save_and_load(model, backbone, folder)


def _learn(
    model: torch.nn.Module, batch: dict[str, torch.Tensor], settings: TrainingSettings, device: Device
) -> None:
    """Forward and backward pass, and the adversarial pass where it is asked for."""
    loss = Loss.of(settings)

    def one_pass() -> None:
        with device.autocast():
            value = loss(model, batch)
        value.backward()
        value = value.detach()
        if not math.isfinite(float(value)):
            raise FloatingPointError(f"the loss is {float(value)}")

    if not settings.adversarial:
        one_pass()
        return
    with watched(model) as embedded:
        one_pass()
    with moved(model, embedded.shift(settings.adversarial)):
        one_pass()


def _optimizer(model: torch.nn.Module, settings: TrainingSettings, device: Device) -> torch.optim.Optimizer:
    groups: Sequence[Any] = [{"params": list(model.parameters())}]
    if settings.layer_decay < 1:
        groups = parameter_groups(
            model, (), lr=settings.lr, weight_decay=settings.weight_decay, layer_decay=settings.layer_decay
        )
    return torch.optim.AdamW(groups, lr=settings.lr, fused=device.torch.type == "cuda")


def _save_and_load(model: Any, backbone: Backbone, folder: Path) -> None:
    """Raises ValueError where the saved model comes back with other weights."""
    # Inside a folder that is there: what it lies in may not be writable (a mounted disk).
    place = folder / "trial" if folder.is_dir() else folder
    transformers.utils.logging.disable_progress_bar()  # ours is the only one
    with locked(place, purpose="trial"), fresh_beside(place) as temporary:
        with saying_when_the_disk_is_full(folder, "the model"):
            model.save_pretrained(temporary)
        saved = dataclasses.replace(backbone, location=str(temporary))
        again = load_weights(saved, head_needed=True).state_dict()
        for name, weight in model.state_dict().items():
            if name not in again or not torch.equal(weight.cpu().nan_to_num(), again[name].nan_to_num()):
                raise ValueError(f"saved and loaded again, {name} is not what it was")
