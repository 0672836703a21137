"""Several pieces of work at once, in threads; when one fails or the user interrupts, the others stop soon."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

from kit.threads import threads_for

AT_ONCE = 2
"""Fits at once: each holds tables of all questions, 1 GB for the competition's data and five members."""


class StoppedError(Exception):
    """Ends a piece of work whose result nobody waits for."""


class Steps:
    """Counts finished steps of work in several threads, for a progress bar; stops the work on request."""

    def __init__(self, advance: Callable[[int], object]) -> None:
        self._advance, self._stop = advance, threading.Event()

    def __call__(self, done: int) -> None:
        """*done* more steps are finished.  Raises StoppedError after `stop`."""
        if self._stop.is_set():
            raise StoppedError
        if done:
            self._advance(done)

    def stop(self) -> None:
        """Let the next call of every thread raise StoppedError."""
        self._stop.set()


def together(work: Sequence[Callable[[], object]], steps: Steps) -> None:
    """Do all pieces of *work*, at most `AT_ONCE` at once: see `threads_for`.

    Raises the first error of any of them.
    """
    with ThreadPoolExecutor(threads_for(min(len(work), AT_ONCE))) as pool:
        begun = [pool.submit(one) for one in work]
        try:
            finished, _ = wait(begun, return_when=FIRST_EXCEPTION)
            for one in finished:
                one.result()
        except BaseException:
            steps.stop()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
