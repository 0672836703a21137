"""``kit kernel`` as functions: train on Kaggle's GPUs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kit
from kit import terminal
from kit.api.arguments import Data, PathLike, path_given, text_given
from kit.api.train import training_job
from kit.errors import ConfigError, NotAuthenticatedError
from kit.kaggle.auth import find_credentials
from kit.kaggle.client import connect
from kit.kaggle.kernels.history import PushRecord, all_pushed, find_kernel, locate
from kit.kaggle.kernels.limits import Quotas, accelerator, read_quotas
from kit.kaggle.kernels.logs import LogEntry, follow_log, read_log
from kit.kaggle.kernels.output import FetchedRun, fetch_run
from kit.kaggle.kernels.push import push
from kit.kaggle.kernels.script import NOBODY, Plan, write_files
from kit.kaggle.kernels.status import Status, status
from kit.kaggle.slugs import dataset_named, source_of
from kit.modeling.presets import PRESETS, settings_of
from kit.modeling.references import refuse_unknown
from kit.settings.job import TrainKeywords
from kit.settings.option import argument_words, flag_of, options_of
from kit.settings.paths import MOUNTED, RUNS, TRAIN
from kit.settings.training import SETTINGS
from kit.submission.card import git_revision

_SAVE_MINUTES = 10.0
_TRAINING = options_of(TrainKeywords)


@dataclass(frozen=True, slots=True)
class WrittenKernel:
    """A kernel's files that were written and not pushed; ``owner`` is "USERNAME" without an account."""

    folder: Path
    kernel: str
    owner: str


def push_kernel(
    backbone: str | None = None,
    *,
    run_name: str,
    competition: str = "goorm-2",
    out: PathLike | None = None,
    git: str | None = None,
    datasets: Sequence[str] = (),
    weights: PathLike | None = None,
    with_weights: bool = False,
    replace: bool = False,
    continued: str | None = None,
    hours: float | None = None,
    gpu: str | None = None,
    more_data: Sequence[str] = (),
    runs: PathLike = RUNS,
    quiet: bool = False,
    **training: Any,
) -> PushRecord | WrittenKernel:
    """Have Kaggle train *backbone* on a competition's data; the run will be called *run_name*.

    The kernel carries this very kit (or installs it from *git*, URL@REV) and does what `train` and `predict`
    would; *training* are keywords of `train`.  *backbone* is a preset, a hub id, or a folder of one of
    *datasets* (OWNER/NAME) as it is called there: /kaggle/input/NAME.  *continued* names a kernel whose
    unfinished run it resumes.  *more_data*, beside the competition's train.json, and *before* are files
    of *datasets*: /kaggle/input/NAME/FILE.  *weights* is a backbone's folder on this machine: it is uploaded
    as a private data set, once, and trained in place of *backbone*, whose settings stay where it is a preset.
    *replace* allows a new version while the one before waits or runs.  *out* only writes the files, without
    an account.  Raises ConfigError, KaggleError by kind.
    """
    source = source_of(competition)
    if source.is_korquad:
        raise ConfigError("--competition korquad: is no competition of Kaggle's; give goorm-2 or a slug")
    if weights is not None and out is not None:
        raise ConfigError("--weights uploads and --out only writes files; give one of the two")
    folder = None if weights is None else path_given(weights, "weights")
    if folder is not None and not folder.is_dir():
        raise ConfigError(f"--weights {folder}: is no folder; give the folder of a backbone")
    if folder is None:
        if backbone is None:
            raise ConfigError("BACKBONE is missing; name a preset, a hub id or a folder of Kaggle's")
        _refuse_local(backbone)
    trained = str(weights) if backbone is None else backbone
    for path in (*more_data, *training.get("before", ())):
        if not path.startswith(MOUNTED):
            raise ConfigError(
                f"{path}: is a file of this machine, which Kaggle cannot see; upload it as a Kaggle dataset "
                f"and give {MOUNTED}NAME/{Path(path).name} with --dataset OWNER/NAME (the competition's "
                "own files are there without --data)"
            )
    for name in training:
        if (known := _TRAINING.get(name)) and not known.kernel:
            raise ConfigError(f"{flag_of(name)}: has no meaning on Kaggle; leave it out")
    published = {} if folder is None or backbone not in PRESETS else settings_of(PRESETS[backbone])
    training = {**published, **{name: value for name, value in training.items() if value is not None}}
    training.setdefault("save_minutes", _SAVE_MINUTES)
    # A typing mistake shows here, not hours later.
    data: list[Data] = [Path(MOUNTED) / source.slug / TRAIN, *more_data]
    job = training_job(trained, data, {**training, "run": run_name})
    refuse_unknown(trained, ask_hub=False)
    say = (lambda line: None) if quiet else terminal.say
    given: dict[str, object] = {} if hours is None else {"hours": hours}
    if gpu is not None:
        given["gpu"], note = accelerator(text_given(gpu, "gpu"))
        if note:
            say(note)
    plan = Plan(
        run_name,
        trained,
        source.slug,
        tuple(argument_words({"data": more_data}) + job.further_argv(training.keys() & SETTINGS.keys())),
        git=git,
        with_weights=with_weights,
        datasets=tuple(map(dataset_named, datasets)),
        **given,  # type: ignore[arg-type]
    )
    for note in plan.notes:
        say(note)
    if continued is not None:
        plan = _continuing(plan, continued, Path(runs))
    revision = _revision(git)
    if out is not None:
        owner = _known_account() or NOBODY
        write_files(Path(out), plan, owner, revision)
        return WrittenKernel(Path(out), f"{owner}/{plan.slug}", owner)
    with terminal.transfer(f"uploading {folder}", hidden=quiet or folder is None) as progress:
        return push(
            connect(), plan, revision, Path(runs), weights=folder, replace=replace, say=say, progress=progress
        )


def kernel_status(kernel: str | None = None, *, runs: PathLike = RUNS) -> Status:
    """How a kernel is: OWNER/SLUG, a run or slug that was pushed from here, or the latest push.

    Each with /VERSION for an older version.
    """
    return status(connect(), find_kernel(Path(runs), kernel))


def kernel_output(kernel: str | None = None, *, to: PathLike = RUNS, quiet: bool = False) -> FetchedRun:
    """Bring the run that a kernel finished to ``runs/NAME``, or below the folder *to*; verified by hashes.

    A run that is there and the same is left alone.  Raises KernelError where the kernel still runs,
    failed (unless *quiet* the end of its log is printed), or holds another run than the one it was named by;
    ConfigError where another run has that name.
    """
    found = locate(RUNS, kernel)
    say = (lambda line: None) if quiet else terminal.say
    with terminal.transfer(found.kernel, hidden=quiet) as progress:
        return fetch_run(connect(), found.kernel, Path(to), say, progress, found.run)


def kernel_logs(
    kernel: str | None = None, *, follow: bool = False, runs: PathLike = RUNS, quiet: bool = False
) -> Iterator[LogEntry]:
    """The log of a kernel, named as for `kernel_status`: what Kaggle has of it, from the beginning.

    *follow*: new lines follow until the kernel ends.  Raises a KaggleError by kind.
    """
    client, named = connect(), find_kernel(Path(runs), kernel)
    if not follow:
        return iter(read_log(client, named))
    return follow_log(client, named, (lambda line: None) if quiet else terminal.say)


def kernel_quota() -> Quotas:
    """Hours of GPUs and TPUs that the account has used and may still use this week."""
    return read_quotas(connect())


def _continuing(plan: Plan, continued: str, runs: Path) -> Plan:
    """*plan* as the next kernel of the same run, with the one before as its input."""
    before = find_kernel(runs, continued)
    if before.count("/") == 2:
        raise ConfigError(
            f"--continue {continued}: Kaggle attaches the latest version of a kernel, and this is "
            f"{before}; push that version's run again under another --run-name"
        )
    taken = {pushed.kernel.split("/")[1] for pushed in all_pushed(runs)} | {before.split("/")[1]}
    plan = dataclasses.replace(plan, continued=before, attempt=2)
    while plan.slug in taken:
        plan = dataclasses.replace(plan, attempt=plan.attempt + 1)
    return plan


def _refuse_local(backbone: str) -> None:
    if backbone not in PRESETS and not backbone.startswith(MOUNTED) and Path(backbone).is_dir():
        raise ConfigError(
            f"{backbone}: is a folder of this machine, which Kaggle cannot see; give it as "
            f"--weights {backbone}, which uploads it as a private data set"
        )


def _revision(git: str | None) -> str:
    """Which kit it is: the URL and revision given, the commit of the source tree, or the version."""
    tree = Path(kit.__file__).parent.parent
    if git is not None:
        return git
    if not (tree / "setup.py").is_file() or (found := git_revision(tree)) is None:
        return f"version {kit.__version__}"
    return f"{found.commit}{' with changes' if found.dirty else ''}"


def _known_account() -> str | None:
    """The account's name where the credentials say it; nobody is asked."""
    try:
        return find_credentials().username
    except NotAuthenticatedError:
        return None
