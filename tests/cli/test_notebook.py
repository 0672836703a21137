"""``kit notebook``: the file it writes and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import kit
from kit.errors import ConfigError, WriteError
from tests.screens import in_pipe


def test_a_notebook_that_was_worked_on_is_kept(tmp_path: Path) -> None:
    path = kit.notebook(tmp_path / "mine.ipynb")
    assert kit.notebook(path) == path  # the same bytes
    path.write_text("my own cells", encoding="utf-8")
    with pytest.raises(WriteError, match=r"mine\.ipynb: exists and differs; .*--force"):
        kit.notebook(path)
    assert path.read_text(encoding="utf-8") == "my own cells"
    kit.notebook(path, force=True)
    assert json.loads(path.read_text(encoding="utf-8"))["nbformat"] == 4


def test_the_command(tmp_path: Path) -> None:
    code, said = in_pipe(["notebook", "--for", "kaggle", "--language", "ko"], tmp_path)
    assert (code, said.split(";")[0]) == (0, "korean-mrc-kaggle.ipynb written")
    code, said = in_pipe(["notebook", "--for", "binder"], tmp_path)
    assert (code, said) == (1, "error: --for binder: is none of colab, kaggle, local\n")
    with pytest.raises(ConfigError, match="--language de: is none of both, ko, en"):
        kit.notebook(tmp_path / "x.ipynb", language="de")  # type: ignore[arg-type]
