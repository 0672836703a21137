"""The retry policy: how long a call may take, how often a read is tried, and the pauses between attempts."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from kit.errors import ConfigError, KaggleError
from kit.kaggle.errors import retry_after, worth_a_retry

TIMEOUT = "KIT_KAGGLE_TIMEOUT"
_SECONDS = 60.0
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """``timeout``: seconds to wait for each part of an answer; ``attempts``: how often a read is tried."""

    timeout: float = _SECONDS
    attempts: int = 4

    def pause(self, attempt: int) -> float:
        """Seconds between attempt number *attempt* (from 0) and the next: doubling, capped."""
        return min(self.timeout / 60 * float(1 << attempt), self.timeout / 2)

    @property
    def poll(self) -> float:
        """Seconds between two looks at something that Kaggle still works on: 5 of 60."""
        return self.timeout / 12

    @classmethod
    def from_environment(cls) -> RetryPolicy:
        """With the timeout of KIT_KAGGLE_TIMEOUT, where that is set."""
        text = os.environ.get(TIMEOUT, "")
        try:
            seconds = float(text) if text else _SECONDS
        except ValueError:
            seconds = -1.0
        if not 0 < seconds < float("inf"):
            raise ConfigError(f"{TIMEOUT}={text}: must be a number of seconds above 0")
        return cls(seconds)

    def run(self, read: Callable[[], Result]) -> Result:
        """*read* () → its result; tried again, with growing pauses, after a KaggleError that may pass.

        Waits as long as the response in the error's cause asks for by Retry-After, if it has one; more than
        two timeouts are left to the user.
        """
        attempt = 0
        while True:
            try:
                return read()
            except KaggleError as error:
                response = getattr(error.__cause__, "response", None)
                asked = None if response is None else retry_after(response)
                pause = self.pause(attempt) if asked is None else asked
                attempt += 1
                if attempt == self.attempts or not worth_a_retry(error) or pause > self.timeout * 2:
                    raise
                time.sleep(pause)
