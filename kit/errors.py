"""The errors a user can meet.  Every message is one line: what (with its value), the rule, the cure."""

from __future__ import annotations

from collections.abc import Sequence

SHOWN = 10


class KitError(Exception):
    """Something the user can mend; the command line prints it as one line and exits with 1."""


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
    """A file that could not be written; what stood there before is untouched."""


class LockError(KitError):
    """Something another process is at work on."""


class KaggleError(KitError):
    """Kaggle said no, or did not answer."""


class NotAuthenticatedError(KaggleError):
    """No credentials, credentials that cannot be read, or such that Kaggle does not accept."""


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
    """Kaggle looked at the request, or at the file, and refused it."""


class UploadFailedError(KaggleError):
    """The file did not reach Kaggle: nothing was submitted."""


class UnavailableError(KaggleError):
    """No answer, or none that can be read: the same call may succeed later."""


class NetworkError(KaggleError):
    """A certificate or a proxy of this network refused the connection: nothing was sent, no retry helps."""


class ClientVersionError(KaggleError):
    """Kaggle and the installed client do not know the same calls or values."""


class OutcomeUnknownError(KaggleError):
    """A submission or kernel was sent and its answer lost: Kaggle may have recorded it."""


class KernelError(KaggleError):
    """A kernel that failed, is still at work, or left no run."""


class DownloadError(KaggleError):
    """What was downloaded is not what Kaggle offered."""


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
    """A number with its noun: ``1 fault``, ``2 faults``, ``1,204 faults``; *plural* where it takes no s."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
