"""What a report says, against the plain computations of other rooms; and how it stands in the page."""

from __future__ import annotations

import base64
import gzip
import json
import re
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kit
from kit.api.report import overview
from kit.data import demo_corpus
from kit.data.records import Dataset
from kit.errors import DataError, SubmissionError
from kit.metrics.scores import compare, score_answers
from kit.phrase import portable
from kit.reports.contents import index_of
from kit.reports.error_types import ERROR_TYPES
from kit.reports.overview import facet_rows, worst
from kit.reports.page import escaped
from kit.settings.recipe import Member, Recipe
from kit.settings.runs import read_run, write_run
from tests.reports.conftest import HOSTILE, Place, unpacked
from tests.spans.made import make_run, scores_of, words


class Scripts(HTMLParser):
    """The text of every script element by its id, as a browser would cut them out."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self.inside: str | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "script":
            self.inside = dict(attrs).get("id") or "program"
            assert "src" not in dict(attrs)

    def handle_data(self, data: str) -> None:
        if self.inside is not None:
            self.found[self.inside] = self.found.get(self.inside, "") + data

    def handle_endtag(self, tag: str) -> None:
        self.inside = None


@pytest.fixture(scope="module")
def scripts(place: Place) -> dict[str, str]:
    found = Scripts(place.report.path.read_text(encoding="utf-8")).found
    for name in ("contexts", "details"):
        found[name] = gzip.decompress(base64.b64decode(found[name])).decode()
    return found


def test_the_head_compares_with_blank_course_members_and_the_other_csv(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place.folder)
    found = {one.role: one for one in place.report.contents.overview.scores if one.role != "member"}
    members = [one for one in place.report.contents.overview.scores if one.role == "member"]
    answers = kit.decode("two.yaml", place.data)
    assert found["report"].score.edit == kit.score(answers, place.data).edit
    assert found["report"].texts == tuple(answers.values())
    Path("course.yaml").write_text(
        "members: [{run: runs/words}]\nrules: [strip_special_tokens, trim, {blank_long: 20}]\n",
        encoding="utf-8",
    )
    course = kit.decode("course.yaml", place.data)
    assert found["course"].texts == tuple(course.values())
    assert found["blank"].score.blanks == 1.0
    assert [one.score.label for one in members] == ["letters", "words"]
    rival = kit.score("words.csv", place.data)
    assert found["versus"].score.edit == rival.edit
    assert found["versus"].against == compare(rival, kit.score(answers, place.data))


def test_shares_of_every_facet_sum_to_the_whole(place: Place) -> None:
    overview = place.report.contents.overview
    total = overview.own.score.distances.sum()
    assert total > 0
    assert overview.versus is not None
    rival = overview.versus.score.distances.sum()
    assert rival != total
    known = [facet for facet in overview.facets if not facet.reason]
    assert {"error", "gold", "word", "context", "windows", "distance", "blank", "others", "change"} <= {
        facet.key for facet in known
    }
    for facet in known:
        lines = facet_rows(overview, facet)
        assert sum(line.distance for line in lines) == (rival if facet.key == "before" else total)
        assert sum(line.questions for line in lines) == len(place.data)
        assert sum(line.share_of_distance for line in lines) == pytest.approx(1)
    (unk,) = [facet for facet in overview.facets if facet.key == "unk"]
    assert unk.reason == "there is no tokenizer.json beside the members' weights"


def test_the_index_is_what_the_record_says(place: Place, scripts: dict[str, str]) -> None:
    index = json.loads(scripts["index"])
    assert index == json.loads(json.dumps(index_of(place.report.contents)))
    contexts, questions = json.loads(scripts["contexts"]), index["questions"]
    for number, question in enumerate(place.data):
        assert contexts[questions["context"][number]] == question.context
        assert questions["guid"][number] == question.guid
        assert [gold for gold, _ in questions["golds"][number]] == list(question.golds)
        at, answer = questions["place"][number], questions["answer"][number]
        assert (at is None) == (answer == "" or answer not in question.context)
        if at is not None:
            assert question.context[at : at + len(answer)] == answer
    assert index["cautions"] == [
        {
            "fitted": False,
            "text": {
                "say": "{run}: out of fold; each answer comes from the one of {count} models that did not "
                "train on its article",
                "run": name,
                "count": "3",
            },
        }
        for name in ("letters", "words")
    ]


def test_a_question_in_detail_is_what_explain_says(
    place: Place, scripts: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place.folder)
    lines = scripts["details"].split("\n")
    assert len(lines) == len(place.data)
    index = json.loads(scripts["index"])
    for number in (0, 5, 17):
        detail = json.loads(lines[number])
        known = kit.explain("two.yaml", place.data, place.data.questions[number].guid)
        assert known.choice is not None
        assert detail["weighed"] == len(known.choice.candidates)
        assert (index["questions"]["decoded"][number] or known.answer) == known.decoded
        for rank, text, p, risk, _ in detail["candidates"]:
            assert known.choice.candidates[rank - 1].text == text
            assert p == pytest.approx(known.choice.candidates[rank - 1].p, abs=1e-4)
            assert risk == pytest.approx(known.choice.candidates[rank - 1].risk, abs=1e-2)
        texts = [text for _, text, *_ in detail["candidates"]]
        assert place.data.questions[number].golds[0] in texts
        assert detail["p"] == pytest.approx([one.p for one in known.members], abs=1e-4)
        assert detail["why"] == portable(list(known.reasons))
        assert known.decoded in " ".join(known.reasons) or known.decoded == ""
        assert len(unpacked(detail["heatmaps"])) == 2 * 3  # two members and the blend


def test_nothing_in_the_data_can_end_or_begin_an_element(place: Place) -> None:
    page = place.report.path.read_text(encoding="utf-8")
    assert page.count("<script") == page.count("</script>") == 4
    assert "<!--" not in page
    assert "<b>" not in page
    assert re.search("[\u2028\u2029]", page) is None
    assert not re.search(r'(?:src|href)="(?!#|data:)', page)
    assert "http://www.w3.org/2000/svg" in page  # a name, which nobody fetches
    assert len(re.findall("https?://", page)) == 1


@given(st.text(st.characters(codec=None)))
def test_escaped_json_reads_back_the_same(text: str) -> None:
    kept = escaped(json.dumps(text, ensure_ascii=False))
    assert json.loads(kept) == text
    assert not set("<>&\u2028\u2029") & set(kept)
    kept.encode()


def test_the_worst_answers_come_first(place: Place) -> None:
    overview = place.report.contents.overview
    cases = worst(overview, 5)
    assert [case.distance for case in cases] == sorted(overview.own.score.distances, reverse=True)[:5]
    assert all(case.answer != case.gold and ERROR_TYPES[case.error_type] != "right" for case in cases)


def test_the_same_inputs_give_the_same_page(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place.folder)
    again = kit.report("two.yaml", "data/train.json", versus="words.csv", out="again.html")
    assert again.path.read_bytes() == place.report.path.read_bytes()


def test_a_csv_is_judged_as_the_recipe_that_made_it(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place.folder)
    made = kit.ensemble("two.yaml", place.data, out="two.csv")
    found = overview(made.path)  # the card names the data
    assert found.error_types == place.report.contents.overview.error_types
    assert np.array_equal(found.own.score.distances, place.report.contents.overview.own.score.distances)
    reasons = {facet.key: facet.reason for facet in found.facets if facet.reason}
    assert set(reasons) == {"windows", "unk", "others"}
    assert found.source.cautions == ()
    packed = made.path.with_name("two.csv.gz")
    packed.write_bytes(gzip.compress(made.path.read_bytes()))
    assert overview(packed, place.data).source.texts == found.source.texts


def test_answers_may_come_from_another_file(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place.folder)
    test = kit.load("data/test.json")
    kit.write_submission("blank.csv", test, dict.fromkeys((one.guid for one in test), ""))
    found = overview("blank.csv", test, answers="data/test_answers.json")
    assert {ERROR_TYPES[kind] for kind in found.error_types} == {"blanked wrongly"}
    with pytest.raises(DataError, match=r"test\.json: withholds 11 of 11 answers, .* --answers"):
        overview("blank.csv", test)
    with pytest.raises(DataError, match=r"train\.json: has no answer to question"):
        overview("blank.csv", test, answers="data/train.json")
    with pytest.raises(SubmissionError, match=r"blank\.csv: has no answer to question"):
        overview("blank.csv", place.data)


def test_a_vote_says_who_voted(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place.folder)
    content = "members: [{run: runs/words}, {run: runs/letters}, {csv: words.csv}]\nblend: vote\n"
    Path("vote.yaml").write_text(content, encoding="utf-8")
    contents = kit.report("vote.yaml", place.data, out="vote.html").contents
    assert contents.overview.source.texts == tuple(kit.decode("vote.yaml", place.data).values())
    assert json.loads(contents.details[0])["why"][0]["say"].startswith("The vote: ")
    assert contents.weights.reason == "a CSV among the members has no posterior to weigh"
    assert len(contents.temperatures.curves) == 2
    assert index_of(contents)["blend"] is False


def test_the_head_has_title_date_and_language(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place.folder)
    made = kit.report("words.csv", place.data, out="titled.html", title="Week 3 <b>", lang="ko")
    index = index_of(made.contents)
    assert (index["title"], index["language"]) == ("Week 3 <b>", "ko")
    assert index["date"] == datetime.now().date().isoformat()
    page = made.path.read_text(encoding="utf-8")
    assert '<html lang="ko">' in page
    assert "<title>Week 3 &lt;b&gt; · train.json · kit report</title>" in page
    english = kit.report("words.csv", place.data, out="english.html", lang="en")
    assert index_of(english.contents)["korean"] == {}
    assert made.path.stat().st_size - english.path.stat().st_size < 60_000


def test_hostile_questions_are_among_them(data_guids: set[str]) -> None:
    assert set(HOSTILE) <= data_guids


@pytest.fixture
def data_guids(place: Place) -> set[str]:
    data: Dataset = place.data
    return {question.guid for question in data}


def test_scores_are_of_the_first_gold(place: Place) -> None:
    texts = dict(zip((q.guid for q in place.data), place.report.contents.overview.source.texts, strict=True))
    assert place.report.contents.overview.own.score.edit == score_answers(texts, place.data).edit


def test_settings_that_differ_between_members_are_facts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data = kit.load(demo_corpus.write(Path("data"), train_contexts=4, test_contexts=1).train)
    for name in ("words", "letters"):
        make_run(data, name, scores_of(data, words, 1, 3.0))
    record = read_run(Path("runs/letters"))
    assert record is not None
    changed = record.settings.model_copy(update={"lr": 1e-4})
    write_run(Path("runs/letters"), record.model_copy(update={"settings": changed}))
    two = Recipe(members=(Member(run="runs/words"), Member(run="runs/letters")))
    facts = dict(kit.report(two, data, out="page.html").contents.facts)
    assert facts["lr of the members"] == "letters: 0.0001; words: 3e-05"
    assert not [name for name in facts if name.startswith("epochs")]
