"""Kaggle's daily limit of submissions: how many are left today, and the error when none is."""

from __future__ import annotations

from collections.abc import Callable

from kit.errors import (
    DailyLimitError,
    KaggleError,
    NetworkError,
    NotAuthenticatedError,
    RejectedError,
    RulesNotAcceptedError,
)
from kit.kaggle.client import Client
from kit.kaggle.errors import daily_limit, refusal_of
from kit.kaggle.submissions import Allowance, allowance


def left_today(client: Client, competition: str, say: Callable[[str], object]) -> Allowance | None:
    """How many submissions are left today.

    None where only this call fails, with the reason passed to *say*: Kaggle enforces the limit itself.
    """
    try:
        return allowance(client, competition)
    except (NotAuthenticatedError, RulesNotAcceptedError, NetworkError):
        raise
    except KaggleError as error:
        say(f"how many submissions are left today is not known ({error})")
        return None


def used_up(left: Allowance, competition: str) -> DailyLimitError:
    """The error for a limit that is used up."""
    if left.by_total:
        return DailyLimitError(f"{competition}: all submissions of the competition are made ({left.total})")
    return daily_limit(competition)


def over_the_limit(client: Client, competition: str, error: KaggleError) -> DailyLimitError | None:
    """*error* as a DailyLimitError where Kaggle refused because no submission is left; else None.

    Kaggle's count decides; where it is silent, the wording of the refusal does.
    """
    response = getattr(error.__cause__, "response", None)
    if not isinstance(error, RejectedError) or response is None:
        return None
    refusal = refusal_of(response)
    try:
        left = allowance(client, competition)
    except KaggleError:
        left = None
    if left is not None and left.used_up:
        limit = used_up(left, competition)
    elif refusal.of_the_allowance:
        limit = daily_limit(competition)
    else:
        return None
    return DailyLimitError(f"{limit} ({refusal.quoted})")
