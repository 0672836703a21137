"""What the official client raises, as errors that say what happened and what to do."""

from __future__ import annotations

import errno
import json
import math
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from kit.errors import (
    DailyLimitError,
    KaggleError,
    NoSuchCompetitionError,
    NotAuthenticatedError,
    RateLimitedError,
    RejectedError,
    RulesNotAcceptedError,
    UnavailableError,
)

WEB = "https://www.kaggle.com"
PERHAPS_DONE = (UnavailableError, RateLimitedError)
"""After one of these Kaggle may have done what it was asked to: whether a change was made is unknown."""
_LONGEST = 300


def translated(error: BaseException, doing: str, subject: str, signed_with: str) -> KaggleError:
    """*error*, which *doing* (such as "listing files") on *subject* (a slug) met, as one of ours."""
    response = getattr(error, "response", None)
    if response is None:  # not `if response`: that is False for every 4xx
        return UnavailableError(
            f"{doing}: Kaggle gave no answer that can be read ({_reason(error)}); try again later"
        )
    status, text = response.status_code, message_of(response)
    if status >= 400 and response.request.method == "GET":
        # Kaggle itself is asked by POST: this is the storage it sent us to, whose addresses expire.
        return UnavailableError(
            f"{doing}: the storage behind Kaggle answered {status} ({text}); try again later"
        )
    lowered = text.lower()
    if status == 401:
        return NotAuthenticatedError(
            f"{doing}: Kaggle does not accept the {signed_with}; make a new token at {WEB}/settings"
        )
    if status == 403 and any(word in lowered for word in ("rule", "accept", "participate")):
        return RulesNotAcceptedError(
            f"{doing}: the rules of {subject} are not accepted yet; accept them at {WEB}/c/{subject}/rules"
        )
    if status in (403, 404):
        return NoSuchCompetitionError(
            f"{doing}: Kaggle answered {status} for {subject} ({text}); check the spelling of the slug, and "
            f"that this account may see {WEB}/{'code' if '/' in subject else 'c'}/{subject}"
        )
    if status == 429:
        wait = retry_after(response)
        how_long = "later" if wait is None else f"in {math.ceil(wait)} s"
        return RateLimitedError(f"{doing}: too many calls to Kaggle; try again {how_long}")
    if status == 400 and "daily" in lowered:
        return daily_limit(subject)
    if status >= 500 or status == 408:
        return UnavailableError(f"{doing}: Kaggle answered {status} ({text}); try again later")
    return RejectedError(f"{doing}: Kaggle refused it with {status} ({text}); mend what it names")


def of_the_disk(error: BaseException) -> bool:
    """Whether it was this machine that could not write what Kaggle sent."""
    if not isinstance(error, OSError):
        return False
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
    return full or (error.filename is not None and error.errno in (errno.EACCES, errno.EPERM))


def daily_limit(subject: str, now: datetime | None = None) -> DailyLimitError:
    """No submission is left: says when the next day begins, which for Kaggle is at midnight UTC."""
    now = datetime.now(UTC) if now is None else now
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    left = midnight - now
    hours, minutes = divmod(math.ceil(left.total_seconds() / 60), 60)
    return DailyLimitError(
        f"{subject}: no submission is left today; the limit resets at 00:00 UTC, in {hours} h {minutes} min"
    )


def status_of(error: BaseException) -> int | None:
    """The HTTP status of the answer behind *error*; None where there was none."""
    response = getattr(error.__cause__, "response", None)
    return None if response is None else int(response.status_code)


def worth_a_retry(error: KaggleError) -> bool:
    """Whether the same read may succeed a moment later."""
    return isinstance(error, (UnavailableError, RateLimitedError))


def retry_after(response: Any) -> float | None:
    """Seconds that a Retry-After header (a number, or a date) asks for; None without one."""
    value = response.headers.get("Retry-After")
    if value is None:
        return None
    try:
        return max(float(value), 0.0) if math.isfinite(float(value)) else None
    except ValueError:
        pass
    try:
        return max((parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None


def message_of(response: Any) -> str:
    """The message of an error's body, in one line; for a page of HTML that it was one."""
    text = str(response.text)
    try:
        content = json.loads(text)
    except ValueError:
        return "a page of HTML" if "<html" in text.lower() else _one_line(text) or "no message"
    found = content.get("error", content) if isinstance(content, dict) else content
    message = found.get("message", "") if isinstance(found, dict) else str(found)
    return _one_line(str(message)) or "no message"


def _reason(error: BaseException) -> str:
    return _one_line(f"{type(error).__name__}: {error}")


def _one_line(text: str) -> str:
    joined = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return joined if len(joined) <= _LONGEST else joined[:_LONGEST] + "…"
