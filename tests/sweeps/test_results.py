"""What a sweep says of itself: its table, its picture, and what it is about."""

from __future__ import annotations

import importlib.util
import json
import math
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("optuna")
pytest.importorskip("matplotlib")

from optuna.trial import TrialState
from PIL import Image
from typer.main import get_command

import kit
from kit.cli import app
from kit.errors import ConfigError
from kit.settings.training import training_settings
from kit.sweeps.plot import draw, write_plot
from kit.sweeps.results import BEST_AT, BLANK, HELD_OUT, SECONDS, STEPS, Sweep, results
from kit.sweeps.spec import differences
from kit.sweeps.storage import DATABASE, hidden, is_sweep, open_study, quiet
from kit.sweeps.trial_lock import ERROR, claimed
from tests.sweeps.made import about, begin, search_of

RANGES = ("lr=1e-5:1e-3:log", "batch_size=8,16", "epochs=1:3", "warmup=0.0:0.2")


def made(folder: Path, finished: int, stopped: int = 1, failed: int = 1) -> Sweep:
    search = search_of(*RANGES)
    kept = begin(folder, search)
    with quiet():
        for number in range(finished + stopped + failed):
            with claimed(kept, folder, search, 99, seed=1) as claim:
                assert claim is not None
                trial = claim.trial
                final = 2 + (math.log10(trial.params["lr"]) + 4) ** 2
                if number < finished + stopped:
                    for share in (250, 500):
                        trial.report(final + 1 - share / 1000, share)
                if number < finished:
                    trial.report(final, 1000)
                    noted = {STEPS: 1200, SECONDS: 300.0, HELD_OUT: 120, BLANK: 5.7, BEST_AT: 1000}
                    for name, value in noted.items():
                        trial.set_user_attr(name, value)
                    kept.study.tell(trial, final)
                else:
                    if number >= finished + stopped:
                        trial.set_user_attr(ERROR, "the loss is nan at step 3")
                    kept.study.tell(trial, state=TrialState.PRUNED)
        return results(kept, folder, training_settings)


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    return made(tmp_path_factory.mktemp("sweeps") / "sweep", finished=14)


def test_the_best_comes_first_then_what_was_stopped_then_what_failed(sweep: Sweep) -> None:
    states = [trial.state for trial in sweep.trials]
    assert states == ["finished"] * 14 + ["stopped early", "failed"]
    scores = [trial.edit for trial in sweep.finished]
    assert scores == sorted(scores, key=lambda edit: edit or 0)
    assert sweep.best is sweep.trials[0]
    assert sweep.best.curve[-1] == (1.0, sweep.best.edit)
    assert (sweep.held_out, sweep.blank_edit) == (120, 5.7)
    assert sweep.trials[-2].best_at == 0.5
    assert sweep.trials[-1].error == "the loss is nan at step 3"


def test_what_mattered_is_said_of_enough_trials(sweep: Sweep, tmp_path: Path) -> None:
    assert max(sweep.importances, key=lambda name: sweep.importances[name]) == "lr"
    assert sum(sweep.importances.values()) == pytest.approx(1)
    assert made(tmp_path / "few", finished=11).importances == {}


def test_the_winners_command_trains_just_these_settings(sweep: Sweep) -> None:
    assert sweep.command is not None
    assert sweep.best is not None
    name, *words = shlex.split(sweep.command)[1:]
    context = get_command(app).commands[name].make_context(name, words)  # type: ignore[attr-defined]
    given = context.params
    assert (given["backbone"], given["folds"], list(map(str, given["data"]))) == (
        "models/tiny",
        5,
        ["data/train.json"],
    )
    told = {name: value for name, value in given.items() if name in sweep.best.varied and value is not None}
    settings = training_settings(**told)
    assert {name: getattr(settings, name) for name in sweep.best.varied} == dict(sweep.best.varied)


def test_a_sweep_as_json_is_json(sweep: Sweep) -> None:
    data = json.loads(json.dumps(sweep.as_dict()))
    assert data["best"] == data["trials"][0]["trial"]
    assert data["ranges"][0] == "lr=1e-05:0.001:log"
    assert len(data["trials"]) == 16


# ---- the picture


def test_the_picture_has_a_point_a_trial_in_every_panel(sweep: Sweep) -> None:
    figure = draw(sweep)
    assert figure is not None
    history, curves, *panels = figure.axes
    judged = {trial.name: trial for trial in sweep.trials if trial.edit is not None}
    assert len(judged) == 15
    for axes in (history, *panels):
        points = {line.get_gid(): line for line in axes.lines if line.get_gid()}
        assert set(points) == set(judged)
        for name, line in points.items():
            assert line.get_ydata()[0] == pytest.approx(judged[name].edit)
    assert [panel.get_title(loc="left").split(" (")[0] for panel in panels] == [
        one.name for one in sweep.ranges
    ]
    lr = {line.get_gid(): line.get_xdata()[0] for line in panels[0].lines if line.get_gid()}
    assert lr == {name: trial.varied["lr"] for name, trial in judged.items()}
    drawn = sorted(len(line.get_xdata()) for line in curves.lines if len(line.get_xdata()))
    assert drawn == sorted(len(trial.curve) for trial in judged.values())


def test_the_picture_is_a_real_one(sweep: Sweep, tmp_path: Path) -> None:
    path = write_plot(sweep, tmp_path / "sweep.png")
    assert path is not None
    with Image.open(path) as image:
        assert image.format == "PNG"
        assert image.width == 1440
        pixels = np.asarray(image.convert("RGB")).reshape(-1, 3)
    best = np.all(pixels == (0xC2, 0x41, 0x0C), axis=1)  # the best trial's own colour
    assert best.sum() > 500
    assert 0.5 < np.all(pixels == 255, axis=1).mean() < 0.99


def test_a_perfect_score_is_in_the_picture(sweep: Sweep) -> None:
    perfect = tuple(replace(trial, edit=0.0, curve=((1.0, 0.0),)) for trial in sweep.trials[:2])
    for trials in (perfect, (*perfect, *sweep.trials[2:])):
        figure = draw(replace(sweep, trials=trials))
        assert figure is not None
        for axes in figure.axes:
            bottom, top = axes.get_ylim()
            assert bottom < 0 < top


def test_nothing_is_drawn_before_there_is_anything_to_draw(tmp_path: Path) -> None:
    empty = made(tmp_path / "sweep", finished=0, stopped=0, failed=0)
    assert empty.trials == ()
    assert empty.command is None
    assert write_plot(empty, tmp_path / "sweep.png") is None
    assert not (tmp_path / "sweep.png").exists()


# ---- what it is about


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"backbone": "other"}, "backbone is other, the sweep has tiny"),
        (
            {"backbone_version": "1" * 64},
            "backbone tiny has other weights (11111111, the sweep has 00000000)",
        ),
        ({"data": [("new.json", "b" * 64)]}, "the data differ; the sweep has train.json (aaaaaaaa)"),
        ({"valid": ("valid.json", "c" * 64)}, "--valid differs; the sweep has none"),
        ({"ranges": {"lr": "1e-05:0.01:log"}}, "--range lr is 1e-05:0.01:log, the sweep has 1e-05:0.001:log"),
        ({"ranges": {"lr": "1e-05:0.001:log", "epochs": "1:3"}}, "--range epochs is 1:3, the sweep has none"),
        ({"settings": {"stride": 64, "limit": 9}}, "--set stride is 64, the sweep has 128"),
        ({"settings": {"limit": 9}}, "--set limit is 9, the sweep has none"),
        (
            {"decoding": "edit with length_prior 0.5, cap 30"},
            "decoded by edit with length_prior 0.5, cap 30, the sweep has argmax with no length prior",
        ),
    ],
)
def test_a_sweep_of_something_else_is_refused_by_the_difference(
    tmp_path: Path, other: dict[str, Any], said: str
) -> None:
    search = search_of("lr=1e-5:1e-3:log")
    begin(tmp_path / "sweep", search)
    changed = about(search, **other)
    with quiet(), pytest.raises(ConfigError) as refused:
        open_study(tmp_path / "sweep", None, changed)
    assert said in str(refused.value)
    assert "choose another --run, or the same command" in str(refused.value)


def test_what_may_differ(tmp_path: Path) -> None:
    search = search_of("lr=1e-5:1e-3:log")
    begin(tmp_path / "sweep", search)
    settings = {
        name: value for name, value in about(search).settings.items() if name not in ("limit", "stride")
    }
    with quiet():  # the file's name, and settings that a later version of the kit brings along
        open_study(tmp_path / "sweep", None, about(search, data=[("renamed.json", "a" * 64)]))
        open_study(tmp_path / "sweep", None, about(search, settings=settings))


def test_a_sweep_of_a_version_that_did_not_record_the_decoding_had_plain_argmax() -> None:
    here = about(search_of("lr=1e-5:1e-3:log")).as_dict()
    older = {name: value for name, value in here.items() if name != "decoding"}
    assert differences(older, here) == []
    newer = {**here, "decoding": "edit with length_prior 0.5, cap 30"}
    (found,) = differences(older, newer)
    assert found == (
        "answers are decoded by edit with length_prior 0.5, cap 30, the sweep has argmax with no length "
        "prior, cap 60"
    )


def test_a_folder_keeps_to_its_database(tmp_path: Path) -> None:
    search, folder = search_of("lr=1e-5:1e-3:log"), tmp_path / "sweep"
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    with quiet(), pytest.raises(ConfigError, match="holds no sweep"):
        open_study(folder, None, None)
    begin(folder, search, url)
    assert is_sweep(folder)
    assert not (folder / DATABASE).exists()
    with quiet():
        assert open_study(folder, None, None).shared  # it remembers where
        with pytest.raises(ConfigError, match=r"keeps its study in sqlite:///.*shared\.db; give --storage"):
            open_study(folder, "sqlite:///elsewhere.db", about(search))
    begin(tmp_path / "own", search)
    with (
        quiet(),
        pytest.raises(ConfigError, match=r"keeps its study in its own sweep\.db; leave --storage out"),
    ):
        open_study(tmp_path / "own", url, about(search))


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nonsense", r"--storage: is no URL of a database; write it as postgresql://"),
        ("sqlite:////nowhere/at/all.db", r"is unavailable \(unable to open database file\)"),
        ("oracle://me:secret@localhost/x", r"oracle://me:\*\*\*@localhost/x: needs .*; pip install"),
        ("nosuch://me:secret@localhost/x", r"nosuch://me:\*\*\*@localhost/x: .*nosuch"),
    ],
)
def test_a_database_that_cannot_be_used_is_one_line_without_its_password(
    tmp_path: Path, url: str, said: str
) -> None:
    search = search_of("lr=1e-5:1e-3:log")
    with quiet(), pytest.raises(ConfigError, match=said) as refused:
        open_study(tmp_path / "sweep", url, about(search))
    assert "secret" not in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not is_sweep(tmp_path / "sweep")  # a mistyped URL is not remembered


def test_passwords_are_not_written_down(tmp_path: Path) -> None:
    assert hidden("postgresql://me:secret@db/x") == "postgresql://me:***@db/x"
    folder = tmp_path / "odd {name} ?%20#한글"
    begin(folder, search_of("lr=1e-5:1e-3:log"))
    assert (folder / DATABASE).is_file()


def test_other_files_are_not_mixed_with_a_sweep(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(ConfigError, match=r"holds other files and no sweep\.json; choose another --run"):
        begin(tmp_path, search_of("lr=1e-5:1e-3:log"))


@pytest.mark.parametrize(("module", "name"), [("optuna", "Optuna"), ("matplotlib", "matplotlib")])
def test_a_missing_library_is_named_with_its_command(
    monkeypatch: pytest.MonkeyPatch, module: str, name: str
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda wanted: None if wanted == module else find(wanted))
    with pytest.raises(ConfigError) as refused:
        kit.sweep("tiny", "train.json", run="runs/sweep", ranges=["lr=1e-5:1e-4"])
    said = f"kit sweep needs {name}, which is not installed; pip install 'korean-mrc-kit[sweep]'"
    assert str(refused.value) == said
