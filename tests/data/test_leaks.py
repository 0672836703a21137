"""Training data that also stands in the test file is found; look-alikes are not."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from kit.data import leaks
from kit.data.leaks import find_leaks
from kit.data.records import Answer, Dataset, Question
from kit.errors import counted


def story(seed: int, words: int = 150) -> str:
    rng = random.Random(seed)
    return " ".join(
        "".join(chr(0xAC00 + rng.randrange(11172)) for _ in range(rng.randint(1, 4))) for _ in range(words)
    )


def edited(text: str, share: float) -> str:
    rng = random.Random(0)
    return "".join(chr(0xAC00 + rng.randrange(11172)) if rng.random() < share else c for c in text)


def dataset(name: str, *questions: Question) -> Dataset:
    return Dataset(Path(name), "0" * 64, "competition", questions)


def ask(guid: str, context: str, text: str = "", gold: str | None = None) -> Question:
    answers = None if gold is None else ((Answer(gold, 0),) if gold else ())
    return Question(guid, text or f"{guid}에서 묻는 것은?", context, answers)


TEST = dataset("test.json", *(ask(f"t{n}", story(n)) for n in range(5)), ask("t5", story(4)))


@pytest.mark.parametrize(
    ("context", "kind", "test_guids"),
    [
        (story(2), "exact", ("t2",)),
        (story(4), "exact", ("t4", "t5")),
        (story(2).replace(" ", "\xa0"), "exact", ("t2",)),
        (edited(story(2), 0.04), "near", ("t2",)),
        (story(2)[40:], "near", ("t2",)),
        (story(2)[:-60] + story(20, 20), "near", ("t2",)),
        (story(30) + story(2), "near", ("t2",)),
    ],
)
def test_an_article_in_both_files_is_a_leak(context: str, kind: str, test_guids: tuple[str, ...]) -> None:
    train = dataset(
        "train.json", ask("a", story(10)), ask("b", context), ask("c", context), ask("d", story(11))
    )
    report = find_leaks([train], TEST)
    (leak,) = report.contexts
    assert report.leaking
    assert (leak.kind, leak.train, leak.train_guids, leak.test_guids) == (
        kind,
        Path("train.json"),
        ("b", "c"),
        test_guids,
    )
    assert report.train_guids == {(Path("train.json"), "b"), (Path("train.json"), "c")}
    assert report.test_guids == set(test_guids)
    assert report.message.startswith(
        "train.json: 2 training questions share their article "
        f"with {counted(len(test_guids), 'test question')} of test.json"
    )
    assert "b (and 1 more) ~ " in report.message
    assert (leak.containment == 1.0) == (kind == "exact") or leak.containment >= 0.4


def test_other_articles_are_no_leak() -> None:
    quote = story(77, 15)
    train = dataset("train.json", ask("a", story(10) + quote), ask("b", ""))
    test = dataset("test.json", ask("t", story(1) + quote), ask("u", ""))
    report = find_leaks([train], test)
    assert not report.leaking
    assert report.contexts == ()
    assert report.message == "train.json: no context of test.json was found, neither exactly nor nearly"


def test_a_general_question_is_reported_but_no_leak() -> None:
    text = "이 회사의 이름은?"
    train = dataset("train.json", ask("a", story(10), text, "가람전자"))
    test = dataset("test.json", ask("t", story(1), "이 회사의  이름은", "가람전자"), ask("u", story(2), text))
    report = find_leaks([train], test)
    (match,) = report.questions
    assert (match.kind, match.train_guid, match.test_guids) == ("exact", "a", ("t", "u"))
    assert (match.contexts, match.same_answer, match.specific) == ("different", True, False)
    assert not report.leaking


@pytest.mark.parametrize(
    ("train_gold", "test_gold", "same", "leaking"),
    [
        ("1954년", "1954년", True, True),
        ("1954년", "1955년", False, False),
        ("1954년", None, None, False),
        ("", "", False, False),
    ],
)
def test_a_specific_question_with_its_answer_is_a_leak(
    train_gold: str, test_gold: str | None, same: bool | None, leaking: bool
) -> None:
    text = "가람시 시립도서관의 첫 관장이 태어난 해는 언제인가?"
    train = dataset("train.json", ask("a", story(10), text, train_gold))
    report = find_leaks([train], dataset("test.json", ask("t", story(1), text, test_gold)))
    assert (report.questions[0].same_answer, report.leaking) == (same, leaking)
    if leaking:
        assert "a asks what t asks, with the same answer" in report.message


def test_a_reworded_question_is_near_and_tells_its_contexts() -> None:
    text = "가람시 시립도서관의 첫 관장이 태어난 해는 언제인가?"
    other = "가람시 시립도서관의 첫 관장이 태어난 해는 언제입니까?"
    train = dataset(
        "train.json",
        ask("a", story(1), text),
        ask("b", edited(story(2), 0.03), text),
        ask("c", story(9), text),
    )
    report = find_leaks(
        [train], dataset("test.json", ask("t", story(1), other), ask("u", story(2), "전혀 다른 물음"))
    )
    assert [(m.kind, m.train_guid, m.contexts) for m in report.questions] == [
        ("near", "a", "exact"),
        ("near", "b", "different"),
        ("near", "c", "different"),
    ]
    assert [leak.kind for leak in report.contexts] == ["exact", "near"]


def test_each_of_several_files_is_named() -> None:
    trains = [
        dataset("a.json", ask("a", story(1))),
        dataset("b.json", ask("a", story(1))),
        dataset("c.json", ask("a", story(9))),
    ]
    report = find_leaks(trains, TEST)
    assert [(leak.train.name, leak.test_guids) for leak in report.contexts] == [
        ("a.json", ("t1",)),
        ("b.json", ("t1",)),
    ]
    assert len(report.train_guids) == 2
    assert report.message.startswith("a.json, b.json, c.json: 2 training questions")


def test_the_message_shows_ten_and_counts_the_rest() -> None:
    train = dataset("train.json", *(ask(f"a{n}", story(n, 30)) for n in range(25)))
    report = find_leaks([train], dataset("test.json", *(ask(f"t{n}", story(n, 30)) for n in range(25))))
    assert report.message.count(" ~ ") == 10
    assert "; and 15 more; leave those questions out" in report.message
    found = json.loads(json.dumps(report.as_dict(), ensure_ascii=False))
    assert (found["train_questions"], found["contexts"]["exact"], len(found["contexts"]["first"])) == (
        25,
        25,
        10,
    )
    assert found["thresholds"] == {"context": 0.4, "question": 0.7, "specific": 20}


def test_no_training_file_is_no_leak() -> None:
    assert not find_leaks([], TEST).leaking


def test_that_nothing_leaks_is_found_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIT_CACHE", str(tmp_path))
    monkeypatch.setattr(leaks, "WORTH_KEEPING", 1)
    text = "한빛전자가 3일 서울 본사에서 공개한 새 로봇의 이름은 무엇인가요?"
    clean = dataset("train.json", ask("a", story(10)), ask("b", story(11), text, "누리"))
    test = dataset("test.json", *TEST, ask("t", story(1), text, "다른 것"))
    assert leaks.leaking([clean], test) is None
    kept = list(tmp_path.rglob("*.kit"))
    assert len(kept) == 1
    with monkeypatch.context() as patch:
        patch.setattr(leaks, "find_leaks", lambda *_: pytest.fail("it was known"))
        assert leaks.leaking([clean], test) is None
    kept[0].write_text("damaged", encoding="utf-8")
    assert leaks.leaking([clean], test) is None
    # a gold or a context more, and the verdict is another
    answered = dataset("train.json", *clean, ask("c", story(12), text, "다른 것"))
    for leaking in (answered, dataset("train.json", *clean, ask("c", story(3)))):
        for _ in range(2):
            report = leaks.leaking([leaking], test)
            assert report is not None
            assert report == find_leaks([leaking], test)
    assert list(tmp_path.rglob("*.kit")) == kept
