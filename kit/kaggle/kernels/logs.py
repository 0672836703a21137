"""The log of a kernel: what Kaggle keeps of it, and what a running kernel writes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from kit.errors import UnavailableError
from kit.kaggle.client import Client
from kit.kaggle.kernels.status import needs_versions, status

END_LINES = 15
"""Number of lines of its log that a failed kernel shows."""
_TRIES = 5
"""Number of connections in a row that may break without a new line."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A piece of a kernel's output, mostly a line with its end.

    ``stream`` is stdout or stderr, ``time`` in seconds since the start, None where it is not known.
    """

    stream: str
    time: float | None
    text: str


def read_log(client: Client, kernel: str) -> tuple[LogEntry, ...]:
    """The log of *kernel* (OWNER/SLUG[/VERSION]) as far as Kaggle keeps it: whole once the kernel is over."""
    needs_versions(client, kernel)
    return entries_of(client.read(lambda api: api.kernels_logs(kernel), "reading its log", kernel))


def entries_of(text: str) -> tuple[LogEntry, ...]:
    """The entries of a log: a JSON list as Kaggle keeps it, or any text line by line."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if isinstance(found, list):
        return tuple(_entry(one) for one in found if isinstance(one, dict))
    return tuple(LogEntry("stdout", None, line) for line in text.splitlines(keepends=True))


def _entry(event: Mapping[str, object]) -> LogEntry:
    at = event.get("time")
    return LogEntry(
        str(event.get("stream_name") or event.get("streamName") or "stdout"),
        float(at) if isinstance(at, (int, float)) else None,
        str(event.get("data") or ""),
    )


def end_of(entries: Sequence[LogEntry], lines: int = END_LINES) -> list[str]:
    """The last *lines* of a log that are not blank."""
    text = "".join(
        entry.text if entry.text.endswith("\n") else f"{entry.text}\n" for entry in entries[-50 * lines :]
    )
    return [line.rstrip() for line in text.splitlines() if line.strip()][-lines:]


def follow_log(client: Client, kernel: str, say: Callable[[str], object]) -> Iterator[LogEntry]:
    """The log of *kernel* as it grows, from its beginning, until the kernel is over.

    Kaggle cuts quiet connections and starts each new one with the whole log: what came before is skipped.
    Raises KaggleError by kind, UnavailableError after several broken connections in a row.
    """
    needs_versions(client, kernel)
    client.needs("kernels_logs_stream", "following a log")
    yielded = broken = 0
    waiting = False
    while True:
        found = status(client, kernel)
        if found.over:
            yield from read_log(client, kernel)[yielded:]
            return
        if found.state == "QUEUED":
            if not waiting:
                say(f"{kernel}: is {found.words}")
            waiting = True
            time.sleep(client.retry.poll)
            continue
        before = yielded
        try:
            for number, event in enumerate(_streamed(client, kernel)):
                if number >= yielded:
                    yielded += 1
                    yield _entry(event)
            if status(client, kernel).over:
                return
        except UnavailableError as error:
            quiet = "timed out" in str(error)  # a training may be quiet for minutes
            broken = 0 if yielded > before or quiet else broken + 1
            if broken == _TRIES:
                raise
        time.sleep(client.retry.pause(broken))


def _streamed(client: Client, kernel: str) -> Iterator[Mapping[str, object]]:
    """The events of one connection, as they come."""
    events = client.api.kernels_logs_stream(kernel)  # it asks when the first is wanted
    while (event := client.once(lambda api: next(events, None), "following its log", kernel)) is not None:
        yield event
