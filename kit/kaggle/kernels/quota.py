"""Hours of accelerators that the account may still use this week."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Any

from kit.kaggle.client import Client


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
    """What Kaggle says of the week: ``resets`` is UTC, ISO 8601, or "" where it does not say."""

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
    return Quota(name, _hours(one.time_used), _hours(one.time_reserved), _hours(one.total_time_allowed))


def _hours(time: timedelta | None) -> float:
    return 0.0 if time is None else time.total_seconds() / 3600


def quota_line(quotas: Quotas, hours: float) -> str:
    """What is left for a GPU kernel that may take *hours*, in one line; "" where Kaggle does not say."""
    gpu = quotas.of("GPU")
    if gpu is None:
        return ""
    resets = f" until {quotas.resets[:16].replace('T', ' ')} UTC" if quotas.resets else ""
    text = f"GPU quota: {gpu.left:.1f} of {gpu.allowed:.1f} h left{resets}"
    if gpu.left < hours:
        text += (
            f"; this kernel may take {hours:g} h (--hours), and Kaggle can end it when the quota is used up"
        )
    return text
