"""What Kaggle says when it does not start a kernel, with the cure."""

from __future__ import annotations

import re

from kit.errors import RejectedError

_SETTINGS = "https://www.kaggle.com/settings"
_CURES = (
    (
        re.compile(r"\bsession count of \d+ reached\b|\b(maximum|too many) [\w ]*sessions\b", re.IGNORECASE),
        "wait until one of your sessions ends, or stop one at https://www.kaggle.com/code, and push again",
    ),
    (
        re.compile(
            r"\bquota\b[^.]*\b(exceeded|exhausted|reached|used up)\b|\b(exceeded|exhausted|reached|used up)\b"
            r"[^.]*\bquota\b|\bexceeded the number of hours\b",
            re.IGNORECASE,
        ),
        "`kit kernel quota` shows when it resets; push again then",
    ),
    (
        re.compile(
            r"\b(phone|SMS)[ -]verif|\bverif(y|ied|ication)\b[^.]*\bphone\b|\bphone\b[^.]*\bverif",
            re.IGNORECASE,
        ),
        f"verify your phone number at {_SETTINGS} (GPUs and Internet need it) and push again",
    ),
    (
        re.compile(r"\b(title|slug)\b.*\b(is|are) already (in use|taken)\b", re.IGNORECASE),
        "push with another --run-name",
    ),
)


def cure_of(words: str) -> str | None:
    """What to do about a refusal in Kaggle's *words*; None where it is none of the known ones."""
    return next((cure for pattern, cure in _CURES if pattern.search(words)), None)


def refusal(kernel: str, words: str, what: str = "Kaggle refused it") -> RejectedError:
    """The error for a kernel that Kaggle refused in these *words*, which it quotes whole."""
    said = " ".join(words.split())
    return RejectedError(f"{kernel}: {what} ({said}); {cure_of(said) or 'correct what it names'}")
