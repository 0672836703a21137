"""What a backbone is, can take and needs, and how each of it was found out; before any data are read."""

from __future__ import annotations

from dataclasses import dataclass

from kit.data import demo_corpus
from kit.errors import counted
from kit.modeling.backbones import Backbone, open_backbone
from kit.modeling.heads import Loaded, SpanReader, read_weights
from kit.modeling.joint_head import hidden_size
from kit.modeling.presets import PRESETS
from kit.modeling.probe import batching_of, longest_that_works
from kit.modeling.tokenizer_checks import read_sample
from kit.modeling.tokens import Template, template_of

_CONTEXTS = 40
_WINDOW = 512
"""Tokens of the longest window that is tried; the default of kit train."""
_SEED = 1


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about a backbone: what it is called, its value in words, and where it was found."""

    name: str
    value: str
    source: str


def describe(reference: str, *, trust_remote_code: bool = False) -> list[Finding]:
    """Open a preset, hub id or folder with its weights and say what training and prediction would meet.

    Raises ModelError, in one line, where they would be refused whatever the data are.
    """
    backbone = open_backbone(reference, trust_remote_code=trust_remote_code)
    template = template_of(backbone)
    loaded = read_weights(backbone)
    return [
        *_identity(backbone, loaded),
        *_of_the_tokenizer(backbone, template),
        *_of_the_model(backbone, loaded),
        *_of_the_probe(backbone, loaded),
        *_settings(reference),
    ]


def _identity(backbone: Backbone, loaded: Loaded) -> list[Finding]:
    reader, config = loaded.reader, backbone.config
    name = type(reader).__name__
    if isinstance(reader, SpanReader):
        name = f"{type(reader.body).__name__} under the kit's own head"
    head = "in the file" if not loaded.fresh else f"fresh: {', '.join(loaded.fresh)}"
    count = sum(weight.numel() for weight in reader.parameters())
    said = ", ".join(config.architectures or ()) or "nothing"
    return [
        Finding("family", str(config.model_type), f"config.json, whose architectures say {said}"),
        Finding("model", name, "the library's classes for question answering"),
        Finding("head", head, "the weights that the class has and its base model has not"),
        Finding("parameters", f"{count:,}", "the weights as loaded"),
    ]


def _of_the_tokenizer(backbone: Backbone, template: Template) -> list[Finding]:
    engine, tokenizer = backbone.engine, backbone.tokenizer
    corpus = demo_corpus.generate(_SEED, train_contexts=1, test_contexts=_CONTEXTS)
    contexts = list(dict.fromkeys(question.context for question in corpus.test))
    report = read_sample(backbone, contexts)
    prefix, middle, suffix = (
        [engine.id_to_token(int(number)) or "?" for number in part]
        for part in (template.prefix, template.middle, template.suffix)
    )
    shown = [*prefix, "question", *middle, "context", *suffix]
    unknown = f"{report.unknown * 100:.1f} % of tokens" + (f": {report.cause}" if report.cause else "")
    habits = {"lower-cases": report.lower_cases, "takes Hangul syllables apart": report.strips_accents}
    text = " and ".join(words for words, has in habits.items() if has)
    return [
        Finding(
            "tokenizer",
            f"{type(tokenizer).__name__}, {type(engine.model).__name__}, {counted(len(tokenizer), 'token')}",
            "tokenizer files",
        ),
        Finding("template", " ".join(shown), "a pair that the tokenizer joined"),
        Finding("text", text or "kept as it is", "its normalizer"),
        Finding("[UNK]", unknown, f"{len(contexts)} contexts of the built-in corpus"),
    ]


def _of_the_model(backbone: Backbone, loaded: Loaded) -> list[Finding]:
    limits, reader = backbone.limits, loaded.reader
    positions = "no limit" if limits.unlimited else counted(limits.positions, "token")
    hidden = hidden_size(reader)
    joint = "not possible" if hidden is None else f"possible, on {hidden} numbers a token"
    two = limits.segments and "token_type_ids" in backbone.tokenizer.model_input_names
    segments = "passed on" if two else "none"
    checkpointing = "possible" if reader.supports_gradient_checkpointing else "not in this family"
    return [
        Finding("longest window", positions, limits.source),
        Finding("segment ids", segments, "the table of segments, and the tokenizer's input names"),
        Finding("--gradient-checkpointing", checkpointing, "the class says so"),
        Finding("--head joint", joint, "where its hidden states are"),
    ]


def _of_the_probe(backbone: Backbone, loaded: Loaded) -> list[Finding]:
    wanted = min(backbone.limits.positions, _WINDOW)
    longest = longest_that_works(loaded.reader, backbone, wanted)
    batching = batching_of(loaded.reader, backbone, longest)
    padding = {
        "harmless": "harmless: windows of any lengths share a batch",
        "harmful": "changes scores: batches hold windows of equal length only",
        "fixed": f"all windows are padded to {batching.length} tokens",
    }[batching.padding]
    state = "none" if batching.attention is None else f"attention is fixed to {batching.attention}"
    tried = "forward passes of windows alone, padded and beside longer ones"
    return [
        Finding("tried", f"windows of {longest} tokens", "forward passes of the longest windows that work"),
        Finding("padding", padding + (", one window a batch" if batching.alone else ""), tried),
        Finding("state", state, "the same windows again, after others"),
    ]


def _settings(reference: str) -> list[Finding]:
    preset = PRESETS.get(reference)
    if preset is None:
        return []
    value = (
        f"--lr {preset.lr:g} --epochs {preset.epochs} --batch-size {preset.batch_size} "
        f"--max-length {preset.max_length} --stride {preset.stride}"
    )
    return [Finding("settings", value, preset.source)]
