"""The span store: what is written is read, and nothing damaged is taken for whole."""

from __future__ import annotations

import json
import resource
import struct
import tempfile
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.errors import SpanFileError, WriteError
from kit.spans.span_scores import SpanScores, aligned, arrays_of, joined
from kit.spans.store import SpanFile, read_provenance, read_spans, write_spans
from tests.examples import examples
from tests.spans import made


def equal(one: SpanScores, other: SpanScores) -> bool:
    arrays = ("windows", "tokens", "char_begin", "char_end", "start", "end", "null")
    same = all(np.array_equal(getattr(one, name), getattr(other, name)) for name in arrays)
    return same and one.guids == other.guids and one.provenance == other.provenance


@pytest.fixture
def small() -> SpanScores:
    questions = [[(0.5, [(0, 2, 1.0, -1.0), (2, 3, 0.25, 2.0)]), (1.0, [(5, 9, 3.0, 4.0)])], [(0.0, [])]]
    scores = made.scores(questions, ["가-1", "나 2"])
    assert isinstance(scores, SpanScores)
    return scores


@examples(40)
@given(
    guids=st.lists(st.text(st.characters(exclude_categories=["Cs"])), unique=True, max_size=5), data=st.data()
)
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, guids: list[str], data: st.DataObject) -> None:
    logits = st.floats(-100, 100, width=32)

    def window() -> tuple[float, list[tuple[int, int, float, float]]]:
        tokens = [
            (i, i + 1, data.draw(logits), data.draw(logits)) for i in range(data.draw(st.integers(0, 3)))
        ]
        return data.draw(logits), tokens

    questions = [[window()] for _ in guids]
    scores = made.scores(questions, guids or None)
    path = tmp_path_factory.mktemp("spans") / "a.safetensors"
    write_spans(path, made.PROVENANCE, [scores])
    assert equal(read_spans(path), scores)
    assert read_provenance(path) == made.PROVENANCE


def test_the_same_scores_give_the_same_bytes(tmp_path: Path, small: SpanScores) -> None:
    for name in ("a", "b"):
        write_spans(tmp_path / name, made.PROVENANCE, [small])
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_a_missing_file_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(SpanFileError, match="no such span file; make it with kit predict"):
        read_spans(tmp_path / "none.safetensors")


def test_every_truncation_and_every_flipped_byte_is_noticed(tmp_path: Path, small: SpanScores) -> None:
    path = tmp_path / "a.safetensors"
    write_spans(path, made.PROVENANCE, [small])
    whole = path.read_bytes()
    for size in range(0, len(whole), 7):
        path.write_bytes(whole[:size])
        with pytest.raises(SpanFileError):
            read_spans(path)
    for at in range(0, len(whole), 5):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x41]) + whole[at + 1 :])
        try:
            got = read_spans(path)
        except SpanFileError:
            continue
        # the only bytes without a check are the provenance's own texts
        for name in ("start", "end", "null", "char_begin"):
            assert np.array_equal(getattr(got, name), getattr(small, name))


def test_a_header_that_lies_about_its_size(tmp_path: Path, small: SpanScores) -> None:
    path = tmp_path / "a.safetensors"
    write_spans(path, made.PROVENANCE, [small])
    path.write_bytes(struct.pack("<Q", 1 << 60) + path.read_bytes()[8:])
    with pytest.raises(SpanFileError, match="damaged"):
        read_spans(path)


def test_another_safetensors_file_is_not_ours(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"weight": np.zeros(3, np.float32)}, tmp_path / "model.safetensors")
    with pytest.raises(SpanFileError, match="is not a span file of this kit"):
        read_spans(tmp_path / "model.safetensors")
    assert read_provenance(tmp_path / "model.safetensors") is None


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"start": np.array([np.nan, 0, 0], np.float32)}, "not a number within ±1,000,000"),
        ({"null": np.array([0, 0, np.inf], np.float32)}, "not a number within ±1,000,000"),
        ({"end": np.array([0, -3e38, 0], np.float32)}, "not a number within ±1,000,000"),
        ({"char_end": np.array([2, 2, 9], np.int32)}, "empty or negative character range"),
        (
            {"char_begin": np.array([2, 1, 5], np.int32), "char_end": np.array([4, 3, 9], np.int32)},
            "order of the text",
        ),
        ({"tokens": np.array([0, 3, 2, 3], np.int64)}, "offsets tokens"),
        ({"windows": np.array([0, 2, 2], np.int64)}, "offsets windows do not end"),
        ({"null": np.zeros(2, np.float32)}, "offsets"),
        ({"end": np.zeros(5, np.float32)}, "do not all hold 3 tokens"),
        ({"guids": ("a", "a")}, "not distinct"),
    ],
)
def test_scores_that_break_the_layout_are_never_written(
    tmp_path: Path, small: SpanScores, change: dict[str, object], part: str
) -> None:
    with pytest.raises(SpanFileError, match=part):
        write_spans(tmp_path / "a.safetensors", made.PROVENANCE, [replace(small, **change)])  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_earlier_file(tmp_path: Path, small: SpanScores) -> None:
    path = tmp_path / "a.safetensors"
    write_spans(path, made.PROVENANCE, [small])
    before = path.read_bytes()
    long = made.scores([[(0.0, [(i, i + 1, 0.0, 0.0) for i in range(50_000)])]])
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(WriteError, match="cannot be written"):
            write_spans(path, made.PROVENANCE, [long])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.safetensors"]


def test_members_are_put_into_the_datas_order(small: SpanScores) -> None:
    turned = aligned(small, ("나 2", "가-1"), "a")
    assert turned.guids == ("나 2", "가-1")
    assert turned.char_begin.tolist() == small.char_begin.tolist()
    assert turned.windows.tolist() == [0, 1, 3]
    assert turned.null.tolist() == [0.0, 0.5, 1.0]


def test_a_member_that_misses_a_question_is_named_with_it(small: SpanScores) -> None:
    with pytest.raises(SpanFileError, match="kcbert: has no scores for question 다 and 1 more"):
        aligned(small, ("가-1", "다", "라"), "kcbert")


def test_metadata_are_plain_json(tmp_path: Path, small: SpanScores) -> None:
    path = tmp_path / "a.safetensors"
    write_spans(path, made.PROVENANCE, [small])
    raw = path.read_bytes()
    header = json.loads(raw[8 : 8 + struct.unpack("<Q", raw[:8])[0]])
    about = {key: json.loads(value) for key, value in header["__metadata__"].items()}
    assert about["guids"] == ["가-1", "나 2"]
    assert (about["run"], about["fold"], about["data_sha256"]) == ("run", "full", "a" * 64)
    assert about["kit_version"] == "0.1.0"


def test_pieces_make_the_file_of_the_whole(tmp_path: Path, small: SpanScores) -> None:
    parts = [small.select(np.array([0])), small.select(np.array([1]))]
    write_spans(tmp_path / "pieces", made.PROVENANCE, iter(parts))
    write_spans(tmp_path / "whole", made.PROVENANCE, [small])
    assert (tmp_path / "pieces").read_bytes() == (tmp_path / "whole").read_bytes()
    assert equal(joined(parts, made.PROVENANCE), small)
    write_spans(tmp_path / "nothing", made.PROVENANCE, [])
    assert len(read_spans(tmp_path / "nothing")) == 0


def test_pieces_are_not_held_while_others_come(tmp_path: Path, small: SpanScores) -> None:
    alive: list[weakref.ref[object]] = []

    def pieces() -> Iterator[SpanScores]:
        for number in range(4):
            assert sum(reference() is not None for reference in alive) <= 1
            piece = replace(small.select(np.array([0])), guids=(f"q{number}",))
            alive.append(weakref.ref(piece.start))
            yield piece
            del piece

    write_spans(tmp_path / "a.safetensors", made.PROVENANCE, pieces())
    assert len(read_spans(tmp_path / "a.safetensors")) == 4


def test_a_failure_between_pieces_leaves_nothing(tmp_path: Path, small: SpanScores) -> None:
    def pieces() -> Iterator[SpanScores]:
        yield small
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_spans(tmp_path / "a.safetensors", made.PROVENANCE, pieces())
    assert list(tmp_path.iterdir()) == []


@examples(60)
@given(st.one_of(made.joint_scores(), made.questions.map(made.scores)), st.data())
def test_parts_of_a_file_are_parts_of_the_whole(scores: SpanScores, choose: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.safetensors"
        write_spans(path, scores.provenance, [scores])
        file = SpanFile(path)
        assert file.guids == scores.guids
        first = choose.draw(st.integers(0, len(scores)))
        last = choose.draw(st.integers(first, len(scores)))
        part, same = file.part(first, last), scores.select(np.arange(first, last))
        assert part.guids == same.guids
        found, expected = arrays_of(part), arrays_of(same)
        assert list(found) == list(expected)
        assert all(np.array_equal(found[name], expected[name]) for name in found)


def test_a_damaged_file_is_not_opened_in_parts(tmp_path: Path, small: SpanScores) -> None:
    path = tmp_path / "a.safetensors"
    write_spans(path, made.PROVENANCE, [small])
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(SpanFileError, match=r"damaged \(its checksum does not match\); do this"):
        SpanFile(path, "do this")
    path.write_bytes(whole[:-9])
    with pytest.raises(SpanFileError, match="span file is damaged"):
        SpanFile(path)
    with pytest.raises(SpanFileError, match="no such span file"):
        SpanFile(tmp_path / "b.safetensors")
