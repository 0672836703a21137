"""The study of a sweep: its database, its settings, and Optuna without its own messages."""

from __future__ import annotations

import contextlib
import random
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import optuna
import sqlalchemy
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from pydantic import Field

from kit.errors import ConfigError
from kit.files import locked
from kit.settings.paths import SWEEP_FILE
from kit.settings.ranges import OneOf, Range
from kit.settings.validation import Settings, read_record, write_record
from kit.sweeps.spec import About, differences

DATABASE = "sweep.db"
"""In the sweep's folder: the study itself, unless several machines share a database."""

BEAT = 60
"""Seconds between two heartbeats of a trial."""
GRACE = 300
"""Seconds without a heartbeat after which a trial of another machine counts as dead."""

_ABOUT = "kit"
_BUSY_SECONDS = 60.0
_TRIES, _PAUSE = 5, 10.0
Result = TypeVar("Result")


class SweepFile(Settings):
    """The content of sweep.json."""

    study: str
    storage: str | None = None
    """URL without its password; None for the database in the folder."""
    password: bool = False
    """Whether the URL had one."""
    backbone: str
    """As given when the sweep began, like the files: a later command must name the same."""
    data: tuple[str, ...] = Field(strict=False)


def distributions(ranges: Sequence[Range]) -> dict[str, BaseDistribution]:
    """The ranges as Optuna's distributions."""
    return {one.name: _distribution(one) for one in ranges}


def _distribution(one: Range) -> BaseDistribution:
    if isinstance(one, OneOf):
        return CategoricalDistribution(one.choices)
    if one.whole:
        return IntDistribution(int(one.low), int(one.high), log=one.log)
    return FloatDistribution(one.low, one.high, log=one.log)


@dataclass(frozen=True, slots=True)
class OpenStudy:
    """An open study, and its storage, which also has the heartbeats."""

    study: optuna.Study
    storage: optuna.storages.RDBStorage
    file: SweepFile
    shared: bool
    """Whether processes of other machines may train its trials."""


def open_study(folder: Path, storage: str | None, about: About | None) -> OpenStudy:
    """The study of the sweep in *folder*; created where there is none and *about* describes it.

    *storage*: URL of a database that several machines share, in which the study has the folder's name;
    None for the database in the folder.  Raises ConfigError where the folder holds other files, or the
    study has other settings, naming the difference.
    """
    with locked(folder):
        known = read_record(folder / SWEEP_FILE, SweepFile, "choose another --run")
        file = known or _begun(folder, storage, about)
        url = _url_of(folder, storage, file)
        if known is None and file.storage is None:
            # before the database, which would be another file in the folder
            write_record(folder / SWEEP_FILE, file)
        with plain_database_errors(hidden(url)):
            opened, study = _opened(url, folder, beginning=about is not None)
            if about is not None:
                _agree(folder, study, about)
        if known is None and file.storage is not None:
            write_record(folder / SWEEP_FILE, file)  # only now: a URL that is mistyped is not remembered
    return OpenStudy(study, opened, file, shared=file.storage is not None)


def about_of(study: optuna.Study) -> dict[str, Any]:
    """The description in the study.  Raises ConfigError for a study that is no sweep of the kit."""
    found = study.user_attrs.get(_ABOUT)
    if not isinstance(found, dict):
        raise ConfigError(f"the study {study.study_name} is no sweep of this kit; choose another --run")
    return found


def is_sweep(folder: Path) -> bool:
    """Whether a sweep was begun in *folder*."""
    return (folder / SWEEP_FILE).is_file()


def _begun(folder: Path, storage: str | None, about: About | None) -> SweepFile:
    if about is None:
        raise ConfigError(
            f"{folder}: holds no sweep; kit sweep BACKBONE --data FILE --run {folder} begins one"
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder}: holds other files and no {SWEEP_FILE}; choose another --run")
    return SweepFile(
        study=folder.resolve().name,
        storage=None if storage is None else hidden(storage),
        password=storage is not None and _url(storage).password is not None,
        backbone=about.reference,
        data=tuple(about.paths),
    )


def _url_of(folder: Path, storage: str | None, file: SweepFile) -> str:
    """The URL of the study, from sweep.json and *storage*, which must agree."""
    if file.storage is None:
        if storage is not None:
            raise ConfigError(f"{folder}: keeps its study in its own {DATABASE}; leave --storage out")
        return str(sqlalchemy.URL.create("sqlite", database=str(folder.resolve() / DATABASE)))
    if storage is None and not file.password:
        return file.storage
    if storage is None or hidden(storage) != file.storage:
        raise ConfigError(f"{folder}: keeps its study in {file.storage}; give --storage with this URL")
    return storage


def hidden(url: str) -> str:
    """The URL without its password."""
    return _url(url).render_as_string(hide_password=True)


def _url(text: str) -> sqlalchemy.URL:
    try:
        return sqlalchemy.make_url(text)
    except (sqlalchemy.exc.ArgumentError, ValueError):
        raise ConfigError(
            "--storage: is no URL of a database; write it as postgresql://USER:PASSWORD@HOST/NAME, "
            "mysql://… or sqlite:///FILE"
        ) from None


def _opened(url: str, folder: Path, *, beginning: bool) -> tuple[optuna.storages.RDBStorage, optuna.Study]:
    local = _url(url).get_backend_name() == "sqlite"
    # SQLite lets one write at a time; a server drops connections that were silent for hours.
    engine: dict[str, Any] = (
        {"connect_args": {"timeout": _BUSY_SECONDS}} if local else {"pool_pre_ping": True}
    )
    name = folder.resolve().name
    try:
        storage = _after_a_race(
            lambda: optuna.storages.RDBStorage(
                url.replace("{", "{{").replace("}", "}}"),  # Optuna fills in templates
                engine_kwargs=engine,
                heartbeat_interval=BEAT,
                grace_period=GRACE,
            )
        )
    except ImportError as error:
        driver = getattr(error.__cause__, "name", None) or "its Python driver"
        raise ConfigError(f"{hidden(url)}: needs {driver}; pip install {driver}") from None
    try:
        study = (
            optuna.create_study(storage=storage, study_name=name, direction="minimize", load_if_exists=True)
            if beginning
            else optuna.load_study(storage=storage, study_name=name)
        )
    except KeyError:
        raise ConfigError(
            f"{folder}: no study {name} in {hidden(url)}; repeat the command that began it"
        ) from None
    return storage, study


def _after_a_race(make: Callable[[], Result]) -> Result:
    """What *make* returns, also where another machine creates the same tables at the same time."""
    for _ in range(_TRIES - 1):
        try:
            return make()
        except (sqlalchemy.exc.SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
            words = f"{error} {error.__cause__}".lower()
            if not any(sign in words for sign in ("already exists", "duplicate", "unique")):
                raise
            time.sleep(random.uniform(0.5, 1.5))
    return make()


def _agree(folder: Path, study: optuna.Study, about: About) -> None:
    new = about.as_dict()
    if _ABOUT not in study.user_attrs and not study.get_trials(deepcopy=False):
        study.set_user_attr(_ABOUT, new)
    if mismatch := differences(about_of(study), new):
        raise ConfigError(
            f"{folder}: is another sweep: {'; '.join(mismatch)}; choose another --run, or the same command"
        )


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without Optuna's own messages and warnings."""
    optuna.logging.disable_default_handler()
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        warnings.filterwarnings("ignore", message="Heartbeat of storage is supposed to be used with")
        yield


@contextlib.contextmanager
def plain_database_errors(where: str) -> Iterator[None]:
    """One line for a database that cannot be opened or does not answer."""
    try:
        yield
    except (sqlalchemy.exc.SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
        cause = error.__cause__ or error
        reason = str(getattr(cause, "orig", None) or cause).strip().splitlines()[0]
        raise ConfigError(
            f"{where}: the study's database is unavailable ({reason}); check the URL and its server, "
            "then give the same command again"
        ) from error


def patiently(call: Callable[[], Result], pause: float = _PAUSE) -> Result:
    """What *call* returns; tried again while the database is unavailable: no trained trial is lost."""
    for _ in range(_TRIES - 1):
        try:
            return call()
        except optuna.exceptions.StorageInternalError:
            time.sleep(pause)
    return call()
