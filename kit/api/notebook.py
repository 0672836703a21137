"""``kit notebook`` as a function."""

from __future__ import annotations

from pathlib import Path

from kit.api.arguments import PathLike, path_given
from kit.errors import ConfigError
from kit.notebooks.chapters import HOSTS, LANGUAGES, Host, Language
from kit.notebooks.ipynb import write_notebook


def notebook(
    out: PathLike | None = None,
    *,
    host: Host = "local",
    language: Language = "both",
    install: str | None = None,
    force: bool = False,
) -> Path:
    """Write a Jupyter notebook that explains and runs every step, and return its path.

    *out* defaults to ``korean-mrc-HOST.ipynb``; *host* is colab, kaggle or local, *language* both, ko or
    en.  On Colab and Kaggle it installs the kit that it carries, or what *install* says to pip.  Raises
    ConfigError for another host or language, and WriteError where *out* exists and differs, unless *force*.
    """
    for flag, value, known in (("--for", host, HOSTS), ("--language", language, LANGUAGES)):
        if value not in known:
            raise ConfigError(f"{flag} {value}: is none of {', '.join(known)}")
    path = path_given(f"korean-mrc-{host}.ipynb" if out is None else out, "out", ".ipynb")
    write_notebook(path, host, language, install, force)
    return path
