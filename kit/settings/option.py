"""How an option is declared: one field of a settings class holds all that the kit knows about it.

The flag, its help, the keyword, a sweep's range, the words of another process and the settings page are all
made from the field.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol, Union, get_args, get_origin, runtime_checkable

from pydantic import BaseModel, Field, ValidationError
from pydantic.fields import FieldInfo

from kit.errors import ConfigError, all_of
from kit.settings.validation import Record, mistakes_in

Group = Literal[
    "Data", "Optimizer", "Batches", "Precision and memory", "Regularisation", "Folds and evaluation", "Run"
]
GROUPS: tuple[Group, ...] = get_args(Group)
"""In the order of the help and of the settings page."""
_EXECUTION = "it does not change what is trained; fix it with --set"
_KEY = "option"


@runtime_checkable
class LoadedFile(Protocol):
    """A file that was read already, such as a Dataset."""

    @property
    def path(self) -> Path:
        """Where it was read from."""


@dataclass(frozen=True, slots=True)
class Option:
    """What is known of an option beside its type, default and bounds."""

    group: Group
    help: str
    unset: str = ""
    """What a default of None means, in words."""
    metavar: str = ""
    several: bool = False
    """Whether the flag may be given several times."""
    everyday: bool = False
    """Whether ``--help`` shows it, and not only ``--help-all``."""
    execution: bool = False
    """Whether it changes how a training runs and not what is trained: a resumed run may change it."""
    fixed: str = ""
    """Why a sweep does not vary it; empty where it does."""
    kernel: bool = True
    """Whether a training on Kaggle takes it."""
    flag: str = ""
    """Where it is not the name of the field."""
    environment: str = ""
    """The variable that holds it where the flag is not given."""
    elsewhere: tuple[str, ...] = ()
    """Names that other trainers give it: somebody who types one is told this one."""

    @property
    def not_searched(self) -> str:
        """Why a sweep does not vary it; empty where it does."""
        return self.fixed or (_EXECUTION if self.execution else "")


def option(
    default: Any = ...,
    *,
    gt: float | None = None,
    ge: float | None = None,
    lt: float | None = None,
    le: float | None = None,
    **known: Any,
) -> Any:
    """A field of a settings class, with its bounds; *known* is what `Option` takes."""
    declared = Option(**known)
    extra: Any = {_KEY: declared}
    return Field(default, gt=gt, ge=ge, lt=lt, le=le, description=declared.help, json_schema_extra=extra)


def option_of(field: FieldInfo) -> Option | None:
    """What was declared of *field*; None for a field that is no option."""
    extra = field.json_schema_extra
    known: object = extra.get(_KEY) if isinstance(extra, dict) else None
    return known if isinstance(known, Option) else None


def options_of(model: type[BaseModel]) -> dict[str, Option]:
    """The options that *model* declares, by name, group after group."""
    found = {name: declared for name, field in model.model_fields.items() if (declared := option_of(field))}
    return dict(sorted(found.items(), key=lambda item: GROUPS.index(item[1].group)))


def names_elsewhere(model: type[BaseModel]) -> dict[str, str]:
    """Other trainers' name → what *model* calls that option."""
    return {other: name for name, known in options_of(model).items() for other in known.elsewhere}


def type_of(field: FieldInfo) -> tuple[Any, bool]:
    """An option's type (bool, int, float, str, or a tuple of its choices) and whether it may be None.

    None in place of a type that no single word of a command can be.
    """
    annotation: Any = field.annotation
    optional = False
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation = get_args(annotation)[0]
        elif origin in (Union, types.UnionType):
            options = [one for one in get_args(annotation) if one is not type(None)]
            optional = optional or len(options) < len(get_args(annotation))
            if len(options) > 1:
                return None, optional
            annotation = options[0]
        elif origin is Literal:
            return get_args(annotation), optional
        else:
            return annotation, optional


def choices_of(field: FieldInfo) -> tuple[str, ...]:
    """The words that an option takes; empty where it takes others."""
    kind, _ = type_of(field)
    return tuple(map(str, kind)) if isinstance(kind, tuple) else ()


def flag_of(name: str, known: Option | None = None) -> str:
    """``--batch-size`` for ``batch_size``."""
    return known.flag if known and known.flag else f"--{name.replace('_', '-')}"


def from_given(model: type[Record], given: Mapping[str, object], subject: str) -> Record:
    """*model* from flags or keywords; None means the default.

    Raises ConfigError about *subject* with all mistakes, in which options are called by their flags.
    """
    try:
        return model.model_validate({name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        mistakes = [_as_flag(mistake, model) for mistake in mistakes_in(error, model, names_elsewhere(model))]
        raise ConfigError(f"{subject}: {all_of(mistakes)}") from None


def _as_flag(mistake: str, model: type[BaseModel]) -> str:
    name, space, rest = mistake.partition(" ")
    return f"{flag_of(name)}{space}{rest}" if name in model.model_fields else mistake


def argument_words(values: Mapping[str, object]) -> list[str]:
    """Options with *values* as words of a command; None, False and empty lists give none."""
    words: list[str] = []
    for name, value in values.items():
        if value is True:
            words.append(flag_of(name))
        elif isinstance(value, Mapping):
            words += argument_words({name: [f"{key}={number!r}" for key, number in value.items()]})
        elif isinstance(value, Sequence) and not isinstance(value, str):
            words += [word for one in value for word in (flag_of(name), _text(one))]
        elif value is not None and value is not False:
            words += [flag_of(name), _text(value)]
    return words


def _text(value: object) -> str:
    return str(value.path if isinstance(value, LoadedFile) else value)


def keywords_of(model: type[BaseModel]) -> Callable[[Callable[..., Any]], Any]:
    """Give a function with ``**options`` the fields of *model* as keywords, for help() and completion."""

    def documented(function: Callable[..., Any]) -> Any:
        own = inspect.signature(function)
        kept = [one for one in own.parameters.values() if one.kind != inspect.Parameter.VAR_KEYWORD]
        keywords = [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=inspect.Parameter.empty if field.is_required() else field.default,
                annotation=field.annotation,
            )
            for name, field in model.model_fields.items()
        ]
        function.__signature__ = own.replace(parameters=[*kept, *keywords])  # type: ignore[attr-defined]
        return function

    return documented
