"""Names of backbones: presets, folders and hub ids.  A misspelt one is refused before torch is imported."""

from __future__ import annotations

from pathlib import Path

from kit.errors import ModelError, nearest
from kit.files import likely_path
from kit.modeling.presets import PRESETS
from kit.settings.paths import MOUNTED

_HUB_SECONDS = 5.0
_SIZES = ("base", "large")
# The hub's first models have no owner in their id; later ones always do.
_WITHOUT_OWNER = frozenset(
    {
        *(f"bert-{size}-{case}" for size in _SIZES for case in ("cased", "uncased")),
        *(f"bert-base-{kind}" for kind in ("chinese", "multilingual-cased", "multilingual-uncased")),
        *(f"bert-large-{case}-whole-word-masking" for case in ("cased", "uncased")),
        *(f"bert-large-{case}-whole-word-masking-finetuned-squad" for case in ("cased", "uncased")),
        *(f"distilbert-base-{kind}" for kind in ("cased", "uncased", "multilingual-cased")),
        *(f"distilbert-base-{case}-distilled-squad" for case in ("cased", "uncased")),
        *(f"albert-{size}-v{number}" for size in (*_SIZES, "xlarge", "xxlarge") for number in (1, 2)),
        *(f"{family}-{size}" for family in ("roberta", "xlm-roberta") for size in _SIZES),
        *(f"xlnet-{size}-cased" for size in _SIZES),
        *(f"gpt2{size}" for size in ("", "-medium", "-large", "-xl")),
        *(f"t5-{size}" for size in ("small", "base", "large", "3b", "11b")),
        "camembert-base", "distilroberta-base", "distilgpt2", "openai-gpt",
    }
)  # fmt: skip


def refuse_unknown(reference: str, *, ask_hub: bool = True) -> None:
    """Raises ModelError for a *reference* that is certainly no model, with the name that was probably meant.

    A hub id that is not in the local cache is looked up (*ask_hub*); where the hub does not answer, nothing
    is refused.
    """
    if not reference or reference in PRESETS or reference.startswith(MOUNTED) or _exists(reference):
        return
    near = nearest(reference, PRESETS) or likely_path(Path(reference))
    guess = f"did you mean {near}? " if near else ""
    if reference.count("/") > 1 or reference.startswith((".", "/", "~")):
        raise ModelError(f"{reference}: no such folder; {guess or 'check the path'}".rstrip())
    if _in_cache(reference):
        return
    if "/" not in reference:
        if reference not in _WITHOUT_OWNER:
            raise ModelError(
                f"{reference}: is no preset, no folder and no hub id (owner/name); {guess}"
                f"presets: {', '.join(PRESETS)}"
            )
    elif near and Path(near).is_dir() and Path(reference).parent.is_dir():
        raise ModelError(f"{reference}: no such folder; {guess}".rstrip())
    if ask_hub and not _may_be_on_hub(reference):
        near = nearest(reference, [preset.hub_id for preset in PRESETS.values()])
        guess = f"did you mean {near}? " if near else "check the spelling "
        raise ModelError(
            f"{reference}: no model of this name on the Hugging Face hub; {guess}(presets: "
            f"{', '.join(PRESETS)}), or log in with `hf auth login` if it is private"
        )


def _exists(reference: str) -> bool:
    try:
        return Path(reference).exists()
    except (OSError, ValueError):  # a name that is too long, or has a NUL
        return False


def _in_cache(hub_id: str) -> bool:
    from huggingface_hub import constants

    return (Path(constants.HF_HUB_CACHE) / f"models--{hub_id.replace('/', '--')}").is_dir()


def _may_be_on_hub(hub_id: str) -> bool:
    """Whether the hub has the model, or cannot be asked; a gated one is there."""
    from huggingface_hub import HfApi, constants
    from huggingface_hub.errors import GatedRepoError, HFValidationError, RepositoryNotFoundError

    if constants.HF_HUB_OFFLINE:
        return True  # opening it says what to do
    try:
        HfApi().model_info(hub_id, timeout=_HUB_SECONDS)
    except Exception as error:  # others, of several libraries: no network, a server in trouble
        absent = isinstance(error, RepositoryNotFoundError | HFValidationError)
        return not absent or isinstance(error, GatedRepoError)
    return True
