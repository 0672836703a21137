"""Escape sequences and turned directions in data and names are shown by every command, sent by none."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from rich.cells import cell_len

import kit
from kit.files import sha256_file
from kit.metrics.bootstrap import Interval
from kit.modeling.tiny import Shape, make_backbone
from kit.settings.folds import FileFolds, FoldPlan, write_plan
from kit.settings.runs import DataFile, FoldRecord, RunRecord, write_run
from kit.settings.training import TrainingSettings
from kit.spans.out_of_fold import oof_digest, oof_file
from kit.spans.span_scores import Provenance
from kit.spans.store import write_spans
from kit.submission.card import Card, CardData, Estimate, write_card
from kit.submission.ledger import Ledger
from tests.commands import run_python
from tests.kaggle import serving_submissions  # noqa: F401  (its methods of the server)
from tests.kaggle.server import Kaggle, running
from tests.kaggle.serving_data import offer
from tests.screens import in_pipe, obeyed, on_terminal, without_bar, without_colours
from tests.spans.made import scores_of, words

EVIL = "\x1b]0;pwned\x07\x1b[2J\u202e\x9b1A\u2066"
"""Renames a terminal, wipes it, turns the reading direction, moves the cursor by a C1 control."""
NAMED = "\x1b[2J\u202e"
"""What a file name may have."""
TRAIN, TEST, CSV = f"train{NAMED}.json", f"test{NAMED}.json", f"한글{NAMED}.csv"
RUN = f"runs/모델{NAMED}"
SLUG = "k-digital-goorm-2-korean-mrc"
NOUNS = ["한국은행", "무령시", "박하린", "기상청", "서울시", "도서관", "광장", "출판사"]


def rows(count: int, name: str) -> list[dict[str, object]]:
    generator = np.random.default_rng(3)
    found: list[dict[str, object]] = []
    for number in range(count):
        nouns = [str(noun) for noun in generator.choice(NOUNS, 5, replace=False)]
        context = (
            f"{name}{number}호 {EVIL} " + " ".join(f"{noun}은" for noun in nouns) + f" 밝혔다.\n\t{EVIL}"
        )
        gold = f"{nouns[2]}은"
        answers = [{"text": gold, "answer_start": context.index(gold)}]
        qas = [{"guid": f"{name}{number}{EVIL}", "question": f"무엇인가?{EVIL}", "answers": answers}]
        found.append({"title": f"t{number}{EVIL}", "paragraphs": [{"context": context, "qas": qas}]})
    return found


def write(path: Path, data: object) -> None:
    path.write_text(json.dumps({"version": EVIL, "data": data}, ensure_ascii=False), encoding="utf-8")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data, a run with out-of-fold and test scores, recipes, a CSV and a ledger, all of them hostile."""
    folder = tmp_path_factory.mktemp("hostile")
    before = Path.cwd()
    os.chdir(folder)
    write(Path(TRAIN), rows(30, "q"))
    write(Path(TEST), rows(6, "t"))
    broken = rows(4, "b")
    broken[1]["paragraphs"][0]["qas"][0]["answers"] = [{"text": f"없음{EVIL}", "answer_start": 3}]  # type: ignore[index]
    broken[2]["paragraphs"][0]["qas"][0]["question"] = ""  # type: ignore[index]
    write(Path(f"broken{NAMED}.json"), broken)
    write(Path("leaking.json"), rows(6, "t"))
    _make_run()
    Path(f"recipe{NAMED}.yaml").write_text(
        f"about: {json.dumps(EVIL)}\nmembers: [{{run: {json.dumps(RUN)}}}]\n"
        "decoder: edit\nlength_prior: 0.5\n",
        encoding="utf-8",
    )
    made = kit.ensemble(RUN, TEST, out=CSV)
    shutil.copy(CSV, f"other{NAMED}.csv")
    _make_ledger(made.path)
    os.chdir(before)
    return folder


def _make_run() -> None:
    train, test = kit.load(TRAIN), kit.load(TEST)
    fold = FoldRecord(
        held_out=15, steps=1, seconds=1.0, windows=1, weights_sha256="0" * 64,
        metrics={"edit": 1.0, "exact": 0.5, "blank_edit": 4.0},
    )  # fmt: skip
    record = RunRecord(
        backbone=f"밑바탕{EVIL}",
        settings=TrainingSettings(folds=2),
        data=(DataFile(name=TRAIN, sha256=train.sha256, questions=len(train)),),
        answer_lengths={"3": 10, "4": 20},
        folds={"0": fold, "1": fold},
        device=EVIL,
    )
    folder = Path(RUN)
    write_run(folder, record)
    fold_of = tuple(number % 2 for number in range(len(train)))
    folds = FileFolds(name=TRAIN, sha256=train.sha256, fold_of=fold_of)
    write_plan(folder, FoldPlan(folds=2, split_seed=42, files=(folds,)))
    own = scores_of(train, words, 1, 5.0)
    provenance = Provenance(train.sha256, "run", "oof", oof_digest(record), 384, 128, "0.1.0")
    write_spans(oof_file(folder, train.sha256), provenance, [own])
    opened = kit.api.arguments.run_of(RUN)
    for number in "01":
        provenance = Provenance(test.sha256, "run", number, "0" * 64, 384, 128, "0.1.0")
        write_spans(opened.span_file(test, number), provenance, [scores_of(test, words, 2, 5.0)])
    others = {"0": fold, "full": fold}
    write_run(Path(f"runs/둘{NAMED}"), record.model_copy(update={"folds": others}))
    write_run(Path("runs/unfinished"), record.model_copy(update={"folds": {}}))


def _make_ledger(csv: Path) -> None:
    book = Ledger(Path("submissions/ledger.jsonl"))
    for number, public in enumerate((2.0, 2.5, 2.2, None)):
        name = str(csv) if number < 2 else f"b{number}{EVIL}.csv"
        book.found(
            at="2026-11-25T10:00:00Z", competition=SLUG, csv=name,
            message=f"한글 메시지{EVIL}\n둘째 줄 {number} " + "긴 설명 " * 20, ref=1000 + number,
            sha256=f"{number}" * 64, estimate=2.0 + number / 10, low=1.5, high=2.6,
            status="complete" if public else f"error{EVIL}", public=public, reason=EVIL,
        )  # fmt: skip
    data = kit.load(TEST)
    write_card(
        csv,
        Card(
            name=f"이름{EVIL}", csv_sha256=sha256_file(csv),
            data=CardData(path=TEST, sha256=data.sha256, questions=len(data)), members=(), kit_version="1",
            recipe={"about": EVIL}, competition=SLUG,
            estimate=Estimate(edit=2.0, interval=Interval(1.5, 2.6, 0.95), reason=f"까닭{EVIL}"),
        ),
    )  # fmt: skip


def guid(place: Path) -> str:
    return kit.load(place / TEST).questions[2].guid


COMMANDS: dict[str, tuple[int, Sequence[str]]] = {
    "check": (0, ["check", TRAIN]),
    "check, faults": (1, ["check", f"broken{NAMED}.json"]),
    "check, repair": (0, ["check", f"broken{NAMED}.json", "--repair", f"sound{NAMED}.json"]),
    "check, leaks": (1, ["check", "leaking.json", "--against", TEST]),
    "check, json": (0, ["check", TRAIN, "--json"]),
    "ensemble": (0, ["ensemble", f"recipe{NAMED}.yaml", "--data", TEST]),
    "ensemble, scored": (0, ["ensemble", RUN, "--data", TEST, "--answers", TEST, "--out", f"x{NAMED}.csv"]),
    "explain": (0, ["ensemble", f"recipe{NAMED}.yaml", "--data", TEST, "--explain", "GUID"]),
    "explain, json": (0, ["ensemble", f"recipe{NAMED}.yaml", "--data", TEST, "--explain", "GUID", "--json"]),
    "score": (0, ["score", CSV, "--answers", TEST, "--versus", f"other{NAMED}.csv"]),
    "score, json": (0, ["score", CSV, "--answers", TEST, "--json"]),
    "tune": (0, ["tune", f"recipe{NAMED}.yaml", "--data", TRAIN]),
    "runs": (0, ["runs"]),
    "runs, json": (0, ["runs", "--json"]),
    "leaderboard": (0, ["leaderboard", "--pick", "2"]),
    "leaderboard, csv": (0, ["leaderboard", "--csv"]),
    "leaderboard, json": (0, ["leaderboard", "--json"]),
    "doctor": (0, ["doctor"]),
    "notebook": (0, ["notebook", "--out", f"책{NAMED}.ipynb", "--force"]),
    "no such file": (1, ["score", f"{EVIL}.csv", "--answers", TEST]),
    "no such guid": (1, ["ensemble", RUN, "--data", TEST, "--explain", EVIL]),
    "no such run": (1, ["predict", f"runs/{EVIL}", "--data", TEST]),
    "no such option": (2, ["score", f"--{EVIL}"]),
    "no such command": (2, [f"score{EVIL}"]),
    "no such value": (2, ["leaderboard", "--pick", EVIL]),
    "no such backbone": (1, ["train", f"밑{EVIL}", "--data", TRAIN, "--run", f"runs/x{EVIL}"]),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_pipe_gets_no_control_character(place: Path, name: str) -> None:
    expected, given = COMMANDS[name]
    code, said = in_pipe([guid(place) if one == "GUID" else one for one in given], place, HOME=str(place))
    assert code == expected, said
    assert obeyed(said) == []
    assert "Traceback" not in said
    if name not in ("doctor", "check, leaks", "no such value"):
        assert "\\u{" in said or "\\u00" in said or "\\u20" in said  # it is shown


@pytest.mark.parametrize(
    "name",
    [
        "check",
        "ensemble",
        "explain",
        "score",
        "runs",
        "leaderboard",
        "tune",
        "no such file",
        "no such option",
    ],
)
def test_a_terminal_gets_colours_and_nothing_else(place: Path, name: str) -> None:
    expected, given = COMMANDS[name]
    words = [guid(place) if one == "GUID" else one for one in given]
    code, plain = on_terminal(words, place, HOME=str(place), NO_COLOR="1")
    assert code == expected, plain
    assert obeyed(without_bar(plain)) == []
    _, coloured = on_terminal(words, place, HOME=str(place))
    assert obeyed(without_bar(without_colours(coloured))) == []
    assert ("\x1b[" in coloured) == (name != "no such option")


@pytest.mark.parametrize("columns", [100, 60])
@pytest.mark.parametrize("name", ["leaderboard", "runs", "score", "explain"])
def test_tables_keep_to_the_terminal(place: Path, name: str, columns: int) -> None:
    given = [guid(place) if one == "GUID" else one for one in COMMANDS[name][1]]
    _, said = on_terminal(given, place, columns=columns, HOME=str(place), NO_COLOR="1")
    titles = ("does local track", "question ", "texts by", "pick ", SLUG, "3 runs", "한글", TEST[:4])
    whole = (*titles, "next: ", "kit ")  # commands are whole lines, to copy
    lines = [line for line in said.split("\n") if not line.startswith(whole)]
    assert max(map(cell_len, lines)) <= columns


def test_a_name_that_is_no_text_is_shown(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff\xfe.csv")
    code, said = in_pipe(["score", name, "--answers", name], tmp_path)
    assert code == 1
    assert said.startswith("error: \\u{dcff}\\u{dcfe}.csv: ")
    # From nothing: a process reads this where it starts.
    done = run_python("-m", "kit", "runs", cwd=tmp_path, PYTHONIOENCODING="cp949")
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)


@pytest.fixture
def kaggle() -> Iterator[Kaggle]:
    with running() as server:
        yield server


def environment(kaggle: Kaggle, place: Path) -> dict[str, str]:
    return {
        "KIT_KAGGLE_ENDPOINT": kaggle.endpoint, "KIT_KAGGLE_TIMEOUT": "5", "HOME": str(place),
        "KAGGLE_USERNAME": "person", "KAGGLE_KEY": "secret",
    }  # fmt: skip


@pytest.mark.parametrize("options", [["--dry-run"], ["--json"], []])
def test_submit_shows_what_is_hostile(place: Path, kaggle: Kaggle, options: list[str]) -> None:
    kaggle.state["judge"] = lambda content: 2.125
    given = ["submit", CSV, "--message", f"메시지{EVIL}", "--ledger", f"책{NAMED}.jsonl", *options]
    code, said = in_pipe(given, place, **environment(kaggle, place))
    assert code == 0, said
    assert obeyed(said) == []
    code, said = on_terminal(given, place, NO_COLOR="1", **environment(kaggle, place))
    assert code == 0, said
    assert obeyed(said) == []


def test_what_kaggle_says_and_offers_is_shown(place: Path, kaggle: Kaggle, tmp_path: Path) -> None:
    offer(kaggle, SLUG, {"train.json": (place / TRAIN).read_bytes(), f"a{NAMED}.txt": b"x"})
    code, said = in_pipe(
        ["download", "goorm-2", "--to", f"그릇{NAMED}"], tmp_path, **environment(kaggle, place)
    )
    assert obeyed(said) == []
    assert code == 1
    assert "has a control character in its name; nothing was unpacked" in said


@pytest.mark.slow
def test_training_and_prediction_show_what_is_hostile(place: Path) -> None:
    texts = [text for question in kit.load(place / TRAIN) for text in (question.context, question.text)]
    tiny = f"밑바탕{NAMED}"
    make_backbone(place / tiny, texts, "wordpiece", Shape(400, 32, 1, 2, 64, 160), seed=1)
    given = ["train", tiny, "--data", TRAIN, "--run", f"runs/새{NAMED}", "--epochs", "1", "--folds", "2",
             "--max-length", "128", "--stride", "32", "--batch-size", "8"]  # fmt: skip
    code, said = in_pipe(given, place)
    assert code == 0, said
    assert obeyed(said) == []
    assert "Edit Score (characters)" in said
    given = ["predict", f"runs/새{NAMED}", "--data", TEST]
    code, said = on_terminal(given, place, NO_COLOR="1")
    assert code == 0, said
    assert obeyed(without_bar(said)) == []
    assert "predicting 새\\u{1b}[2J" in said
