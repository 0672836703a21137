"""``kit sweep`` as a function."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kit.api.arguments import Data, PathLike, dataset_of, path_given, several
from kit.api.models import refuse_leaks, settings_for
from kit.errors import ConfigError
from kit.settings.ranges import Given, Value
from kit.settings.searching import named, parse_search
from kit.settings.training import TrainingSettings

if TYPE_CHECKING:
    from kit.sweeps.results import Sweep
    from kit.training.fit import Callbacks

_EVALUATIONS = 2
"""An epoch: an evaluation takes a thirtieth of an epoch's time (a tenth of the questions, forward only)."""


def sweep(
    backbone: PathLike,
    data: Data | Sequence[Data] | None = None,
    *,
    run: PathLike | None = None,
    ranges: Mapping[str, Given] | Sequence[str] = (),
    fixed: Mapping[str, Value] | Sequence[str] = (),
    trials: int = 20,
    storage: str | None = None,
    valid: Data | None = None,
    hours: float | None = None,
    keep: int = 1,
    prune_after: int = 4,
    seed: int = 42,
    against: Data | None = None,
    allow_leak: bool = False,
    trust_remote_code: bool = False,
    quiet: bool = False,
) -> Sweep:
    """Search *ranges* of training settings for the lowest Edit Score; the folder *run* holds the trials.

    *ranges*: ``{"lr": "1e-5:1e-4:log", "batch_size": [16, 32]}``, or the words of ``--range``; *fixed*: what
    all trials share (``{"max_length": 384}``, or the words of ``--set``), the preset's settings where it says
    nothing.  Every trial is a run trained on *data* and judged on the same held-out tenth, or *valid*; one
    that lags behind the median of at least *prune_after* finished trials is stopped.  *trials*: in all,
    those of earlier calls included; the weights of the *keep* best stay.  *hours*: after so many the sweep
    stops, with a checkpoint.  The same call goes on.

    *storage*: URL of a database, for several machines at work on the same sweep.  *seed*: of the search, not
    of the trainings.  ``kit.sweep("runs/sweep-1")`` alone trains nothing and returns what was found.

    Raises ConfigError (with all mistakes in ranges at once; where the folder holds another sweep; where
    Optuna is not installed), DataError, LeakError, ModelError, LockError.
    """
    from kit.sweeps.installed import check_installed

    check_installed()
    if data is None and run is None and not ranges:
        return _found(Path(backbone), storage)
    if data is None or run is None:
        raise ConfigError(
            "kit sweep: give --data, --run and a --range; with a sweep's folder alone it is shown"
        )
    reference = str(backbone)
    settle = _settling(reference)
    search = parse_search(
        named(ranges, "--range") if not isinstance(ranges, Mapping) else ranges.items(),
        _with_evaluations(named(fixed, "--set") if not isinstance(fixed, Mapping) else fixed.items()),
        settle,
    )
    _refuse_numbers(trials=trials, keep=keep, prune_after=prune_after, hours=hours)
    datasets = [dataset_of(given, answers_needed=True) for given in several(data)]
    held_out = None if valid is None else dataset_of(valid, answers_needed=True)
    if not allow_leak:
        refuse_leaks(datasets, against)

    from kit import terminal
    from kit.modeling.backbones import open_backbone
    from kit.sweeps.plot import write_plot
    from kit.sweeps.results import PLOT_FILE, results
    from kit.sweeps.search import Plan, Voice, carry_out
    from kit.sweeps.spec import About, shared_settings
    from kit.sweeps.storage import open_study, plain_database_errors
    from kit.sweeps.storage import quiet as quietly
    from kit.training import launch

    if launch.launched():
        raise ConfigError(
            "kit sweep: trains one trial on one device; start it without torchrun, once a GPU with "
            "CUDA_VISIBLE_DEVICES=0, 1, …: several processes share a sweep"
        )
    folder, say = path_given(run, "run"), (lambda line: None) if quiet else terminal.say
    opened = open_backbone(reference, trust_remote_code=trust_remote_code)
    firsts = {one.name: one.checked_values()[0] for one in search.ranges}
    about = About(
        reference=reference,
        paths=[str(dataset.path) for dataset in datasets],
        backbone=opened.name,
        backbone_version=opened.version,
        data=[(dataset.path.name, dataset.sha256) for dataset in datasets],
        valid=(held_out.path.name, held_out.sha256) if held_out else None,
        settings=shared_settings(settle(**{**search.fixed, **firsts}), search.ranges),
        ranges={one.name: str(one).partition("=")[2] for one in search.ranges},
    )
    plan = Plan(
        reference, datasets, held_out, folder, search, settle, trials=trials, keep=keep,
        prune_after=prune_after, seed=seed, hours=hours, trust_remote_code=trust_remote_code,
    )  # fmt: skip
    with quietly(), plain_database_errors(str(folder)):
        kept = open_study(folder, storage, about)
        say(f"{folder}: {'; '.join(one.described() for one in search.ranges)}")
        voice = Voice(
            say,
            _listening(say, silent=quiet),
            lambda: write_plot(results(kept, folder, settle), folder / PLOT_FILE),
        )
        carry_out(plan, kept, voice)
        found = results(kept, folder, settle)
        write_plot(found, folder / PLOT_FILE)
    return found


def _found(folder: Path, storage: str | None) -> Sweep:
    from kit.sweeps.plot import write_plot
    from kit.sweeps.results import PLOT_FILE, results
    from kit.sweeps.storage import is_sweep, open_study, plain_database_errors
    from kit.sweeps.storage import quiet as quietly

    if not is_sweep(folder):
        raise ConfigError(
            f"{folder}: holds no sweep; give --data, --run and a --range to begin one with this backbone"
        )
    with quietly(), plain_database_errors(str(folder)):
        kept = open_study(folder, storage, None)
        found = results(kept, folder, _settling(kept.file.backbone))
        write_plot(found, folder / PLOT_FILE)
    return found


def _settling(backbone: str) -> Callable[..., TrainingSettings]:
    return lambda **given: settings_for(backbone, **given)


def _with_evaluations(fixed: Iterable[tuple[str, Value]]) -> list[tuple[str, Value]]:
    given = list(fixed)
    if "evaluations" not in dict(given):
        given.append(("evaluations", _EVALUATIONS))
    return given


def _refuse_numbers(*, trials: int, keep: int, prune_after: int, hours: float | None) -> None:
    for name, value, least in (("trials", trials, 1), ("keep", keep, 0), ("prune-after", prune_after, 1)):
        if value < least:
            raise ConfigError(f"--{name} is {value}; it is at least {least}")
    if hours is not None and not hours > 0:
        raise ConfigError(f"--hours is {hours:g}; it is above 0")


def _listening(
    say: Callable[[str], object], *, silent: bool
) -> Callable[[], contextlib.AbstractContextManager[Callbacks]]:
    """Callbacks for each training; a message that holds for all trainings is printed once."""
    said: set[str] = set()

    def once(line: str) -> None:
        if line not in said:
            said.add(line)
            say(line)

    @contextlib.contextmanager
    def listening() -> Iterator[Callbacks]:
        from kit.training.fit import Callbacks
        from kit.training.progress import TrainingProgress, say_forecast

        if silent:
            yield Callbacks()
            return
        progress = TrainingProgress()
        try:
            yield Callbacks(once, say_forecast, (progress,))
        finally:
            progress.close()

    return listening
