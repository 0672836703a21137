"""What the official client raises, as errors that tell what happened and what to do."""

from __future__ import annotations

import errno
import json
import math
import re
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from kit.errors import (
    ClientVersionError,
    DailyLimitError,
    KaggleError,
    NoSuchCompetitionError,
    NotAuthenticatedError,
    RateLimitedError,
    RejectedError,
    RulesNotAcceptedError,
    UnavailableError,
)
from kit.kaggle.auth import Credentials
from kit.kaggle.competition_access import CompetitionAccess
from kit.kaggle.import_client import client_version
from kit.kaggle.network import network_error, one_line, proxy_refused, reason_of

WEB = "https://www.kaggle.com"
Result = TypeVar("Result")
PERHAPS_DONE = (UnavailableError, RateLimitedError, ClientVersionError)
"""After one of these errors it is unknown whether Kaggle made the change."""
_TOO_EARLY = {408, 425}
_UNKNOWN_CALL = {410, 426, 501}
# Kaggle's whole sentence; it decides only where nothing else tells what a 403 means.
_RULES = re.compile(r"\baccept (?:this competition's|the competition's|the) rules\b", re.IGNORECASE)
_ALLOWANCE = re.compile(r"\bdaily submission allowance\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error in an answer: its HTTP status, Kaggle's reason ("" without one) and Kaggle's words."""

    status: int
    reason: str
    words: str

    @property
    def quoted(self) -> str:
        """The words and the reason, for a message."""
        return f"Kaggle: {self.words}{f' [{self.reason}]' if self.reason else ''}"

    @property
    def of_the_allowance(self) -> bool:
        """Whether the words are Kaggle's sentence about the day's allowance."""
        return self.status == 400 and _ALLOWANCE.search(self.words) is not None


def refusal_of(response: Any) -> Refusal:
    """The status, reason and words of an error's response; the words of HTML are "a page of HTML"."""
    text = str(response.text)
    try:
        content = json.loads(text)
    except ValueError:
        content = "a page of HTML" if "<html" in text.lower() else text
    found = content.get("error", content) if isinstance(content, dict) else content
    code, reason, words = response.status_code, "", found
    if isinstance(found, dict):
        words = found.get("message", "")
        if code < 400 and isinstance(found.get("code"), int):  # an error that is sent as a success
            code = found["code"]
        details = found["details"] if isinstance(found.get("details"), list) else []
        reasons = [one.get("reason") for one in details if isinstance(one, dict)]
        reason = next((one for one in (*reasons, found.get("status")) if isinstance(one, str) and one), "")
    return Refusal(code, one_line(reason), one_line(str(words)) or "no message")


def translated(
    error: BaseException,
    doing: str,
    subject: str,
    credentials: Credentials,
    access_to: Callable[[str], CompetitionAccess],
) -> KaggleError:
    """*error*, which *doing* (such as "listing files") on *subject* (a slug) met, as one of ours.

    *access_to* (slug) tells what this account sees of a competition: asked only where Kaggle denies access.
    """
    response = getattr(error, "response", None)
    if response is None:  # not `if response`: that is False for every 4xx
        if (found := network_error(error, doing)) is not None:
            return found
        if _unknown_to_the_client(error):
            return too_old_or_new(doing, reason_of(error))
        return UnavailableError(
            f"{doing}: Kaggle gave no answer that can be read ({reason_of(error)}); try again later"
        )
    refusal = refusal_of(response)
    status, words = refusal.status, refusal.words
    if status == 407:
        return proxy_refused(doing, response.url, f"407 ({words})")
    if status >= 400 and response.request.method == "GET":
        # Kaggle itself is asked by POST: this is the storage it sent us to, whose addresses expire.
        return UnavailableError(
            f"{doing}: the storage behind Kaggle answered {status} ({words}); try again later"
        )
    if status == 401:
        return NotAuthenticatedError(
            f"{doing}: Kaggle does not accept the {credentials} ({refusal.quoted}); {credentials.renewal}"
        )
    if status in (403, 404):
        return _denied(refusal, doing, subject, access_to)
    if status == 429:
        return RateLimitedError(f"{doing}: too many calls to Kaggle ({words}); try again {later(response)}")
    if status in _UNKNOWN_CALL or refusal.reason == "UNIMPLEMENTED":
        return too_old_or_new(doing, f"Kaggle answered {status} ({words})")
    if status >= 500 or status in _TOO_EARLY:
        return UnavailableError(f"{doing}: Kaggle answered {status} ({words}); try again later")
    return RejectedError(f"{doing}: Kaggle refused it with {status} ({words}); correct what it names")


def _denied(
    refusal: Refusal, doing: str, subject: str, access_to: Callable[[str], CompetitionAccess]
) -> KaggleError:
    """A 403 or 404, which Kaggle gives for a misspelt name as it does for rules that are not accepted."""
    answered = f"{doing}: Kaggle answered {refusal.status} for {subject}"
    if "/" in subject:
        return NoSuchCompetitionError(
            f"{answered} ({refusal.quoted}); check the spelling of OWNER/SLUG, and that this account may see "
            f"{WEB}/code/{subject}"
        )
    access = access_to(subject)
    page = f"{WEB}/c/{subject}"
    by_its_words = access.visible is None and _RULES.search(refusal.words) is not None
    if refusal.status == 403 and (by_its_words or (access.visible and not access.entered)):
        return RulesNotAcceptedError(
            f"{doing}: the rules of {subject} are not accepted yet ({refusal.quoted}); accept them at "
            f"{page}/rules"
        )
    if access.visible:
        sees = "has entered" if access.entered else "can see"
        return RejectedError(f"{answered}, which this account {sees} ({refusal.quoted}); look at {page}")
    near = f"; this account has entered {' and '.join(access.near)}" if access.near else ""
    if access.visible is None:
        return NoSuchCompetitionError(
            f"{answered} ({refusal.quoted}); check the spelling of the slug{near}, and whether this account "
            f"sees {page} and has accepted its rules"
        )
    return NoSuchCompetitionError(
        f"{doing}: Kaggle shows this account no competition {subject} ({refusal.status}, {refusal.quoted}); "
        f"check the spelling of the slug{near or f', and that this account may see {page}'}"
    )


def too_old_or_new(doing: str, what: str) -> ClientVersionError:
    """The error where the installed client and Kaggle do not know the same calls and values."""
    return ClientVersionError(
        f"{doing}: {what}: this client ({client_version()}) is too old or too new; install the newest by "
        "pip install -U kaggle kagglesdk, or where it is that, the version before"
    )


def _unknown_to_the_client(error: BaseException) -> bool:
    """Whether the client lacks a call, a field or a value of an enumeration."""
    if isinstance(error, (ImportError, NotImplementedError)):
        return True
    frames = [
        (frame.f_globals.get("__name__", ""), frame.f_code.co_name)
        for frame, _ in traceback.walk_tb(error.__traceback__)
    ]
    if isinstance(error, KeyError):  # how the client reads a value that its enumeration lacks
        return ("kagglesdk.kaggle_object", "_from_str") in frames
    if isinstance(error, AttributeError):
        modules = [getattr(error.obj, "__name__", ""), *(kind.__module__ for kind in type(error.obj).__mro__)]
        lacking = any(name.split(".")[0] in ("kaggle", "kagglesdk") for name in modules)
        return lacking or ("kagglesdk.kaggle_object", "__setattr__") in frames[-1:]
    return isinstance(error, TypeError) and "unexpected keyword argument" in str(error)


def of_the_disk(error: BaseException) -> bool:
    """Whether this machine could not write what Kaggle sent."""
    if not isinstance(error, OSError):
        return False
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
    return full or (error.filename is not None and error.errno in (errno.EACCES, errno.EPERM))


def daily_limit(subject: str, now: datetime | None = None) -> DailyLimitError:
    """The error where no submission is left today; Kaggle's next day begins at midnight UTC."""
    now = datetime.now(UTC) if now is None else now
    hours, minutes = divmod((24 - now.hour) * 60 - now.minute, 60)
    return DailyLimitError(
        f"{subject}: no submission is left today; the limit resets at 00:00 UTC, in {hours} h {minutes} min"
    )


def or_none(call: Callable[[], Result]) -> Result | None:
    """*call* () → its result; None where Kaggle answers 403 or 404, as for what is missing."""
    try:
        return call()
    except KaggleError as error:
        if getattr(getattr(error.__cause__, "response", None), "status_code", None) in (403, 404):
            return None
        raise


def worth_a_retry(error: KaggleError) -> bool:
    """Whether the same read may succeed a moment later."""
    return isinstance(error, (UnavailableError, RateLimitedError))


def retry_after(response: Any) -> float | None:
    """Seconds that a Retry-After header (a number, or a date) asks for; None without one."""
    value = response.headers.get("Retry-After", "")
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return None
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def later(response: Any) -> str:
    """When to try again: "in 30 s", as a Retry-After header asks, or "later"."""
    seconds = retry_after(response)
    return "later" if seconds is None else f"in {math.ceil(seconds)} s"
