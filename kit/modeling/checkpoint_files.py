"""The files of a local checkpoint: which they are, their hash, and what must not be read."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TypeGuard

from kit.errors import ModelError
from kit.files import sha256_file
from kit.modeling.joint_head import JOINT_FILE

SPAN_HEAD_FILE = "span_head.safetensors"
"""Beside the weights of an encoder for which the library has no question-answering class."""
_INDEX = "model.safetensors.index.json"


def weights_file(folder: Path) -> Path:
    """The safetensors file of a local checkpoint (the index of a sharded one)."""
    single = folder / "model.safetensors"
    return single if single.exists() else folder / _INDEX


def weights_sha256(folder: Path) -> str:
    """SHA-256 of a local checkpoint's weights, hex: of the file, or of all files where there are several."""
    weights = weights_file(folder)
    if not weights.exists():
        return ""
    shards = sorted(filter(_is_shard, _shards(folder)))
    paths = [weights, *(folder / name for name in (*shards, JOINT_FILE, SPAN_HEAD_FILE))]
    hashes = [sha256_file(path) for path in paths if path.is_file()]
    if len(hashes) == 1:
        return hashes[0]
    return hashlib.sha256("".join(f"{one}\n" for one in hashes).encode()).hexdigest()


def refuse_file(location: str) -> None:
    """Raises ModelError for a reference that is a file, or a folder without a model."""
    path = Path(location)
    if path.is_file():
        raise ModelError(f"{location}: is a file; give the model's folder")
    if path.is_dir() and not (path / "config.json").is_file():
        raise ModelError(f"{location}: holds no config.json; give the folder of a Hugging Face model")
    if not path.exists() and (location.count("/") > 1 or location.startswith((".", "/", "~"))):
        raise ModelError(f"{location}: no such folder; check the path")


def refuse_pickle(reference: str, folder: Path) -> None:
    """Raises ModelError for a local *folder* without safetensors, or whose index names other files."""
    if folder.is_dir() and not weights_file(folder).exists():
        pickles = sorted(path.name for path in folder.glob("*.bin"))
        found = f"only {pickles[0]}, a pickle, which can run code when read" if pickles else "no weights"
        raise ModelError(
            f"{reference}: has {found}; the kit reads model.safetensors: save the model again "
            "with save_pretrained of a current transformers"
        )
    if strange := sorted(str(name) for name in _shards(folder) if not _is_shard(name)):
        raise ModelError(
            f"{reference}: its index names {strange[0]!r} as weights; the kit reads *.safetensors "
            "in the model's own folder: save the model again with save_pretrained"
        )


def _shards(folder: Path) -> set[object]:
    """What the index of a sharded checkpoint names; nothing where there is none that can be read."""
    index = weights_file(folder)
    if index.name != _INDEX:
        return set()
    try:
        return set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return set()  # not there, or the library says what is wrong with it


def _is_shard(name: object) -> TypeGuard[str]:
    return isinstance(name, str) and name.endswith(".safetensors") and Path(name).name == name
