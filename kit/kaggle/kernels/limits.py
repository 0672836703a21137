"""What Kaggle allows a kernel: hours of a session and a week, accelerators, sizes; cures for refusals.

Names and limits come from Kaggle's documents and the source of the official client 2.2.5.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Any

from kit.errors import ConfigError, RejectedError, near_names
from kit.kaggle.client import Client

LONGEST_SESSION, SOME_SESSIONS = 12.0, 9.0
"""Hours after which Kaggle ends every session, and some of those with an accelerator."""
MOST_SOURCE = 1_000_000
"""Bytes that Kaggle takes as the source of one kernel, about."""
LONGEST_TITLE = 50
"""Characters of a kernel's title, which becomes its slug, and of a data set's name."""
MOST_OUTPUT = 19 << 30
"""Kaggle keeps 20 GB of a kernel's output."""
MOST_DATASET = 100 << 30
"""Bytes of one data set."""

T4_TWICE = "NvidiaTeslaT4"
"""Kaggle's default GPU: two T4."""
GPUS = (
    T4_TWICE,
    "NvidiaL4",
    "NvidiaL4X1",
    "NvidiaTeslaA100",
    "NvidiaH100",
    "NvidiaRtxPro6000",
    "NvidiaTeslaT4Highmem",
)
"""All but the first are open only to participants of some competitions, or to Kaggle's own people."""
_TPUS = ("TpuV5E8", "TpuV6E8", "TpuV38", "Tpu1VmV38", "TpuV232", "TpuV2256")
_RETIRED = {"NvidiaTeslaP100": T4_TWICE}
_SIMILARITY = 0.5
"""From which a name is suggested."""

_SETTINGS = "https://www.kaggle.com/settings"
_CURES = (
    (
        r"\bsession count of \d+ reached\b|\b(maximum|too many) [\w ]*sessions\b",
        "wait until one of your sessions ends, or stop one at https://www.kaggle.com/code, and push again",
    ),
    (
        r"\bquota\b[^.]*\b(exceeded|exhausted|reached|used up)\b|\b(exceeded|exhausted|reached|used up)\b"
        r"[^.]*\bquota\b|\bexceeded the number of hours\b",
        "`kit kernel quota` shows when it resets; push again then",
    ),
    (
        r"\b(phone|SMS)[ -]verif|\bverif(y|ied|ication)\b[^.]*\bphone\b|\bphone\b[^.]*\bverif",
        f"verify your phone number at {_SETTINGS} (GPUs and Internet need it) and push again",
    ),
    (r"\b(title|slug)\b.*\b(is|are) already (in use|taken)\b", "push with another --run-name"),
)
"""What Kaggle writes when it does not start a kernel, and what to do."""


def accelerator(given: str) -> tuple[str, str]:
    """The name to send for *given*, and a note for the user ("" mostly).

    A retired GPU becomes the one that Kaggle runs in its place.  Raises ConfigError for a TPU and for a name
    that Kaggle does not have, with the likely one.
    """
    name = given.strip()
    if name in GPUS:
        return name, ""
    if name in _RETIRED:
        instead = _RETIRED[name]
        return instead, f"--gpu {name}: Kaggle retired it and runs {instead} (two T4) in its place"
    if name in _TPUS:
        raise ConfigError(f"--gpu {name}: is a TPU, and the kit trains on GPUs; give {' or '.join(GPUS[:2])}")
    likely = _likely(name, [*GPUS, *_RETIRED, *_TPUS])
    meant = f"did you mean {likely}? " if likely else ""
    if likely in _RETIRED:
        meant = f"{likely} is retired ({_RETIRED[likely]} runs in its place); "
    raise ConfigError(
        f"--gpu {given!r}: Kaggle has no accelerator of this name; {meant}give one of {', '.join(GPUS)}"
    )


def _likely(name: str, known: list[str]) -> str | None:
    """The known name that *name* is written like, or is a part of ("T4", "gpu-t4-x2", "a100")."""
    plain = "".join(character for character in name.lower() if character.isalnum())
    short = plain.removeprefix("gpu").removeprefix("nvidia").removeprefix("tesla").removesuffix("x2")
    for one in known:
        if short and one.lower().endswith(short):
            return one
    lowered = {one.lower(): one for one in known}
    return next((lowered[one] for one in near_names(plain, lowered, _SIMILARITY)), None)


@dataclass(frozen=True, slots=True)
class Quota:
    """One accelerator's week, in hours; ``reserved`` belongs to sessions that run now."""

    accelerator: str
    used: float
    reserved: float
    allowed: float

    @property
    def left(self) -> float:
        """Hours that a new session may use."""
        return max(self.allowed - self.used - self.reserved, 0.0)


@dataclass(frozen=True, slots=True)
class Quotas:
    """The quotas of the week: ``resets`` is UTC, ISO 8601, or "" where Kaggle does not tell."""

    resets: str
    quotas: tuple[Quota, ...]

    def of(self, accelerator: str) -> Quota | None:
        """The quota of "GPU" or "TPU"; None where Kaggle does not name it."""
        return next((one for one in self.quotas if one.accelerator == accelerator), None)


def read_quotas(client: Client) -> Quotas:
    """Ask Kaggle.  Raises KaggleError by kind, also where the installed client knows no such call."""
    doing = "asking for the week's quota"
    client.needs("quota_view", doing)
    answer = client.read(lambda api: api.quota_view(), doing, "kaggle.com")
    given = (("GPU", answer.gpu_quota), ("TPU", answer.tpu_quota))
    resets = answer.quota_refresh_time
    if resets is not None:
        resets = resets.replace(tzinfo=UTC) if resets.tzinfo is None else resets.astimezone(UTC)
    return Quotas(
        "" if resets is None else resets.strftime("%Y-%m-%dT%H:%M:%SZ"),
        tuple(_quota(name, one) for name, one in given if one is not None),
    )


def _quota(name: str, one: Any) -> Quota:
    hours = (
        0.0 if time is None else time / timedelta(hours=1)
        for time in (one.time_used, one.time_reserved, one.total_time_allowed)
    )
    return Quota(name, *hours)


def quota_line(quotas: Quotas, hours: float) -> str:
    """What is left for a GPU kernel that may take *hours*, in one line; "" where Kaggle does not tell."""
    gpu = quotas.of("GPU")
    if gpu is None:
        return ""
    resets = f" until {quotas.resets[:16].replace('T', ' ')} UTC" if quotas.resets else ""
    more = f"; this kernel may take {hours:g} h (--hours), and Kaggle can end it when the quota is used up"
    return f"GPU quota: {gpu.left:.1f} of {gpu.allowed:.1f} h left{resets}{more if gpu.left < hours else ''}"


def cure_of(words: str) -> str | None:
    """What to do about a refusal in Kaggle's *words*; None where it is none of the known ones."""
    return next((cure for pattern, cure in _CURES if re.search(pattern, words, re.IGNORECASE)), None)


def refusal(kernel: str, words: str, what: str = "Kaggle refused it") -> RejectedError:
    """The error for a kernel that Kaggle refused in these *words*, which it quotes whole."""
    quoted = " ".join(words.split())
    return RejectedError(f"{kernel}: {what} ({quoted}); {cure_of(quoted) or 'correct what it names'}")
