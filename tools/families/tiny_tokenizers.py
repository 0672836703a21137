"""Tokenizers of the kinds that families of backbones have, trained on given texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

TokenizerKind = Literal["bert", "roberta", "xlm-roberta", "deberta", "t5", "xlnet", "gpt", "gpt-cls"]

VOCABULARY = 600
POSITIONS = 128
"""Tokens of a vocabulary at most, and of the longest window."""


def train_tokenizer(texts: list[str], kind: TokenizerKind) -> PreTrainedTokenizerFast:
    """A tokenizer of this kind, with its special tokens and its template around a pair."""
    train, specials, template = _KINDS[kind]
    engine = train(texts, specials)
    if template:
        used = [token for token in specials.values() if engine.token_to_id(token) is not None]
        engine.post_processor = processors.TemplateProcessing(
            single=template.split(" $B")[0],
            pair=template,
            special_tokens=[(token, engine.token_to_id(token)) for token in dict.fromkeys(used)],
        )
    names = ["input_ids", *(["token_type_ids"] if ":" in template else []), "attention_mask"]
    return PreTrainedTokenizerFast(
        tokenizer_object=engine, model_max_length=POSITIONS, model_input_names=names, **specials
    )


_BRACKETS = {
    "pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]",
    "mask_token": "[MASK]",
}  # fmt: skip
_ANGLES = {
    "pad_token": "<pad>", "unk_token": "<unk>", "cls_token": "<s>", "sep_token": "</s>",
    "mask_token": "<mask>", "bos_token": "<s>", "eos_token": "</s>",
}  # fmt: skip
_T5 = {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
_XLNET = {**_BRACKETS, "cls_token": "<cls>", "sep_token": "<sep>"}
_GPT = {"unk_token": "<unk>", "eos_token": "</s>"}


def _wordpiece(texts: list[str], specials: Mapping[str, str]) -> Tokenizer:
    engine = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    engine.normalizer = normalizers.BertNormalizer(lowercase=False, strip_accents=False)
    engine.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    engine.decoder = decoders.WordPiece()
    tokens = [*specials.values(), "[QUESTION]"]
    trainer = trainers.WordPieceTrainer(vocab_size=VOCABULARY, special_tokens=tokens, show_progress=False)
    engine.train_from_iterator(texts, trainer)
    return engine


def _bytes(texts: list[str], _: Mapping[str, str]) -> Tokenizer:
    engine = Tokenizer(models.BPE())
    engine.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    engine.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=list(dict.fromkeys(_ANGLES.values())), show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )  # fmt: skip
    engine.train_from_iterator(texts, trainer)
    return engine


def _unigram(texts: list[str], specials: Mapping[str, str]) -> Tokenizer:
    engine = Tokenizer(models.Unigram())
    engine.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Metaspace(), pre_tokenizers.Punctuation()])
    engine.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=VOCABULARY, special_tokens=list(dict.fromkeys(specials.values())),
        unk_token=specials["unk_token"], show_progress=False,
    )  # fmt: skip
    engine.train_from_iterator(texts, trainer)
    return engine


Train = Callable[[list[str], Mapping[str, str]], Tokenizer]
_KINDS: dict[TokenizerKind, tuple[Train, dict[str, str], str]] = {
    "bert": (_wordpiece, _BRACKETS, "[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1"),
    "deberta": (_unigram, _BRACKETS, "[CLS]:0 $A:0 [SEP]:0 $B:0 [SEP]:0"),
    "roberta": (_bytes, _ANGLES, "<s> $A </s> </s> $B </s>"),
    "xlm-roberta": (_unigram, _ANGLES, "<s> $A </s> </s> $B </s>"),
    "t5": (_unigram, _T5, "$A </s> $B </s>"),
    "xlnet": (_unigram, _XLNET, "$A:0 <sep>:0 $B:1 <sep>:1 <cls>:2"),
    "gpt": (_bytes, _GPT, ""),
    "gpt-cls": (_bytes, {**_GPT, "bos_token": "<s>"}, "<s> $A </s> $B </s>"),
}
"""How its vocabulary is made, its special tokens, and its template around a pair."""
