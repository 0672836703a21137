"""Curves in a notebook: one picture a training that is replaced; nothing in a shell."""

from __future__ import annotations

import base64
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from kit.training.live_curves import in_notebook
from kit.training.progress import TrainingProgress, spoken

pytest.importorskip("matplotlib")

TRAINING = """
from types import SimpleNamespace
from kit.training import live_curves
from kit.training.progress import spoken
live_curves._PAUSE = 0.0
curves = spoken().trainer_callbacks[-1]
assert isinstance(curves, live_curves.LiveCurves), curves
arguments = SimpleNamespace(output_dir="runs/<e5>/fold-0/checkpoints")
for training in range(2):
    state = SimpleNamespace(log_history=[], global_step=0, max_steps=40)
    curves.on_train_begin(arguments, state, None)
    curves.on_log(arguments, state, None)
    for step in range(1, 5):
        state.global_step = 10 * step
        state.log_history.append({"step": 10 * step, "loss": 5.0 / step})
        curves.on_log(arguments, state, None)
        if training:
            scores = {"eval_edit": 6.0 / step, "eval_blank_edit": 5.5}
            state.log_history.append({"step": 10 * step, **scores})
            curves.on_log(arguments, state, None)
    curves.on_train_end(arguments, state, None)
"""
BROKEN = """
state.max_steps = None
curves.on_train_begin(arguments, state, None)
for again in range(3):
    curves.on_log(arguments, state, None)
print("still training")
"""


def test_a_shell_has_none() -> None:
    assert not in_notebook()
    assert [type(one) for one in spoken().trainer_callbacks] == [TrainingProgress]


@pytest.mark.slow
def test_a_kernel_shows_one_picture_a_training(tmp_path: Path) -> None:
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(code) for code in (TRAINING, BROKEN)]
    )
    NotebookClient(notebook, timeout=100, resources={"metadata": {"path": str(tmp_path)}}).execute()
    pictures = [one for one in notebook.cells[0].outputs if one.output_type == "display_data"]
    assert len(pictures) == 2  # of nine and more updates
    sizes = []
    for one in pictures:
        png = base64.b64decode(one.data["image/png"])
        assert png.startswith(b"\x89PNG")
        sizes.append(int.from_bytes(png[16:20]))
    assert sizes[1] > sizes[0]  # beside the loss, the Edit Score
    said = "".join(one.text for one in notebook.cells[1].outputs if one.output_type == "stream")
    assert said.count("the curves cannot be drawn: ") == 1
    assert "still training" in said
