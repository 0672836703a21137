"""Why a model could not be fetched, where this machine is the cause."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from kit.errors import ModelError
from kit.models.failures import plain_errors


@pytest.mark.parametrize(
    ("inner", "says"),
    [
        (
            PermissionError(13, "Permission denied", "/home/.cache/huggingface/token"),
            "/home/.cache/huggingface/token cannot be read or written (Permission denied); set HF_HOME",
        ),
        (OSError(30, "Read-only file system", "/cache"), "/cache cannot be read or written (Read-only file"),
        (ssl.SSLCertVerificationError(1, "unable to get local issuer certificate"), "set SSL_CERT_FILE to"),
        (
            ConnectionError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed"),
            "the hub's certificate is not trusted",
        ),
    ],
)
def test_the_cache_and_the_certificate_are_named(inner: Exception, says: str) -> None:
    outer = RuntimeError("cannot be reached")
    outer.__cause__ = inner
    with pytest.raises(ModelError) as error, plain_errors("mine", "owner/name"):
        raise outer
    assert str(error.value).startswith("mine: owner/name cannot be fetched: ")
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_of_a_folder_is_no_matter_of_the_cache(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as error, plain_errors("mine", str(tmp_path)):
        raise PermissionError(13, "Permission denied", str(tmp_path / "config.json"))
    assert "HF_HOME" not in str(error.value)
    assert "Permission denied" in str(error.value)
