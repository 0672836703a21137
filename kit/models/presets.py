"""The five backbones of the mission, with the settings their authors published."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Preset:
    """Where a backbone lives and how its authors fine-tuned it for Korean reading comprehension.

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
}
