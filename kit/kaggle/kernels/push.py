"""One push of a kernel: its slug is checked, the week's quota shown, it is sent once, and always recorded."""

from __future__ import annotations

import dataclasses
import itertools
import tempfile
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kit.errors import (
    ConfigError,
    KaggleError,
    KernelError,
    NotAuthenticatedError,
    OutcomeUnknownError,
    RejectedError,
    RulesNotAcceptedError,
)
from kit.files import locked, now
from kit.kaggle.client import Client, Progress
from kit.kaggle.errors import PERHAPS_DONE, WEB, refusal_of
from kit.kaggle.kernels.history import FILE, PushRecord, all_pushed, remember
from kit.kaggle.kernels.limits import cure_of, quota_line, read_quotas, refusal
from kit.kaggle.kernels.script import Plan, free_name, run_in, slug_of, write_files
from kit.kaggle.kernels.status import LatestVersion, Status, address, latest_version, status_if_any
from kit.kaggle.kernels.weights import attach, read_backbone

Say = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class PushResult:
    """What Kaggle answered to a push.

    ``problem``: what is wrong with it although it was saved, or may have been; None where nothing is.
    """

    kernel: str
    url: str
    version: int
    """0 where the answer does not tell it: then the kernel may not have been saved."""
    problem: KaggleError | None = None


def push(
    client: Client,
    plan: Plan,
    revision: str,
    runs: Path,
    *,
    weights: Path | None = None,
    replace: bool = False,
    say: Say = lambda line: None,
    progress: Progress = lambda done, total: None,
) -> PushRecord:
    """Have Kaggle run *plan*; *weights* are a local folder that is uploaded for it first.

    Raises ConfigError where the slug belongs to another run, KernelError where a version of it still waits or
    runs and *replace* is False, OutcomeUnknownError where no answer tells whether it was saved, and the
    KaggleError that names what is wrong with a saved kernel.  The record has all but what Kaggle refused.
    """
    slugs = Slugs(client, runs)
    dataset = sha256 = ""
    if weights is not None:
        backbone = read_backbone(weights)
        if plan.continued is None:  # before bytes are sent
            slugs.claim(plan, replace)
        dataset, sha256 = attach(client, backbone, runs, say, progress), backbone.sha256
        plan = plan.using(dataset, backbone.files)
    with locked(runs / FILE, purpose="push"):
        if plan.continued is not None:
            plan = dataclasses.replace(plan, attempt=slugs.free_attempt(plan.run, plan.attempt))
        before = slugs.claim(plan, replace)
        _say_quota(client, plan, say)
        with tempfile.TemporaryDirectory(prefix="kit-kernel-") as temporary:
            write_files(Path(temporary), plan, slugs.owner, revision)
            kernel = slugs.kernel(plan.slug)
            intent = PushRecord(
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
                dataset=dataset,
                weights_sha256=sha256,
            )
            remember(runs, intent)
            return _sent(client, Path(temporary), runs, intent, before, say)


class Slugs:
    """The slugs of one account, by the record in *runs* and by the account itself: one slug, one run."""

    def __init__(self, client: Client, runs: Path) -> None:
        self.client, self.runs = client, runs
        self.owner = client.username

    def kernel(self, slug: str) -> str:
        """OWNER/SLUG."""
        return f"{self.owner}/{slug}"

    def claim(self, plan: Plan, replace: bool) -> LatestVersion | None:
        """The latest version of the kernel of *plan* on the account; None where it has none.

        Raises ConfigError, with a free name, where the slug belongs to another run or the kernel is not the
        kit's; KernelError where that version waits or runs, unless *replace*.
        """
        run, kernel = plan.run, self.kernel(plan.slug)
        here = self._runs_of(kernel)
        if others := sorted(here - {run}):
            raise self._taken(run, kernel, f"belongs to the run {others[0]}, which was pushed from here")
        found, state = self._on_account(kernel)
        owner = None if found is None else run_in(found.source)
        if owner is not None and owner != run:
            raise self._taken(run, kernel, f"belongs to the run {owner} on this account")
        if owner is None and run not in here and (found or state):
            raise self._taken(run, kernel, "is a kernel of this account that is not known to train this run")
        if state is not None and state.busy and not replace:
            raise KernelError(
                f"{kernel}: its latest version is {state.words} ({state.url}), and would use the quota "
                f"beside the new one; wait for it (`kit kernel status {kernel}`), or stop it on its page and "
                "give --replace"
            )
        return found

    def free_attempt(self, run: str, first: int) -> int:
        """The first attempt, from *first*, whose kernel is neither in the record nor on the account."""
        return next(number for number in itertools.count(first) if not self._used(slug_of(run, number)))

    def _runs_of(self, kernel: str) -> set[str]:
        """The runs that were pushed as *kernel* from here."""
        return {pushed.run for pushed in all_pushed(self.runs) if pushed.kernel == kernel}

    def _on_account(self, kernel: str) -> tuple[LatestVersion | None, Status | None]:
        return latest_version(self.client, kernel), status_if_any(self.client, kernel)

    def _used(self, slug: str) -> bool:
        kernel = self.kernel(slug)
        return bool(self._runs_of(kernel)) or self._on_account(kernel) != (None, None)

    def _taken(self, run: str, kernel: str, why: str) -> ConfigError:
        free = free_name(run, lambda name: self._used(slug_of(name)) or (self.runs / name).exists())
        return ConfigError(
            f"--run-name {run}: its kernel would be {kernel}, which {why} ({address(kernel)}); push with "
            f"--run-name {free}"
        )


def _say_quota(client: Client, plan: Plan, say: Say) -> None:
    """Print what is left of the week; a failed call stops nothing."""
    try:
        line = quota_line(read_quotas(client), plan.hours)
    except NotAuthenticatedError:
        raise
    except KaggleError as error:
        line = f"GPU quota: not known ({error}); the push continues"
    if line:
        say(line)


def _sent(
    client: Client, folder: Path, runs: Path, intent: PushRecord, before: LatestVersion | None, say: Say
) -> PushRecord:
    kernel = intent.kernel
    try:
        result = save(client, folder, kernel, intent.competition)
    except KaggleError as error:
        if not isinstance(error, PERHAPS_DONE):
            remember(runs, intent.model_copy(update={"state": "refused"}))
            raise _with_cure(kernel, error) from error
        result = _new_version(client, intent, before)
        if not result.version:
            raise OutcomeUnknownError(
                f"{kernel}: {error}; whether it was saved is not known: look at {intent.url} before pushing "
                f"again ({runs / FILE} has it as unknown)"
            ) from error
        say(f"{kernel}: the answer was lost ({error}), and the account has version {result.version}")
    problem = result.problem
    if problem is not None and not result.version:
        result = _new_version(client, intent, before)
    done = intent.model_copy(
        update={
            "state": "saved" if result.version else "unknown",
            "kernel": result.kernel,
            "version": result.version,
            "url": result.url,
        }
    )
    if done != intent:
        remember(runs, done)
    if problem is not None:
        outcome = f"saved as version {done.version}" if done.version else "whether it was saved is not known"
        more = "" if done.url in str(problem) else f" ({outcome}: {done.url})"
        raise type(problem)(f"{problem}{more}")
    return done


def save(client: Client, folder: Path, kernel: str, competition: str) -> PushResult:
    """Push the kernel whose files are in *folder*: asked once, because a second call would run it twice.

    Raises a KaggleError by kind where there is no readable answer, or a refusal:
    `kit.kaggle.errors.PERHAPS_DONE` tells them apart.
    """
    answer = client.once(lambda api: api.kernels_push(str(folder)), "pushing the kernel", competition)
    parts = (answer.ref or "").strip("/").split("/")
    named = "/".join(parts[-2:]) if len(parts) > 1 else kernel  # where Kaggle chose another slug
    url, version = answer.url or address(named), answer.version_number or 0
    saved = f"saved, see {url}, but"
    if answer.error:
        what = f"{saved} Kaggle complains" if version else "Kaggle refused it"
        return PushResult(named, url, version, refusal(kernel, answer.error, what))
    missing = [
        *answer.invalid_competition_sources,
        *answer.invalid_dataset_sources,
        *answer.invalid_kernel_sources,
        *answer.invalid_model_sources,
    ]
    problem: KaggleError | None = None
    if competition in missing:
        problem = RulesNotAcceptedError(
            f"{kernel}: {saved} without the data of {competition}; accept its rules at "
            f"{WEB}/c/{competition}/rules, stop it on its page and push again with --replace"
        )
    elif missing:
        problem = RejectedError(
            f"{kernel}: {saved} without {', '.join(map(str, missing))}, which this account cannot see; "
            "correct the name, stop it on its page and push again with --replace"
        )
    return PushResult(named, url, version or 1, problem)


def _new_version(client: Client, intent: PushRecord, before: LatestVersion | None) -> PushResult:
    """The version that the account has now and did not have *before*; version 0 where it shows none."""

    def find() -> LatestVersion | None:
        found = latest_version(client, intent.kernel)
        if found is None or run_in(found.source) != intent.run:
            return None
        return found if before is None or found.version > before.version else None

    found = client.look_again(find)
    return PushResult(intent.kernel, intent.url, max(found.version, 1) if found else 0)


def _with_cure(kernel: str, error: KaggleError) -> KaggleError:
    """*error* in Kaggle's words and with the cure, where the words are known."""
    response = getattr(error.__cause__, "response", None)
    words = "" if response is None else refusal_of(response).words
    return refusal(kernel, words) if cure_of(words) else error
