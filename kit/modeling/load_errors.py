"""Why a backbone could not be fetched or loaded, in one line instead of the libraries' many."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import re
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import transformers
from tokenizers import Tokenizer
from transformers.models.auto.tokenization_auto import get_tokenizer_config, tokenizer_class_from_name
from transformers.utils import is_sentencepiece_available

from kit.errors import ModelError
from kit.modeling.presets import PRESETS

_VOCABULARIES = (
    "tokenizer.json",
    "vocab.txt",
    "vocab.json",
    "*.model",
    "*.vocab",
    "vocab.bpe",
    "tekken.json",
)
_NOT_ALLOWED = (errno.EACCES, errno.EPERM, errno.EROFS)
_LIBRARIES = re.compile(
    r"(?:packages that were not found in your environment: (?P<several>[\w\-, .]+?)\. Run"
    r"|requires the (?P<one>[\w\-]+) library)"
)
"""How the library, and code that it loads, say that a package is not installed."""


@contextlib.contextmanager
def plain_errors(reference: str, location: str) -> Iterator[None]:
    """Turn the library's long explanations into one line with the likely cause."""
    loggers = [logging.getLogger(name) for name in ("transformers", "huggingface_hub")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    bars = transformers.utils.logging.is_progress_bar_enabled()
    transformers.utils.logging.disable_progress_bar()
    try:
        yield
    except ModelError:
        raise
    except Exception as error:
        # The hub client, the configs and the Rust tokenizer raise types of their own, some plain Exception.
        cause = _of_this_machine(error, location) or _cause(error, location)
        raise ModelError(f"{reference}: {cause}") from error
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        if bars:
            transformers.utils.logging.enable_progress_bar()


def _of_this_machine(error: BaseException, location: str) -> str:
    """What keeps this machine from a model of the hub: its cache, or a certificate; "" for neither."""
    if Path(location).is_dir():
        return ""
    for link in _chain(error):
        if isinstance(link, OSError) and link.errno in _NOT_ALLOWED and link.filename:
            return (
                f"{location} cannot be fetched: {link.filename} cannot be read or written ({link.strerror}); "
                "set HF_HOME to a folder that can"
            )
        if isinstance(link, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in str(link):
            return (
                f"{location} cannot be fetched: the hub's certificate is not trusted; where a company or "
                "school inspects connections, set SSL_CERT_FILE to the PEM file of its CA"
            )
    return ""


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """*error*, what it came from, and so on."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _cause(error: BaseException, location: str) -> str:
    links = list(_chain(error))
    names, words = {type(link).__name__ for link in links}, " ".join(map(str, links))
    absent = [link.name for link in links if isinstance(link, ModuleNotFoundError) and link.name]
    if cause := _package(words, absent, location):
        return cause
    if "trust_remote_code" in words:
        return "brings code of its own; read it, then allow it with --trust-remote-code"
    if Path(location).is_dir():
        return _unloadable(words, str(error), location, "")
    if "GatedRepoError" in names or "trying to access a gated repo" in words:
        return (
            f"{location} is gated; accept its terms at https://huggingface.co/{location} and log in "
            "with `hf auth login`"
        )
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}:
        return f"{location} is not in the local cache and HF_HUB_OFFLINE is set; unset it or give a folder"
    unknown = names & {"RepositoryNotFoundError", "RevisionNotFoundError"}
    if unknown or "not a valid model identifier" in words:
        return (
            f"no model {location} on the Hugging Face hub; check the spelling (presets: "
            f"{', '.join(PRESETS)}), or log in with `hf auth login` if it is private"
        )
    if "HFValidationError" in names:
        return f"{location} is not a folder here and not a hub id (owner/name); presets: {', '.join(PRESETS)}"
    if names & _UNREACHABLE or "couldn't connect" in words.lower():
        return (
            f"{location} cannot be fetched: the Hugging Face hub is not reachable; check the network, "
            "or download the model elsewhere and give its folder"
        )
    return _unloadable(words, str(error), location, f"{location} ")


_UNREACHABLE = {
    "ConnectError", "ConnectionError", "LocalEntryNotFoundError", "OfflineModeIsEnabled", "ConnectTimeout",
    "ReadTimeout", "ProxyError", "gaierror",
}  # fmt: skip


def _package(words: str, absent: list[str], location: str) -> str:
    """How to install the package that is missing, as one of the modules *absent*; "" for another cause."""
    if re.search("sentencepiece|tiktoken|protobuf", words):
        found = _files(location, "*.model") if not _files(location, "tokenizer.json") else []
        which = f" ({found[0]})" if found else ""
        if found and is_sentencepiece_available():
            return f"{found[0]} is no SentencePiece model; copy it again from where the model comes from"
        if found or not (Path(location).is_dir() or is_sentencepiece_available()):
            return (
                f"its tokenizer is a SentencePiece model{which}, which needs a package that is not here: "
                "pip install 'korean-mrc-kit[sentencepiece]'"
            )
    if said := _LIBRARIES.search(words):
        packages = re.split(r"[\s,]+", said["several"] or said["one"])
        return f"needs what is not installed: pip install {' '.join(packages)}"
    if absent and not absent[0].startswith("transformers"):
        return f"needs what is not installed: pip install {absent[0].split('.')[0]}"
    return ""


def _files(location: str, pattern: str) -> list[str]:
    folder = Path(location)
    return sorted(path.name for path in folder.glob(pattern)) if folder.is_dir() else []


def _unloadable(words: str, first: str, location: str, subject: str) -> str:
    """What is wrong with files that are there."""
    if "backend tokenizer" in words:
        return _without_tokenizer(location)
    if found := re.search(r"model type `([^`]+)` but Transformers does not recognize", words):
        return (
            f"model type {found[1]!r} is not known to transformers {transformers.__version__}; upgrade it "
            "(pip install -U transformers), or use another backbone"
        )
    if "Should have a `model_type` key" in words:
        return 'its config.json names no model_type; add it, for example "model_type": "bert"'
    return f"{subject}cannot be loaded ({_reason(first)})"


def _reason(text: str) -> str:
    """The first line of *text*, with those after it where it only announces them."""
    said = ""
    for line in filter(None, map(str.strip, text.splitlines())):
        said = f"{said} {line}".strip()
        if not said.endswith((":", ",")):
            break
    return said[:200] or "unknown reason"


def _without_tokenizer(location: str) -> str:
    """Why the library makes no tokenizer, or none with a vocabulary, of the files in *location*."""
    if Path(location).is_dir() and not any(_files(location, pattern) for pattern in _VOCABULARIES):
        return (
            "has no tokenizer files (tokenizer.json, vocab.txt or a SentencePiece model); copy them from "
            "where the model comes from"
        )
    named = tokenizer_description(location).get("tokenizer_class")
    if named and unknown_class(named):
        return (
            f"its tokenizer is of the class {named}, which the library does not know; save it as "
            "tokenizer.json where its code is at hand, or use another backbone"
        )
    return (
        "its files do not make a tokenizer; give it a tokenizer.json, or write the class that reads them "
        'into tokenizer_config.json, as in "tokenizer_class": "BertTokenizer" for a vocab.txt of WordPieces'
    )


def tokenizer_description(location: str) -> dict[str, Any]:
    """tokenizer_config.json of a folder, or of a model in the cache; empty where there is none."""
    try:
        return get_tokenizer_config(location, local_files_only=True)  # type: ignore[no-any-return]
    except (OSError, ValueError):
        return {}


def unknown_class(name: str) -> bool:
    """Whether the library has no tokenizer class of this name."""
    bare = name.removesuffix("Fast")
    return tokenizer_class_from_name(bare) is None and tokenizer_class_from_name(f"{bare}Fast") is None


def refuse_without_vocabulary(reference: str, location: str, engine: Tokenizer, tokenizer: Any) -> None:
    """Raises ModelError for a tokenizer of special tokens alone: the library makes one of no files."""
    pieces = engine.get_vocab().keys() - set(tokenizer.all_special_tokens)
    if not any(character.isalnum() for piece in pieces for character in piece):
        raise ModelError(f"{reference}: {_without_tokenizer(location)}")
