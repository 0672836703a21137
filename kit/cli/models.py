"""Commands that train models and let them read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kit.cli.app import Json, Precision, Trust, app


@app.command()
def train(
    backbone: Annotated[
        str,
        typer.Argument(help="A preset (klue-bert, klue-roberta, ...; see the README), a hub id or a folder."),
    ],
    data: Annotated[list[Path], typer.Option("--data", help="Training files, one or several.")],
    run: Annotated[Path, typer.Option("--run", help="The folder to make, for example runs/klue-bert.")],
    valid: Annotated[
        Path | None, typer.Option(help="Held-out file; default: a seeded, grouped tenth of the data.")
    ] = None,
    share: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=SHARE",
            help="How much of a --data file an epoch holds, as in korquad.json=0.25; 2: twice [1].",
        ),
    ] = None,
    judge: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The --data file whose held-out questions choose the checkpoint and make the score, the "
            "competition's where outside data are mixed in [all files].",
        ),
    ] = None,
    before: Annotated[
        list[Path] | None,
        typer.Option(help="Outside data to learn first, without the articles of the data."),
    ] = None,
    before_epochs: Annotated[float | None, typer.Option(help="Passes over the outside data [1].")] = None,
    before_lr: Annotated[float | None, typer.Option(help="Their peak learning rate [--lr].")] = None,
    before_only: Annotated[bool, typer.Option("--before-only", help="Stop when they are learned.")] = False,
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
    token_budget: Annotated[
        int | None, typer.Option(help="Padded tokens at once, in place of a number of windows.")
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
    head: Annotated[
        str | None, typer.Option(help="Start and end scored independent or joint [independent].")
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
    soften: Annotated[
        float | None, typer.Option(help="Share of a target spread by distance in characters [0].")
    ] = None,
    layer_decay: Annotated[
        float | None, typer.Option(help="Each layer's share of the rate of the one above [1].")
    ] = None,
    average: Annotated[
        int | None, typer.Option(help="Keep the mean of the last N checkpoints' weights [no].")
    ] = None,
    ema: Annotated[
        float | None, typer.Option(help="Keep an exponential average of the weights, as in 0.999 [no].")
    ] = None,
    adversarial: Annotated[
        float | None, typer.Option(help="Second pass on words moved so far (FGM); twice the time [0].")
    ] = None,
    r_drop: Annotated[
        float | None, typer.Option(help="Agreement of two dropouts (R-Drop); twice the time [0].")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Random seed of the training [42].")] = None,
    split_seed: Annotated[int | None, typer.Option(help="Seed of folds and holdout [42].")] = None,
    limit: Annotated[int | None, typer.Option(help="Train on the first N questions only.")] = None,
    allow_unknown: Annotated[
        bool, typer.Option("--allow-unknown", help="Train although a fifth of common text is [UNK].")
    ] = False,
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
        share=share or [], judge=judge, before=before or [], before_epochs=before_epochs, before_lr=before_lr,
        before_only=before_only,
        settings={
            "epochs": epochs, "lr": lr, "batch_size": batch_size, "micro_batch_size": micro_batch_size,
            "token_budget": token_budget,
            "max_length": max_length, "stride": stride, "warmup": warmup, "schedule": schedule,
            "weight_decay": weight_decay, "max_grad_norm": max_grad_norm, "targets": targets, "head": head,
            "folds": folds, "early_stopping": early_stopping, "evaluations": evaluations,
            "precision": precision, "attention_dropout": attention_dropout,
            "gradient_checkpointing": gradient_checkpointing, "compile": compile_model, "seed": seed,
            "split_seed": split_seed, "limit": limit, "save_minutes": save_minutes,
            "soften": soften, "layer_decay": layer_decay, "average": average, "ema": ema,
            "adversarial": adversarial, "r_drop": r_drop, "allow_unknown": allow_unknown,
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
    allow_unknown: Annotated[
        bool, typer.Option("--allow-unknown", help="Predict although a fifth of common text is [UNK].")
    ] = False,
    trust_remote_code: Trust = False,
    as_json: Json = False,
) -> None:
    """Write a run's span scores on a data file: all that later steps need of the model.

    Example: kit predict runs/klue-bert --data data/goorm-2/test.json
    """
    from kit.views import predictions

    predictions.run(
        run, data, as_json, fold=fold, max_length=max_length, stride=stride, precision=precision,
        again=again, allow_unknown=allow_unknown, trust_remote_code=trust_remote_code,
    )  # fmt: skip
