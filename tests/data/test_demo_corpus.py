"""The built-in corpus: its layout, its variety, its Korean, and that training cannot know the test."""

from __future__ import annotations

import csv
import hashlib
import json
import random
import re
import subprocess
import sys
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection
from itertools import chain
from pathlib import Path

import pytest

from kit.data import demo_corpus
from kit.data.demo_corpus import josa, names
from kit.data.demo_corpus.passages import Fact, asides, byline, frames
from kit.data.demo_corpus.templates import Canvas, Draw, Writer, parse
from kit.data.records import Question

TEST_QUESTIONS = 600
TEST_CONTEXTS = 200


@pytest.fixture(scope="module")
def corpus() -> demo_corpus.Corpus:
    return demo_corpus.generate()


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> demo_corpus.CorpusFiles:
    return demo_corpus.write(tmp_path_factory.mktemp("sample"), train_contexts=48, test_contexts=24)


def everything(corpus: demo_corpus.Corpus) -> list[Question]:
    return [*corpus.train, *corpus.test]


def contexts(questions: tuple[Question, ...]) -> list[str]:
    return list(dict.fromkeys(question.context for question in questions))


def writer(seed: int = 0, **values: str) -> Writer:
    return Writer(Draw(random.Random(seed)), values, names.FRESH)


# The files


@pytest.mark.parametrize(
    ("seed", "train", "test", "sha256"),
    [
        (2022, 300, 200, "415444dd839a8aae5052c2369f5d339fd762fb2f0bc7c5baa899cb494e5539d0"),
        (2022, 48, 24, "4881fc7df25abfc3a982521f6c324219f70c12e7493953963ee082505ce18b89"),
        (7, 30, 24, "3f70609d330cbaa94a8836f6fffb4a6fb7f2f6b91281a877a15cdb0c9aa97772"),
        (8, 1, 1, "4bc3ad6c3b6e483142bc2315e3357628f247fe739df353cb3fc8af2ba36e99f5"),
        (0, 121, 41, "a040da844a401a178cb50be0bb4d7dbd8f6652d24ef1f5c38c861c7a07687ddf"),
        (99991, 0, 80, "3b730a4d10b4bd67ee185f0ad00b1e9d3eaab58b91706f909c8b14186f72cfc6"),
    ],
)
def test_bytes_are_those_of_version_0_1(
    tmp_path: Path, seed: int, train: int, test: int, sha256: str
) -> None:
    """Computed when the templates were still Python: runs on the demo's data stay comparable."""
    files = demo_corpus.write(tmp_path, seed, train, test)
    written = hashlib.sha256()
    for path in (files.train, files.test, files.test_answers, files.sample_submission):
        written.update(path.read_bytes())
    assert written.hexdigest() == sha256


def test_bytes_depend_on_the_seed_alone(tmp_path: Path) -> None:
    def written(folder: str, seed: int) -> list[bytes]:
        files = demo_corpus.write(tmp_path / folder, seed, train_contexts=30, test_contexts=24)
        paths = (files.train, files.test, files.test_answers, files.sample_submission)
        return [path.read_bytes() for path in paths]

    assert written("one", 7) == written("two", 7)
    assert all(a != b for a, b in zip(written("one", 7), written("three", 8), strict=True))


def test_the_test_part_does_not_depend_on_how_much_there_is_to_train_on() -> None:
    assert (
        demo_corpus.generate(train_contexts=3, test_contexts=24).test
        == demo_corpus.generate(train_contexts=50, test_contexts=24).test
    )


def test_files_have_the_competition_layout(small: demo_corpus.CorpusFiles) -> None:
    for path in (small.train, small.test, small.test_answers):
        data = json.loads(path.read_text(encoding="utf-8"))
        assert set(data) == {"version", "data"}
        for article in data["data"]:
            assert set(article) == {"title", "news_category", "source", "paragraphs"}
            assert all(set(paragraph) == {"context", "qas"} for paragraph in article["paragraphs"])
            for asked in chain.from_iterable(p["qas"] for p in article["paragraphs"]):
                assert set(asked) == {"guid", "question", "answers"}
                if path == small.test:
                    assert asked["answers"] is None
                else:
                    assert all(set(gold) == {"text", "answer_start"} for gold in asked["answers"])


def test_the_test_files_differ_in_their_answers_only(small: demo_corpus.CorpusFiles) -> None:
    withheld = json.loads(small.test.read_text(encoding="utf-8"))
    given = json.loads(small.test_answers.read_text(encoding="utf-8"))
    for article in given["data"]:
        for asked in chain.from_iterable(p["qas"] for p in article["paragraphs"]):
            assert asked["answers"]
            asked["answers"] = None
    assert withheld == given


def test_the_sample_submission_has_a_blank_for_every_test_guid(small: demo_corpus.CorpusFiles) -> None:
    text = small.sample_submission.read_bytes().decode("utf-8")
    assert "\r" not in text
    assert text.startswith("Id,Predicted\n")
    rows = list(csv.reader(text.splitlines()[1:]))
    data = json.loads(small.test.read_text(encoding="utf-8"))["data"]
    guids = [asked["guid"] for article in data for p in article["paragraphs"] for asked in p["qas"]]
    assert [row[0] for row in rows] == guids
    assert {row[1] for row in rows} == {""}


# The corpus


def test_counts(corpus: demo_corpus.Corpus) -> None:
    assert len(corpus.test) >= TEST_QUESTIONS
    assert len(contexts(corpus.test)) == TEST_CONTEXTS
    assert len(contexts(corpus.train)) == demo_corpus.TRAIN_CONTEXTS
    assert {len({q.text for q in group}) for group in by_context(everything(corpus)).values()} <= {3, 4}


def by_context(questions: list[Question]) -> dict[str, list[Question]]:
    groups: defaultdict[str, list[Question]] = defaultdict(list)
    for question in questions:
        groups[question.context].append(question)
    return groups


def test_guids_are_unique_and_look_like_the_competitions(corpus: demo_corpus.Corpus) -> None:
    guids = [question.guid for question in everything(corpus)]
    assert len(set(guids)) == len(guids)
    assert all(re.fullmatch(r"[0-9a-f]{32}", guid) for guid in guids)


def test_a_title_names_one_article(corpus: demo_corpus.Corpus) -> None:
    articles = {(question.title, question.context) for question in everything(corpus)}
    titles = Counter(title for title, _ in articles)
    assert titles.most_common(1)[0][1] == 1


def test_every_answer_stands_at_its_start(corpus: demo_corpus.Corpus) -> None:
    for question in everything(corpus):
        assert question.answers
        for gold in question.answers:
            assert gold.text
            assert gold.text == gold.text.strip(), question.guid
            assert question.context[gold.start : gold.end] == gold.text


def test_two_gold_forms_begin_together_the_longer_first(corpus: demo_corpus.Corpus) -> None:
    pairs = [question.answers for question in corpus.test if len(question.answers or ()) > 1]
    assert len(pairs) > 0.2 * len(corpus.test)
    for pair in pairs:
        assert pair is not None
        long, short = pair
        assert long.start == short.start
        assert long.text.startswith(short.text)
        assert len(short.text) < len(long.text)


def test_answer_lengths_are_like_the_competitions(corpus: demo_corpus.Corpus) -> None:
    for questions in (corpus.train, corpus.test):
        lengths = sorted(len(question.golds[0]) for question in questions)
        assert 5 <= sum(lengths) / len(lengths) <= 8
        assert 4 <= lengths[len(lengths) // 2] <= 6
        assert 0.03 <= sum(length > 20 for length in lengths) / len(lengths) <= 0.10
        assert lengths[-1] < 60


def test_some_contexts_are_long_and_answered_late(corpus: demo_corpus.Corpus) -> None:
    long = [question for question in corpus.test if len(question.context) >= 1200]
    assert long
    assert any(question.answers[0].start > 700 for question in long if question.answers)
    usual = sorted(len(context) for context in contexts(corpus.test))
    assert 230 <= usual[len(usual) // 2] <= 400


@pytest.mark.parametrize("sign", list("\xa0\u200b“”‘’…㎜①美中《㎏"))
def test_contexts_hold_the_signs_that_real_articles_hold(corpus: demo_corpus.Corpus, sign: str) -> None:
    assert any(sign in context for context in contexts(corpus.train))


def test_no_sign_of_the_template_language_is_left(corpus: demo_corpus.Corpus) -> None:
    for question in everything(corpus):
        for text in (question.text, question.context, question.title):
            assert not set("[]{}<>|^~") & set(text), text
        assert question.text.endswith("?")
        assert " ?" not in question.text
        assert "  " not in question.text


def test_a_passage_names_more_than_one_of_a_kind(corpus: demo_corpus.Corpus) -> None:
    """With one number or one person only, the kind of the answer would give it away."""
    several = sum(len(re.findall(r"\d+", context)) >= 3 for context in contexts(corpus.test))
    assert several > 0.9 * TEST_CONTEXTS


@pytest.mark.parametrize("word", ["누구", "언제", "어디", "무엇", "몇", "얼마", "어떻게"])
def test_question_words_vary(corpus: demo_corpus.Corpus, word: str) -> None:
    assert any(word in question.text for question in corpus.test)


# Training cannot know the test


def shingles(text: str, size: int = 8) -> frozenset[str]:
    plain = "".join(sign for sign in text if unicodedata.category(sign)[0] in "LN")
    return frozenset(plain[at : at + size] for at in range(len(plain) - size + 1))


def test_no_two_articles_are_near_duplicates(corpus: demo_corpus.Corpus) -> None:
    """Nor of the training part: articles joined into one group would make folds useless."""
    texts = [*contexts(corpus.test), *contexts(corpus.train)[:800]]
    forms = [shingles(text) for text in texts]
    holders: defaultdict[str, list[int]] = defaultdict(list)
    for number, form in enumerate(forms):
        for shingle in form:
            holders[shingle].append(number)
    worst = 0.0
    for number, form in enumerate(forms):
        shared = Counter(other for shingle in form for other in holders[shingle] if other < number)
        for other, count in shared.items():
            worst = max(worst, count / min(len(form), len(forms[other])))
    assert worst < 0.37


def test_no_context_or_title_is_in_both_parts(corpus: demo_corpus.Corpus) -> None:
    assert not set(contexts(corpus.train)) & set(contexts(corpus.test))
    assert not {q.title for q in corpus.train} & {q.title for q in corpus.test}


@pytest.mark.parametrize("kind", ["person", "company", "foreigner", "team"])
def test_test_names_are_mostly_unseen_in_training(kind: str) -> None:
    source = names.FRESH[kind]
    train = {source(Draw(random.Random(seed))) for seed in range(3000)}
    test = [source(Draw(random.Random(seed), held_out=True)) for seed in range(300)]
    assert sum(name not in train for name in test) > 0.7 * len(test)


@pytest.mark.parametrize("kind", ["town", "county", "university", "land"])
def test_held_out_stems_never_occur_in_training(kind: str) -> None:
    source = names.FRESH[kind]
    train = {source(Draw(random.Random(seed))) for seed in range(3000)}
    test = [source(Draw(random.Random(seed), held_out=True)) for seed in range(300)]
    unseen = sum(name not in train for name in test)
    assert 0.6 * len(test) < unseen < len(test)


# The Korean


@pytest.mark.parametrize(
    ("word", "base", "shape"),
    [
        ("책", "을", "을"),
        ("나무", "을", "를"),
        ("김도현", "은", "은"),
        ("서림시", "은", "는"),
        ("대표", "이", "가"),
        ("위원장", "이", "이"),
        ("가람", "과", "과"),
        ("바다", "과", "와"),
        ("부산", "으로", "으로"),
        ("학교", "으로", "로"),
        ("서울", "으로", "로"),  # a final ㄹ takes the open shape
        ("말", "은", "은"),
        ("3", "이", "이"),
        ("2", "이", "가"),
        ("7", "으로", "로"),
        ("6", "으로", "으로"),
        ("10", "은", "은"),
        ("1억 원", "이라", "이라"),
        ("12%", "은", "는"),
        ("㎜", "을", "를"),
        ("“긴 편지”", "을", "를"),
        ("‘푸른 섬’", "은", "은"),
        ("《나노 저널》", "이다", "이다"),
        ("교수", "이었", "였"),
        ("선물", "이었", "이었"),
    ],
)
def test_particles(word: str, base: str, shape: str) -> None:
    assert josa.particle(word, base) == shape


def test_particles_in_the_corpus_fit_the_names_before_them(corpus: demo_corpus.Corpus) -> None:
    for context in contexts(corpus.train)[:600]:
        # A town or county is read to its last syllable: 시 is open, 군 is closed.
        assert not re.search(r"[가-힣]{2}시(은|이|을|과) ", context.replace("다시 ", "")), context
        assert not re.search(r" \d+명(는|가|를|와|로) ", context), context
        assert not re.search(r"원(는|를|와|로)[ ,.]", context), context


# The templates


def all_facts() -> list[tuple[dict[str, str], Fact]]:
    found: list[tuple[dict[str, str], Fact]] = []
    for frame in frames():
        found += [(dict(frame.slots), one) for one in (frame.lead, *frame.facts)]
    return found + [({}, one) for one in (byline(), *asides())]


def assert_readable(template: str, slots: Collection[str]) -> None:
    """Raises ValueError for one that breaks the language."""
    parse(template)
    for name in re.findall(r"\{([^}]*)\}", template):
        known = name[1:] in names.FRESH if name.startswith("@") else name in slots
        assert known or re.fullmatch(r"\d+-\d+(/\d+)?", name), f"{name} in {template}"


def test_every_template_parses_and_every_slot_is_filled() -> None:
    for frame in frames():
        for title in frame.titles:
            assert_readable(title, frame.slots)
        for slot in frame.slots.values():
            assert_readable(slot, ())
    for slots, one in all_facts():
        for template in chain(one.wordings, *one.asks.values()):
            assert_readable(template, slots)


def test_importing_the_corpus_reads_no_templates() -> None:
    code = (
        "from kit.data.demo_corpus import generator, passages\n"
        "print([read.cache_info().currsize for read in "
        "(passages.frames, passages.byline, passages.asides, passages.name_parts)])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "[0, 0, 0, 0]\n"


def test_every_answer_is_asked_for() -> None:
    for _, one in all_facts():
        marked = set(re.findall(r"<(\w+):", " ".join(one.wordings)))
        assert marked == set(one.asks)
        for wording in one.wordings:
            assert re.search(r"<\w+:", wording)


def test_a_frame_has_enough_facts_for_the_largest_passage() -> None:
    assert all(len(frame.facts) >= 7 for frame in frames())
    assert all(len(one.wordings) >= 2 for _, one in all_facts())


def test_template_language() -> None:
    write = writer(who="김도현", place="서림시")
    canvas = write.write("<who:{who}~ 대표>^은 {place}^을 [떠났다|떠났다].")
    assert canvas.text == "김도현 대표는 서림시를 떠났다."
    span = canvas.spans["who"]
    assert canvas.text[span.start : span.end] == "김도현 대표"
    assert span.short_end is not None
    assert canvas.text[span.start : span.short_end] == "김도현"


def test_numbers_keep_to_their_range_and_step() -> None:
    drawn = {int(writer(seed).text("{20-90/35}")) for seed in range(60)}
    assert drawn == {20, 55, 90}


def test_a_text_is_appended_with_spans_that_count_from_its_beginning() -> None:
    canvas = Canvas("앞 ")
    writer().write("<a:둘>", canvas)
    assert canvas.text[canvas.spans["a"].start : canvas.spans["a"].end] == "둘"


@pytest.mark.parametrize("template", ["[a|b", "<k:a", "a ^무엇", "{x", "a]"])
def test_broken_templates_are_refused(template: str) -> None:
    with pytest.raises(ValueError):
        parse(template)
