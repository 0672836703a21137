"""Calls to Kaggle by the official client: signed in, with a timeout, reads retried, nothing printed."""

from __future__ import annotations

import contextlib
import io
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from kit.errors import KaggleError, NotAuthenticatedError, WriteError
from kit.kaggle.auth import KEY, TOKEN, Credentials, find_credentials
from kit.kaggle.competition_access import competition_access
from kit.kaggle.errors import of_the_disk, too_old_or_new, translated
from kit.kaggle.import_client import kaggle_api_class
from kit.kaggle.retry import RetryPolicy

ENDPOINT = "KIT_KAGGLE_ENDPOINT"
Result = TypeVar("Result")
Progress = Callable[[int, "int | None"], object]
"""Called with the bytes transferred so far, and the bytes in all (None: unknown)."""
_LOOKS = 3
"""How often the account is asked whether a change whose answer was lost was made."""


class Client:
    """The official client, signed in.  Make it with `connect`."""

    def __init__(self, api: Any, credentials: Credentials, retry: RetryPolicy) -> None:
        self.api, self.credentials, self.retry = api, credentials, retry

    @property
    def username(self) -> str:
        """The name of the account.  Raises NotAuthenticatedError where Kaggle did not tell it."""
        name = self.api.config_values.get(self.api.CONFIG_NAME_USER)
        if not name:
            raise NotAuthenticatedError(
                f"{self.credentials}: Kaggle did not tell whose they are; make a new token"
            )
        return str(name)

    def read(self, call: Callable[[Any], Result], doing: str, subject: str) -> Result:
        """*call* (api) → its result; retried with growing pauses, because it changes nothing.

        *doing* and *subject* (a slug) name in an error what failed.  Raises a KaggleError by kind.
        """
        return self.retry.run(lambda: self.once(call, doing, subject))

    def look_again(self, find: Callable[[], Result | None]) -> Result | None:
        """What *find* () returns after the answer to a change was lost; None where it finds nothing.

        Asked up to three times, with growing pauses; a KaggleError counts as nothing found.
        """
        for look in range(_LOOKS):
            time.sleep(self.retry.pause(look))
            with contextlib.suppress(KaggleError):
                if (found := find()) is not None:
                    return found
        return None

    def needs(self, name: str, what: str) -> None:
        """Raise ClientVersionError where the installed client has no attribute *name*, which *what* needs."""
        if not hasattr(self.api, name):
            raise too_old_or_new(what, f"it has no {name}")

    @contextlib.contextmanager
    def downloading(self, progress: Progress) -> Iterator[None]:
        """Report the bytes of every file that calls inside the block download to *progress*."""
        self.api.progress = progress
        try:
            yield
        finally:
            self.api.progress = None

    def once(self, call: Callable[[Any], Result], doing: str, subject: str) -> Result:
        """*call* (api) → its result; tried once.

        Raises a KaggleError by kind, with the cause; WriteError where this machine's disk failed.
        """
        try:
            with _limited(self.retry.timeout):
                return call(self.api)
        except KaggleError:
            raise
        except (Exception, SystemExit) as error:
            if of_the_disk(error):
                raise WriteError(
                    f"{doing}: the download cannot be written ({error}); free space or choose a folder you "
                    "may write to"
                ) from error
            # In its calls for kernels the client puts a ValueError in place of some HTTP errors.
            hidden = error.__context__ if isinstance(error, ValueError) else None
            cause = error if hidden is None or getattr(hidden, "response", None) is None else hidden
            access_to = partial(competition_access, self.api, failed=cause)
            with _limited(self.retry.timeout):
                found = translated(cause, doing, subject, self.credentials, access_to)
            raise found from cause


def connect(retry: RetryPolicy | None = None) -> Client:
    """Sign in with the credentials found; a token is checked by one call, a legacy key by none.

    Every call goes to KIT_KAGGLE_ENDPOINT where that is set, and nowhere else.
    """
    retry = RetryPolicy.from_environment() if retry is None else retry
    credentials = find_credentials()
    api = _signed_api(credentials)
    client = Client(api, credentials, retry)
    if credentials.kind == KEY:
        return client

    def sign_in(api: Any) -> Any:
        if credentials.kind == TOKEN:
            return api._introspect_token(credentials.secret)
        return api._authenticate_with_oauth_creds()

    found = client.read(sign_in, "signing in", "kaggle.com")
    if not found:
        raise NotAuthenticatedError(
            f"signing in: Kaggle does not accept the {credentials}; {credentials.renewal}"
        )
    if credentials.kind == TOKEN:
        api.config_values[api.CONFIG_NAME_USER] = found
        client.credentials = replace(credentials, username=found)
    return client


def _signed_api(credentials: Credentials) -> Any:
    base, endpoint = kaggle_api_class(), os.environ.get(ENDPOINT)

    class Api(base):  # type: ignore[misc, valid-type]
        """The official class with our endpoint and our credentials."""

        progress: Progress | None = None

        def download_file(self, response: Any, outfile: str, http_client: Any, *_: Any, **__: Any) -> None:
            """One attempt, from nothing: the client's own retries sleep for a minute."""
            if self.progress is not None:
                response.iter_content = _reporting(response, self.progress)
            super().download_file(response, outfile, http_client, quiet=True, resume=False, max_retries=0)

        def build_kaggle_client(self) -> Any:
            from kagglesdk.kaggle_client import KaggleClient
            from kagglesdk.kaggle_env import KaggleEnv

            token = self.config_values.get(self.CONFIG_NAME_TOKEN)
            client = KaggleClient(
                env=KaggleEnv.PROD,
                username=self.config_values.get(self.CONFIG_NAME_USER),
                password=self.config_values.get(self.CONFIG_NAME_KEY),
                api_token=token,
                response_processor=self.get_response_processor(),
            )
            http = client.http_client()
            if endpoint:
                http._endpoint = endpoint.rstrip("/")
            if token is None:
                # Left alone, the client would take a token from the environment, even a bad one.
                http._signed_in = credentials.kind == KEY
                http._init_session()
                if credentials.kind == KEY:
                    http._session.auth = (credentials.username, credentials.secret)
            return client

    api = Api()
    # The class reads these from the environment once, when it is imported.
    api.config_values = {}
    api.config = os.devnull
    if credentials.username:
        api.config_values[api.CONFIG_NAME_USER] = credentials.username
    if credentials.secret:
        name = api.CONFIG_NAME_TOKEN if credentials.kind == TOKEN else api.CONFIG_NAME_KEY
        api.config_values[name] = credentials.secret
    api._authenticated = True
    return api


def _reporting(response: Any, progress: Progress) -> Callable[[int], Iterator[bytes]]:
    """The response's ``iter_content`` with a call of *progress* after every block."""
    blocks, length = response.iter_content, response.headers.get("Content-Length", "")
    total = int(length) if length.isdecimal() else None

    def reporting(size: int) -> Iterator[bytes]:
        done = 0
        for block in blocks(size):
            done += len(block)
            progress(done, total)
            yield block

    return reporting


@contextlib.contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Discard what the client prints for its own command line, and limit the wait for each byte of an answer.

    The client sets no limit for most of its requests.
    """
    from requests.adapters import HTTPAdapter

    send = HTTPAdapter.send

    def limited(self: Any, request: Any, stream: bool = False, timeout: Any = None, **rest: Any) -> Any:
        return send(self, request, stream=stream, timeout=seconds, **rest)

    HTTPAdapter.send = limited  # type: ignore[method-assign, assignment]
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        HTTPAdapter.send = send  # type: ignore[method-assign]
