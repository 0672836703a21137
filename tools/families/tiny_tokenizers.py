"""Tokenizers of the kinds that families of backbones have, trained on given texts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

TokenizerKind = Literal["bert", "roberta", "xlm-roberta", "deberta", "t5", "xlnet", "gpt", "gpt-cls"]

VOCABULARY = 600
POSITIONS = 128
"""Tokens of a vocabulary at most, and of the longest window."""


def train_tokenizer(texts: list[str], kind: TokenizerKind) -> PreTrainedTokenizerFast:
    """A tokenizer of this kind, with its special tokens and its template around a pair."""
    engine = _ENGINES[kind](texts)
    specials = _SPECIALS[kind]
    template, segments = _TEMPLATES[kind]
    if template:
        used = [token for token in specials.values() if engine.token_to_id(token) is not None]
        engine.post_processor = processors.TemplateProcessing(
            single=template.split(" $B")[0],
            pair=template,
            special_tokens=[(token, engine.token_to_id(token)) for token in dict.fromkeys(used)],
        )
    names = ["input_ids", *(["token_type_ids"] if segments else []), "attention_mask"]
    return PreTrainedTokenizerFast(
        tokenizer_object=engine, model_max_length=POSITIONS, model_input_names=names, **specials
    )


_BRACKETS = {
    "pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]",
    "mask_token": "[MASK]",
}  # fmt: skip
_ANGLES = {
    "pad_token": "<pad>", "unk_token": "<unk>", "cls_token": "<s>", "sep_token": "</s>",
    "mask_token": "<mask>",
    "bos_token": "<s>", "eos_token": "</s>",
}  # fmt: skip
_SPECIALS: dict[TokenizerKind, dict[str, str]] = {
    "bert": _BRACKETS,
    "deberta": _BRACKETS,
    "roberta": _ANGLES,
    "xlm-roberta": _ANGLES,
    "t5": {"pad_token": "<pad>", "unk_token": "<unk>", "eos_token": "</s>"},
    "xlnet": {**_BRACKETS, "cls_token": "<cls>", "sep_token": "<sep>"},
    "gpt": {"unk_token": "<unk>", "eos_token": "</s>"},
    "gpt-cls": {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>"},
}
_TEMPLATES: dict[TokenizerKind, tuple[str, bool]] = {
    "bert": ("[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", True),
    "deberta": ("[CLS]:0 $A:0 [SEP]:0 $B:0 [SEP]:0", True),
    "roberta": ("<s> $A </s> </s> $B </s>", False),
    "xlm-roberta": ("<s> $A </s> </s> $B </s>", False),
    "t5": ("$A </s> $B </s>", False),
    "xlnet": ("$A:0 <sep>:0 $B:1 <sep>:1 <cls>:2", True),
    "gpt": ("", False),
    "gpt-cls": ("<s> $A </s> $B </s>", False),
}


def _wordpiece(texts: list[str]) -> Tokenizer:
    engine = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    engine.normalizer = normalizers.BertNormalizer(lowercase=False, strip_accents=False)
    engine.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    engine.decoder = decoders.WordPiece()
    specials = [*_BRACKETS.values(), "[QUESTION]"]
    trainer = trainers.WordPieceTrainer(vocab_size=VOCABULARY, special_tokens=specials, show_progress=False)
    engine.train_from_iterator(texts, trainer)
    return engine


def _bytes(texts: list[str]) -> Tokenizer:
    engine = Tokenizer(models.BPE())
    engine.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    engine.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=list(dict.fromkeys(_ANGLES.values())), show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )  # fmt: skip
    engine.train_from_iterator(texts, trainer)
    return engine


def _unigram(specials: Iterable[str], unknown: str) -> Any:
    def train(texts: list[str]) -> Tokenizer:
        engine = Tokenizer(models.Unigram())
        engine.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Metaspace(), pre_tokenizers.Punctuation()]
        )
        engine.decoder = decoders.Metaspace()
        trainer = trainers.UnigramTrainer(
            vocab_size=VOCABULARY,
            special_tokens=list(dict.fromkeys(specials)),
            unk_token=unknown,
            show_progress=False,
        )
        engine.train_from_iterator(texts, trainer)
        return engine

    return train


_ENGINES: dict[TokenizerKind, Any] = {
    "bert": _wordpiece,
    "deberta": _unigram(_BRACKETS.values(), "[UNK]"),
    "roberta": _bytes,
    "xlm-roberta": _unigram(_ANGLES.values(), "<unk>"),
    "t5": _unigram(("<pad>", "</s>", "<unk>"), "<unk>"),
    "xlnet": _unigram(_SPECIALS["xlnet"].values(), "[UNK]"),
    "gpt": _bytes,
    "gpt-cls": _bytes,
}
