"""Why a backbone could not be fetched or loaded, in one line instead of the libraries' many."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import ssl
from collections.abc import Iterator
from pathlib import Path

import transformers

from kit.errors import ModelError
from kit.models.presets import PRESETS


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
    link: BaseException | None = None if Path(location).is_dir() else error
    while link is not None:
        if (
            isinstance(link, OSError)
            and link.errno in (errno.EACCES, errno.EPERM, errno.EROFS)
            and link.filename
        ):
            return (
                f"{location} cannot be fetched: {link.filename} cannot be read or written ({link.strerror}); "
                "set HF_HOME to a folder that can"
            )
        if isinstance(link, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in str(link):
            return (
                f"{location} cannot be fetched: the hub's certificate is not trusted; where a company or "
                "school inspects connections, set SSL_CERT_FILE to the PEM file of its CA"
            )
        link = link.__cause__ or link.__context__
    return ""


def _cause(error: BaseException, location: str) -> str:
    names, text = set(), []
    link: BaseException | None = error
    while link is not None:
        names.add(type(link).__name__)
        text.append(str(link))
        link = link.__cause__ or link.__context__
    words = " ".join(text)
    if Path(location).is_dir():
        if "trust_remote_code" in words:
            return "brings code of its own; read it, then allow it with --trust-remote-code"
        return f"cannot be loaded ({(text[0].splitlines() or ['unknown reason'])[0][:200]})"
    if "GatedRepoError" in names or "trying to access a gated repo" in words:
        return (
            f"{location} is gated; accept its terms at https://huggingface.co/{location} and log in "
            "with `hf auth login`"
        )
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}:
        return f"{location} is not in the local cache and HF_HUB_OFFLINE is set; unset it or give a folder"
    if (
        names & {"RepositoryNotFoundError", "RevisionNotFoundError"}
        or "not a valid model identifier" in words
    ):
        return (
            f"no model {location} on the Hugging Face hub; check the spelling (presets: "
            f"{', '.join(PRESETS)}), or log in with `hf auth login` if it is private"
        )
    if "trust_remote_code" in words:
        return "brings code of its own; read it, then allow it with --trust-remote-code"
    if "HFValidationError" in names:
        return f"{location} is not a folder here and not a hub id (owner/name); presets: {', '.join(PRESETS)}"
    if (
        names
        & {
            "ConnectError",
            "ConnectionError",
            "LocalEntryNotFoundError",
            "OfflineModeIsEnabled",
            "ConnectTimeout",
            "ReadTimeout",
            "ProxyError",
            "gaierror",
        }
        or "couldn't connect" in words.lower()
    ):
        return (
            f"{location} cannot be fetched: the Hugging Face hub is not reachable; check the network, "
            "or download the model elsewhere and give its folder"
        )
    return f"{location} cannot be loaded ({(text[0].splitlines() or ['unknown reason'])[0][:200]})"
