"""The question-answering model of a backbone: the library's class, or the kit's own head on its encoder.

What the question-answering class has and the base model has not is the head, whatever it is called: a
checkpoint of pre-training lacks it, and it begins fresh.  Weights of the body that are missing are an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from transformers import MODEL_FOR_QUESTION_ANSWERING_MAPPING, AutoModel, AutoModelForQuestionAnswering
from transformers.modeling_outputs import QuestionAnsweringModelOutput

from kit.errors import ModelError, counted
from kit.modeling.load_errors import plain_errors

SPAN_HEAD_FILE = "span_head.safetensors"
"""Beside the weights of an encoder for which the library has no question-answering class."""

_Missing = tuple[set[str], dict[str, str]]
"""Names of weights that the file lacks, and both shapes of those that have another one there."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model that gives start and end logits; ``fresh``: weights of its head that its file does not have."""

    reader: Any
    fresh: tuple[str, ...]


class SpanReader(torch.nn.Module):
    """An encoder (*body*) under the kit's own head; takes the inputs that the encoder takes.

    Its folder is an ordinary one of the encoder, with the head's file beside the weights.
    """

    base_model_prefix = "body"

    def __init__(self, body: Any, head: torch.nn.Linear) -> None:
        super().__init__()
        self.body, self.qa_outputs = body, head

    @property
    def config(self) -> Any:
        """The encoder's."""
        return self.body.config

    @property
    def base_model(self) -> Any:
        """The encoder."""
        return self.body

    @property
    def supports_gradient_checkpointing(self) -> bool:
        """Whether the encoder does."""
        return bool(self.body.supports_gradient_checkpointing)

    def get_input_embeddings(self) -> torch.nn.Module:
        """The encoder's."""
        return self.body.get_input_embeddings()  # type: ignore[no-any-return]

    def gradient_checkpointing_enable(self, gradient_checkpointing_kwargs: dict[str, Any]) -> None:
        """As for a model of the library."""
        self.body.gradient_checkpointing_enable(gradient_checkpointing_kwargs)

    def forward(self, **inputs: torch.Tensor) -> QuestionAnsweringModelOutput:
        """start_logits and end_logits, float (batch, tokens)."""
        hidden = self.body(**inputs)[0]
        start, end = self.qa_outputs(hidden).unbind(dim=-1)
        return QuestionAnsweringModelOutput(start_logits=start.contiguous(), end_logits=end.contiguous())

    def save_pretrained(self, folder: Path) -> None:
        """The encoder's folder, and the head's file in it."""
        self.body.save_pretrained(folder)
        weights = self.qa_outputs.state_dict()
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
        save_file(tensors, folder / SPAN_HEAD_FILE, metadata={"format": "pt"})


def has_class(config: Any, *, trusted: bool) -> bool:
    """Whether the library, or the model's own code, has a question-answering class for *config*."""
    own = getattr(config, "auto_map", None) or {}
    return type(config) in MODEL_FOR_QUESTION_ANSWERING_MAPPING or (
        trusted and AutoModelForQuestionAnswering.__name__ in own
    )


def load_reader(
    reference: str,
    location: str,
    config: Any,
    loading: Mapping[str, bool],
    example: Mapping[str, torch.Tensor],
    **changed: object,
) -> Loaded:
    """The weights in *location* under a question-answering head, float32, on the CPU.

    *loading* and *changed*: keywords for from_pretrained, and settings of the config; *example*: inputs by
    which it is found out whether weights that are missing are used at all.  What is fresh comes from torch's
    global generator.  Raises ModelError where weights of the body are missing or of another shape.
    """
    how: dict[str, Any] = {
        "dtype": torch.float32,  # float16 files would otherwise train in float16
        "use_safetensors": True,
        "output_loading_info": True,
        "ignore_mismatched_sizes": True,  # of a head for another task; of the body they are refused below
        **loading,
        **changed,
    }
    trusted = loading.get("trust_remote_code", False)
    if not has_class(config, trusted=trusted):
        return _with_own_head(reference, location, config, how, example)
    if getattr(config, "num_labels", 2) != 2:
        how["num_labels"] = 2  # most classes make as many outputs as the config has labels
    if getattr(config, "return_dict", True) is False:
        how["return_dict"] = True
    with plain_errors(reference, location):
        reader, report = AutoModelForQuestionAnswering.from_pretrained(location, **how)
        head = head_weights(reader)
        missing, shapes = _missing(report)
        if missing - head and reader.base_model is not reader:
            missing, shapes = _body_alone(reader, location, how, missing, shapes, head)
    _refuse_without_body(reference, reader, config, missing - head, shapes, example, trusted)
    return Loaded(reader, tuple(sorted(missing & head)))


def head_weights(reader: Any) -> set[str]:
    """The weights of *reader* that its base model has not."""
    names = set(reader.state_dict())
    if reader.base_model is not reader:
        return {name for name in names if not name.startswith(f"{reader.base_model_prefix}.")}
    with torch.device("meta"):  # T5 and its like have no model of their own inside
        base = AutoModel.from_config(reader.config)
    return names - set(base.state_dict())


def _missing(report: Mapping[str, Any]) -> _Missing:
    shapes = {name: f"{tuple(has)}, not {tuple(wanted)}" for name, has, wanted in report["mismatched_keys"]}
    return set(report["missing_keys"]) | set(shapes), shapes


def _body_alone(
    reader: Any,
    location: str,
    how: Mapping[str, Any],
    missing: set[str],
    shapes: dict[str, str],
    head: set[str],
) -> _Missing:
    """Load the body by its own class, where that finds more; returns what is missing then.

    Some question-answering classes call it otherwise than the checkpoints of pre-training do.
    """
    prefix = reader.base_model_prefix
    try:
        body, report = AutoModel.from_pretrained(location, **how)
    except Exception:  # whatever it is: the message about the weights that are missing is the better one
        return missing, shapes
    own, own_shapes = _missing(report)
    if type(body) is not type(reader.base_model) or len(own) >= len(missing - head):
        return missing, shapes
    setattr(reader, prefix, body)
    named = {f"{prefix}.{name}": words for name, words in own_shapes.items()}
    return (missing & head) | {f"{prefix}.{name}" for name in own}, named


def _refuse_without_body(
    reference: str,
    reader: Any,
    config: Any,
    missing: set[str],
    shapes: Mapping[str, str],
    example: Mapping[str, torch.Tensor],
    trusted: bool,
) -> None:
    if not (used := sorted(missing - _without_use(reader, missing, example))):
        return
    cure = "the checkpoint does not fit its config"
    if getattr(config, "auto_map", None) and not trusted:
        cure = "it brings code of its own, which was not run; read it, then allow it with --trust-remote-code"
    if used[0] in shapes:
        raise ModelError(
            f"{reference}: {used[0]} is {shapes[used[0]]} as its config says "
            f"({counted(len(used), 'weight')} in all do not fit); {cure}"
        )
    raise ModelError(
        f"{reference}: {counted(len(used), 'weight')} of the body missing from the file, first {used[0]}; "
        f"{cure}"
    )


def _without_use(reader: Any, names: Iterable[str], example: Mapping[str, torch.Tensor]) -> set[str]:
    """Those of the weights *names* that start and end logits do not depend on, as a pooler's."""
    weights = dict(reader.named_parameters())
    wanted = [name for name in names if name in weights]
    if not wanted:
        return set()
    try:
        output = reader.eval()(**example)
        total = output.start_logits.float().sum() + output.end_logits.float().square().sum()
        found = torch.autograd.grad(total, [weights[name] for name in wanted], allow_unused=True)
    except Exception:  # of any kind: what cannot be tried counts as used
        return set()
    return {name for name, gradient in zip(wanted, found, strict=True) if gradient is None}


def _with_own_head(
    reference: str,
    location: str,
    config: Any,
    how: Mapping[str, Any],
    example: Mapping[str, torch.Tensor],
) -> Loaded:
    kind = getattr(config, "model_type", "it")
    if getattr(config, "is_encoder_decoder", False):
        raise ModelError(
            f"{reference}: {kind} is an encoder with a decoder, and the library has no question-answering "
            "class for it; use an encoder"
        )
    with plain_errors(reference, location):
        body, report = AutoModel.from_pretrained(location, **how)
    if (takes := getattr(body, "main_input_name", "input_ids")) != "input_ids":
        raise ModelError(f"{reference}: {kind} reads {takes}, not text; use a model of text")
    hidden = getattr(body.config, "hidden_size", None)
    if not isinstance(hidden, int):
        raise ModelError(f"{reference}: the config of {kind} names no hidden_size, which a head on it needs")
    path = Path(location) / SPAN_HEAD_FILE
    head = _read_head(path, hidden) if path.is_file() else _fresh_head(hidden, body.config)
    reader = SpanReader(body, head)
    missing, shapes = _missing(report)
    prefix = reader.base_model_prefix
    _refuse_without_body(
        reference,
        reader,
        config,
        {f"{prefix}.{name}" for name in missing},
        {f"{prefix}.{name}": words for name, words in shapes.items()},
        example,
        bool(how.get("trust_remote_code")),
    )
    return Loaded(reader, () if path.is_file() else tuple(sorted(head_weights(reader))))


def _fresh_head(hidden: int, config: Any) -> torch.nn.Linear:
    """As the library makes its own: normal weights, bias 0."""
    head = torch.nn.Linear(hidden, 2)
    torch.nn.init.normal_(head.weight, std=getattr(config, "initializer_range", None) or 0.02)
    torch.nn.init.zeros_(head.bias)
    return head


def _read_head(path: Path, hidden: int) -> torch.nn.Linear:
    head = torch.nn.Linear(hidden, 2)
    try:
        weights = load_file(path)
        if not all(bool(torch.isfinite(tensor).all()) for tensor in weights.values()):
            raise ValueError("its numbers are not finite")
        head.load_state_dict(weights)
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        reason = (str(error).split(":\n\t")[-1].splitlines() or ["unreadable"])[0]
        raise ModelError(
            f"{path}: is no head of this model ({reason.strip()}); copy it again from where it was trained, "
            "or delete it and train again"
        ) from error
    return head
