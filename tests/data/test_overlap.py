"""Outside data lose every question that the data proper are about."""

from __future__ import annotations

import random
from pathlib import Path

import kit
from kit.data import demo_corpus
from kit.data.overlap import without_related
from kit.data.records import Answer, Dataset, Question


def dataset(name: str, *questions: Question) -> Dataset:
    return Dataset(Path(name), name.ljust(64, "0"), "test", questions)


def article(seed: int, length: int = 300) -> str:
    rng = random.Random(seed)
    return "".join(rng.choice("가나다라마바사아자차카타파하 ") for _ in range(length)).strip()


def ask(
    guid: str, context: str, text: str = "무엇인가?", *, title: str = "", gold: str | None = None
) -> Question:
    gold = context[:2] if gold is None else gold
    return Question(guid, text, context, (Answer(gold, context.index(gold)),), title)


DATA = dataset("data.json", ask("d", article(1), title="바다"), ask("e", article(2) + " 서울"))


def left(*questions: Question) -> list[str]:
    found = without_related([dataset("outside.json", *questions)], [DATA])
    assert found.left_out == len(questions) - len(found.kept[0])
    assert found.kept[0].path == Path("outside.json")
    return [question.guid for question in found.kept[0]]


def test_what_is_related_is_left_out() -> None:
    edited = article(1).replace("가", "갸", 3)
    questions = [
        ask("same", article(1)),
        ask("near", edited),
        ask("other", article(3)),
        ask("title", article(4), title="바다"),
        ask("other title", article(5), title="하늘"),
    ]
    assert left(*questions) == ["other", "other title"]


def test_what_is_related_by_way_of_a_third_is_left_out() -> None:
    between = ask("between", article(6), title="바다")
    assert left(between, ask("far", article(6)), ask("free", article(7))) == ["free"]


def test_a_specific_question_with_the_same_answer_is_left_out() -> None:
    text = "2019년에 한빛전자 본사가 새로 들어선 도시의 이름은 무엇인가?"
    proper = dataset("data.json", ask("p", article(8) + " 서울", text, gold="서울"))
    questions = [
        ask("asked", "서울 " + article(9), text, gold="서울"),
        ask("asked otherwise", "서울 " + article(10), text.replace("?", " ?!"), gold="서울"),
        ask("another answer", article(11), text),
        ask("common", "서울 " + article(12), "어디인가?", gold="서울"),
    ]
    found = without_related([dataset("o.json", *questions)], [proper])
    assert [question.guid for question in found.kept[0]] == ["another answer", "common"]


def test_the_data_themselves_are_left_out_and_every_file_keeps_its_place(tmp_path: Path) -> None:
    files = demo_corpus.write(tmp_path, train_contexts=12, test_contexts=6)
    train, test = kit.load(files.train), kit.load(files.test_answers)
    found = without_related([train, test], [train])
    assert [len(data) for data in found.kept] == [0, len(test)]
    assert found.left_out == len(train)
    assert found.kept[1].questions == test.questions


def test_real_articles_of_one_source_are_related(shared: Path) -> None:
    """The stand-in of the competition was made from this part of KorQuAD, its test file from another."""
    outside = kit.load(shared / "data/korquad/KorQuAD_v1.0_part-train.json")
    train, test = (kit.load(shared / f"data/goorm2-standin/{name}.json") for name in ("train", "test"))
    assert without_related([outside], [train]).left_out == len(outside)
    assert without_related([outside], [test]).left_out == 0
