"""``kit kernel``."""

from __future__ import annotations

import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import kit
from kit import terminal
from kit.cli.app import Json, several_after
from kit.cli.lazy import COMMANDS, PLAIN, PlainGroup
from kit.cli.tables import print_json
from kit.display import edit
from kit.hints import command, next_step
from kit.kaggle.slugs import source_of
from kit.settings.job import TrainKeywords
from kit.settings.option import flag_of, options_of
from kit.settings.paths import RUNS, TEST
from kit.settings.runs import read_run

if TYPE_CHECKING:
    from kit.api.kernel import WrittenKernel
    from kit.kaggle.kernels.history import PushRecord

kernel = typer.Typer(name="kernel", cls=PlainGroup, no_args_is_help=True, **PLAIN, help=COMMANDS["kernel"])

_TRAINING = options_of(TrainKeywords)
Kernel = Annotated[
    str | None,
    typer.Argument(
        help="OWNER/SLUG, or a run or slug pushed from here [the latest push]; with /VERSION an older one."
    ),
]


@kernel.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def push(
    context: typer.Context,
    run_name: Annotated[str, typer.Option(help="The name of the run here: runs/NAME.")],
    competition: Annotated[str, typer.Option(help="The competition whose data it trains on.")] = "goorm-2",
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
        str | None, typer.Option(metavar="URL@REV", help="Install the kit from there [the kernel has it].")
    ] = None,
    dataset: Annotated[
        list[str] | None, typer.Option(metavar="OWNER/NAME", help="A Kaggle dataset to attach.")
    ] = None,
    with_weights: Annotated[
        bool, typer.Option("--with-weights", help="Keep the models too, not only their span scores.")
    ] = False,
    continued: Annotated[
        str | None,
        typer.Option("--continue", metavar="KERNEL", help="Resume the run that this kernel left unfinished."),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Push although the previous version still waits or runs.")
    ] = False,
    hours: Annotated[
        float, typer.Option(help=f"{_TRAINING['hours'].help}; --continue resumes the rest.")
    ] = 8.5,
    gpu: Annotated[
        str, typer.Option(help="Kaggle's name of the accelerator; this one has two T4.")
    ] = "NvidiaTeslaT4",
    as_json: Json = False,
) -> None:
    """Train on Kaggle; the kernel carries this kit. All further options are those of kit train; data files
    beside the competition's, as of --data and --before, are /kaggle/input/NAME/FILE of a --dataset.

    Example: kit kernel push klue-bert --run-name klue-bert --folds 5 --epochs 3
    """
    words = list(context.args)
    if weights is not None and backbone is not None and backbone.startswith("-"):
        words, backbone = [backbone, *words], None  # it was left out
    done = kit.push_kernel(
        backbone, run_name=run_name, competition=competition, out=out, git=git,
        datasets=dataset or [], weights=weights, with_weights=with_weights, replace=replace,
        continued=continued, hours=hours, gpu=gpu,
        **_training_options(context, backbone or "BACKBONE", words),
    )  # fmt: skip
    _print_push(done, as_json)


@kernel.command()
def status(name: Kernel = None, as_json: Json = False) -> None:
    """Show the state of a kernel and the address of its page.

    NAME/VERSION asks for an older version.

    Example: kit kernel status
    """
    found = kit.kernel_status(name)
    if as_json:
        print_json({**asdict(found), "words": found.words, "url": found.url})
        return
    rows = [("state", found.words), ("page", found.url)]
    if found.message:
        rows.insert(1, ("message", found.reason))
    terminal.facts(found.kernel, rows)
    if found.state == "COMPLETE":
        terminal.say(next_step("kernel output", found.kernel))


@kernel.command()
def output(
    name: Kernel = None,
    to: Annotated[Path, typer.Option(help="The folder of runs.")] = RUNS,
    as_json: Json = False,
) -> None:
    """Download the run of a finished kernel, verified, ready for kit ensemble.

    NAME/VERSION downloads an older version's.  If the kernel failed, the end of its log is printed.

    Example: kit kernel output
    """
    done = kit.kernel_output(name, to=to)
    if as_json:
        manifest = done.manifest.model_dump(mode="json")
        print_json({"folder": str(done.folder), "fresh": done.fresh, "manifest": manifest})
        return
    if not done.fresh:
        terminal.say(f"{done.folder}: is this kernel's run already; nothing to do")
        return
    record = read_run(done.folder)
    assert record is not None
    rows = [
        (fold, edit(one.metrics["edit"]), f"{one.held_out:,}", one.device, terminal.duration(one.seconds))
        for fold, one in sorted(record.folds.items())
    ]
    columns = ("model", "Edit Score", "held out", "device", "time")
    terminal.table(f"{done.folder} ({record.backbone}, {done.manifest.kit})", columns, rows)
    test = source_of(done.manifest.competition).folder / TEST
    terminal.say(next_step("ensemble", done.folder, data=test))


@kernel.command()
def logs(
    name: Kernel = None,
    follow: Annotated[bool, typer.Option("--follow", help="Print new lines until the kernel ends.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON: a list, or with --follow an object a line.")
    ] = False,
) -> None:
    """Print a kernel's log from the beginning.

    NAME/VERSION prints an older version's.

    Example: kit kernel logs --follow
    """
    entries = kit.kernel_logs(name, follow=follow)
    if as_json and not follow:
        print_json([asdict(entry) for entry in entries])
        return
    entry = None
    for entry in entries:
        if as_json:
            print_json(asdict(entry), indent=None)
        else:
            print(entry.text, end="" if entry.text.endswith("\n") else "\n", flush=True)
    if entry is None:
        terminal.say(
            f"the log is empty so far; to wait for it, run: {command('kernel logs', name or '', follow=True)}"
        )


@kernel.command()
def quota(as_json: Json = False) -> None:
    """Show the hours of GPUs and TPUs that are left this week.

    Example: kit kernel quota
    """
    found = kit.kernel_quota()
    if as_json:
        quotas = [{**asdict(one), "left": one.left} for one in found.quotas]
        print_json({"resets": found.resets, "quotas": quotas})
        return
    if not found.quotas:
        terminal.say("Kaggle does not say how much of any accelerator is left")
        return
    rows = [
        (one.accelerator, *(f"{hours:.1f}" for hours in (one.left, one.used, one.reserved, one.allowed)))
        for one in found.quotas
    ]
    columns = ("accelerator", "left (h)", "used (h)", "running (h)", "a week (h)")
    terminal.table("accelerators this week", columns, rows, words=("accelerator",))
    if found.resets:
        terminal.say(f"the next week begins on {found.resets[:10]} at {found.resets[11:16]} UTC")


def _print_push(done: PushRecord | WrittenKernel, as_json: bool) -> None:
    """Where the kernel, or its files, are."""
    from kit.api.kernel import WrittenKernel
    from kit.kaggle.kernels.script import NOBODY

    if isinstance(done, WrittenKernel):
        if as_json:
            print_json({**asdict(done), "folder": str(done.folder)})
            return
        terminal.say(f"{done.folder}: the files of {done.kernel}, not pushed")
        if done.owner == NOBODY:
            terminal.say(f"put your account's name in place of {NOBODY} in its kernel-metadata.json")
        terminal.say(f"next: {shlex.join(['kaggle', 'kernels', 'push', '-p', str(done.folder)])}")
        return
    if as_json:
        print_json(done.model_dump(mode="json"))
        return
    rows = [("page", done.url), ("run", done.run), ("kit", done.revision)]
    if done.dataset:
        rows.append(("weights", f"{done.dataset} ({done.weights_sha256[:16]})"))
    terminal.facts(f"{done.kernel}, version {done.version}", rows)
    terminal.say(next_step("kernel logs", done.kernel, follow=True))
    terminal.say(f"then: {command('kernel output', done.kernel)}")


def _training_options(context: typer.Context, backbone: str, words: list[str]) -> dict[str, Any]:
    """What *words* set of a training, read as kit train itself would; typing mistakes are its own."""
    from kit.cli.options import given_options

    if backbone.startswith("-"):
        raise typer.BadParameter("BACKBONE comes first, before the options", param_hint="BACKBONE")
    words = several_after(["train", backbone, *words], "train", "--data", "--before")[2:]
    given = given_options(words, TrainKeywords, also=context.command.params)
    names = given.keys() & _TRAINING.keys()
    if wrong := sorted(flag_of(name) for name in names if not _TRAINING[name].kernel):
        raise typer.BadParameter(f"{', '.join(wrong)}: has no meaning on Kaggle; leave it out")
    more_data = [str(path) for path in given.pop("data", ())]
    return {**given, "more_data": more_data}
