"""Commands that look around, and the demo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kit.cli.app import Json, Trust, app


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
def doctor(
    models: Annotated[
        list[str] | None,
        typer.Argument(metavar="[MODEL]...", help="Presets, hub ids or folders to look at instead."),
    ] = None,
    trust_remote_code: Trust = False,
    as_json: Json = False,
) -> None:
    """Print versions, the device and number format that training would use, and free disk.

    With models: what each is, what it can take and needs, and how that was found out, without any data.

    Example: kit doctor klue-bert
    """
    from kit.views import overview

    if models:
        overview.models(models, trust_remote_code, as_json)
    else:
        overview.doctor(as_json)


@app.command()
def demo(
    folder: Annotated[Path, typer.Option("--to", help="Where the corpus, runs and submissions go.")] = Path(),
    seed: Annotated[int, typer.Option(help="Seed of corpus and training.")] = 2022,
    articles: Annotated[
        int, typer.Option(min=100, help="Articles to train on: fewer are sooner done, and learn less.")
    ] = 1200,
) -> None:
    """The whole road on a built-in corpus, two tiny models trained on the spot, in minutes.

    Example: kit demo
    """
    from kit.views import demonstration

    demonstration.run(folder, seed, articles)


@app.command()
def notebook(
    out: Annotated[Path | None, typer.Option(help="The file [korean-mrc-HOST.ipynb].")] = None,
    host: Annotated[str, typer.Option("--for", help="Where it runs: colab, kaggle or local.")] = "local",
    language: Annotated[str, typer.Option(help="Of its explanations: both, ko or en.")] = "both",
    install: Annotated[
        str | None, typer.Option(help="What pip installs there, as in git+URL [the kit that it carries].")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that differs.")] = False,
) -> None:
    """Write a Jupyter notebook that walks the whole road and explains it, in Korean and English.

    Example: kit notebook --for colab
    """
    from kit.views import notebooks

    notebooks.run(out, host, language, install, force)
