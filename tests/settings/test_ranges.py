"""Ranges: from text to values, and what is refused before anything is trained."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import kit
from kit.errors import ConfigError
from kit.settings.ranges import Between, OneOf, Range, read_range
from kit.settings.searching import Search, named, parse_search
from kit.settings.training import SETTINGS, TrainingSettings, training_settings


def parse(ranges: list[str], fixed: list[str] | None = None) -> Search:
    return parse_search(named(ranges, "--range"), named(fixed or [], "--set"), training_settings)


@pytest.mark.parametrize(
    ("word", "expected", "described"),
    [
        (
            "lr=1e-5:1e-4:log",
            Between("lr", 1e-5, 1e-4, True, False),
            "lr 1e-05 to 0.0001, logarithmic",
        ),
        ("epochs=2:4", Between("epochs", 2, 4, False, True), "epochs 2 to 4, whole numbers"),
        ("epochs=2.0:4", Between("epochs", 2.0, 4, False, False), "epochs 2 to 4"),
        ("max-length=256:512", Between("max_length", 256, 512, False, True), None),
        ("batch_size=8:64:log", Between("batch_size", 8, 64, True, True), None),
        ("batch_size=16, 32", OneOf("batch_size", (16, 32)), "batch_size 16 or 32"),
        ("epochs=2,3", OneOf("epochs", (2.0, 3.0)), "epochs 2.0 or 3.0"),
        ("schedule=linear,cosine", OneOf("schedule", ("linear", "cosine")), "schedule linear or cosine"),
        (
            "attention_dropout=none,0,0.1",
            OneOf("attention_dropout", (None, 0.0, 0.1)),
            "attention_dropout none, 0.0 or 0.1",
        ),
    ],
)
def test_what_is_written_is_what_is_searched(word: str, expected: Range, described: str | None) -> None:
    (found,) = parse([word]).ranges
    assert found == expected
    assert described is None or found.described() == described
    assert read_range(found.name, str(found).partition("=")[2]) == found


@pytest.mark.parametrize(
    ("ranges", "fixed", "said"),
    [
        ([], [], "nothing varies; give a range, as in --range lr=1e-5:1e-4:log"),
        (["lrr=1:2"], [], "--range lrr=1:2: is no training setting; did you mean lr?"),
        (["learning_rate=1:2"], [], "is no training setting; did you mean lr?"),
        (["lr=1e-4:1e-5"], [], "0.0001 is above 1e-05; the lower end comes first"),
        (["lr=1e-4:1e-4"], [], "is one value, not a range; use --set lr=1e-4"),
        (["lr=1e-4"], [], "is one value, not a range; use --set lr=0.0001"),
        (["lr=a:b"], [], "'a' is no number"),
        (["lr=nan:1"], [], "'nan' is no number"),
        (["lr=0:1e-4:log"], [], "a logarithmic range begins above 0, not at 0"),
        (["lr=1e-5:1e-4:lin"], [], "'lin' is not a scale; write low:high, or low:high:log"),
        (["lr=1e-5:2.0"], [], "lr=2.0: --lr is 2.0; input should be less than 1"),
        (["batch_size=8.5:16"], [], "batch_size is a whole number; give whole ends"),
        (["batch_size=8,8.5"], [], "'8.5' is no whole number"),
        (["batch_size=8,8"], [], "8 is given twice; keep one"),
        (
            ["batch_size=16:20"],
            ["micro_batch_size=8"],
            "batch_size=17: --micro-batch-size 8 does not divide batch_size 17; choose one of 1, 17 (and 3 ",
        ),
        (
            ["batch_size=16,32"],
            ["micro_batch_size=12"],
            "--micro-batch-size 12 does not divide batch_size 16",
        ),
        (["schedule=linear:cosine"], [], "takes choices, as in schedule=linear,cosine"),
        (["schedule=linear,flat"], [], 'schedule=flat: --schedule is "flat"; input should be'),
        (["lr=1e-5:1e-4", "lr=1e-4:1e-3"], [], "is given twice; keep one range, or one --set"),
        (["lr=1e-5:1e-4"], ["lr=1e-4"], "is given twice; keep one range, or one --set"),
        (["lr=1e-5:1e-4"], ["seed=1", "seed=2"], "--set seed=2: is given twice; keep one"),
        (["lr=1e-5:1e-4"], ["folds=5"], "--set folds=5: a trial is one model"),
        (["lr=1e-5:1e-4"], ["max_length=x"], "--set max_length=x: 'x' is no number"),
        (
            ["lr=1e-5:1e-4"],
            ["max_length=4"],
            "--max-length is 4; input should be greater than or equal to 16",
        ),
        (["lr=1e-5:1e-4"], ["compile=yes"], "'yes' is neither true nor false"),
        (["lr"], [], "--range lr: is not NAME=VALUE, as in --range lr=1e-5:1e-4:log or batch_size=16,32"),
        (["=3"], [], "--range =3: is not NAME=VALUE"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_trained(
    ranges: list[str], fixed: list[str], said: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        parse(ranges, fixed)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_all_mistakes_come_out_at_once() -> None:
    with pytest.raises(ConfigError) as refused:
        parse(["lr=2.0:1.0", "warmup=0.1:1.5", "nonsense=1:2"], ["stride=-1", "targets=none"])
    for said in ("2 is above 1", "warmup=1.5", "nonsense", "--stride is -1", '--targets is "none"'):
        assert said in str(refused.value)


FIXED = sorted(name for name, known in SETTINGS.items() if known.not_searched)


def test_which_settings_are_not_searched() -> None:
    assert " ".join(FIXED) == (
        "allow_unknown compile early_stopping evaluations folds gradient_checkpointing limit "
        "micro_batch_size precision save_minutes seed split_seed token_budget"
    )


@pytest.mark.parametrize("name", FIXED)
def test_settings_that_make_no_sense_to_search(name: str) -> None:
    with pytest.raises(ConfigError, match=f"--range {name}=1,2: is not searched: "):
        parse([f"{name}=1,2"])


@pytest.mark.parametrize("name", sorted(TrainingSettings.model_fields.keys() - set(FIXED)))
def test_every_other_setting_can_be_searched_also_those_that_come_later(name: str) -> None:
    """By its own type and rules: two values that the settings accept make a range."""
    candidates: list[list[Any]] = [
        ["linear", "cosine"], ["all", "first"], ["independent", "joint"], [True, False], [32, 64], [0.1, 0.2],
    ]  # fmt: skip
    for choices in candidates:
        try:
            search = parse_search([(name, choices)], [], training_settings)
        except ConfigError:
            continue
        settings = search.settings({name: choices[1]}, training_settings)
        assert getattr(settings, name) == choices[1]
        return
    assert TrainingSettings.model_fields[name].annotation is not None
    pytest.skip(f"{name} takes none of these values")


def test_a_preset_gives_what_is_not_said() -> None:
    search = parse(["lr=1e-5:1e-4:log", "batch_size=16,32"], ["max_length=384"])

    def settle(**given: Any) -> TrainingSettings:
        return kit.settings_for("klue-bert", **given)

    settings = search.settings({"lr": 3.14159e-5, "batch_size": 32}, settle)
    assert (settings.lr, settings.batch_size, settings.max_length) == (3.14e-5, 32, 384)
    assert settings.epochs == kit.settings_for("klue-bert").epochs


def test_combinations_are_counted_where_they_can_be() -> None:
    search = parse(["epochs=1:3", "schedule=linear,cosine"])
    assert search.combinations() == [(e, s) for e in (1, 2, 3) for s in ("linear", "cosine")]
    assert parse(["epochs=1:3", "lr=1e-5:1e-4"]).combinations() is None
    assert parse(["max_length=16:500", "stride=0:100"]).combinations() is None


numbers = st.floats(1e-9, 1e6) | st.integers(0, 10**6)


@given(low=numbers, high=numbers, log=st.booleans(), share=st.floats(0, 1))
def test_a_drawn_value_stays_in_its_range_and_reads_back(
    low: float, high: float, log: bool, share: float
) -> None:
    assume(low < high and not (log and low <= 0))
    whole = isinstance(low, int) and isinstance(high, int)
    one = Between("weight_decay", low, high, log, whole)
    assert read_range("weight_decay", str(one).partition("=")[2]) == one
    drawn = low + share * (high - low)
    settled = one.settled(round(drawn) if whole else drawn)
    assert low <= settled <= high
    assert math.isclose(settled, drawn, rel_tol=5.1e-3, abs_tol=0.5 if whole else 0)
    assert one.settled(settled) == settled
