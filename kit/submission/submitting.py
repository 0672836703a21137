"""One CSV to Kaggle, once: checked, written down, sent, and looked for whenever an answer was lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kit.errors import (
    KaggleError,
    NoCredentialsError,
    OutcomeUnknownError,
    RejectedError,
    counted,
)
from kit.kaggle.client import Client, connect
from kit.kaggle.errors import (
    PERHAPS_DONE,
    worth_a_retry,
)
from kit.kaggle.submissions import (
    ERROR,
    PENDING,
    Allowance,
    ListedSubmission,
    create,
    submissions,
    upload,
)
from kit.submission.allowance import left_today, over_the_limit, used_up
from kit.submission.card import Card, card_path
from kit.submission.checked import Checked, check_csv
from kit.submission.code_submission import KernelVersion, create_from_kernel
from kit.submission.ledger import Entry, Ledger, of_tag

__all__ = ["Checked", "Outcome", "check_csv", "expectation", "submit"]
Say = Callable[[str], object]
_POLL_SHARE = 1 / 12
"""Of the time limit of a call, between two looks at a pending submission: 5 s of 60."""
_LOOKS = 3
"""How often a submission with a lost answer is looked for before it counts as unknown."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of it."""

    checked: Checked | KernelVersion
    entry: Entry | None
    """None for a dry run."""
    already: bool
    """These bytes had been submitted before; nothing was sent now."""
    allowance: Allowance | None
    """None where it is not known."""
    signed_with: str
    left_out: tuple[str, ...] = ()
    """What a dry run without credentials could not check."""


def submit(
    checked: Checked | KernelVersion,
    message: str,
    *,
    ledger: Ledger | None = None,
    again: bool = False,
    dry_run: bool = False,
    wait: float = 0.0,
    say: Say = lambda line: None,
    client: Client | None = None,
) -> Outcome:
    """Send the CSV, or the output of a kernel, once, and wait up to *wait* seconds for its score.

    The same bytes a second time are not sent again (unless *again*): their entry comes back, brought
    up to date.  Whatever interrupts this, calling it again finds out what happened first.  Raises
    OutcomeUnknownError where an answer was lost and Kaggle's list does not show the submission;
    RejectedError where Kaggle could not score it; else the KaggleError that stopped it before
    anything was sent.  A dry run needs no credentials: without them it says what it leaves out.
    """
    ledger = Ledger() if ledger is None else ledger
    for note in checked.notes():
        say(note)
    try:
        client = connect() if client is None else client
    except NoCredentialsError:
        if not dry_run:
            raise
        return _without_account(checked, ledger)
    say(f"signed in with the {client.credentials}")
    for warning in client.credentials.warnings:
        say(warning)
    with ledger.held():
        listed = _settled(client, ledger, checked)
        known = _reconciled(ledger, checked, listed)
        left = left_today(client, checked.competition, say)
        if known and not again:
            entry: Entry | None = known[-1]
            already = True
        else:
            already = False
            if left is not None and left.used_up:
                raise used_up(left, checked.competition)
            day = "" if left is None else f"{counted(left.left, 'submission')} left today; "
            say(f"{day}local estimate: {expectation(checked.card)}")
            entry = None if dry_run else _send(client, ledger, checked, message, listed)
    if entry is not None and entry.ref is not None and not dry_run:
        entry = _awaited(client, ledger, entry, wait, say)
    return Outcome(checked, entry, already, left, str(client.credentials))


_NEEDS_ACCOUNT = (
    "credentials",
    "whether the competition's rules are accepted",
    "submissions left today",
    "whether Kaggle has these bytes already (only this ledger was searched)",
)


def _without_account(checked: Checked | KernelVersion, ledger: Ledger) -> Outcome:
    """What a dry run finds without asking Kaggle."""
    entries = of_tag(ledger.entries(), checked.competition, checked.tag)
    known = [entry for entry in entries if entry.ref is not None]
    return Outcome(checked, known[-1] if known else None, bool(known), None, "", _NEEDS_ACCOUNT)


def expectation(card: Card | None) -> str:
    """The local estimate in words, or why there is none."""
    if card is None:
        return "none, there is no card"
    estimate = card.estimate
    if estimate.edit is None:
        return estimate.reason
    interval = "" if estimate.interval is None else f" (95 %: {estimate.interval})"
    return f"Edit Score {estimate.edit:.3f}{interval}"


def _send(
    client: Client,
    ledger: Ledger,
    checked: Checked | KernelVersion,
    message: str,
    listed: Sequence[ListedSubmission],
) -> Entry:
    estimate = checked.card.estimate if checked.card else None
    interval = estimate.interval if estimate else None
    entry = ledger.intend(
        **checked.identity, competition=checked.competition, message=message,
        card=str(card_path(checked.path)) if isinstance(checked, Checked) and checked.card else None,
        estimate=estimate.edit if estimate else None,
        low=interval.low if interval else None, high=interval.high if interval else None,
    )  # fmt: skip
    description = f"{checked.tag} {message}".rstrip()
    token = ""
    if isinstance(checked, Checked):
        try:
            token = upload(client, checked.competition, checked.path.name, checked.content)
        except KaggleError as error:
            ledger.changed(entry, "not sent", status="not sent", reason=str(error))
            raise
    try:
        if isinstance(checked, Checked):
            ref = create(client, checked.competition, token, description)
        else:
            ref = create_from_kernel(client, checked, description)
    except PERHAPS_DONE as error:
        return _looked_for(client, ledger, entry, listed, error)
    except KaggleError as error:
        # Any other answer with a 4xx status is a no.
        ledger.changed(entry, "not sent", status="not sent", reason=str(error))
        if (limit := over_the_limit(client, checked.competition, error)) is not None:
            raise limit from error
        raise
    if not ref:
        return _looked_for(client, ledger, entry, listed, RejectedError("Kaggle gave it no number"))
    return ledger.changed(entry, "sent", ref=ref, status=PENDING)


def _looked_for(
    client: Client, ledger: Ledger, entry: Entry, before: Sequence[ListedSubmission], error: KaggleError
) -> Entry:
    """The submission whose answer was lost, if Kaggle's list shows it: never sent again."""
    known = {one.ref for one in before}
    for look in range(_LOOKS):
        time.sleep(client.retry.pause(look))
        try:
            listed = submissions(client, entry.competition)
        except KaggleError:
            continue
        new = [one for one in listed if one.ref not in known and one.description.startswith(entry.tag)]
        if new:
            return ledger.changed(entry, "sent", ref=new[-1].ref, status=PENDING)
    raise OutcomeUnknownError(
        f"{entry.name}: was sent, but the answer was lost ({error}) and Kaggle does not list it; nothing is "
        "sent again by itself: give the same command in a minute, it looks first"
    ) from error


def _settled(client: Client, ledger: Ledger, checked: Checked | KernelVersion) -> list[ListedSubmission]:
    """Kaggle's list; asked for again while the outcome of an earlier sending is not in it."""
    entries = of_tag(ledger.entries(), checked.competition, checked.tag)
    known = {entry.ref for entry in entries}
    open_ones = sum(entry.ref is None for entry in entries)
    for look in range(_LOOKS):
        listed = submissions(client, checked.competition)
        new = sum(one.ref not in known and one.description.startswith(checked.tag) for one in listed)
        if new >= open_ones:
            break
        time.sleep(client.retry.pause(look))
    return listed


def _reconciled(
    ledger: Ledger, checked: Checked | KernelVersion, listed: Sequence[ListedSubmission]
) -> list[Entry]:
    """The entries with this tag that Kaggle has, after comparing the ledger with Kaggle's list."""
    entries = of_tag(ledger.entries(), checked.competition, checked.tag)
    known = {entry.ref for entry in entries}
    tag = checked.tag
    unclaimed = sorted(
        (one for one in listed if one.description.startswith(tag) and one.ref not in known),
        key=lambda one: one.ref,
    )
    found = []
    for entry in entries:
        if entry.ref is None and unclaimed:  # killed, or its answer lost, after it was sent
            one = unclaimed.pop(0)
            entry = ledger.changed(entry, "sent", ref=one.ref, status=PENDING)
        if entry.ref is None:
            ledger.changed(entry, "not sent", status="not sent", reason="Kaggle does not list it")
        else:
            found.append(entry)
    for one in unclaimed:  # sent from another machine, or by a ledger that is gone
        found.append(
            ledger.found(
                at=one.at,
                competition=checked.competition,
                **checked.identity,
                message=one.description.removeprefix(tag).strip(),
                ref=one.ref,
                status=PENDING,
            )
        )
    return [_updated(ledger, entry, listed) for entry in found]


def _updated(ledger: Ledger, entry: Entry, listed: Sequence[ListedSubmission]) -> Entry:
    one = next((one for one in listed if one.ref == entry.ref), None)
    if one is None:
        return entry
    return ledger.changed(
        entry, "scored", status=one.status, public=one.public, private=one.private, reason=one.reason
    )


def _awaited(client: Client, ledger: Ledger, entry: Entry, wait: float, say: Say) -> Entry:
    """*entry* with its score, or as it is when *wait* seconds are over."""
    until = time.monotonic() + wait
    said = False
    while True:
        if entry.status == PENDING and wait:
            try:
                entry = _updated(ledger, entry, submissions(client, entry.competition))
            except KaggleError as error:  # it is sent; the score can wait
                say(str(error))
                if not worth_a_retry(error):
                    return entry
        if entry.status == ERROR:
            reason = entry.reason or "it did not say why"
            raise RejectedError(f"{entry.name}: Kaggle could not score submission {entry.ref}: {reason}")
        left = until - time.monotonic()
        if entry.status != PENDING or left <= 0:
            return entry
        if not said:
            say(f"submission {entry.ref} is recorded; waiting for its score (Ctrl+C does no harm)")
            said = True
        time.sleep(min(client.retry.poll, left))
