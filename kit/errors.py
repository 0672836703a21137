"""The errors that a user can get.  Every message is one line: the value, the rule, the cure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

SHOWN = 10
Entry = TypeVar("Entry")


class KitError(Exception):
    """A problem that the user can fix; the command line prints it as one line and exits with 1."""


class DataError(KitError):
    """A data file that cannot be read, or that breaks a rule of its format."""


class LeakError(DataError):
    """Training data that also occurs in the test file."""


class ConfigError(KitError):
    """A recipe or a setting that breaks a rule."""


class ModelError(KitError):
    """A backbone or checkpoint that cannot be fetched, loaded or used."""


class SpanFileError(KitError):
    """A span file that is missing, damaged, or made from other questions."""


class SubmissionError(KitError):
    """A CSV that is not a valid submission for its test file."""


class WriteError(KitError):
    """A file that could not be written; an earlier file is unchanged."""


class LockError(KitError):
    """Something that another process is working on."""


class KaggleError(KitError):
    """Kaggle refused a request or did not answer."""


class NotAuthenticatedError(KaggleError):
    """No credentials, unreadable credentials, or credentials that Kaggle does not accept."""


class NoCredentialsError(NotAuthenticatedError):
    """This machine has no Kaggle credentials at all."""


class RulesNotAcceptedError(KaggleError):
    """The competition's rules have not been accepted on its web page."""


class NoSuchCompetitionError(KaggleError):
    """Kaggle knows no competition (or kernel) of this name, or does not show it to this account."""


class RateLimitedError(KaggleError):
    """Too many calls in a short time."""


class DailyLimitError(KaggleError):
    """No submission is left today."""


class RejectedError(KaggleError):
    """Kaggle checked the request or the file and refused it."""


class UploadFailedError(KaggleError):
    """The file did not reach Kaggle: nothing was submitted."""


class UnavailableError(KaggleError):
    """No answer, or an unreadable one: the same call may succeed later."""


class NetworkError(KaggleError):
    """A certificate or proxy of this network refused the connection: nothing was sent, retries fail."""


class ClientVersionError(KaggleError):
    """The installed client does not match Kaggle's calls or values."""


class OutcomeUnknownError(KaggleError):
    """A submission or kernel was sent and the answer was lost: Kaggle may have recorded it."""


class KernelError(KaggleError):
    """A kernel that failed, is still running, or left no run."""


class DownloadError(KaggleError):
    """A download that differs from what Kaggle offered."""


def all_of(mistakes: Sequence[str], shown: int = SHOWN) -> str:
    """Join mistakes into one line: the first *shown* in full, then how many more there are."""
    rest = len(mistakes) - shown
    text = "; ".join(mistakes[:shown])
    return f"{text}; and {rest} more" if rest > 0 else text


def listed(names: Sequence[str], shown: int = SHOWN) -> str:
    """Join names into one line: the first *shown*, then how many more there are."""
    rest = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {rest} more" if rest > 0 else "")


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: ``1 fault``, ``2 faults``, ``1,204 faults``; *plural* if it has no s."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def near_names(name: object, known: Iterable[str], least: float = 0.6) -> list[str]:
    """The known names that a misspelt one may mean, the likeliest first; *least*: a ratio of difflib."""
    import difflib  # only where something is wrong: it would slow every start down

    return difflib.get_close_matches(str(name), list(known), cutoff=least)


def nearest(name: object, known: Iterable[str]) -> str:
    """The known name that a misspelt one probably means; "" where none is near."""
    return next(iter(near_names(name, known)), "")


def unknown_name(what: str, name: object, known: Iterable[str]) -> str:
    """The message for a name that is in no table: the nearest known one, if any is near, and all of them."""
    import json

    names = list(known)
    near = nearest(name, names)
    guess = f"did you mean {near}? " if near else ""
    return f"{what} is {json.dumps(name, ensure_ascii=False)}; {guess}known: {', '.join(names)}"


def entry_of(table: Mapping[str, Entry], name: str, what: str) -> Entry:
    """The entry of *table* for *name*; *what* says what it is a name of.

    Raises ConfigError with the nearest known name and all of them where there is none.
    """
    if name not in table:
        raise ConfigError(unknown_name(what, name, table))
    return table[name]
