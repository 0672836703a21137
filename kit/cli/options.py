"""Flags made from the options that settings classes declare, and a help that groups them."""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from typer.core import TyperCommand

from kit.modeling.presets import PUBLISHED
from kit.settings.option import GROUPS, Option, choices_of, flag_of, names_elsewhere, options_of, type_of

BackboneArgument = Annotated[
    str, typer.Argument(help="A preset (klue-bert, ...; see docs/training.md), a hub id or a folder.")
]
DATA_HELP = "Training files, one or several."
DataFiles = Annotated[
    list[Path], typer.Option("--data", metavar="FILE", help=DATA_HELP, rich_help_panel="Data")
]
_FULL = "kit.help_all"


def _show_all(context: typer.Context, wanted: bool) -> None:
    if wanted:
        context.meta[_FULL] = True
        typer.echo(context.get_help())
        raise typer.Exit


HelpAll = Annotated[
    bool,
    typer.Option(
        "--help-all", is_eager=True, callback=_show_all, help="Show all options, in groups, and exit."
    ),
]


def takes_options(
    model: type[BaseModel], *, needed: bool = True
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command that takes ``**options`` the flags of *model*; the function gets those that were given.

    Without *needed* no flag is required.
    """

    def decorated(function: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(function, eval_str=True)
        own = [one for one in signature.parameters.values() if one.kind != one.VAR_KEYWORD]
        names = {one.name for one in own}

        @functools.wraps(function)
        def command(**values: Any) -> None:
            function(**{name: value for name, value in values.items() if name in names or _is_given(value)})

        flags = [
            _parameter(name, model.model_fields[name], known, needed)
            for name, known in options_of(model).items()
        ]
        first = [one for one in own if one.default is one.empty]
        last = [one.replace(kind=one.KEYWORD_ONLY) for one in own if one not in first]
        taken = [*first, *flags, *last]
        command.__signature__ = inspect.Signature(taken)  # type: ignore[attr-defined]
        command.__annotations__ = {one.name: one.annotation for one in taken}
        del command.__wrapped__
        return command

    return decorated


def grouped_help(model: type[BaseModel]) -> type[TyperCommand]:
    """A command whose help shows the everyday options of *model*, and with --help-all every option."""
    others = {name for name, known in options_of(model).items() if not known.everyday}
    elsewhere = names_elsewhere(model)

    class GroupedCommand(TyperCommand):
        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            """As the parser does; a name that other trainers use is answered with the name here."""
            try:
                return super().parse_args(ctx, args)
            except Exception as error:
                # By its attribute: the parser has this error from one of two libraries, by its version.
                name = getattr(error, "option_name", "").lstrip("-").replace("-", "_")
                if name in elsewhere:
                    error.possibilities = [flag_of(elsewhere[name])]  # type: ignore[attr-defined]
                raise

        def format_options(self, ctx: Any, formatter: Any) -> None:
            """Arguments, then options: the everyday ones in one list, or all in their groups."""
            shown: dict[str, list[tuple[str, str]]] = {}
            full = bool(ctx.meta.get(_FULL))
            for param in self.get_params(ctx):
                if param.param_type_name == "argument":
                    section = "Arguments"
                elif full:
                    section = getattr(param, "rich_help_panel", None) or "Run"
                else:
                    section = "" if param.name in others else "Options"
                shown.setdefault(section, []).append(_help_record(param, ctx))
            for section in ("Arguments", "Options", *GROUPS):
                if section in shown:
                    with formatter.section(section):
                        formatter.write_dl(shown[section])

    return GroupedCommand


def given_options(words: Sequence[str], model: type[BaseModel], also: Sequence[Any] = ()) -> dict[str, Any]:
    """The options of *model*, and ``data``, that *words* set; a mistake is the usage error of ``kit train``.

    *also*: options of the command that these words were given to, only to be suggested for a mistyped name.
    """

    @takes_options(model, needed=False)
    def options(data: Annotated[list[Path] | None, typer.Option("--data")] = None, **_: Any) -> None:
        pass

    made = typer.Typer(add_completion=False)
    made.command(cls=grouped_help(model))(options)
    reader: Any = typer.main.get_command(made)
    names = {param.name for param in reader.params}
    for param in also:
        if param.param_type_name == "option" and param.name not in names:
            reader.params.append(copy.copy(param))
            reader.params[-1].required = False
    context = reader.make_context("kit train", list(words))
    # By the name: the parser has this type from one of two libraries, by its version.
    return {
        name: value
        for name, value in context.params.items()
        if name in names and (source := context.get_parameter_source(name)) and source.name == "COMMANDLINE"
    }


def _is_given(value: object) -> bool:
    return value is not None and value is not False and value != () and value != []


def _parameter(name: str, field: FieldInfo, known: Option, needed: bool) -> inspect.Parameter:
    """The parameter from which typer makes the flag of an option."""
    kind: Any = type_of(field)[0]
    kind = list[str] if known.several else kind if kind in (bool, int, float) else str
    unset = inspect.Parameter.empty if needed and field.is_required() else False if kind is bool else None
    written, default = flag_of(name, known), default_text(name, field, known)
    option = typer.Option(
        # The second form is taken, and not shown.
        f"{written}/--no-{written[2:]}" if kind is bool else written,
        help=f"{known.help} [{default}]." if default else f"{known.help}.",
        metavar=known.metavar or "|".join(choices_of(field)) or None,
        envvar=known.environment or None,
        rich_help_panel=known.group,
        show_default=False,
    )
    annotation: Any = Annotated[kind if unset is not None else kind | None, option]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=unset, annotation=annotation)


def default_text(name: str, field: FieldInfo, known: Option) -> str:
    """What holds where the option is not given, in words; empty where that is plain."""
    if field.is_required() or field.default is False:
        return ""
    if known.unset or field.default in (None, ()):
        return known.unset
    value = f"{field.default:g}" if isinstance(field.default, float) else str(field.default)
    return f"preset's, else {value}" if name in PUBLISHED else value


def _help_record(param: Any, context: Any) -> tuple[str, str]:
    """Flag and help; of a switch only the form that turns it on."""
    if param.param_type_name == "option" and param.is_flag:
        return ", ".join(sorted(param.opts, key=len)), param.help or ""
    record: tuple[str, str] = param.get_help_record(context) or (str(param.name), "")
    return record
