"""A local backbone as a private data set: checked, uploaded once, found again by the hash of its files."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open

from kit.errors import ConfigError, KaggleError, OutcomeUnknownError, all_of, counted
from kit.files import locked, now
from kit.kaggle import datasets
from kit.kaggle.client import Client, Progress
from kit.kaggle.downloads.manifest import StoredFile, stored_files, total_size
from kit.kaggle.errors import PERHAPS_DONE
from kit.kaggle.kernels.history import append_record, read_records
from kit.kaggle.kernels.limits import LONGEST_TITLE, MOST_DATASET
from kit.settings.validation import Settings

RECORD = "weights.jsonl"
"""In the folder of runs: the data sets that were uploaded from here, one a line."""
_PREFIX = "kit-weights-"
_TAG = re.compile(r"\[sha256:([0-9a-f]{64})\]")
_TAKEN = {".json", ".safetensors", ".txt", ".model", ".py", ".jinja", ".md"}
"""Endings of the files of a backbone; other files are not uploaded."""
_TOKENIZERS = ("tokenizer.json", "vocab.txt", "spiece.model", "sentencepiece.bpe.model", "tokenizer.model")
_RESERVED = ("dataset-metadata.json", "kernel-metadata.json", "model-metadata.json")


class UploadRecord(Settings):
    """A data set that was created or updated from here."""

    dataset: str
    sha256: str
    folder: str
    bytes: int
    uploaded: str
    """When, UTC, ISO 8601."""


@dataclass(frozen=True, slots=True)
class LocalBackbone:
    """A backbone's folder: its files by name, and the names of what is beside them and not uploaded."""

    folder: Path
    files: tuple[StoredFile, ...]
    others: tuple[str, ...]

    @property
    def sha256(self) -> str:
        """Hex, over names, sizes and hashes: the same for the same files in any folder."""
        lines = "".join(f"{file.sha256} {file.size} {file.name}\n" for file in self.files)
        return hashlib.sha256(lines.encode()).hexdigest()


def read_backbone(folder: Path) -> LocalBackbone:
    """The backbone in *folder*, checked and hashed.

    Raises ConfigError naming all that is wrong: no config.json of a model, no weights in safetensors (or such
    that are damaged), no tokenizer.
    """
    if not folder.is_dir():
        raise ConfigError(f"--weights {folder}: is no folder; give the folder of a backbone")
    paths = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    taken = [path for path in paths if path.suffix in _TAKEN and path.name not in _RESERVED]
    names = {path.name for path in taken}
    wrong = [*_config_mistakes(folder), *_weights_mistakes(folder, taken)]
    if not names & set(_TOKENIZERS) and not {"vocab.json", "merges.txt"} <= names:
        wrong.append(f"there is no tokenizer ({', '.join(_TOKENIZERS[:3])}, ...)")
    if wrong:
        raise ConfigError(f"--weights {folder}: {all_of(wrong)}; save the backbone with save_pretrained")
    if (size := sum(path.stat().st_size for path in taken)) > MOST_DATASET:
        raise ConfigError(f"--weights {folder}: has {size:,} bytes, and Kaggle takes {MOST_DATASET:,}")
    others = [path.name for path in folder.iterdir() if path not in taken and not path.name.startswith(".")]
    return LocalBackbone(folder, stored_files(folder, taken), tuple(sorted(others)))


def _config_mistakes(folder: Path) -> list[str]:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ["there is no config.json"]
    except (OSError, ValueError) as error:
        return [f"config.json cannot be read ({error})"]
    if not isinstance(config, dict) or not isinstance(config.get("model_type"), str):
        return ["config.json names no model_type"]
    return []


def _weights_mistakes(folder: Path, taken: Sequence[Path]) -> list[str]:
    weights = [path for path in taken if path.suffix == ".safetensors"]
    if not weights:
        pickles = [
            path.name for path in folder.glob("*") if path.suffix in (".bin", ".pt", ".pth", ".ckpt", ".pkl")
        ]
        beside = f" ({', '.join(sorted(pickles))} may hold a pickle, which is never used)" if pickles else ""
        return [f"there is no .safetensors file{beside}"]
    wrong = []
    for path in weights:
        try:
            with safe_open(path, framework="numpy") as opened:
                if not list(opened.keys()):
                    wrong.append(f"{path.name} holds no tensors")
        except (SafetensorError, OSError, ValueError) as error:
            wrong.append(f"{path.name} is damaged ({error})")
    names = {path.name for path in weights}
    for index in folder.glob("*.safetensors.index.json"):
        try:
            parts = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
        except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
            wrong.append(f"{index.name} cannot be read ({error})")
            continue
        wrong += [f"{part}, which {index.name} names, is missing" for part in sorted(map(str, parts - names))]
    return wrong


def dataset_slug(folder: Path) -> str:
    """The name of the data set for *folder*: the folder's, with a hash of it where the slug says less."""
    name = folder.resolve().name
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if slug != name or len(_PREFIX) + len(slug) > LONGEST_TITLE:
        ending = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        slug = f"{slug[: LONGEST_TITLE - len(_PREFIX) - len(ending) - 1]}-{ending}".strip("-")
    return _PREFIX + slug


def attach(
    client: Client, backbone: LocalBackbone, runs: Path, say: Callable[[str], object], progress: Progress
) -> str:
    """The private data set, OWNER/NAME, with exactly this *backbone*; uploaded unless the account has it.

    Raises ConfigError for a data set of this name that the kit did not make; UploadFailedError,
    UnavailableError: the same call again resumes; OutcomeUnknownError where an answer was lost.
    """
    if backbone.others:
        say(f"{backbone.folder}: not uploaded: {all_of(backbone.others, 5)}")
    name = f"{client.username}/{dataset_slug(backbone.folder)}"
    sha256 = backbone.sha256
    with locked(runs / RECORD, purpose=name):
        found = datasets.find(client, name)
        if found is not None and _hash_in(found, runs, name) == sha256:
            say(f"{name}: has this backbone already ({sha256[:16]}); nothing is uploaded")
        else:
            _upload(client, name, backbone, found, say, progress)
            record = UploadRecord(
                dataset=name, sha256=sha256, folder=str(backbone.folder),
                bytes=total_size(backbone.files), uploaded=now(),
            )  # fmt: skip
            append_record(runs / RECORD, record, f"{name} was uploaded")
        datasets.wait_until_ready(client, name)
    return name


def _hash_in(found: datasets.Dataset, runs: Path, name: str) -> str:
    """The digest of the latest version, "" where it is not known.

    Raises ConfigError for a data set that was not made by the kit.
    """
    for text in found.texts:
        if tag := _TAG.search(text):
            return tag[1]
    own = [one.sha256 for one in read_records(runs / RECORD, UploadRecord) if one.dataset == name]
    if not own:
        raise ConfigError(
            f"{name}: is a data set that kit did not make ({datasets.address(name)}); rename the folder of "
            "--weights"
        )
    return own[-1] if not found.texts else ""


def _upload(
    client: Client,
    name: str,
    backbone: LocalBackbone,
    found: datasets.Dataset | None,
    say: Callable[[str], object],
    progress: Progress,
) -> None:
    what = "a new private data set" if found is None else f"version {found.version + 1}"
    count = counted(len(backbone.files), "file")
    say(f"{name}: {what} with {count}, {total_size(backbone.files):,} bytes ({backbone.sha256[:16]})")
    if found is not None and not found.private:
        say(f"{name}: is public, and so is its new version; make it private at {datasets.address(name)}")
    folder = backbone.folder
    tag = f"[sha256:{backbone.sha256}]"
    description = f"The backbone {folder.resolve().name}, uploaded by kit kernel push --weights. {tag}"
    with datasets.uploaded(
        client, {folder / file.name: file.sha256 for file in backbone.files}, progress
    ) as tokens:
        try:
            if found is None:
                datasets.create(client, name, description, tokens)
            else:
                datasets.add_version(client, name, tag, description, tokens)
        except KaggleError as error:
            if not isinstance(error, PERHAPS_DONE):
                raise
            if client.look_again(lambda: _with_hash(client, name, backbone.sha256)) is None:
                raise OutcomeUnknownError(
                    f"{name}: {error}; whether the data set was saved is not known: give the same command "
                    f"again, it looks first (its page: {datasets.address(name)})"
                ) from error


def _with_hash(client: Client, name: str, sha256: str) -> datasets.Dataset | None:
    """The data set where it has this hash: looked for after an answer was lost."""
    found = datasets.find(client, name)
    return found if found is not None and any(sha256 in text for text in found.texts) else None
