"""The question-answering model of a backbone: the library's class, or the kit's own head on its encoder.

What the question-answering class has and the base model has not is the head, whatever it is called: a
checkpoint of pre-training lacks it, and it begins fresh.  Weights of the body that are missing are an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_model
from transformers import MODEL_FOR_QUESTION_ANSWERING_MAPPING, AutoModel, AutoModelForQuestionAnswering
from transformers.modeling_outputs import QuestionAnsweringModelOutput

from kit.errors import ModelError, counted
from kit.modeling.checkpoint_files import SPAN_HEAD_FILE, refuse_pickle
from kit.modeling.load_errors import plain_errors

if TYPE_CHECKING:
    from kit.modeling.backbones import Backbone


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
        self.body, self.qa_outputs, self.config = body, head, body.config
        self.supports_gradient_checkpointing = bool(body.supports_gradient_checkpointing)

    @property
    def base_model(self) -> Any:
        """The encoder."""
        return self.body

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
        save_model(self.qa_outputs, str(folder / SPAN_HEAD_FILE), metadata={"format": "pt"})


def read_weights(backbone: Backbone, **changed: object) -> Loaded:
    """The backbone's weights under a question-answering head, float32, on the CPU; no joint head.

    *changed*: settings of its config.  What is fresh comes from torch's global generator.  Only safetensors
    are read, never a pickle.  Raises ModelError where weights of the body are missing or of another shape.
    """
    reference, location, config = backbone.reference, backbone.location, backbone.config
    refuse_pickle(reference, Path(location))
    how: dict[str, Any] = {
        "dtype": torch.float32,  # float16 files would otherwise train in float16
        "use_safetensors": True,
        "output_loading_info": True,
        "ignore_mismatched_sizes": True,  # of a head for another task; of the body they are refused below
        **backbone.loading,
        **changed,
    }
    own_classes = getattr(config, "auto_map", None) or {}
    allowed = backbone.loading["trust_remote_code"] and "AutoModelForQuestionAnswering" in own_classes
    if not allowed and type(config) not in MODEL_FOR_QUESTION_ANSWERING_MAPPING:
        return _with_own_head(backbone, how)
    if getattr(config, "num_labels", 2) != 2:
        how["num_labels"] = 2  # most classes make as many outputs as the config has labels
    if getattr(config, "return_dict", True) is False:
        how["return_dict"] = True
    with plain_errors(reference, location):
        reader, report = AutoModelForQuestionAnswering.from_pretrained(location, **how)
        head, missing = head_weights(reader), _missing(report)
        of_body = {name: shapes for name, shapes in missing.items() if name not in head}
        if of_body and reader.base_model is not reader:
            of_body = _body_alone(reader, location, how, of_body)
    _refuse_without_body(backbone, reader, of_body)
    return Loaded(reader, tuple(sorted(missing.keys() & head)))


def head_weights(reader: Any) -> set[str]:
    """The weights of *reader* that its base model has not."""
    names = set(reader.state_dict())
    if reader.base_model is not reader:
        return {name for name in names if not name.startswith(f"{reader.base_model_prefix}.")}
    with torch.device("meta"):  # T5 and its like have no model of their own inside
        base = AutoModel.from_config(reader.config)
    return names - set(base.state_dict())


def _missing(report: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """The weights that the file lacks, each with both shapes where the file has another one, or ""."""
    shapes = {name: f"{tuple(has)}, not {tuple(wanted)}" for name, has, wanted in report["mismatched_keys"]}
    found = dict.fromkeys(report["missing_keys"], "") | shapes
    return {f"{prefix}{name}": both for name, both in found.items()}


def _body_alone(
    reader: Any, location: str, how: Mapping[str, Any], missing: dict[str, str]
) -> dict[str, str]:
    """Load the body by its own class, where that finds more; returns what is *missing* of it then.

    Some question-answering classes call it otherwise than the checkpoints of pre-training do.
    """
    try:
        body, report = AutoModel.from_pretrained(location, **how)
    except Exception:  # whatever it is: the message about the weights that are missing is the better one
        return missing
    own = _missing(report, f"{reader.base_model_prefix}.")
    if type(body) is not type(reader.base_model) or len(own) >= len(missing):
        return missing
    setattr(reader, reader.base_model_prefix, body)
    return own


def _refuse_without_body(backbone: Backbone, reader: Any, missing: Mapping[str, str]) -> None:
    """Raises ModelError where start and end logits depend on one of the weights that are *missing*."""
    used = sorted(missing.keys() - _without_use(backbone, reader, missing))
    if not used:
        return
    cure = "the checkpoint does not fit its config"
    if getattr(backbone.config, "auto_map", None) and not backbone.loading["trust_remote_code"]:
        cure = "it brings code of its own, which was not run; read it, then allow it with --trust-remote-code"
    first, count = used[0], counted(len(used), "weight")
    fault = f"{count} of the body missing from the file, first {first}"
    if shapes := missing[first]:
        fault = f"{first} is {shapes} as its config says ({count} in all do not fit)"
    raise ModelError(f"{backbone.reference}: {fault}; {cure}")


def _without_use(backbone: Backbone, reader: Any, names: Iterable[str]) -> set[str]:
    """Those of the weights *names* that start and end logits do not depend on, as a pooler's."""
    weights = dict(reader.named_parameters())
    wanted = [name for name in names if name in weights]
    if not wanted:
        return set()
    ids = torch.tensor([backbone.engine.encode("가", "나").ids])
    try:
        output = reader.eval()(input_ids=ids, attention_mask=torch.ones_like(ids))
        total = output.start_logits.float().sum() + output.end_logits.float().square().sum()
        found = torch.autograd.grad(total, [weights[name] for name in wanted], allow_unused=True)
    except Exception:  # of any kind: what cannot be tried counts as used
        return set()
    return {name for name, gradient in zip(wanted, found, strict=True) if gradient is None}


def _with_own_head(backbone: Backbone, how: Mapping[str, Any]) -> Loaded:
    reference, location, kind = backbone.reference, backbone.location, backbone.config.model_type
    if getattr(backbone.config, "is_encoder_decoder", False):
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
    _refuse_without_body(backbone, reader, _missing(report, f"{reader.base_model_prefix}."))
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
