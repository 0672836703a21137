"""Tokens and keys by their form: what is sound passes, what surrounds it is named, and nothing is printed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.kaggle.token_forms import decoded, key_fault, token_fault, username_fault
from tests.examples import examples

HEX = st.text("0123456789abcdef", min_size=32, max_size=32)
WRAPPED = [
    "{}\n{}", "export KAGGLE_API_TOKEN={}", "export KAGGLE_KEY='{}'", 'set KAGGLE_API_TOKEN="{}"',
    "setx KAGGLE_API_TOKEN {}", "set -x KAGGLE_API_TOKEN {}", '$env:KAGGLE_API_TOKEN="{}"', "KAGGLE_KEY={}",
    "KAGGLE_API_TOKEN: {}", "MY_TOKEN = {}", "'{}'", '"{}"', "`{}`", "„{}“", '"{}', "Bearer {}",
    "Authorization: Bearer {}",
    '{{"token": "{}"}}', '["{}"]', "{{{}", "<{}>", "{}\u200b", "\ufeff{}", "{} # mine",
]  # fmt: skip


@examples(100)
@given(HEX)
def test_a_token_is_no_key_and_a_key_is_no_token(digits: str) -> None:
    assert token_fault(f"KGAT_{digits}") == ""
    assert key_fault(digits) == ""
    assert username_fault(f"person-{digits[:4]}") == ""
    for fault in (token_fault(digits), token_fault(digits.upper()), key_fault(f"KGAT_{digits}")):
        assert "it belongs into" in fault
        assert digits not in fault.lower()


@pytest.mark.parametrize("wrapped", WRAPPED)
def test_what_surrounds_it_is_named_and_it_is_not_printed(wrapped: str) -> None:
    digits = "0123456789abcdef" * 2
    for secret in (digits, f"KGAT_{digits}"):
        text = wrapped.format(secret, secret)
        for judge in (token_fault, key_fault, username_fault):
            assert judge(text)
            assert digits not in judge(text)
            assert "\n" not in judge(text)


@pytest.mark.parametrize(
    "text", ["good-token", "eyJhbGciOi.eyJzdWIiOiJ4In0.c2ln_bmF0dXJl-", "a1b2c3==", "KGAT_x"]
)
def test_other_forms_of_tokens_pass(text: str) -> None:
    assert token_fault(text) == ""


@pytest.mark.parametrize("coding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_how_a_file_is_saved_is_named(coding: str) -> None:
    text, fault = decoded("KGAT_한".encode(coding))
    assert text == ""
    assert fault.startswith("is saved as UTF-")
    assert decoded(b" KGAT_1\r\n") == ("KGAT_1", "")
    assert decoded("KGAT_한".encode("cp949")) == ("", decoded(b"\xff")[1])
