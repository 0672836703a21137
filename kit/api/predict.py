"""``kit.predict``: write the span scores of a run."""

from __future__ import annotations

from pathlib import Path

from kit import terminal
from kit.api.arguments import Data, PathLike, dataset_of, run_of
from kit.spans.run_folder import Run, chosen_folds


def predict(
    run: Run | PathLike,
    data: Data,
    *,
    fold: int | None = None,
    max_length: int | None = None,
    stride: int | None = None,
    precision: str = "auto",
    again: bool = False,
    allow_unknown: bool = False,
    trust_remote_code: bool = False,
    quiet: bool = False,
) -> list[Path]:
    """Write the span scores of *run* (a run folder, or any QA checkpoint's) on *data*; returns the files.

    Lengths in tokens, as trained unless given.  A file that is there already, made by the same model
    from the same data, is kept unless *again*.  A tokenizer that reads more than a fifth of common text as
    [UNK] is refused, unless *allow_unknown* or the run was trained so.
    """
    from kit.modeling.prediction import predict_run

    opened, dataset = run_of(run), dataset_of(data)
    total = len(dataset) * len(chosen_folds(opened, fold))
    with terminal.progress(f"predicting {opened.name}", 0 if quiet else total) as advance:
        return predict_run(
            opened,
            dataset,
            fold=fold,
            max_length=max_length,
            stride=stride,
            precision=precision,
            again=again,
            allow_unknown=allow_unknown,
            trust_remote_code=trust_remote_code,
            say=(lambda line: None) if quiet else terminal.say,
            advance=advance,
        )
