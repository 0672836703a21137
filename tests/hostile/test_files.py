"""Files made to harm: bombs, endless numbers, bottomless nesting, lying headers, names that lead elsewhere.

Each goes through the command that would read it.  Elsewhere: archives of downloads
(``tests/kaggle/downloads/test_unzip.py``), a kernel's output (``kernels/test_output.py``), escape
sequences (``tests/test_hostile_text.py``).
"""

from __future__ import annotations

import json
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hostile.archives import linked, zipped
from tests.hostile.conftest import FORMULAS
from tests.hostile.refusals import refused, run
from tests.screens import obeyed

DEEP = "[" * 20_000 + "]" * 20_000  # newer Pythons read up to 10,000 levels
DIGITS = "9" * 10_000
ROW = '{"guid": "a", "context": "가 나", "question": "?", "answers": null}'


def test_what_is_spoiled_below_was_sound(here: Path) -> None:
    code, _, error = run("ensemble", "runs/a", "--data", "t.json", "--json", cwd=here)
    assert code == 0, error


# Archives.


def test_a_zip_bomb(here: Path) -> None:
    (here / "a.zip").write_bytes(zipped({"a.json": b" " * (48 << 20)}))
    assert "as a zip bomb does; unpack it yourself if you trust it" in refused("check", "a.zip", cwd=here)


def test_a_zip_bomb_that_says_it_is_small(here: Path) -> None:
    bomb = zipped({"a.json": b" " * (48 << 20)})
    (here / "a.zip").write_bytes(bomb.replace(struct.pack("<I", 48 << 20), struct.pack("<I", 100)))
    # What the header says is all that zipfile takes out, and then the checksum is another.
    assert "is a damaged zip archive (Bad CRC-32" in refused("check", "a.zip", cwd=here)


@pytest.mark.parametrize(
    "name", ["../out.json", "/tmp/kit-hostile-out.json", "a/../../out.json", "C:\\out.json"]
)
def test_members_that_lead_elsewhere_are_read_and_never_written(here: Path, name: str) -> None:
    rows = f"[{ROW}]".encode()
    (here / "a.zip").write_bytes(zipped({name: rows}))
    code, _, error = run("check", "a.zip", cwd=here)
    assert code == 0, error
    assert sorted(path.name for path in here.parent.iterdir()) == ["here"]
    assert not Path("/tmp/kit-hostile-out.json").exists()


def test_a_member_that_is_a_link_is_only_its_own_text(here: Path) -> None:
    (here / "a.zip").write_bytes(linked("a.json", str(here / "t.json")))
    assert "a.json: is not JSON (it begins with " in refused("check", "a.zip", cwd=here)


# JSON.


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (DEEP, "nested too deeply"),
        (ROW.replace("null", DEEP), "nested too deeply"),
        (ROW.replace("null", DIGITS), "holds a number too long to be read"),
        (ROW.replace('"a"', DIGITS), "holds a number too long to be read"),
        (ROW.replace("null", f'[{{"text": "가", "answer_start": {"9" * 4000}}}]'), "answer_start 999"),
        (ROW.replace("null", '[{"text": "가", "answer_start": 1e999}]'), "answer_start inf does not begin"),
    ],
)
def test_question_files(here: Path, text: str, says: str) -> None:
    (here / "bad.json").write_text(text, encoding="utf-8")
    code, out, error = run("check", "bad.json", cwd=here)
    assert code == 1
    assert "Traceback" not in error
    assert says in out + error
    said = refused("predict", "runs/a", "--data", "bad.json", cwd=here)
    assert len(said) < 1000


@pytest.mark.parametrize("text", [DEEP, DIGITS, f'{{"backbone": {DIGITS}}}', f'{{"backbone": {DEEP[1:-1]}}}'])
@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("runs/a/run.json", ["ensemble", "runs/a", "--data", "t.json"]),
        ("submissions/a.json", ["submit", "submissions/a.csv", "--message", "m"]),
    ],
)
def test_the_kits_own_records(here: Path, name: str, command: list[str], text: str) -> None:
    assert run("ensemble", "runs/a", "--data", "t.json", cwd=here)[0] == 0
    (here / name).write_text(text, encoding="utf-8")
    assert len(refused(*command, cwd=here)) < 1000
    if name.endswith("run.json"):
        assert len(unreadable(here)) < 1000


def unreadable(here: Path) -> str:
    """What `kit runs` says about the record of ``runs/a``, which it lists all the same."""
    code, out, error = run("runs", cwd=here)
    assert code == 0, error
    assert "cannot be read" in out
    assert error.count("\n") == 1
    assert obeyed(error) == []
    return error.rstrip("\n")


@pytest.mark.parametrize("text", [DEEP, f'{{"folds": {DIGITS}}}', '{"folds": 2}'])
def test_folds_that_are_none(here: Path, text: str) -> None:
    from kit.errors import ConfigError
    from kit.settings.folds import read_plan

    (here / "runs" / "a" / "folds.json").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_plan(here / "runs" / "a")
    assert "\n" not in str(caught.value)


def test_a_ledger_line_that_is_none_is_passed_over(here: Path) -> None:
    ledger = here / "submissions" / "ledger.jsonl"
    ledger.parent.mkdir()
    good = '{"number": 1, "event": "found", "at": "2026-11-25T10:00:00Z", "competition": "c", "ref": 1}'
    bad = [
        '{"number": 1, "event": ' + "[" * 100_000,
        f'{{"number": {DIGITS}, "event": "x"}}',
        "\x00",
        '"\\ud800"',
    ]
    bad += [good.replace('"number": 1', '"number": "2"'), good.replace('"ref": 1', '"ref": "1", "at": "x"')]
    nan = good.replace('"ref": 1', '"ref": 1, "public": NaN')
    ledger.write_text("\n".join([good, *bad, nan]), encoding="utf-8")
    from kit.submission.ledger import Ledger

    (entry,) = Ledger(ledger).entries()
    assert (entry.ref, entry.public) == (1, None)
    assert "cannot be read (Is a directory); name another ledger" in refused(
        "leaderboard", "--ledger", "submissions", cwd=here
    )


# Run records.


@pytest.mark.parametrize("fold", ["../../elsewhere", "x", "²", "٣", "-1", "01", "0/../..", "full\n", ""])
def test_a_fold_is_full_or_a_number(here: Path, spoil: Callable[..., None], fold: str) -> None:
    record = json.loads((here / "runs" / "a" / "run.json").read_text(encoding="utf-8"))["folds"]["full"]
    spoil("folds", value={fold: record})
    assert "runs/a/run.json: folds" in unreadable(here)
    assert "runs/a/run.json: folds" in refused("ensemble", "runs/a", "--data", "t.json", cwd=here)


@pytest.mark.parametrize(
    "lengths", [{"x": 1}, {"-3": 1}, {"²": 1}, {"2": -5}, {"2": 10**400}, {"9" * 4000: 1}]
)
def test_lengths_are_counts(here: Path, spoil: Callable[..., None], lengths: dict[str, int]) -> None:
    spoil("answer_lengths", value=lengths)
    (here / "r.yaml").write_text("members: [{run: runs/a}]\nlength_prior: 0.5\n")
    assert "run.json: answer_lengths" in refused("ensemble", "r.yaml", "--data", "t.json", cwd=here)


def test_a_run_without_metrics_and_a_time_that_is_none(here: Path, spoil: Callable[..., None]) -> None:
    spoil("folds", "full", "metrics", value={})
    code, out, error = run("runs", cwd=here)
    assert (code, error) == (0, "")
    assert "full" in out
    spoil("folds", "full", "seconds", value=float("inf"))
    assert "run.json: folds.full.seconds is Infinity" in unreadable(here)


# YAML.


LAUGHS = "a: &a [x, x]\n" + "".join(
    f"{new}: &{new} [*{old}, *{old}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (LAUGHS, "aliases (*name) are not allowed; write the value out"),
        ("members: &m\n- run: *m\n", "aliases (*name) are not allowed"),
        ('!!python/object/apply:os.system ["touch out"]', "python/object/apply:os.system) are not allowed"),
        ("members: [{run: !!python/name:os.system }]", "are not allowed; write the value without it"),
        ("members: [{run: !local a}]", "tags (!local) are not allowed"),
        ("a: !!int ''", "tags (tag:yaml.org,2002:int) are not allowed"),
        ("a: !!timestamp x", "tags (tag:yaml.org,2002:timestamp) are not allowed"),
        ("members: " + DEEP, "nested too deeply"),
        ("members: [{run: a, fold: " + DIGITS + "}]", "not valid YAML: Exceeds the limit"),
        ("members: [{run: a, fold: 0x" + "f" * 5000 + "}]", "a whole number is too large; write one"),
        ("members: [{run: a}]\nrules: [{blank_long: -0x" + "f" * 5000 + "}]", "a whole number is too large"),
        ("a: " + ":".join(["59"] * 300) + ".5", "not valid YAML: int too large to convert to float"),
        ("members: [{run: {2001-01-01: x}}]", 'members[0].run is {"2001-01-01": "x"}'),
        ("members: [{run: {? [a] : x}}]", "a key must be plain text"),
        ('members: [{run: "a\\0b"}]', "a path has neither a NUL nor half a surrogate pair"),
        ('members: [{csv: "a\\ud800"}]\nblend: vote', "a path has neither a NUL nor half a surrogate pair"),
        ("members: [{run: " + "가" * 200 + "}]", "cannot be opened (File name too long); check the path"),
        ("members: [{csv: " + "가" * 200 + "}]\nblend: vote", "cannot be read (File name too long)"),
        ("members: [{run: runs/a}]\nlength_cap: 1000000000", "length_cap is 1000000000; input"),
        ("members: [{run: runs/a, weight: 1.0e+308}, {run: runs/a, weight: 1.0e+308}]", "weight is 1e+308"),
        ("members: [{run: runs/a, temperature: 1.0e-308}]", "temperature is 1e-308"),
        ("members: [{run: runs/a}]\nlength_prior: 1.0e+308", "length_prior is 1e+308"),
    ],
)  # fmt: skip
def test_recipes(here: Path, text: str, says: str) -> None:
    (here / "r.yaml").write_text(text, encoding="utf-8")
    assert says in refused("ensemble", "r.yaml", "--data", "t.json", cwd=here)


def test_a_run_may_be_called_like_a_day(here: Path) -> None:
    (here / "runs" / "a").rename(here / "2026-11-25")
    (here / "r.yaml").write_text("members: [{run: 2026-11-25}]\n")
    assert run("ensemble", "r.yaml", "--data", "t.json", cwd=here)[0] == 0


# Span files.


def header_of(path: Path) -> tuple[dict[str, object], bytes]:
    content = path.read_bytes()
    size = struct.unpack("<Q", content[:8])[0]
    return json.loads(content[8 : 8 + size]), content[8 + size :]


def with_header(path: Path, header: object, rest: bytes) -> None:
    text = (header if isinstance(header, str) else json.dumps(header)).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + rest)


HUGE = {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 1 << 42]}
LIES: dict[str, Callable[[dict[str, object]], object]] = {
    "longer than the file": lambda header: {**header, "start": HUGE},
    "overlapping": lambda header: {**header, "start": header["end"]},
    "another type": lambda header: json.dumps(header).replace('"F32"', '"I32"'),
    "a type numpy has not": lambda header: (
        json.dumps(header).replace('"F32"', '"BF16"').replace('"I64"', '"F8_E4M3"')
    ),
    "backwards": lambda header: {**header, "start": {**header["start"], "data_offsets": [24, 8]}},  # type: ignore[dict-item]
    "negative": lambda header: json.dumps(header).replace('"shape": [', '"shape": [-', 1),
    "deep": lambda header: DEEP,
    "digits": lambda header: f'{{"__metadata__": {{"guids": "[]", "format": "{DIGITS}"}}}}',
    "metadata of numbers": lambda header: {**header, "__metadata__": {"guids": 1, "format": 1}},
    "metadata deep": lambda header: {**header, "__metadata__": {"guids": DEEP, "format": "1"}},
    "metadata endless": lambda header: {**header, "__metadata__": {"guids": "[]", "format": DIGITS}},
    "guids of lists": lambda header: {
        **header,
        "__metadata__": {**header["__metadata__"], "guids": "[[1], [1]]"},
    },  # type: ignore[dict-item]
    "no arrays": lambda header: {"__metadata__": header["__metadata__"]},
    "not JSON": lambda header: "{",
}


@pytest.mark.parametrize("lie", LIES)
def test_a_span_file_whose_header_lies(here: Path, lie: str) -> None:
    (path,) = (here / "runs" / "a" / "spans").iterdir()
    header, rest = header_of(path)
    with_header(path, LIES[lie](header), rest)
    said = refused("ensemble", "runs/a", "--data", "t.json", cwd=here)
    assert f"spans/{path.name}: " in said
    assert "damaged" in said or "is not a span file" in said
    from kit.spans.store import read_provenance

    read_provenance(path)  # None, or whose it says it is: no more is asked of it


def test_a_span_file_that_is_a_pickle(here: Path) -> None:
    class Harm:
        def __reduce__(self) -> object:
            return Path.touch, (here / "harmed",)

    (path,) = (here / "runs" / "a" / "spans").iterdir()
    path.write_bytes(pickle.dumps(Harm()))
    assert "span file is damaged" in refused("ensemble", "runs/a", "--data", "t.json", cwd=here)


# Answers are never altered to protect a spreadsheet.


def test_answers_that_look_like_formulas_stay_as_they_are(here: Path) -> None:
    code, _, error = run("ensemble", "runs/a", "--data", "t.json", "--out", "a.csv", cwd=here)
    assert code == 0, error
    assert (here / "a.csv").read_bytes() == (
        b'Id,Predicted\ng0,=1+1\ng1,@SUM(A1)\ng2,-2+3\ng3,"=HYPERLINK(""x"")"\ng4,+82-2\n'
    )
    code, out, error = run("score", "a.csv", "--answers", "t.json", "--json", cwd=here)
    assert code == 0, error
    assert json.loads(out)["edit"] == 0
    assert len(FORMULAS) == 5


def test_archives_that_zipfile_does_not_call_damaged(here: Path) -> None:
    """Found by fuzzing: names that are not what their flag says, and places before the file begins."""
    good = zipped({"한글.json": b"[]"})
    first = good.replace("한글".encode(), b"\xff\xfe\xff\xfe\xff\xfe")
    with zipfile.ZipFile(here / "b.zip", "w") as archive:
        archive.writestr("a.json", "[]")
    moved = bytearray((here / "b.zip").read_bytes())
    at = moved.index(b"PK\x05\x06")
    moved[at + 16 : at + 20] = struct.pack("<I", len(moved) * 2)  # where the directory begins
    for content in (first, bytes(moved)):
        (here / "a.zip").write_bytes(content)
        assert "is a damaged zip archive" in refused("check", "a.zip", cwd=here)
