"""What is fuzzed: one reader per target, with files to start from.  A target may raise only a KitError.

What was read is also used, and what was written must read back the same: an accepted file must be right.
"""

from __future__ import annotations

import json
import struct
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import lightgbm
import numpy as np
import pyarrow
from pyarrow import parquet

from kit.data.characters import suspicious
from kit.data.readers import load, read
from kit.data.repair import repair
from kit.decoding.recipes import load_recipe, write_recipe
from kit.errors import KitError
from kit.kaggle.downloads.unzip import unpack
from kit.kaggle.leaderboard import board_scores
from kit.metrics.bootstrap import Interval
from kit.ranking.boundary import BoundaryModel
from kit.ranking.boundary_file import read_boundary, write_boundary
from kit.ranking.model import Ranker, read_ranker, write_ranker
from kit.settings.folds import FileFolds, FoldPlan, read_plan, write_plan
from kit.settings.runs import DataFile, FoldRecord, RunRecord, differences, read_run, write_run
from kit.settings.training import TrainingSettings
from kit.spans.candidates import best_spans
from kit.spans.lengths import log_length_prior
from kit.spans.posteriors import span_posterior
from kit.spans.recipe_members import answer_lengths_of
from kit.spans.run_folder import Run
from kit.spans.span_scores import SpanScores, offsets_of
from kit.spans.store import read_provenance, read_spans, write_spans
from kit.submission.answer_files import read_answers
from kit.submission.card import Card, CardData, Estimate, read_card, write_card
from kit.submission.csv import parse_submission, write_submission
from kit.submission.ledger import Ledger
from kit.submission.selection import picks, tracking
from kit.terminal import visible
from kit.text_rules.rules import RULES, Rule, parse_rules
from tests.hostile.archives import zipped
from tests.hostile.texts import AWKWARD
from tests.spans.made import PROVENANCE, scores

_PLACE = Path(tempfile.mkdtemp(prefix="kit-fuzzing-"))
_GOLD = {"text": "부산", "answer_start": 3}
_ROW = {"guid": "가-1", "context": "서울 부산", "question": "어디?", "answers": [_GOLD]}
_CAP = 6


@dataclass(frozen=True, slots=True)
class Target:
    """*feed* takes any bytes; *seeds* are some that it accepts; *words*: tokens of its format, by spaces."""

    feed: Callable[[bytes], object]
    seeds: Callable[[], Iterable[bytes]]
    words: str = ""


def _file(name: str, data: bytes) -> Path:
    path = _PLACE / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


# Question files.


def _data(data: bytes) -> None:
    path = _file("questions.json", data)
    read(path)
    dataset = load(path)
    suspicious(dataset.questions)
    for question in dataset:
        for answer in question.answers or ():
            assert question.context[answer.start : answer.end] == answer.text


def _layouts() -> list[object]:
    row = {name: value for name, value in _ROW.items() if name != "context"}
    paragraph = {"context": _ROW["context"], "qas": [row]}
    span = {"question_id": 7, "question": "?", "answers": {"text": "부산", "answer_start": "3"}}
    return [
        {"version": "1", "data": [{"title": "제목", "paragraphs": [paragraph]}]},
        {"data": [{"title": 3, "paragraphs": [{"context": "가\xa0나", "qas": [{**row, "answers": None}]}]}]},
        {"data": [{"doc_id": 1, "doc_title": "t", "doc_class": {"class": "c"},
                   "paragraphs": [{"context": "서울 부산", "qas": [span]}]}]},
        {"creator": "x", "data": [{"paragraphs": [{"context": "서울 부산", "qas": [
            {"id": "a", "classtype": "w", "question": "?", "answers": [], "is_impossible": True}]}]}]},
        [_ROW, {**_ROW, "guid": "둘", "answers": {"text": ["부산"], "answer_start": [3]}}],
    ]  # fmt: skip


def _data_seeds() -> list[bytes]:
    texts = [json.dumps(layout, ensure_ascii=False).encode() for layout in _layouts()]
    lines = b"\n".join(json.dumps({**_ROW, "guid": str(number)}).encode() for number in range(3))
    return [*texts, lines, b"\xef\xbb\xbf" + texts[0], texts[0].replace(b'"', b"'"), b"[" * 1000]


def _archive_seeds() -> list[bytes]:
    texts = _data_seeds()
    whole = {"라벨/a.json": texts[0], "b.jsonl": texts[5], "readme.txt": b"x"}
    return [*map(zipped, (whole, {"../a.json": texts[0]}, {})), zipped({"a.json": texts[1]}, compress=False)]


def _table_seeds() -> list[bytes]:
    header = "id,context,question,answer_text,answer_start\n"
    rows = '가,"서울, ""부산""",어디?,부산,5\n나,"두\r\n줄",?,,\n'
    python = "id;context;question;answers\na;서울;?;\"{'text': array(['서울']), 'answer_start': [0]}\"\n"
    return [text.encode() for text in (header + rows, "sep=;\n" + python, (header + rows).replace(",", "\t"))]


def _columnar_seeds() -> list[bytes]:
    flat = {"guid": "가", "context": "서울 부산", "question": "?", "answer_text": "부산", "answer_start": 3}
    table = pyarrow.Table.from_pylist([flat, {**flat, "guid": "나"}])
    nested = pyarrow.Table.from_pylist([{**_ROW, "answers": {"text": ["부산"], "answer_start": [3]}}])
    seeds = []
    for each in (table, nested):
        out = pyarrow.BufferOutputStream()
        parquet.write_table(each, out)
        seeds.append(out.getvalue().to_pybytes())
        for opened in (pyarrow.ipc.new_file, pyarrow.ipc.new_stream):
            out = pyarrow.BufferOutputStream()
            with opened(out, each.schema) as writer:
                writer.write_table(each)
            seeds.append(out.getvalue().to_pybytes())
    return seeds


def _wrong_starts(data: bytes) -> None:
    """Texts cut from the bytes, with any wrong starts: a repaired copy loads."""
    text = data.decode("utf-8", errors="replace") or "가"
    rows = [
        {"guid": str(number), "context": text, "question": text[::-1], "answers": [
            {"text": text[number : number + 1 + code % 5], "answer_start": code - 9}]}
        for number, code in enumerate(data[:6])
    ]  # fmt: skip
    path = _file("starts.json", json.dumps(rows).encode())
    load(repair(path, _PLACE / "mended.json").out)


def _awkward_texts() -> list[bytes]:
    return [text.encode() for text in AWKWARD]


def _unpacked(data: bytes) -> None:
    archive = _file("archives/a.zip", data)
    with tempfile.TemporaryDirectory(dir=archive.parent) as folder:
        try:
            unpack(archive, Path(folder), {"train.json": 30, "a/test.json": 2})
        finally:
            assert set(archive.parent.iterdir()) == {archive, Path(folder)}


def _unpacked_seeds() -> list[bytes]:
    good = {"train.json": b"x" * 30, "a/test.json": b"{}"}
    bad = {**good, "../x": b""}, {"train.json": b""}
    return [zipped(good, compress=False), *map(zipped, (good, *bad))]


# Span files.


def _spans(data: bytes) -> None:
    path = _file("a.safetensors", data)
    read_provenance(path)
    _decode(read_spans(path))


def _spans_seeds() -> list[bytes]:
    path = _PLACE / "seed.safetensors"
    two_windows = [(0.5, [(0, 2, 1.0, 0.0), (3, 5, 2.0, 2.0)]), (1.0, [(3, 5, 0.5, 1.5)])]
    write_spans(path, PROVENANCE, [scores([two_windows, [(0.0, [])]], ["가-1", "나"])])
    content = path.read_bytes()
    header = struct.unpack("<Q", content[:8])[0]
    return [content, content[: 8 + header], content.replace(b"F32", b"F16"), content.replace(b"I64", b"BF16")]


def _layout(data: bytes) -> None:
    """Arrays from any bytes: what the store accepts can be decoded, and reads back the same."""
    counts, rest = data[:8].ljust(8, b"\0"), data[8:]
    tokens = [value % 5 for value in counts[2:]]
    windows = np.array([counts[0] % 7, 6 - counts[0] % 7])
    total = sum(tokens)
    numbers = np.frombuffer(rest.ljust(16 * total + 24, b"\0")[: 16 * total + 24], np.int32)
    given = SpanScores(
        guids=("a", "b"),
        windows=offsets_of(windows),
        tokens=offsets_of(np.array(tokens)),
        char_begin=np.abs(numbers[:total] % 40),
        char_end=np.abs(numbers[:total] % 40) + np.abs(numbers[total : 2 * total] % 9),
        start=numbers[2 * total : 3 * total].view(np.float32),
        end=numbers[3 * total : 4 * total].view(np.float32),
        null=numbers[4 * total : 4 * total + 6].view(np.float32),
        provenance=PROVENANCE,
    )
    path = _PLACE / "layout.safetensors"
    write_spans(path, PROVENANCE, [given])
    again = read_spans(path)
    assert np.array_equal(again.start, given.start)
    assert np.array_equal(again.char_end, given.char_end)
    _decode(again)


def _layout_seeds() -> list[bytes]:
    generator = np.random.default_rng(1)
    floats = generator.normal(size=60).astype(np.float32).tobytes()
    return [bytes([3, 0, 1, 2, 3, 1, 2, 0]) + np.arange(24, dtype=np.int32).tobytes() + floats]


def _decode(given: SpanScores) -> None:
    best = best_spans(given, _CAP)
    posterior = span_posterior(given, _CAP)
    mass = np.bincount(posterior.question, weights=posterior.p, minlength=len(given)) + posterior.tail.sum(1)
    assert np.isfinite(mass).all()
    there = np.isfinite(best.score)
    assert np.allclose(mass[there], 1.0)
    assert not mass[~there].any()


# Settings and records.


def _recipe(data: bytes) -> None:
    recipe = load_recipe(_file("recipe.yaml", data))
    for rule in parse_rules(recipe.rules):
        rule.spec  # noqa: B018
    path = _PLACE / "again.yaml"
    write_recipe(path, recipe, "again")
    assert load_recipe(path) == recipe


def _recipe_seeds() -> list[bytes]:
    return [
        "about: 한 줄\nmembers: [{run: a, weight: 2.5, temperature: 0.8}, {run: b, fold: 1}]\nblend: mean\n"
        "decoder: edit\nlength_prior: 0.5\nrules: [trim, {blank_long: 20}]\n".encode(),
        b"members:\n  - csv: a.csv\n  - run: 2026-11-25\nblend: vote\nlength_cap: 0x10\n",
        b"members: [{run: a}]\ndecoder: ranked\nranker: r\nlengths: t.json\ncandidates: 1_000\n",
        b"a: &a [1]\nb: *a\n", b"!!int ''\n", b"a: |\n  x\n? b\n: c\n",
        b"x: 190:20:30.15\n", b"x: '\\u0000'\n",
    ]  # fmt: skip


def _records(data: bytes) -> None:
    folder = _file("run/run.json", data).parent
    (folder / "folds.json").unlink(missing_ok=True)
    record = read_run(folder)
    assert record is not None
    run = Run(folder, record)
    for fold in run.folds:
        assert run.model_folder(fold).parent == folder
    log_length_prior(answer_lengths_of([record]), 60)
    assert differences(record, record) == []
    write_run(folder, record)
    assert repr(read_run(folder)) == repr(record)  # NaN is not itself


def _records_seeds() -> list[bytes]:
    fold = FoldRecord(
        held_out=3, steps=1, seconds=1.5, windows=4, weights_sha256="0" * 64, metrics={"edit": 1.0},
        history=({"loss": 1.0},),
    )  # fmt: skip
    data = (DataFile(name="train.json", sha256="1" * 64, questions=3),)
    settings = TrainingSettings(folds=2)
    record = RunRecord(
        backbone="b", settings=settings, data=data, answer_lengths={"2": 3}, folds={"0": fold, "1": fold}
    )
    write_run(_PLACE, record)
    return [(_PLACE / "run.json").read_bytes()]


def _plans(data: bytes) -> None:
    folder = _file("plan/folds.json", data).parent
    plan = read_plan(folder)
    assert plan is not None
    write_plan(folder, plan)
    assert read_plan(folder) == plan


def _plans_seeds() -> list[bytes]:
    files = (FileFolds(name="train.json", sha256="1" * 64, fold_of=(0, 1, 0)),)
    write_plan(_PLACE, FoldPlan(folds=2, split_seed=1, files=files))
    return [(_PLACE / "folds.json").read_bytes()]


def _card(data: bytes) -> None:
    card = read_card(_file("card.json", data))
    path = write_card(_PLACE / "again.csv", card)
    assert read_card(path) == card


def _card_seeds() -> list[bytes]:
    card = Card(
        name="이름", csv_sha256="0" * 64, data=CardData(path="a/test.json", sha256="1" * 64, questions=3),
        recipe={"members": [{"run": "a"}]}, members=(), competition="c", kit_version="1",
        estimate=Estimate(edit=2.0, interval=Interval(1.5, 2.5, 0.95)), made_at="2026-11-25T10:00:00Z",
    )  # fmt: skip
    return [write_card(_PLACE / "seed.csv", card).read_bytes()]


def _ledger(data: bytes) -> None:
    ledger = Ledger(_file("ledger.jsonl", data))
    entries = ledger.entries()
    tracking(entries)
    picks(entries, 2, lambda entry: {"a": entry.csv})
    found = ledger.found(at="2026-11-25T10:00:00Z", competition="c", ref=1)
    assert ledger.entries()[-1] == found
    assert ledger.entries()[:-1] == entries


def _ledger_seeds() -> list[bytes]:
    path = _PLACE / "seed.jsonl"
    path.unlink(missing_ok=True)
    ledger = Ledger(path)
    for number in range(4):
        entry = ledger.intend(competition="c", csv="a.csv", sha256=f"{number}" * 64, estimate=2.0, high=3.0)
        ledger.changed(entry, "sent", ref=number, status="complete", public=2.0 + number)
    return [path.read_bytes()]


def _board(data: bytes) -> None:
    found = board_scores(data, "c")
    assert found == sorted(found)


def _board_seeds() -> list[bytes]:
    return [b'\xef\xbb\xbfRank,TeamName,Score\n1,\xea\xb0\x80,1.5\n2,"b, c",\n', b"Score\n"]


def _ranker(data: bytes) -> None:
    read_ranker(_file("x.ranker", data))


def _ranker_seeds() -> list[bytes]:
    """Two trees; and heads without the models they announce, since a right digest cannot be guessed."""
    generator = np.random.default_rng(1)
    values = generator.normal(size=(200, 2))
    settings = {"num_leaves": 3, "min_data_in_leaf": 5, "verbosity": -1, "num_threads": 1}
    booster = lightgbm.train(settings, lightgbm.Dataset(values, values.sum(1)), num_boost_round=2)
    path = _PLACE / "seed.ranker"
    write_ranker(path, Ranker((booster, booster), ("a", "b"), "0" * 64))
    content = path.read_bytes()
    return [content, content[:200], b'{"format": "kit ranker 3", "models_sha256": ""}\n', b"[" * 1000]


def _boundary(data: bytes) -> None:
    read_boundary(_file("x.boundary", data))


def _answers(data: bytes) -> None:
    answers = read_answers(_file("x.jsonl", data)).answers
    assert all(0 <= share <= 1.001 for own in answers.values() for _, share in own)


def _answers_seeds() -> list[bytes]:
    rows = [{"guid": str(number), "answers": [text, text, ""]} for number, text in enumerate(AWKWARD)]
    lines = "".join(f"{json.dumps(row)}\n" for row in rows)
    best = {"q1": [{"text": "가", "probability": 0.7}, {"text": "", "score": 0.3}], "q2": "나"}
    return [lines.encode(), json.dumps(best).encode(), "Id,Predicted\nq1,가\n".encode()]


def _boundary_seeds() -> list[bytes]:
    path = _PLACE / "seed.boundary"
    write_boundary(path, BoundaryModel(np.zeros(256, np.float32), True, "0" * 64, 2.0))
    content = path.read_bytes()
    return [content, content[:200]]


# Answers.


def _csv(data: bytes) -> None:
    path = _PLACE / "answers.csv"
    answers = parse_submission(data, path)
    write_submission(path, list(answers), list(answers.values()))
    assert parse_submission(path.read_bytes(), path) == answers


def _csv_seeds() -> list[bytes]:
    path = _PLACE / "seed.csv"
    # pandas before 3 cuts a text at NUL, so such a file is refused
    texts = [text for text in AWKWARD if "\0" not in text]
    write_submission(path, [str(number) for number in range(len(texts))], texts)
    return [path.read_bytes(), 'Id,Predicted\r\na,"두\r\n줄"\r\n\r\nb,=1+1\r\n'.encode(), b"Id,Predicted\n"]


def _rules(data: bytes) -> None:
    text = data.decode("utf-8", errors="replace")
    assert visible(visible(text)) == visible(text)
    for name, kind in RULES.items():
        if name == "strip_particles":  # its library is slow, and not the kit's
            continue
        rule = Rule(name, 5 if kind.argument else None)
        once = rule(text)
        assert rule(once) == once


_JSON = '{ } [ ] : , " null true NaN Infinity 1e999 -1 \\ud800 \\u0000'
_QUESTIONS = (
    "guid context question answers paragraphs qas data is_impossible text answer_start question_id title"
)
_SAFETENSORS = "__metadata__ dtype shape data_offsets F32 I64 BF16 F8_E4M3 BOOL guids format"
_YAML = "members run csv fold weight rules blank_long : - ? !! &a *a << | > 0x 0b 1:2 .inf .nan ' --- ~ ="
_ZIP = "PK\x03\x04 PK\x01\x02 PK\x05\x06 PK\x06\x06 ../ \\"

TARGETS: dict[str, Target] = {
    "data": Target(_data, _data_seeds, f"{_JSON} {_QUESTIONS}"),
    "archive": Target(_data, _archive_seeds, _ZIP),
    "table": Target(_data, _table_seeds, f'" "" , ; sep=; \t \r \n {_QUESTIONS} answer_text array( {{ [ nan'),
    "columnar": Target(_data, _columnar_seeds, "PAR1 ARROW1 \xff\xff\xff\xff"),
    "starts": Target(_wrong_starts, _awkward_texts, "\u200b \xa0 &amp; \r \n \u1100\u1161"),
    "unpacking": Target(_unpacked, _unpacked_seeds, _ZIP),
    "spans": Target(_spans, _spans_seeds, f"{_JSON} {_SAFETENSORS}"),
    "layout": Target(_layout, _layout_seeds),
    "recipe": Target(_recipe, _recipe_seeds, _YAML),
    "records": Target(_records, _records_seeds, f"{_JSON} full folds settings answer_lengths"),
    "plans": Target(_plans, _plans_seeds, _JSON),
    "card": Target(_card, _card_seeds, _JSON),
    "ledger": Target(_ledger, _ledger_seeds, f"{_JSON} number event public estimate \n"),
    "board": Target(_board, _board_seeds, '"" "" , \r \n Score TeamName \ufeff \x00 nan'),
    "ranker": Target(_ranker, _ranker_seeds, f"{_JSON} format fitted_on features models_sha256 tree"),
    "answers": Target(_answers, _answers_seeds, f"{_JSON} guid id answers text probability p score"),
    "boundary": Target(_boundary, _boundary_seeds, f"{_JSON} {_SAFETENSORS} weights about morphology l2"),
    "csv": Target(_csv, _csv_seeds, '" "" , \r \n Id,Predicted \ufeff \x00 =1+1'),
    "rules": Target(_rules, _awkward_texts, "[CLS] ## <s> “ ” ( ) \u200b \xa0 3 . 1"),
}


def fed(target: Target, data: bytes) -> None:
    """Feed *data*; a KitError of one line is an accepted answer, every other exception is raised."""
    said = ""
    try:
        target.feed(data)
    except KitError as error:
        said = str(error)
    except MemoryError:
        pass
    assert "\n" not in said, f"more than one line: {said}"
