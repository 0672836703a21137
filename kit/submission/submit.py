"""Submitting to Kaggle exactly once: write it down, send it, and look for it if the answer is lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kit.display import Brief
from kit.errors import KaggleError, NoCredentialsError, OutcomeUnknownError, RejectedError, counted
from kit.kaggle.client import Client, connect
from kit.kaggle.errors import PERHAPS_DONE, worth_a_retry
from kit.kaggle.submissions import ERROR, PENDING, Allowance, ListedSubmission, create, submissions, upload
from kit.submission.card import Card, card_path
from kit.submission.checked_csv import CheckedCsv
from kit.submission.code_submission import KernelVersion, create_from_kernel
from kit.submission.daily_limit import left_today, over_the_limit, used_up
from kit.submission.kaggle_list import matched, recorded
from kit.submission.ledger import NOT_SENT, Entry, Ledger

Say = Callable[[str], object]
Submittable = CheckedCsv | KernelVersion

_LOOKS = 3
"""How often a submission whose answer was lost is looked for before its outcome counts as unknown."""


@dataclass(frozen=True, slots=True, repr=False)
class Outcome(Brief):
    """The result of `submit`."""

    checked: Submittable
    entry: Entry | None
    """None for a dry run."""
    already: bool
    """The same content was submitted before; nothing was sent now."""
    allowance: Allowance | None
    """None if unknown."""
    signed_with: str
    left_out: tuple[str, ...] = ()
    """What a dry run without credentials could not check."""


def submit(
    checked: Submittable,
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
    up to date.  After any interruption, calling it again first finds out what happened.  Raises
    OutcomeUnknownError where Kaggle's answer was lost and its list does not show the submission;
    RejectedError where Kaggle could not score it; else the KaggleError that stopped it before
    anything was sent.  A dry run needs no credentials: without them it lists what it could not check.
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
        already = bool(known) and not again
        entry = known[-1] if already else None
        if not already:
            if left is not None and left.used_up:
                raise used_up(left, checked.competition)
            day = "" if left is None else f"{counted(left.left, 'submission')} left today; "
            say(f"{day}local estimate: {expectation(checked.card)}")
            if not dry_run:
                entry = _send(client, ledger, checked, message, listed)
    if entry is not None and entry.ref is not None and not dry_run:
        entry = _awaited(client, ledger, entry, wait, say)
    return Outcome(checked, entry, already, left, str(client.credentials))


_NEEDS_ACCOUNT = (
    "credentials",
    "whether the competition's rules are accepted",
    "submissions left today",
    "whether Kaggle has these bytes already (only this ledger was searched)",
)


def _without_account(checked: Submittable, ledger: Ledger) -> Outcome:
    """The result of a dry run without credentials."""
    known = [entry for entry in ledger.of_tag(checked.competition, checked.tag) if entry.ref is not None]
    return Outcome(checked, known[-1] if known else None, bool(known), None, "", _NEEDS_ACCOUNT)


def expectation(card: Card | None) -> str:
    """The local estimate as text, or why there is none."""
    return "none, there is no card" if card is None else card.estimate.in_words()


def _send(
    client: Client, ledger: Ledger, checked: Submittable, message: str, listed: Sequence[ListedSubmission]
) -> Entry:
    estimate = checked.card.estimate if checked.card else None
    interval = estimate.interval if estimate else None
    entry = ledger.intend(
        **checked.identity, competition=checked.competition, message=message,
        card=str(card_path(checked.path)) if isinstance(checked, CheckedCsv) and checked.card else None,
        estimate=estimate.edit if estimate else None, estimate_kind=estimate.kind if estimate else "",
        low=interval.low if interval else None, high=interval.high if interval else None,
    )  # fmt: skip
    description = f"{checked.tag} {message}".rstrip()
    token = ""
    if isinstance(checked, CheckedCsv):
        try:
            token = upload(client, checked.competition, checked.path.name, checked.content)
        except KaggleError as error:
            ledger.changed(entry, "not sent", status=NOT_SENT, reason=str(error))
            raise
    try:
        if isinstance(checked, CheckedCsv):
            ref = create(client, checked.competition, token, description)
        else:
            ref = create_from_kernel(client, checked, description)
    except PERHAPS_DONE as error:
        return _looked_for(client, ledger, entry, listed, error)
    except KaggleError as error:
        # Any other answer with a 4xx status is a refusal.
        ledger.changed(entry, "not sent", status=NOT_SENT, reason=str(error))
        if (limit := over_the_limit(client, checked.competition, error)) is not None:
            raise limit from error
        raise
    if not ref:
        return _looked_for(client, ledger, entry, listed, RejectedError("Kaggle gave it no number"))
    return ledger.changed(entry, "sent", ref=ref, status=PENDING)


def _looked_for(
    client: Client, ledger: Ledger, entry: Entry, before: Sequence[ListedSubmission], error: KaggleError
) -> Entry:
    """Find the submission whose answer was lost in Kaggle's list; it is never sent again."""
    known = {one.ref for one in before}

    def find() -> ListedSubmission | None:
        listed = submissions(client, entry.competition)
        new = [one for one in listed if one.ref not in known and one.description.startswith(entry.tag)]
        return new[-1] if new else None

    if (found := client.look_again(find)) is not None:
        return ledger.changed(entry, "sent", ref=found.ref, status=PENDING)
    raise OutcomeUnknownError(
        f"{entry.name}: was sent, but the answer was lost ({error}) and Kaggle does not list it; nothing is "
        "sent again by itself: give the same command in a minute, it looks first"
    ) from error


def _settled(client: Client, ledger: Ledger, checked: Submittable) -> list[ListedSubmission]:
    """Kaggle's list, read again while a submission of unknown outcome is not in it."""
    entries = ledger.of_tag(checked.competition, checked.tag)
    known = {entry.ref for entry in entries}
    open_ones = sum(entry.ref is None for entry in entries)
    for look in range(_LOOKS):
        listed = submissions(client, checked.competition)
        new = sum(one.ref not in known and one.description.startswith(checked.tag) for one in listed)
        if new >= open_ones:
            break
        time.sleep(client.retry.pause(look))
    return listed


def _reconciled(ledger: Ledger, checked: Submittable, listed: Sequence[ListedSubmission]) -> list[Entry]:
    """The entries with this tag that Kaggle has, after comparing the ledger with Kaggle's list."""
    entries = ledger.of_tag(checked.competition, checked.tag)
    known = {entry.ref for entry in entries}
    own = [one for one in listed if one.ref in known or one.description.startswith(checked.tag)]
    pairs, rest = matched(entries, own)
    for entry in rest:
        if entry.ref is None:
            ledger.changed(entry, "not sent", status=NOT_SENT, reason="Kaggle does not list it")
    # Without an entry: sent from another machine, or by a ledger that is gone.
    found = [recorded(ledger, checked.competition, one, entry, **checked.identity) for one, entry in pairs]
    return [*(entry for entry in rest if entry.ref is not None), *found]


def _awaited(client: Client, ledger: Ledger, entry: Entry, wait: float, say: Say) -> Entry:
    """*entry* with its score, or without it after *wait* seconds."""
    until = time.monotonic() + wait
    said = False
    while True:
        if entry.status == PENDING and wait:
            try:
                for one in submissions(client, entry.competition):
                    if one.ref == entry.ref:
                        entry = recorded(ledger, entry.competition, one, entry)
            except KaggleError as error:  # it was sent; the score may come later
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
