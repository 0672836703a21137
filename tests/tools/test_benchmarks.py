"""The benchmarks run, write what they should, and the kit keeps its lead over the usual way."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import Levenshtein
import numpy as np
import pytest

import kit
from kit.data import demo_corpus
from kit.modeling.tiny import Shape, make_backbone
from tests.commands import PROJECT, run_program
from tools.benchmarks import everyday, first_step, gpu, growth, results, steps, training, tuning
from tools.benchmarks.baselines import usual_distance
from tools.benchmarks.gpu import Scale, Way, Ways
from tools.benchmarks.growth import Growth
from tools.benchmarks.measurement import Memory, child
from tools.benchmarks.synthetic import SHORT, write

TINY = Scale(16, 1, 1, 16, 100, 64, batch=8, micro=4, windows=64)


def here(module: str, *words: object, timeout: float | None = None, **environment: str) -> dict[str, Any]:
    """What a child would answer, without the seconds that its start takes."""
    try:
        if module == growth.run.__module__:
            stage, folder, size = words
            return growth.run(str(stage), Path(str(folder)), int(str(size)))
        return gpu.as_child(*map(str, words))
    except ImportError as error:
        raise RuntimeError(f"ImportError: {error}") from error


def forked(module: str, *words: object, timeout: float | None = None, **environment: str) -> dict[str, Any]:
    """What a child would answer, without its imports."""
    done = run_program(module, *words, cwd=PROJECT, **environment)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def ratio(cell: str) -> float:
    return float(cell.split(" ")[0].replace(",", ""))


# ---- results


def test_a_part_rewrites_its_own_section_alone(tmp_path: Path) -> None:
    path = tmp_path / "RESULTS.md"
    results.write_section("one", "first\n", path)
    results.write_section("two", "a | table \\1", path)
    results.write_section("one", "second", path)
    assert path.read_text(encoding="utf-8") == (
        "# Benchmarks\n\n<!-- one -->\nsecond\n<!-- /one -->\n\n<!-- two -->\na | table \\1\n<!-- /two -->\n"
    )


def test_the_table_of_results_has_every_section() -> None:
    text = results.RESULTS.read_text(encoding="utf-8")
    for name in ("everyday", "training", "cpu", "gpu", "growth", "first step"):
        assert text.count(f"<!-- {name} -->") == text.count(f"<!-- /{name} -->") == 1


# ---- data and measures


def test_generated_questions_are_sound_and_all_different(tmp_path: Path) -> None:
    data = kit.load(write(tmp_path / "train.json", 300, SHORT))
    test = kit.load(write(tmp_path / "test.json", 40, SHORT, seed=1, answers=False))
    assert len(data) == 300
    assert len({question.context for question in data}) == 260
    assert not test.has_answers
    assert not kit.leaks(data, test).leaking
    assert write(tmp_path / "again.json", 300, SHORT).read_bytes() == data.path.read_bytes()


def test_memory_is_counted_from_a_beginning() -> None:
    held = np.ones(30_000_000)
    del held
    memory = Memory()
    more = np.ones(10_000_000)
    assert 0.7 * more.nbytes < memory.above() < 3 * more.nbytes


def test_the_plain_distance_is_the_distance() -> None:
    predictions, golds = everyday.answers_and_golds(200)
    for one, other in zip(predictions, golds, strict=True):
        assert usual_distance(one, other) == Levenshtein.distance(one, other)
    assert usual_distance("", "가나") == 2


def test_flops_are_those_of_the_formula() -> None:
    model = steps.encoder(TINY, "sdpa")
    weights = sum(p.numel() for p in model.bert.encoder.parameters())
    weights += sum(p.numel() for p in model.qa_outputs.parameters())
    lengths = np.array([10, 20])
    assert steps.model_flops(model, TINY, lengths) == 6 * weights * 30 + 12 * 16 * (100 + 400)
    assert steps.lengths_of(gpu.BERT_BASE).mean() == pytest.approx(0.45 * 512, rel=0.03)
    assert steps.matrix_peak("cpu", "fp32", runs=1) > 1e8


def test_the_exponent_is_the_slope() -> None:
    sizes = (1000, 4000, 16000)
    assert Growth("a", sizes, [0.5, 2.0, 8.0], [0, 0, 0]).exponent == pytest.approx(1)
    assert Growth("a", sizes, [1, 16, 256], [0, 0, 0]).exponent == pytest.approx(2)


# ---- the device's table


@pytest.mark.slow
def test_the_script_for_the_gpu_runs_on_a_cpu() -> None:
    ways = Ways(
        (
            Way("padded", "padded", "fp32"),
            Way("length groups", "grouped", "fp32", "eager", fused=True),
            Way("token budget", "budget", "bf16"),
            Way("flash", "budget", "fp32", "flash_attention_2"),
        ),
        (Way("padded", "padded", "fp32"), Way("the kit", "budget", "fp32")),
        "padded",
    )
    peak, trained, read = gpu.measure(ways, TINY, minutes=4, seconds=0.3, device="cpu", turns=1, ask=here)
    assert [one.name for one in trained if one.failure] == ["flash"]
    assert "FlashAttention" in trained[-1].failure
    for one in [*trained[:3], *read]:
        assert one.rate > 0
        assert 0 < one.share < 1
    text = gpu.text_of("Title", "About.", "padded", peak, trained, read)
    assert "| padded | " in text
    assert "| flash | not measured: ImportError" in text
    assert "Fastest: " in text


def test_all_ways_are_distinct_and_their_peers_are_among_them() -> None:
    for ways in (gpu.on_gpu("bf16"), gpu.on_gpu("fp16"), gpu.ON_CPU):
        for own in (ways.trained, ways.read):
            assert ways.peer in {way.name for way in own}
            assert len({replace(way, name="") for way in own}) == len(own) == len({way.name for way in own})
    assert len(gpu.on_gpu("bf16").trained) == 11


def test_what_fails_or_finds_no_time_is_said_in_the_table() -> None:
    def late(module: str, kind: str, *words: object, **_: object) -> dict[str, Any]:
        if kind != "peak":
            raise subprocess.TimeoutExpired(module, 0.0)
        return {"flops": 1.0}

    _, trained, _ = gpu.measure(
        Ways((Way("a", "padded", "fp32"),), (), "a"), TINY, 1.0, 1.0, device="cpu", ask=late
    )
    assert trained == [gpu.Measured("a", failure="no time left")]


def test_no_way_is_started_when_the_time_is_over() -> None:
    asked: list[str] = []

    def answer(module: str, kind: str, *words: object, **_: object) -> dict[str, Any]:
        asked.append(kind)
        return {"flops": 1.0}

    gpu.measure(Ways((Way("a", "padded", "fp32"),), (), "a"), TINY, 0.0, 1.0, device="cpu", ask=answer)
    assert asked == ["peak"]


def test_a_child_answers_or_fails_with_its_last_words(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text('{"flops": 2}', encoding="utf-8")
    assert child("json.tool", "--compact", tmp_path / "one.json") == {"flops": 2}
    with pytest.raises(RuntimeError, match=r"No module named tools\.benchmarks\.nothing"):
        child("tools.benchmarks.nothing")


# ---- growth, and what comes before the first step


@pytest.mark.slow
def test_work_grows_with_the_data_and_memory_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(growth, "SECONDS", 0.5)
    found = growth.measure((500, 2000), ask=here)
    for one in found:
        # four times the questions: at most eight times the time, whatever else the machine does
        assert one.seconds[1] < 8 * one.seconds[0], one
        assert one.bytes[1] < 2 * one.bytes[0] + 40e6, one
    assert "| inference | " in growth.text_of(found)
    growth.draw(found, tmp_path / "growth.svg")
    assert "<svg" in (tmp_path / "growth.svg").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_second_training_on_the_same_data_finds_its_tokens() -> None:
    rows, kept = first_step.measure(1200, ask=forked)
    assert [row[0] for row in rows] == [*first_step.STAGES, first_step.REST, first_step.TOTAL]
    first, second = ({row[0]: ratio(row[column]) for row in rows} for column in (1, 2))
    assert second["tokens"] <= first["tokens"]
    assert kept > 500_000


# ---- the lead over the usual way: ratios, with room for a busy machine


@pytest.mark.slow
def test_an_epoch_beside_a_plain_trainer(tmp_path: Path) -> None:
    files = demo_corpus.write(tmp_path / "corpus", train_contexts=20, test_contexts=1)
    texts = [question.context for question in kit.load(files.train)]
    make_backbone(tmp_path / "encoder", texts, "wordpiece", Shape(800, 128, 2, 2, 256, 384), seed=1)
    given = str(tmp_path / "encoder"), str(files.train)
    (row, _) = training.compare(*given, 384, 128, 40, "fp32", runs=1, ask=forked)
    assert ratio(row[3]) > 1.1
    assert row[3].endswith("× possible")


@pytest.mark.slow
def test_the_kit_keeps_its_lead(tmp_path: Path) -> None:
    (windows, *_) = everyday.windows_and_labels(tmp_path, 600)
    assert ratio(windows[3]) > 2
    assert ratio(everyday.decoding(300)[0][3]) > 3
    (loop, python) = everyday.scoring(20_000, 200)
    assert ratio(loop[3]) > 0.3
    assert ratio(python[3]) > 20
    written = everyday.store(tmp_path, 300)
    assert ratio(written[0][3]) > 0.8  # bytes: hardly more than the arrays themselves
    assert ratio(written[4][3]) > 1  # written faster than it could be compressed


def test_many_weights_are_tried_faster_than_by_decoding(tmp_path: Path) -> None:
    questions = tuning.questions_of(tmp_path, 150)
    assert ratio(tuning.weights(questions, 3)[3]) > 3


def test_a_tuning_is_measured(tmp_path: Path) -> None:
    found = tuning.fit(tuning.questions_of(tmp_path, 40), 2)
    assert 0 < found["cpu"] < 120
    assert found["peak"] > 0
