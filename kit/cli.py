"""The commands: parse, call, print.  What they do is in kit.verbs; heavy imports are inside them."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from kit.errors import KitError
from kit.version import __version__

app = typer.Typer(
    name="kit",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Korean question answering scored by edit distance: from competition files to a submission.",
)

_PATIENCE = 3.0
"""Seconds in which a launcher stops the other processes once the first has given up."""

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON instead of a table.")]
Trust = Annotated[
    bool, typer.Option("--trust-remote-code", help="Run code that a hub model brings along. Read it first.")
]
Precision = Annotated[str, typer.Option(help="auto, fp32, bf16 or fp16.")]


def main() -> None:
    """The console script: a KitError is one line on standard error and exit code 1."""
    from kit import terminal

    others = sys.stderr
    if not _first_process():
        # Of several processes one speaks.
        sys.stdout = sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    try:
        app(_several_after(sys.argv[1:], "train", "--data"))
    except KitError as error:
        if not _first_process():
            # What stops all stops the first too, and it says so; left is what stops only this one.
            time.sleep(_PATIENCE)
            sys.stderr = others
        terminal.error(str(error))
        raise SystemExit(1) from None


def _first_process() -> bool:
    return os.environ.get("RANK", "0") == "0"


def _several_after(arguments: list[str], command: str, option: str) -> list[str]:
    """Let *option* of *command* take several values, as in ``--data a.json b.json``.

    The parser knows only the option given again for each.  Only where the positional argument came first:
    otherwise it could not be told from one more value.
    """
    if arguments[:1] != [command] or not arguments[1:] or arguments[1].startswith("-"):
        return arguments
    expanded: list[str] = []
    inside = False
    for argument in arguments:
        if argument.startswith("-"):
            inside = argument == option
        elif inside and expanded[-1] != option:
            expanded.append(option)
        expanded.append(argument)
    return expanded


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"kit {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="Data files of any known format, zipped or not.")],
    against: Annotated[Path | None, typer.Option(help="A test file; reports what leaks into it.")] = None,
    repair: Annotated[
        Path | None, typer.Option(help="Write a copy that loads: answers moved or left out.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Report what data files hold and what is wrong with them. Exit code 1 if anything is.

    Example: kit check data/goorm-2/train.json --against data/goorm-2/test.json
    """
    from kit.views import checks

    checks.run(files, against, repair, as_json)


@app.command()
def train(
    backbone: Annotated[
        str,
        typer.Argument(help="kcbert, bert-kor, klue-bert, koelectra, klue-roberta, a hub id or a folder."),
    ],
    data: Annotated[list[Path], typer.Option("--data", help="Training files, one or several.")],
    run: Annotated[Path, typer.Option("--run", help="The folder to make, for example runs/klue-bert.")],
    valid: Annotated[
        Path | None, typer.Option(help="Held-out file; default: a seeded, grouped tenth of the data.")
    ] = None,
    against: Annotated[
        Path | None, typer.Option(help="Test file to check for leaks; default: test.json beside the data.")
    ] = None,
    allow_leak: Annotated[bool, typer.Option(help="Train on data that occur in the test file.")] = False,
    epochs: Annotated[float | None, typer.Option(help="Passes over the data [preset's, else 3].")] = None,
    lr: Annotated[float | None, typer.Option(help="Peak learning rate [preset's, else 3e-5].")] = None,
    batch_size: Annotated[
        int | None, typer.Option(help="Effective batch in windows [preset's, else 32].")
    ] = None,
    micro_batch_size: Annotated[
        int | None, typer.Option(help="Windows at once on the device; divides the batch [8].")
    ] = None,
    max_length: Annotated[int | None, typer.Option(help="Tokens a window [preset's, else 512].")] = None,
    stride: Annotated[int | None, typer.Option(help="Tokens that neighbouring windows share [128].")] = None,
    warmup: Annotated[
        float | None, typer.Option(help="Share of steps with a rising rate [preset's, else 0.1].")
    ] = None,
    schedule: Annotated[str | None, typer.Option(help="linear or cosine [linear].")] = None,
    weight_decay: Annotated[
        float | None, typer.Option(help="Not on norms and biases [preset's, else 0.01].")
    ] = None,
    max_grad_norm: Annotated[float | None, typer.Option(help="Gradient clipping [1.0].")] = None,
    targets: Annotated[
        str | None, typer.Option(help="Golds to learn: all, first, shortest, longest [all].")
    ] = None,
    folds: Annotated[
        int | None, typer.Option(help="Train one model a fold, for out-of-fold scores.", show_default="none")
    ] = None,
    fold: Annotated[str | None, typer.Option(help="Only these of the folds, as in 0,2.")] = None,
    early_stopping: Annotated[
        int | None, typer.Option(help="Stop after N evaluations without a better Edit Score [never].")
    ] = None,
    evaluations: Annotated[
        int | None, typer.Option(help="Evaluations, and checkpoints, an epoch [1].")
    ] = None,
    precision: Precision = "auto",
    attention_dropout: Annotated[
        float | None, typer.Option(help="0 is much faster on a CPU [the backbone's].")
    ] = None,
    gradient_checkpointing: Annotated[
        bool, typer.Option("--gradient-checkpointing", help="Less memory, a third more time.")
    ] = False,
    compile_model: Annotated[
        bool, typer.Option("--compile", help="torch.compile; pays on long trainings on a GPU.")
    ] = False,
    seed: Annotated[int | None, typer.Option(help="Random seed of the training [42].")] = None,
    split_seed: Annotated[int | None, typer.Option(help="Seed of folds and holdout [42].")] = None,
    limit: Annotated[int | None, typer.Option(help="Train on the first N questions only.")] = None,
    jobs: Annotated[int | None, typer.Option(help="Folds trained at the same time [one a GPU].")] = None,
    save_minutes: Annotated[
        float | None, typer.Option(help="Also a checkpoint every so many minutes (Colab).")
    ] = None,
    resume: Annotated[bool, typer.Option(help="Go on from the last complete checkpoint.")] = False,
    report_to: Annotated[list[str] | None, typer.Option(help="tensorboard, wandb or mlflow.")] = None,
    trust_remote_code: Trust = False,
    as_json: Json = False,
) -> None:
    """Train one backbone: the best checkpoint by Edit Score is kept, or one model a fold.

    Example: kit train klue-bert --data data/goorm-2/train.json --folds 5 --run runs/klue-bert
    """
    from kit.views import training

    training.run(
        backbone, data, run, valid=valid, against=against, allow_leak=allow_leak, fold=fold, jobs=jobs,
        resume=resume, report_to=report_to or [], trust_remote_code=trust_remote_code, as_json=as_json,
        settings={
            "epochs": epochs, "lr": lr, "batch_size": batch_size, "micro_batch_size": micro_batch_size,
            "max_length": max_length, "stride": stride, "warmup": warmup, "schedule": schedule,
            "weight_decay": weight_decay, "max_grad_norm": max_grad_norm, "targets": targets,
            "folds": folds, "early_stopping": early_stopping, "evaluations": evaluations,
            "precision": precision, "attention_dropout": attention_dropout,
            "gradient_checkpointing": gradient_checkpointing, "compile": compile_model, "seed": seed,
            "split_seed": split_seed, "limit": limit, "save_minutes": save_minutes,
        },
    )  # fmt: skip


@app.command()
def predict(
    run: Annotated[Path, typer.Argument(help="A folder that kit train made, or any QA checkpoint's.")],
    data: Annotated[Path, typer.Option("--data", help="The questions.")],
    fold: Annotated[int | None, typer.Option(help="Only this fold of the run.")] = None,
    max_length: Annotated[int | None, typer.Option(help="Tokens a window [as trained].")] = None,
    stride: Annotated[
        int | None, typer.Option(help="Tokens that neighbouring windows share [as trained].")
    ] = None,
    precision: Precision = "auto",
    again: Annotated[bool, typer.Option(help="Make the span file again although it is there.")] = False,
    trust_remote_code: Trust = False,
    as_json: Json = False,
) -> None:
    """Write a run's span scores on a data file: all that later steps need of the model.

    Example: kit predict runs/klue-bert --data data/goorm-2/test.json
    """
    from kit.views import predictions

    predictions.run(
        run, data, as_json, fold=fold, max_length=max_length, stride=stride, precision=precision,
        again=again, trust_remote_code=trust_remote_code,
    )  # fmt: skip


@app.command()
def ensemble(
    recipe: Annotated[list[Path], typer.Argument(help="A recipe (.yaml), or a run.")],
    data: Annotated[Path, typer.Option("--data", help="The questions.")],
    out: Annotated[Path | None, typer.Option(help="The CSV [submissions/NAME.csv].")] = None,
    answers: Annotated[
        Path | None, typer.Option(help="The same questions with answers: scores the result.")
    ] = None,
    member: Annotated[
        list[Path] | None, typer.Option(help="Runs in place of the recipe's own members.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Decode span scores as a recipe says; write the submission CSV and its card.

    Example: kit ensemble ensembles/course-2022.yaml --data data/goorm-2/test.json
    """
    from kit.views import submissions

    submissions.run(recipe, data, out, answers, member or [], as_json)


@app.command()
def score(
    csv: Annotated[Path, typer.Argument(help="A submission CSV.")],
    answers: Annotated[Path, typer.Option(help="The same questions with answers.")],
    reference: Annotated[str, typer.Option(help="Which gold counts: first, min or mean.")] = "first",
    versus: Annotated[Path | None, typer.Option(help="Another CSV: the paired difference to it.")] = None,
    as_json: Json = False,
) -> None:
    """Score a CSV: Edit Score with interval, exact match, character F1, blanks.

    Example: kit score submissions/klue-bert.csv --answers data/valid.json --versus submissions/old.csv
    """
    from kit.views import scores

    scores.run(csv, answers, reference, versus, as_json)


@app.command()
def runs(
    folder: Annotated[Path, typer.Argument(help="Where the runs are.")] = Path("runs"),
    as_json: Json = False,
) -> None:
    """List the runs of a folder with their settings and held-out scores.

    Example: kit runs
    """
    from kit.views import overview

    overview.runs(folder, as_json)


@app.command()
def doctor(as_json: Json = False) -> None:
    """Print versions, the device and number format that training would use, and free disk.

    Example: kit doctor
    """
    from kit.views import overview

    overview.doctor(as_json)


@app.command()
def demo(
    folder: Annotated[Path, typer.Option("--to", help="Where the corpus, runs and submissions go.")] = Path(),
    seed: Annotated[int, typer.Option(help="Seed of corpus and training.")] = 2022,
) -> None:
    """The whole road on a built-in corpus, two tiny models trained on the spot, in minutes.

    Example: kit demo
    """
    from kit.views import demonstration

    demonstration.run(folder, seed)
