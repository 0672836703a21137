"""Well-known backbones, with the settings that were published for reading comprehension with them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Preset:
    """Where a backbone lives and how it was fine-tuned for reading comprehension, by its authors if they say.

    ``max_length`` and ``stride`` are in tokens, ``batch_size`` is the effective batch in windows,
    ``warmup`` a share of all steps.
    """

    hub_id: str
    lr: float
    epochs: int
    batch_size: int
    max_length: int
    source: str
    stride: int = 128
    warmup: float = 0.0
    weight_decay: float = 0.0


_KLUE = "KLUE-baseline, run_all.sh, task klue-mrc"
# Its 500 steps of warm-up are 6 % of the steps that its three epochs on SQuAD take.
_XTREME = "XTREME, scripts/train_qa.sh, on SQuAD"

PRESETS: dict[str, Preset] = {
    "kcbert": Preset(
        "beomi/kcbert-base", 5e-5, 5, 16, 300, "KcBERT-Finetune, config/korquad/kcbert-base.json"
    ),
    # Its authors published no reading-comprehension settings; the KLUE benchmark's for BERT-base stand in.
    "bert-kor": Preset("kykim/bert-kor-base", 3e-5, 5, 16, 512, f"{_KLUE}, as for klue/bert-base"),
    "klue-bert": Preset("klue/bert-base", 3e-5, 5, 16, 512, _KLUE),
    "koelectra": Preset(
        "monologg/koelectra-base-v3-discriminator",
        5e-5,
        7,
        8,
        512,
        "KoELECTRA, finetune/config/korquad/koelectra-base-v3.json",
    ),
    "klue-roberta": Preset("klue/roberta-base", 3e-5, 5, 16, 510, _KLUE),
    "klue-roberta-large": Preset("klue/roberta-large", 3e-5, 5, 16, 510, _KLUE),
    # For KorQuAD 1.0 and KLUE-MRC its authors used KLUE-baseline's code, full attention and 512 tokens.  For
    # long documents (KorQuAD 2.1) they published 3e-5, 5 epochs, 4096 tokens that share 1024.
    "kobigbird": Preset(
        "monologg/kobigbird-bert-base",
        3e-5,
        5,
        16,
        512,
        f"KoBigBird, docs/short_seq_evaluation_en.md: {_KLUE}, at length 512",
    ),
    # Its authors published scores on KorQuAD 1.0 and KLUE-MRC, but no settings; the benchmark's stand in.
    "kpfbert": Preset("jinmang2/kpfbert", 3e-5, 5, 16, 512, f"{_KLUE}, as for klue/bert-base"),
    "xlm-roberta-large": Preset(
        "FacebookAI/xlm-roberta-large", 3e-5, 3, 32, 384, _XTREME, warmup=0.06, weight_decay=0.0001
    ),
    # Its authors published settings for XNLI alone; the benchmark's for multilingual encoders stand in.
    "mdeberta": Preset(
        "microsoft/mdeberta-v3-base", 3e-5, 3, 32, 384, _XTREME, warmup=0.06, weight_decay=0.0001
    ),
}


PUBLISHED = frozenset(field.name for field in dataclasses.fields(Preset)) - {"hub_id", "source"}
"""The training settings that a preset decides."""


def settings_of(preset: Preset) -> dict[str, Any]:
    """The training settings of *preset*."""
    values = {name: getattr(preset, name) for name in PUBLISHED}
    return values | {"epochs": float(preset.epochs)}
