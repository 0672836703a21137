"""Verbs that train on Kaggle's GPUs."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kit.config.mixture import before_settings, mixture_of
from kit.errors import ConfigError, NotAuthenticatedError
from kit.verbs.arguments import PathLike
from kit.verbs.models import settings_for

if TYPE_CHECKING:
    from kit.competition.kernels.fetching import Fetched
    from kit.competition.kernels.pushed import Pushed
    from kit.competition.kernels.remote import Status
    from kit.competition.kernels.script import Plan

RUNS = Path("runs")
_ON_KAGGLE = "/kaggle/input/"
_SAVE_MINUTES = 10.0


@dataclass(frozen=True, slots=True)
class WrittenKernel:
    """A kernel's files that were written and not pushed; ``owner`` is "USERNAME" without an account."""

    folder: Path
    kernel: str
    owner: str


def push_kernel(
    backbone: str,
    *,
    run_name: str,
    competition: str = "goorm-2",
    out: PathLike | None = None,
    git: str | None = None,
    datasets: Sequence[str] = (),
    with_weights: bool = False,
    continued: str | None = None,
    hours: float | None = None,
    gpu: str | None = None,
    more_data: Sequence[str] = (),
    share: Sequence[str] | Mapping[str, float] = (),
    judge: str | None = None,
    before: Sequence[str] = (),
    before_epochs: float | None = None,
    before_lr: float | None = None,
    allow_leak: bool = False,
    fold: int | str | Sequence[int] | None = None,
    trust_remote_code: bool = False,
    runs: PathLike = RUNS,
    **settings: object,
) -> Pushed | WrittenKernel:
    """Have Kaggle train *backbone* on a competition's data; the run will be called *run_name*.

    The kernel carries this very kit (or installs it from *git*, URL@REV) and does what `train` and `predict`
    would; *settings* are those of `train`.  *backbone* is a preset, a hub id, or a folder of one of
    *datasets* (OWNER/NAME) as it is called there: /kaggle/input/NAME.  *continued* names a kernel whose
    unfinished run it goes on with.  *more_data*, beside the competition's train.json, and *before* are files
    of *datasets*: /kaggle/input/NAME/FILE.  *out* only writes the files, without an account.  Raises
    ConfigError, KaggleError by kind.
    """
    from kit.competition.downloading.sources import source_of
    from kit.competition.kaggle.addresses import dataset_named
    from kit.competition.kernels.script import NOBODY, Plan, train_words, write_files
    from kit.verbs.models import fold_words

    source = source_of(competition)
    if source.is_korquad:
        raise ConfigError("--competition korquad: is no competition of Kaggle's; give goorm-2 or a slug")
    _refuse_local(backbone)
    for path in (*more_data, *before):
        if not path.startswith(_ON_KAGGLE):
            raise ConfigError(
                f"{path}: is a file of this machine, which Kaggle cannot see; upload it as a Kaggle dataset "
                f"and give {_ON_KAGGLE}NAME/{Path(path).name} with --dataset OWNER/NAME (the competition's "
                "own files are there without --data)"
            )
    chosen = settings_for(backbone, **settings)  # a typing mistake shows here, not hours later
    own = Path(_ON_KAGGLE) / source.slug / "train.json"
    mixture = mixture_of([own, *map(Path, more_data)], share, judge)
    before_settings(chosen, before_epochs, before_lr)
    words = train_words(
        {
            "save_minutes": _SAVE_MINUTES,
            **{name: value for name, value in settings.items() if value is not None},
            "data": more_data,
            "share": [f"{name}={value!r}" for name, value in mixture.shares.items()],
            "judge": judge,
            "before": before,
            "before_epochs": before_epochs,
            "before_lr": before_lr,
            "fold": fold_words(fold, chosen),
            "allow_leak": allow_leak,
            "trust_remote_code": trust_remote_code,
        }
    )
    given = {name: value for name, value in (("hours", hours), ("gpu", gpu)) if value is not None}
    plan = Plan(
        run_name,
        backbone,
        source.slug,
        words,
        git=git,
        with_weights=with_weights,
        datasets=tuple(map(dataset_named, datasets)),
        **given,  # type: ignore[arg-type]
    )
    if continued is not None:
        plan = _continuing(plan, continued, Path(runs))
    revision = _revision(git)
    if out is not None:
        owner = _known_account() or NOBODY
        write_files(Path(out), plan, owner, revision)
        return WrittenKernel(Path(out), f"{owner}/{plan.slug}", owner)
    return _push(plan, revision, Path(runs))


def _push(plan: Plan, revision: str, runs: Path) -> Pushed:
    from kit.competition.card import now
    from kit.competition.kaggle.client import connect
    from kit.competition.kernels.pushed import Pushed, remember
    from kit.competition.kernels.remote import save
    from kit.competition.kernels.script import write_files

    client = connect()
    with tempfile.TemporaryDirectory(prefix="kit-kernel-") as temporary:
        write_files(Path(temporary), plan, client.username, revision)
        saved = save(client, Path(temporary), f"{client.username}/{plan.slug}", plan.competition)
    pushed = Pushed(
        kernel=saved.kernel,
        version=saved.version,
        url=saved.url,
        run=plan.run,
        backbone=plan.backbone,
        competition=plan.competition,
        pushed=now(),
        revision=revision,
    )
    remember(runs, pushed)
    return pushed


def kernel_status(kernel: str | None = None, *, runs: PathLike = RUNS) -> Status:
    """How a kernel is: OWNER/SLUG, a run or slug that was pushed from here, or the latest push."""
    from kit.competition.kaggle.client import connect
    from kit.competition.kernels.pushed import find_kernel
    from kit.competition.kernels.remote import status

    return status(connect(), find_kernel(Path(runs), kernel))


def kernel_output(kernel: str | None = None, *, to: PathLike = RUNS, quiet: bool = False) -> Fetched:
    """Bring the run that a kernel finished to ``runs/NAME``, or below the folder *to*; verified by hashes.

    A run that is there and the same is left alone.  Raises KernelError where the kernel is still at work, or
    failed; ConfigError where another run has that name.
    """
    from kit import terminal
    from kit.competition.kaggle.client import connect
    from kit.competition.kernels.fetching import fetch_run
    from kit.competition.kernels.pushed import find_kernel

    found = find_kernel(RUNS, kernel)
    say = (lambda line: None) if quiet else terminal.say
    with terminal.transfer(found, hidden=quiet) as heard:
        return fetch_run(connect(), found, Path(to), say, heard)


def _continuing(plan: Plan, continued: str, runs: Path) -> Plan:
    """*plan* as the next kernel of the same run, with the one before as its input."""
    from kit.competition.kernels.pushed import all_pushed, find_kernel

    before = find_kernel(runs, continued)
    taken = {pushed.kernel.split("/")[1] for pushed in all_pushed(runs)} | {before.split("/")[1]}
    plan = dataclasses.replace(plan, continued=before, attempt=2)
    while plan.slug in taken:
        plan = dataclasses.replace(plan, attempt=plan.attempt + 1)
    return plan


def _refuse_local(backbone: str) -> None:
    from kit.models.presets import PRESETS

    if backbone not in PRESETS and not backbone.startswith(_ON_KAGGLE) and Path(backbone).is_dir():
        raise ConfigError(
            f"{backbone}: is a folder of this machine, which Kaggle cannot see; upload it as a Kaggle "
            f"dataset and give {_ON_KAGGLE}NAME with --dataset OWNER/NAME"
        )


def _revision(git: str | None) -> str:
    """Which kit it is: the URL and revision given, the commit of the source tree, or the version."""
    import kit
    from kit.competition.card import git_revision

    tree = Path(kit.__file__).parent.parent
    if git is not None:
        return git
    if not (tree / "setup.py").is_file() or (found := git_revision(tree)) is None:
        return f"version {kit.__version__}"
    return f"{found.commit}{' with changes' if found.dirty else ''}"


def _known_account() -> str | None:
    """The account's name where the credentials say it; nobody is asked."""
    from kit.competition.kaggle.credentials import find_credentials

    try:
        return find_credentials().username
    except NotAuthenticatedError:
        return None
