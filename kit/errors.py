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


def all_of(mistakes: Sequence[str], shown: int = SHOWN) -> str:
    """Join mistakes into one line: the first *shown* in full, then how many more there are."""
    rest = len(mistakes) - shown
    text = "; ".join(mistakes[:shown])
    return f"{text}; and {rest} more" if rest > 0 else text
