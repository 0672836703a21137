"""Commands that train on Kaggle's GPUs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from kit.cli.app import Json, app, several_after
from kit.cli.options import given_options
from kit.settings.job import TrainKeywords
from kit.settings.option import flag_of, options_of

kernel = typer.Typer(
    name="kernel",
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Train on Kaggle's GPUs: push a kernel, ask how it is, read its log, bring its run home.",
)
app.add_typer(kernel)

Kernel = Annotated[
    str | None,
    typer.Argument(
        help="OWNER/SLUG, or a run or slug pushed from here [the latest push]; with /VERSION an older one."
    ),
]


@kernel.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def push(
    context: typer.Context,
    run_name: Annotated[str, typer.Option(help="What the run will be called here: runs/NAME.")],
    competition: Annotated[str, typer.Option(help="Whose data it trains on.")] = "goorm-2",
    backbone: Annotated[
        str | None,
        typer.Argument(
            help="A preset, a hub id, or a Kaggle dataset's folder, /kaggle/input/NAME. First of all; may be "
            "left out with --weights."
        ),
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="A backbone on this machine: uploaded once as a private data set."
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Only write the kernel's files into this folder.")] = None,
    git: Annotated[
        str | None, typer.Option(metavar="URL@REV", help="Install the kit from there [it travels inside].")
    ] = None,
    dataset: Annotated[
        list[str] | None, typer.Option(metavar="OWNER/NAME", help="A Kaggle dataset to attach.")
    ] = None,
    with_weights: Annotated[
        bool, typer.Option("--with-weights", help="Keep the models too, not only their span scores.")
    ] = False,
    continued: Annotated[
        str | None,
        typer.Option("--continue", metavar="KERNEL", help="Go on with the run it left unfinished."),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Push although the version before still waits or runs.")
    ] = False,
    hours: Annotated[float, typer.Option(help="Stop after this many hours, before Kaggle does.")] = 8.5,
    gpu: Annotated[
        str, typer.Option(help="Kaggle's name of the accelerator; this one has two T4.")
    ] = "NvidiaTeslaT4",
    as_json: Json = False,
) -> None:
    """Train on Kaggle; the kernel carries this kit. All further options are those of kit train; data files
    beside the competition's, as of --data and --before, are /kaggle/input/NAME/FILE of a --dataset.

    Example: kit kernel push klue-bert --run-name klue-bert --folds 5 --epochs 3
    """
    from kit.views import kernels

    words = list(context.args)
    if weights is not None and backbone is not None and backbone.startswith("-"):
        words, backbone = [backbone, *words], None  # it was left out
    kernels.push(
        backbone, as_json, run_name=run_name, competition=competition, out=out, git=git,
        datasets=dataset or [], weights=weights, with_weights=with_weights, replace=replace,
        continued=continued, hours=hours, gpu=gpu,
        **_training_options(context, backbone or "BACKBONE", words),
    )  # fmt: skip


@kernel.command()
def status(name: Kernel = None, as_json: Json = False) -> None:
    """Say how a kernel is, and where its page is.

    NAME/VERSION asks for an older version.

    Example: kit kernel status
    """
    from kit.views import kernels

    kernels.status(name, as_json)


@kernel.command()
def output(
    name: Kernel = None,
    to: Annotated[Path, typer.Option(help="The folder of runs.")] = Path("runs"),
    as_json: Json = False,
) -> None:
    """Bring a finished kernel's run home, verified, ready for kit ensemble.

    NAME/VERSION brings an older version's.  Of a kernel that failed it prints the end of the log.

    Example: kit kernel output
    """
    from kit.views import kernels

    kernels.output(name, to, as_json)


@kernel.command()
def logs(
    name: Kernel = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on with what the kernel writes, until it is over.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON: a list, or with --follow an object a line.")
    ] = False,
) -> None:
    """Print a kernel's log from the beginning.

    NAME/VERSION prints an older version's.

    Example: kit kernel logs --follow
    """
    from kit.views import kernels

    kernels.logs(name, follow, as_json)


@kernel.command()
def quota(as_json: Json = False) -> None:
    """Say how many hours of GPUs and TPUs are left this week.

    Example: kit kernel quota
    """
    from kit.views import kernels

    kernels.quota(as_json)


def _training_options(context: typer.Context, backbone: str, words: list[str]) -> dict[str, Any]:
    """What *words* set of a training, read as kit train itself would; typing mistakes are its own."""
    if backbone.startswith("-"):
        raise typer.BadParameter("BACKBONE comes first, before the options", param_hint="BACKBONE")
    words = several_after(["train", backbone, *words], "train", "--data", "--before")[2:]
    given = given_options(words, TrainKeywords, also=context.command.params)
    known = options_of(TrainKeywords)
    if wrong := sorted(flag_of(name) for name in given.keys() & known.keys() if not known[name].kernel):
        raise typer.BadParameter(f"{', '.join(wrong)}: has no meaning on Kaggle; leave it out")
    more_data = [str(path) for path in given.pop("data", ())]
    return {**given, "more_data": more_data}
