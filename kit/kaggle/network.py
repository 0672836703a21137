"""Errors of this machine's network, certificates and proxies, which no retry changes."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

from kit.errors import KaggleError, NetworkError, UnavailableError

BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_LONGEST = 300
_EXPIRED, _NOT_YET_VALID, _OTHER_HOST = 10, 9, 62
"""OpenSSL's numbers of certificate errors other than an unknown issuer."""
_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3}[^')]*)")
_PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")


def network_error(error: BaseException, doing: str) -> KaggleError | None:
    """*error* of requests as an error of this machine's network; None where it is something else.

    A NetworkError means that nothing was sent.  An encrypted connection that broke off may have carried a
    request: UnavailableError.
    """
    from requests import RequestException, exceptions

    if not isinstance(error, OSError):
        return None
    causes = list(_causes(error))
    address = getattr(getattr(error, "request", None), "url", None) or ""
    variable = next((name for name in BUNDLES if os.environ.get(name)), "")
    bundle = os.environ.get(variable, "")
    if bundle and not os.path.exists(bundle):  # noqa: PTH110 (never raises)
        if isinstance(error, RequestException) and not isinstance(error, exceptions.SSLError):
            return None  # the bundle is not the cause
        return NetworkError(f"{variable}={bundle}: there is no such file; name a PEM file of CA certificates")
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _not_trusted(cause, doing, address, variable, bundle)
    for cause in causes:
        if isinstance(cause, ssl.SSLError) and cause.library in ("X509", "PEM") and bundle:
            return NetworkError(
                f"{variable}={bundle}: holds no certificate ({reason_of(cause)}); name a PEM file of CAs"
            )
    if isinstance(error, (exceptions.ProxyError, exceptions.InvalidProxyURL)) or (
        isinstance(error, exceptions.InvalidSchema) and _proxy(address)
    ):
        found = _TUNNEL.search(" ".join(map(str, causes)))
        if found and found[1].startswith("5"):
            return UnavailableError(
                f"{doing}: the proxy ({_proxy(address)}) cannot reach {_host(address)} ({found[1].strip()}); "
                "try again later, or another network"
            )
        if found:
            return proxy_refused(doing, address, found[1].strip())
        return NetworkError(
            f"{doing}: {_proxy(address) or 'the proxy'} cannot be used ({reason_of(error)}); correct that "
            "variable, or unset it"
        )
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return UnavailableError(
            f"{doing}: the encrypted connection to {_host(address)} failed ({reason_of(error)}); a proxy, "
            "firewall or virus scanner may cut it: use another network, or ask who runs this one"
        )
    return None


def proxy_refused(doing: str, address: str, answer: str) -> NetworkError:
    """The proxy, not Kaggle, answered a request to *address*: *answer* is its status with its words."""
    site = "Kaggle" if doing != address else "the site"
    cure = (
        "it wants a user name and a password: put them into that variable, as in http://USER:PASSWORD@HOST:PORT"
        if answer.startswith("407")
        else "ask who runs it to let this host through"
    )
    return NetworkError(
        f"{doing}: the proxy refused the connection to {_host(address)} with {answer}, not {site} "
        f"({_proxy(address) or 'no proxy variable is set'}); {cure}"
    )


def reason_of(error: BaseException) -> str:
    """Type and text of the innermost cause, in one line, without addresses, which may be signed."""
    inner = error
    while (found := _inside(inner)) is not None:
        inner = found
    text = re.sub(
        r"https?://[^\s'\"]+", lambda match: f"https://{_host(match[0])}", f"{type(inner).__name__}: {inner}"
    )
    return one_line(re.sub(r"<[\w.]+ object at 0x[0-9a-f]+>:? ?", "", text))


def one_line(text: str) -> str:
    """*text* on one line, cut after 300 characters."""
    joined = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return joined if len(joined) <= _LONGEST else joined[:_LONGEST] + "…"


def _not_trusted(
    cause: ssl.SSLCertVerificationError, doing: str, address: str, variable: str, bundle: str
) -> NetworkError:
    if cause.verify_code in (_EXPIRED, _NOT_YET_VALID):
        cure = "set this machine's clock right, or ask who runs the network"
    elif cause.verify_code == _OTHER_HOST:
        cure = "another server answers for it: check the proxy and the network's sign-in page"
    elif bundle:
        cure = f"{variable}={bundle} lacks the CA that signed it: add it to that file"
    else:
        cure = (
            "where a company or school inspects connections, set REQUESTS_CA_BUNDLE to the PEM file of its CA"
        )
    return NetworkError(
        f"{doing}: the certificate of {_host(address)} is not trusted ({cause.verify_message}); {cure}"
    )


def _proxy(address: str) -> str:
    """The proxy variable that applies to *address*, with its value less the password; "" for none."""
    from requests.utils import get_environ_proxies, select_proxy

    used = select_proxy(address, get_environ_proxies(address)) if address else None
    for name in _PROXIES:
        value = os.environ.get(name, "")
        if value and used in (None, value):
            head, at, tail = value.rpartition("@")
            scheme = f"{head.split('://')[0]}://" if "://" in head else ""
            return f"{name}={scheme}***@{tail}" if at else f"{name}={value}"
    return ""


def _host(address: str) -> str:
    try:
        parts = urlsplit(address)
        return f"{parts.hostname}{f':{parts.port}' if parts.port else ''}" if parts.hostname else "Kaggle"
    except ValueError:
        return "Kaggle"


def _inside(error: BaseException) -> BaseException | None:
    """The exception inside *error*, as requests and urllib3 nest them."""
    held = [getattr(error, "reason", None), getattr(error, "original_error", None), *error.args]
    return next((one for one in held if isinstance(one, BaseException)), None)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """*error* and all that led to it."""
    seen: set[int] = set()
    left: list[BaseException | None] = [error]
    while left:
        one = left.pop(0)
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            yield one
            left += [_inside(one), one.__cause__, one.__context__]
