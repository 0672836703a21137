"""Laws of files: whatever the texts, what is written is read again, and what is read is the file's.

=====================================  =======================================================================
transformation                         law
=====================================  =======================================================================
question file → Dataset                contexts and questions as in the file; gold = its slice; all layouts
--repair                               the copy loads, and answers of sound rows are the same
suspicious (characters)                the slow count
write_spans / read_spans               the same scores and provenance
SpanScores.select                      the questions chosen, in that order; twice is once
write_recipe / load_recipe             the same recipe
write_run, write_plan / read_…         the same record
write_card / read_card                 the same card
Ledger                                 entries as written, in their order, whatever is torn
visible, EscapedStream (terminal)      idempotent; nothing is left that a terminal obeys; plain text untouched
print_json                             parses to the same; nothing that a terminal obeys
=====================================  =======================================================================
"""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kit.cli.tables import print_json
from kit.data.characters import FAULTY, character_name, suspicious
from kit.data.readers import load
from kit.data.repair import repair
from kit.decoding.recipes import load_recipe, write_recipe
from kit.errors import DataError
from kit.metrics.bootstrap import Interval
from kit.settings.folds import FileFolds, FoldPlan, read_plan, write_plan
from kit.settings.recipe import Member as RecipeMember
from kit.settings.recipe import Recipe
from kit.settings.runs import DataFile, FoldRecord, RunRecord, read_run, write_run
from kit.settings.training import TrainingSettings
from kit.spans.span_scores import Provenance
from kit.spans.store import read_spans, write_spans
from kit.submission.card import Card, CardData, Estimate, Member, read_card, write_card
from kit.submission.ledger import Ledger
from kit.terminal import EscapedStream, visible
from tests.examples import examples
from tests.hostile.texts import names, texts
from tests.screens import obeyed
from tests.spans import made

SEVERAL = examples(40)
SHA = "0123456789abcdef" * 4


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("laws")


@st.composite
def questions(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Flat rows whose answers are where they say."""
    rows = []
    for guid in draw(st.lists(names(), min_size=1, max_size=4, unique=True)):
        context = draw(texts(1, 10).filter(bool))
        begin = draw(st.integers(0, len(context) - 1))
        end = draw(st.integers(begin + 1, len(context)))
        answers = [{"text": context[begin:end], "answer_start": begin}]
        rows.append({"guid": guid, "context": context, "question": draw(names()), "answers": answers})
    return rows


def nested(rows: list[dict[str, Any]]) -> dict[str, Any]:
    documents = [
        {"title": "t", "paragraphs": [{"context": row["context"], "qas": [
            {name: row[name] for name in ("guid", "question", "answers")}]}]}
        for row in rows
    ]  # fmt: skip
    return {"version": "v", "data": documents}


@SEVERAL
@given(rows=questions(), ascii_only=st.booleans(), layout=st.sampled_from(["flat", "lines", "nested"]))
def test_question_files(folder: Path, rows: list[dict[str, Any]], ascii_only: bool, layout: str) -> None:
    path = folder / "q.json"
    if layout == "lines":
        text = "\n".join(json.dumps(row, ensure_ascii=ascii_only) for row in rows)
    else:
        text = json.dumps(rows if layout == "flat" else nested(rows), ensure_ascii=ascii_only)
    path.write_bytes(text.encode())
    dataset = load(path)
    assert [question.guid for question in dataset] == [row["guid"] for row in rows]
    assert [question.context for question in dataset] == [row["context"] for row in rows]
    assert [question.text for question in dataset] == [row["question"] for row in rows]
    for question, row in zip(dataset, rows, strict=True):
        assert question.golds == (row["answers"][0]["text"],)
        (answer,) = question.answers or ()
        assert question.context[answer.start : answer.end] == answer.text


@SEVERAL
@given(rows=questions())
def test_a_repaired_copy_is_the_same_questions(folder: Path, rows: list[dict[str, Any]]) -> None:
    path, out = folder / "q.json", folder / "mended.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    out.unlink(missing_ok=True)
    before = load(path)
    sound = [
        row
        for row in rows
        if all(row[name].strip() and not FAULTY & set(row[name]) for name in ("context", "question"))
    ]
    if not sound:
        with pytest.raises(DataError, match="no sound question would be left"):
            repair(path, out)
        return
    repair(path, out)
    after = {question.guid: question for question in load(out)}
    for question in before:
        if question.guid in after:
            assert after[question.guid].context == question.context
            assert after[question.guid].answers == question.answers
    assert {row["guid"] for row in sound} == set(after)  # a row with a NUL or the like is left out


@SEVERAL
@given(rows=questions())
def test_characters_are_counted(folder: Path, rows: list[dict[str, Any]]) -> None:
    path = folder / "q.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    contexts = dict.fromkeys(row["context"] for row in rows)
    for count in suspicious(load(path).questions):
        if count.code.startswith("U+") and ".." not in count.code:
            character = chr(int(count.code[2:], 16))
            assert count.contexts == sum(context.count(character) for context in contexts)
            assert count.questions == sum(row["question"].count(character) for row in rows)
            assert count.answers == sum(row["answers"][0]["text"].count(character) for row in rows)
            assert count.name == character_name(character)


@SEVERAL
@given(guids=st.lists(names(), max_size=4, unique=True), run=texts(), seed=st.integers(0, 99))
def test_span_files(folder: Path, guids: list[str], run: str, seed: int) -> None:
    generator = np.random.default_rng(seed)
    windows = [
        [(0.5, [(at, at + 1, *generator.normal(size=2).tolist()) for at in range(generator.integers(4))])]
        for _ in guids
    ]
    scores = made.scores(windows, guids or None)
    provenance = Provenance(SHA, run, "full", SHA, 384, 128, "0.1.0")
    path = folder / "a.safetensors"
    write_spans(path, provenance, [scores])
    again = read_spans(path)
    assert again.guids == scores.guids
    assert again.provenance == provenance
    for name in ("windows", "tokens", "char_begin", "char_end", "start", "end", "null"):
        assert np.array_equal(getattr(again, name), getattr(scores, name))
    order = generator.permutation(len(scores))
    turned = again.select(order)
    assert turned.guids == tuple(again.guids[index] for index in order)
    back = turned.select(np.argsort(order))
    assert np.array_equal(back.start, again.start)
    assert np.array_equal(back.windows, again.windows)


paths = names().filter(lambda text: "\x00" not in text)
members = st.builds(
    RecipeMember, run=paths, fold=st.none() | st.integers(0, 9), weight=st.floats(0.001, 1e6),
    temperature=st.floats(0.001, 1000),
)  # fmt: skip
recipes = st.builds(
    Recipe, about=texts(), members=st.lists(members, min_size=1, max_size=3).map(tuple),
    blend=st.sampled_from(["mean", "product", "vote"]), decoder=st.sampled_from(["argmax", "edit"]),
    length_cap=st.integers(1, 1000), length_prior=st.floats(0, 1000), lengths=st.none() | paths,
    candidates=st.integers(1, 10_000), rules=st.just(("trim", {"blank_long": 20})),
)  # fmt: skip


@SEVERAL
@given(recipe=recipes, comment=texts())
@example(recipe=Recipe(members=(RecipeMember(run="가\x85"),)), comment="x\x85rules: []")  # a line end in YAML
def test_recipes(folder: Path, recipe: Recipe, comment: str) -> None:
    write_recipe(folder / "r.yaml", recipe, comment)
    assert load_recipe(folder / "r.yaml") == recipe


@SEVERAL
@given(name=texts(), device=texts(), lengths=st.dictionaries(st.integers(0, 99).map(str), st.integers(0, 9)))
def test_run_records(folder: Path, name: str, device: str, lengths: dict[str, int]) -> None:
    fold = FoldRecord(
        held_out=1, steps=2, seconds=3.0, windows=4, weights_sha256=SHA, metrics={"edit": 1.0}, device=device
    )
    record = RunRecord(
        backbone=name, settings=TrainingSettings(), data=(DataFile(name=name, sha256=SHA, questions=1),),
        answer_lengths=lengths, device=device, folds={"full": fold, "3": fold},
    )  # fmt: skip
    write_run(folder, record)
    assert read_run(folder) == record
    plan = FoldPlan(folds=2, split_seed=1, files=(FileFolds(name=name, sha256=SHA, fold_of=(0, 1)),))
    write_plan(folder, plan)
    assert read_plan(folder) == plan


@SEVERAL
@given(name=texts(), path=texts(), about=texts(), reason=texts(), edit=st.none() | st.floats(0, 100))
def test_cards(folder: Path, name: str, path: str, about: str, reason: str, edit: float | None) -> None:
    interval = None if edit is None else Interval(edit, edit + 1, 0.95)
    member = Member(
        label=name, run=path, fold=None, span_file=path, span_sha256=SHA, weight=1.0, temperature=1.0
    )
    card = Card(
        name=name, csv_sha256=SHA, data=CardData(path=path, sha256=SHA, questions=3),
        recipe={"about": about, "members": [{"run": path}]}, competition=name, kit_version="1",
        members=(member,), estimate=Estimate(edit=edit, interval=interval, reason=reason),
    )  # fmt: skip
    assert read_card(write_card(folder / "c.csv", card)) == card


@SEVERAL
@given(
    said=st.lists(st.tuples(texts(), st.none() | st.floats(-1e6, 1e6)), max_size=3),
    torn=st.binary(max_size=9),
)
def test_a_ledger(folder: Path, said: list[tuple[str, float | None]], torn: bytes) -> None:
    path = folder / "ledger.jsonl"
    path.unlink(missing_ok=True)
    ledger = Ledger(path)
    written = []
    for message, public in said:
        entry = ledger.intend(competition="c", csv=message, message=message)
        written.append(ledger.changed(entry, "scored", status="complete", public=public, reason=message))
        with path.open("ab") as file:
            file.write(torn.replace(b"\n", b""))  # what a machine that died had begun
    assert ledger.entries() == tuple(written)
    assert [entry.number for entry in written] == list(range(1, len(written) + 1))


@SEVERAL
@given(texts())
def test_what_a_terminal_gets(text: str) -> None:
    line = text.replace("\n", "")
    assert obeyed(visible(line)) == []
    assert visible(visible(line)) == visible(line)
    if not obeyed(line):
        assert visible(line) == line or any(not character.isprintable() for character in line)
    stream = io.StringIO()
    EscapedStream(stream).write(text)
    assert obeyed(stream.getvalue()) == []
    assert stream.getvalue().count("\n") == text.count("\n")


@SEVERAL
@given(st.dictionaries(texts(), texts(), max_size=3))
def test_json_for_other_programs(data: dict[str, str]) -> None:
    stream = io.StringIO()
    with contextlib.redirect_stdout(stream):
        print_json(data)
    assert json.loads(stream.getvalue()) == data
    assert obeyed(stream.getvalue()) == []
