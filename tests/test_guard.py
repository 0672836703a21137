"""The tests' own guard: nothing but loopback can be reached."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

OUTSIDE = "198.51.100.7"
"""An address that is reserved for documentation (RFC 5737)."""


def test_a_test_cannot_connect_to_another_machine() -> None:
    with socket.socket() as one, pytest.raises(AssertionError, match="only loopback is allowed"):
        one.connect((OUTSIDE, 80))
    with pytest.raises(AssertionError, match="only loopback is allowed"):
        socket.create_connection((OUTSIDE, 443), timeout=1)


def test_loopback_can_be_reached() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname(), timeout=5) as one,
    ):
        assert one.getpeername() == server.getsockname()


def test_nor_can_the_http_of_a_process_that_a_test_starts() -> None:
    program = (
        "import requests\n"
        "try:\n"
        f"    requests.get('https://{OUTSIDE}/', timeout=5)\n"
        "except requests.exceptions.ProxyError:\n"
        "    print('stopped')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout == "stopped\n", done.stderr
