"""One push: whose slug it is, what the week still allows, sent once, remembered whatever the answer is."""

from __future__ import annotations

import dataclasses
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from kit.errors import KaggleError, KernelError, NotAuthenticatedError, OutcomeUnknownError
from kit.files import locked, now
from kit.kaggle.client import Client, Heard
from kit.kaggle.errors import PERHAPS_DONE, message_of
from kit.kaggle.kernels.history import FILE, Pushed, remember
from kit.kaggle.kernels.quota import quota_line, read_quotas
from kit.kaggle.kernels.refusals import cure_of, refusal
from kit.kaggle.kernels.remote import Known, Saved, Status, address, known, save
from kit.kaggle.kernels.script import Plan, write_files
from kit.kaggle.kernels.slugs import Slugs, run_in
from kit.kaggle.kernels.weights import Attached, attach, read_backbone

Say = Callable[[str], object]
_LOOKS = 3
"""How often the account is asked for a version whose answer was lost."""


def push(
    client: Client,
    plan: Plan,
    revision: str,
    runs: Path,
    *,
    weights: Path | None = None,
    replace: bool = False,
    say: Say = lambda line: None,
    heard: Heard = lambda come, total: None,
) -> Pushed:
    """Have Kaggle run *plan*; *weights* are a local folder that is uploaded for it first.

    Raises ConfigError where the slug is another run's, KernelError where a version of it still waits or runs
    and *replace* is False, OutcomeUnknownError where no answer says whether it was saved, and the KaggleError
    that names what is wrong with a kernel that was saved: the record has it in all cases but a clear no.
    """
    slugs = Slugs(client, runs)
    attached: Attached | None = None
    if weights is not None:
        backbone = read_backbone(weights)
        if plan.continued is None:  # before bytes are sent
            _refuse_busy(*_claimed(slugs, plan)[1:], replace)
        attached = attach(client, backbone, runs, say, heard)
        plan = plan.using(attached.dataset, attached.files)
    with locked(runs / FILE, purpose="push"):
        if plan.continued is not None:
            plan = dataclasses.replace(plan, attempt=slugs.free_attempt(plan.run, plan.attempt))
        before, kernel, state = _claimed(slugs, plan)
        _refuse_busy(kernel, state, replace)
        _say_quota(client, plan, say)
        with tempfile.TemporaryDirectory(prefix="kit-kernel-") as temporary:
            write_files(Path(temporary), plan, slugs.owner, revision)
            intent = _intent(kernel, plan, revision, attached)
            remember(runs, intent)
            return _sent(client, Path(temporary), plan, runs, intent, before, say)


def _claimed(slugs: Slugs, plan: Plan) -> tuple[Known | None, str, Status | None]:
    """What the account has of the plan's kernel, its name, and how its latest version is."""
    found, state = slugs.claim(plan.run, plan.slug)
    return found, f"{slugs.owner}/{plan.slug}", state


def _refuse_busy(kernel: str, state: Status | None, replace: bool) -> None:
    if state is not None and state.busy and not replace:
        raise KernelError(
            f"{kernel}: its latest version is {state.words} ({state.url}), and would use the quota beside "
            f"the new one; wait for it (`kit kernel status {kernel}`), or stop it on its page and give "
            "--replace"
        )


def _say_quota(client: Client, plan: Plan, say: Say) -> None:
    """Tell what is left of the week; a call that fails stops nothing."""
    try:
        line = quota_line(read_quotas(client), plan.hours)
    except NotAuthenticatedError:
        raise
    except KaggleError as error:
        line = f"GPU quota: not known ({error}); the push goes on"
    if line:
        say(line)


def _intent(kernel: str, plan: Plan, revision: str, attached: Attached | None) -> Pushed:
    return Pushed(
        id=uuid.uuid4().hex,
        state="unknown",
        kernel=kernel,
        version=0,
        url=address(kernel),
        run=plan.run,
        backbone=plan.backbone,
        competition=plan.competition,
        pushed=now(),
        revision=revision,
        dataset=attached.dataset if attached else "",
        weights_sha256=attached.sha256 if attached else "",
    )


def _sent(
    client: Client, folder: Path, plan: Plan, runs: Path, intent: Pushed, before: Known | None, say: Say
) -> Pushed:
    kernel = intent.kernel
    try:
        saved = save(client, folder, kernel, plan.competition)
    except KaggleError as error:
        if not isinstance(error, PERHAPS_DONE):
            remember(runs, intent.model_copy(update={"state": "refused"}))
            raise _with_cure(kernel, error) from error
        saved = _looked_for(client, plan.run, kernel, before)
        if not saved.version:
            raise OutcomeUnknownError(
                f"{kernel}: {error}; whether it was saved is not known: look at {intent.url} before pushing "
                f"again ({runs / FILE} has it as unknown)"
            ) from error
        say(f"{kernel}: the answer was lost ({error}), and the account has version {saved.version}")
    if saved.trouble is not None and not saved.version:
        trouble = saved.trouble
        saved = dataclasses.replace(_looked_for(client, plan.run, kernel, before), trouble=trouble)
    state = "saved" if saved.version else "unknown"
    done = intent.model_copy(
        update={"state": state, "kernel": saved.kernel, "version": saved.version, "url": saved.url}
    )
    if done != intent:
        remember(runs, done)
    if saved.trouble is not None:
        outcome = (
            f"saved as version {saved.version}" if saved.version else "whether it was saved is not known"
        )
        more = "" if saved.url in str(saved.trouble) else f" ({outcome}: {saved.url})"
        raise type(saved.trouble)(f"{saved.trouble}{more}")
    return done


def _looked_for(client: Client, run: str, kernel: str, before: Known | None) -> Saved:
    """The version that the account has now and had not before; version 0 where it shows none."""
    for look in range(_LOOKS):
        time.sleep(client.patience.pause(look))
        try:
            found = known(client, kernel)
        except KaggleError:
            continue
        if found is None or run_in(found.source) != run:
            continue
        if before is None or found.version > before.version:
            return Saved(kernel, address(kernel), max(found.version, 1))
    return Saved(kernel, address(kernel), 0)


def _with_cure(kernel: str, error: KaggleError) -> KaggleError:
    """*error* in Kaggle's words and with the cure, where the words are known."""
    response = getattr(error.__cause__, "response", None)
    words = "" if response is None else message_of(response)
    return refusal(kernel, words) if cure_of(words) else error
