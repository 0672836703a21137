"""``kit.sweep``: search training settings."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol

from kit import terminal
from kit.api.arguments import Data, PathLike, dataset_of
from kit.api.train import refuse_leaks, settings_for, training_job
from kit.errors import ConfigError
from kit.files import did_you_mean
from kit.modeling.references import refuse_unknown
from kit.settings.option import from_given, keywords_of
from kit.settings.searching import named, parse_search
from kit.settings.sweep_options import SweepOptions
from kit.sweeps.installed import check_installed

if TYPE_CHECKING:
    from kit.sweeps.results import Sweep
    from kit.training.callbacks import Callbacks

P = ParamSpec("P")
_EVALUATIONS = 2
"""An epoch: an evaluation takes a thirtieth of an epoch's time (a tenth of the questions, forward only)."""


class _Sweep(Protocol[P]):
    def __call__(
        self, backbone: PathLike, data: Data | Sequence[Data] | None = None, *args: P.args, **kwargs: P.kwargs
    ) -> Sweep: ...


def _sweep(model: Callable[P, object]) -> Callable[[Callable[..., Sweep]], _Sweep[P]]:
    return keywords_of(model)  # type: ignore[arg-type]


@_sweep(SweepOptions)
def sweep(backbone: PathLike, data: Data | Sequence[Data] | None = None, **options: Any) -> Sweep:
    """Search *ranges* of training settings for the lowest Edit Score; the folder *run* holds the trials.

    *ranges*: ``{"lr": "1e-5:1e-4:log", "batch_size": [16, 32]}``, or the words of ``--range``; *fixed*: what
    all trials share (``{"max_length": 384}``, or the words of ``--set``), the preset's settings where it says
    nothing.  Every trial is a run trained on *data* and judged on the same held-out tenth, or *valid*; one
    that lags behind the median of at least *prune_after* finished trials is stopped.  *trials*: in all,
    those of earlier calls included; the weights of the *keep* best stay.  *hours*: then the sweep
    stops, with a checkpoint.  The same call continues.

    *storage*: URL of a database that several machines share.  *seed*: of the search, not
    of the trainings.  ``kit.sweep("runs/sweep-1")`` alone trains nothing and returns what was found.

    Raises ConfigError (with all mistakes in ranges at once; where the folder holds another sweep; where
    Optuna is not installed), DataError, LeakError, ModelError, LockError.
    """
    check_installed()
    asked = from_given(SweepOptions, options, "kit sweep")
    if data is None and asked.run is None and not asked.ranges:
        from kit.sweeps.plot import write_plot
        from kit.sweeps.results import PLOT_FILE

        known = found_sweep(Path(backbone), asked.storage)
        write_plot(known, known.folder / PLOT_FILE)
        return known
    if data is None or asked.run is None:
        raise ConfigError(
            "kit sweep: give --data, --run and a --range; with a sweep's folder alone it is shown"
        )
    reference = str(backbone)
    settle = functools.partial(settings_for, reference)
    fixed = list(_pairs(asked.fixed, "--set"))
    if "evaluations" not in dict(fixed):
        fixed.append(("evaluations", _EVALUATIONS))
    search = parse_search(_pairs(asked.ranges, "--range"), fixed, settle)
    firsts = {one.name: one.checked_values()[0] for one in search.ranges}
    given = {"run": asked.run, "valid": asked.valid, "trust_remote_code": asked.trust_remote_code}
    job = training_job(reference, data, {**search.fixed, **firsts, **given})
    refuse_unknown(reference)
    job = job.read(functools.partial(dataset_of, answers_needed=True))
    if not asked.allow_leak:
        refuse_leaks(job.data, None if asked.against is None else dataset_of(asked.against))  # type: ignore[arg-type]

    from kit.modeling.backbones import open_backbone
    from kit.sweeps.plot import write_plot
    from kit.sweeps.results import PLOT_FILE, results
    from kit.sweeps.search import Plan, SweepCallbacks, carry_out
    from kit.sweeps.spec import About
    from kit.sweeps.storage import open_study, plain_database_errors
    from kit.sweeps.storage import quiet as quietly
    from kit.training import launch

    if launch.launched():
        raise ConfigError(
            "kit sweep: trains one trial on one device; start it without torchrun, once a GPU with "
            "CUDA_VISIBLE_DEVICES=0, 1, …: several processes share a sweep"
        )
    folder, say = job.run, (lambda line: None) if asked.quiet else terminal.say
    opened = open_backbone(reference, trust_remote_code=asked.trust_remote_code)
    with quietly(), plain_database_errors(str(folder)):
        kept = open_study(folder, asked.storage, About.of(job, opened.name, opened.version, search.ranges))
        say(f"{folder}: {'; '.join(one.described() for one in search.ranges)}")
        callbacks = SweepCallbacks(
            say,
            _listening(say, silent=asked.quiet),
            lambda: write_plot(results(kept, folder, settle), folder / PLOT_FILE),
        )
        carry_out(Plan(job, search, settle, asked), kept, callbacks)
        found = results(kept, folder, settle)
        write_plot(found, folder / PLOT_FILE)
    return found


def found_sweep(folder: Path, storage: str | None) -> Sweep:
    """The sweep in *folder* as far as it has come; nothing is written.  Raises ConfigError without one."""
    from kit.sweeps.results import results
    from kit.sweeps.storage import is_sweep, open_study, plain_database_errors
    from kit.sweeps.storage import quiet as quietly

    if not is_sweep(folder):
        near = "" if folder.exists() else did_you_mean(folder)
        cure = near or "give --data, --run and a --range to begin one with this backbone"
        raise ConfigError(f"{folder}: holds no sweep; {cure}")
    with quietly(), plain_database_errors(str(folder)):
        kept = open_study(folder, storage, None)
        return results(kept, folder, functools.partial(settings_for, kept.file.backbone))


def _pairs(given: Mapping[str, Any] | Sequence[str], option: str) -> Iterable[tuple[str, Any]]:
    return given.items() if isinstance(given, Mapping) else named(given, option)


def _listening(
    say: Callable[[str], object], *, silent: bool
) -> Callable[[], contextlib.AbstractContextManager[Callbacks]]:
    """Callbacks for each training; a message that is true of all trainings is printed once."""
    once = functools.cache(say)

    @contextlib.contextmanager
    def listening() -> Iterator[Callbacks]:
        from kit.training.callbacks import Callbacks
        from kit.training.progress import TrainingProgress, say_forecast

        if silent:
            yield Callbacks()
            return
        progress = TrainingProgress()
        try:
            yield Callbacks(once, say_forecast, (progress,), progress.scoring)
        finally:
            progress.close()

    return listening
