"""Training settings and run records."""

from __future__ import annotations

from pathlib import Path

import pytest

from kit import settings_for
from kit.errors import ConfigError
from kit.settings.runs import DataFile, RunRecord, differences, read_run, write_run
from kit.settings.training import TrainingSettings, training_settings


def test_accumulation_is_derived_from_both_batches() -> None:
    assert training_settings(batch_size=32, micro_batch_size=4).accumulation_steps == 8


@pytest.mark.parametrize(("batch", "micro"), [(32, 8), (16, 8), (6, 6), (10, 5), (1, 1), (7, 7), (22, 2)])
def test_a_batch_size_alone_gets_its_largest_divisor_up_to_eight(batch: int, micro: int) -> None:
    assert training_settings(batch_size=batch).micro_batch_size == micro


def test_an_indivisible_batch_shows_both_numbers_and_the_choices() -> None:
    with pytest.raises(ConfigError) as caught:
        training_settings(batch_size=12, micro_batch_size=8)
    assert "--micro-batch-size 8 does not divide batch_size 12; choose one of 1, 2, 3, 4, 6, 12" in str(
        caught.value
    )


def test_mistakes_are_named_as_flags_and_all_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        training_settings(lr=0.0, max_length=3, precision="fp8")
    said = str(caught.value)
    assert "--lr is 0.0" in said
    assert "--max-length is 3" in said
    assert '--precision is "fp8"' in said


def test_options_that_exclude_each_other_say_so() -> None:
    for given, said in (
        ({"average": 3, "ema": 0.9}, "average and ema are two averages of the same weights; choose one"),
        ({"average": 3, "early_stopping": 2}, "average needs the whole training"),
        ({"adversarial": 1.0, "compile": True}, "adversarial moves what a compiled model has fixed"),
    ):
        with pytest.raises(ConfigError, match=said):
            training_settings(**given)


@pytest.mark.parametrize(
    ("preset", "lr", "epochs", "batch", "length"),
    [
        ("kcbert", 5e-5, 5, 16, 300),
        ("bert-kor", 3e-5, 5, 16, 512),
        ("klue-bert", 3e-5, 5, 16, 512),
        ("koelectra", 5e-5, 7, 8, 512),
        ("klue-roberta", 3e-5, 5, 16, 510),
    ],
)
def test_presets_are_the_published_settings(
    preset: str, lr: float, epochs: int, batch: int, length: int
) -> None:
    settings = settings_for(preset)
    assert (settings.lr, settings.epochs, settings.batch_size, settings.max_length) == (
        lr,
        epochs,
        batch,
        length,
    )


def test_a_flag_overrides_the_preset_and_none_does_not() -> None:
    settings = settings_for("klue-bert", lr=1e-4, epochs=None)
    assert (settings.lr, settings.epochs) == (1e-4, 5)


def record(**changes: object) -> RunRecord:
    values: dict[str, object] = {
        "backbone": "klue-bert",
        "settings": TrainingSettings(),
        "data": (DataFile(name="train.json", sha256="a" * 64, questions=3),),
    }
    return RunRecord.model_validate(values | changes)


def test_a_run_record_round_trips(tmp_path: Path) -> None:
    write_run(tmp_path, record(answer_lengths={"3": 2}))
    assert read_run(tmp_path) == record(answer_lengths={"3": 2})
    assert read_run(tmp_path / "nothing") is None


def test_a_damaged_record_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"backbone": "a"', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"run\.json: is damaged"):
        read_run(tmp_path)
    (tmp_path / "run.json").write_text('{"backbone": 3}', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"backbone is 3; .*settings is missing"):
        read_run(tmp_path)


def test_a_folder_of_the_same_name_with_other_weights_is_another_backbone() -> None:
    old, new = record(backbone_version="a" * 64), record(backbone_version="b" * 64)
    assert differences(old, new) == [
        "backbone klue-bert has other weights (bbbbbbbb, the run began with aaaaaaaa)"
    ]


def test_differences_are_named() -> None:
    other = record(backbone="kcbert", settings=TrainingSettings(lr=1e-4))
    assert differences(record(), record()) == []
    assert differences(record(), other) == [
        "backbone is kcbert, the run has klue-bert",
        "lr is 0.0001, the run has 3e-05",
    ]
    moved = record(data=(DataFile(name="train.json", sha256="b" * 64, questions=3),))
    assert differences(record(), moved) == ["the data differ; the run has train.json (aaaaaaaa)"]
