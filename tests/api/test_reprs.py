"""Every result of ``kit.*`` is one short line in Python, and a table in a notebook where it has one."""

from __future__ import annotations

from pathlib import Path

import pytest

import kit
from kit.data import demo_corpus
from kit.data.records import Dataset
from kit.display import Displayed
from tests.spans.made import letters, make_run, scores_of, words
from tests.tuning.test_nested import one_start

__all__ = ["one_start"]

LONGEST = 260


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """runs/words, runs/letters and two.yaml over them, on data/train.json."""
    folder = tmp_path_factory.mktemp("reprs")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        found = kit.load(demo_corpus.write(Path("data"), train_contexts=12, test_contexts=3).train)
        make_run(found, "words", scores_of(found, words, 1, 3.0))
        make_run(found, "letters", scores_of(found, letters, 2, 4.0))
        Path("two.yaml").write_text(
            "members:\n  - run: runs/words\n  - run: runs/letters\n", encoding="utf-8"
        )
        return found


@pytest.fixture(autouse=True)
def here(data: Dataset, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(next(tmp_path_factory.getbasetemp().glob("reprs*")))


def results(data: Dataset) -> dict[str, object]:
    from kit.spans.run_folder import open_run

    made = kit.ensemble("two.yaml", data, out="submissions/two.csv", answers=data)
    versus = kit.score(made.path, data, versus=dict.fromkeys(made.answers, ""))
    return {
        "load": data,
        "a question": data[0],
        "check": kit.check("data/train.json"),
        "check_files": kit.check_files(["data/train.json"], against="data/test.json"),
        "leaks": kit.leaks(data, "data/train.json"),
        "ensemble": made,
        "its card": made.card,
        "score": versus,
        "its comparison": versus.versus,
        "out_of_fold": next(iter(kit.out_of_fold("runs/words", data).values())),
        "explain": kit.explain("two.yaml", data, data[0].guid),
        "report": kit.report("two.yaml", data),
        "overview": kit.overview("two.yaml", data),
        "runs": kit.runs(),
        "compare": kit.runs(compare=["words", "letters"]),
        "a run": open_run("runs/words"),
        "its record": kit.runs().records["words"],
        "leaderboard": kit.leaderboard(ledger="none.jsonl"),
        "doctor": kit.doctor(),
        "models": kit.models("klue/no-such-model"),
    }


def test_reprs_are_short_and_tables_are_shown(data: Dataset) -> None:
    for name, found in results(data).items():
        shown = repr(found)
        assert len(shown) < LONGEST, f"{name}: {len(shown)} characters"
        assert shown.startswith(f"<{type(found).__name__}: "), name
        assert "\n" not in shown, name
        if isinstance(found, Displayed):
            assert str(found), name
            page = found._repr_html_()
            assert "<iframe" in page if name == "report" else "<table>" in page, name


def test_tuning_reads_well(data: Dataset, one_start: None) -> None:
    made = kit.tune("two.yaml", data)
    assert repr(made).startswith("<TunedRecipe: tuned/two.yaml: ")
    assert len(repr(made)) < LONGEST
    assert len(repr(made.tuned)) < LONGEST
    assert "nested, out of fold" in str(made)
    assert "calibration" in made._repr_html_()


def test_settings_show_what_is_not_the_default() -> None:
    assert repr(kit.settings_for("somewhere/model", lr=1e-4)) == "TrainingSettings(lr=0.0001)"
    assert len(repr(kit.settings_for("klue-bert"))) < LONGEST
