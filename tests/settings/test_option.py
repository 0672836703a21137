"""Options are declared once: what is made from a field."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Literal

import pytest
from pydantic import ValidationError

from kit.settings.job import TrainKeywords
from kit.settings.option import (
    GROUPS,
    argument_words,
    choices_of,
    flag_of,
    keywords_of,
    option,
    options_of,
    type_of,
)
from kit.settings.runs import DataFile, RunRecord, differences
from kit.settings.sweep_options import SweepOptions
from kit.settings.training import EXECUTION_ONLY, TrainingSettings
from kit.settings.validation import Settings


class Sample(Settings):
    plain: bool = False
    size: int | None = option(None, ge=2, group="Batches", unset="none", help="How many", execution=True)
    kind: Literal["a", "b"] = option("a", group="Run", help="Which", fixed="it is not", kernel=False)
    rate: float = option(0.5, gt=0, lt=1, group="Optimizer", help="How fast", everyday=True)


def test_a_field_has_all_that_is_known_of_an_option() -> None:
    known = options_of(Sample)
    assert list(known) == ["rate", "size", "kind"]  # by their groups; a field without a declaration is none
    assert (known["size"].help, known["size"].unset, known["size"].everyday) == ("How many", "none", False)
    assert known["size"].not_searched == "it does not change what is trained; fix it with --set"
    assert (known["kind"].not_searched, known["kind"].kernel) == ("it is not", False)
    assert (known["rate"].not_searched, known["rate"].everyday, known["rate"].kernel) == ("", True, True)
    fields = Sample.model_fields
    assert [type_of(fields[name]) for name in fields] == [
        (bool, False), (int, True), (("a", "b"), False), (float, False),
    ]  # fmt: skip
    assert choices_of(fields["kind"]) == ("a", "b")
    assert choices_of(fields["size"]) == ()


@pytest.mark.parametrize("wrong", [{"size": 1}, {"rate": 1.0}, {"kind": "c"}, {"size": 2.5}])
def test_its_bounds_hold(wrong: dict[str, object]) -> None:
    assert Sample(size=2, rate=0.1, kind="b").size == 2
    with pytest.raises(ValidationError):
        Sample.model_validate(wrong)


@pytest.mark.parametrize("model", [TrainKeywords, SweepOptions])
def test_every_option_has_a_help_and_a_group(model: type[Settings]) -> None:
    known = options_of(model)
    assert model.model_fields.keys() - known.keys() == {"quiet"}  # a keyword only
    for name, declared in known.items():
        assert declared.group in GROUPS, name
        assert declared.help[0].isupper() or declared.help.startswith(("FGM", "R-Drop")), name
        assert not declared.help.endswith("."), name
        assert model.model_fields[name].description == declared.help
    assert {declared.group for declared in options_of(TrainKeywords).values()} == set(GROUPS)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"batch_size": 16, "lr": 3e-5}, ["--batch-size", "16", "--lr", "3e-05"]),
        ({"compile": True, "resume": False, "folds": None}, ["--compile"]),
        ({"data": [Path("a b.json"), Path("c.json")]}, ["--data", "a b.json", "--data", "c.json"]),
        ({"share": {"x.json": 0.1 + 0.2}}, ["--share", "x.json=0.30000000000000004"]),
        ({"report_to": (), "share": {}}, []),
        ({"judge": "가.json"}, ["--judge", "가.json"]),
    ],
)
def test_values_as_words_of_a_command(values: dict[str, object], words: list[str]) -> None:
    assert argument_words(values) == words


def test_a_flag_is_the_name_or_what_was_declared() -> None:
    assert flag_of("micro_batch_size") == "--micro-batch-size"
    declared = options_of(SweepOptions)
    assert [flag_of(name, declared[name]) for name in ("ranges", "fixed", "trials")] == [
        "--range", "--set", "--trials",
    ]  # fmt: skip


def test_the_fields_are_the_keywords_of_a_function() -> None:
    @keywords_of(Sample)
    def function(first: str, **options: object) -> None:
        pass

    parameters = inspect.signature(function).parameters
    assert list(parameters) == ["first", *Sample.model_fields]
    assert parameters["rate"].default == 0.5
    assert parameters["rate"].kind == inspect.Parameter.KEYWORD_ONLY


def test_only_how_a_training_runs_may_change_on_resume() -> None:
    assert sorted(EXECUTION_ONLY) == [
        "allow_unknown", "compile", "gradient_checkpointing", "micro_batch_size", "save_minutes",
        "token_budget",
    ]  # fmt: skip
    data = (DataFile(name="train.json", sha256="a" * 64, questions=3),)
    old = RunRecord(backbone="klue-bert", settings=TrainingSettings(), data=data)
    candidates: list[object] = [0.5, 7, 28, True, "cosine", "joint", "fp32", "first"]
    for name in TrainingSettings.model_fields:
        for value in candidates:
            try:
                changed = TrainingSettings.model_validate(
                    {"batch_size": 28, "micro_batch_size": 7, name: value}
                )
            except ValidationError:
                continue
            other = old.model_copy(
                update={"settings": old.settings.model_copy(update={name: getattr(changed, name)})}
            )
            if getattr(old.settings, name) != getattr(changed, name):
                found = differences(old, other)
                assert (found == []) == (name in EXECUTION_ONLY), (name, found)
                break
        else:
            pytest.fail(f"no value tried for {name}")
