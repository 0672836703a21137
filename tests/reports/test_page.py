"""The page in a real browser: what it does is compared with the record it was made from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import numpy as np
import pytest

import kit
from kit.data import demo_corpus
from kit.reports.error_types import ERROR_TYPES
from kit.reports.heatmap import heatmap_of
from kit.reports.language import korean
from kit.reports.overview import Overview, facet_rows
from tests.reports.conftest import HOSTILE, LONG, Place

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page


@dataclass
class Visit:
    """An open page, and everything that it complained of or asked the network for."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    @property
    def shown(self) -> list[str]:
        """guids of the rows that exist, in order."""
        return self.page.eval_on_selector_all(".row", "rows => rows.map(row => row.dataset.guid)")

    @property
    def count(self) -> int:
        """How many questions pass the filters, as the bar says."""
        (number,) = re.findall("^(?:all )?([0-9,]+)", self.page.inner_text("#amount"))
        return int(number.replace(",", ""))

    @property
    def opened(self) -> str | None:
        """The guid of the open question."""
        found = self.page.query_selector(".guid")
        return None if found is None else found.inner_text()

    def turn(self, view: str) -> None:
        """To the view of the address's part *view*, from the top and with nothing chosen on the way."""
        self.page.evaluate(
            """view => new Promise(done => {
                document.activeElement.blur();
                document.getElementById("list").scrollTop = 0;
                if (location.hash === view) return done();
                addEventListener("hashchange", () => setTimeout(done), { once: true });
                location.hash = view;
            })""",
            view,
        )
        if guid := dict(parse_qsl(view[1:])).get("open"):
            self.page.wait_for_function(
                "guid => document.querySelector('.guid')?.textContent === guid", arg=guid
            )

    def harmless(self, url: str) -> None:
        """Nothing was complained of until now, nothing fetched, and no text of the data was carried out."""
        assert self.complaints == []
        assert {one.split("#")[0] for one in self.requests} == {url.split("#")[0]}
        assert self.page.evaluate("window.pwned === undefined")


@contextmanager
def visit(browser: Browser, url: str, **how: Any) -> Iterator[Visit]:
    """Open *url*; whatever happens there, nothing may be complained of and nothing fetched."""
    context = browser.new_context(**({"viewport": {"width": 1440, "height": 900}} | how))
    found = Visit(context.new_page())
    found.page.set_default_timeout(10_000)
    found.page.on("console", lambda message: found.complaints.append(message.text))
    found.page.on("pageerror", lambda error: found.complaints.append(str(error)))
    found.page.on("request", lambda request: found.requests.append(request.url))
    found.page.goto(url)
    found.page.wait_for_selector("html[data-unpacked]")
    yield found
    found.harmless(url)
    context.close()


@pytest.fixture
def url(place: Place) -> str:
    return place.report.path.as_uri()


@pytest.fixture
def overview(place: Place) -> Overview:
    return place.report.contents.overview


@pytest.fixture(scope="module")
def _opened(browser: Browser, place: Place) -> Iterator[Visit]:
    with visit(browser, place.report.path.as_uri()) as found:
        yield found


@pytest.fixture
def at(_opened: Visit, url: str) -> Visit:
    """The page, opened once, as it is at first: all that a view consists of is in its address."""
    _opened.harmless(url)
    _opened.complaints.clear()
    _opened.turn("")
    return _opened


def guids(place: Place, chosen: np.ndarray) -> list[str]:
    """guids of the questions where *chosen*, by distance, the largest first, as the page sorts by default."""
    questions = place.data.questions
    return [questions[number].guid for number in np.flatnonzero(chosen).tolist()]


def values(overview: Overview, key: str, label: str) -> np.ndarray:
    """Where the facet *key* has the value *label*, bool (Q,)."""
    (facet,) = [facet for facet in overview.facets if facet.key == key]
    return np.array(facet.values) == facet.labels.index(label)


def choose(at: Visit, key: str, label: str) -> None:
    at.page.click(f".facet-{key} .value:has(.label bdi:text-is('{label}'))")


def test_it_opens_and_shows_every_score(at: Visit, place: Place, overview: Overview) -> None:
    assert at.page.title() == "two · train.json · kit report"
    assert at.count == len(place.data)
    rows = at.page.query_selector_all(".scores tbody tr")
    assert len(rows) == len(overview.scores)
    for row, standing in zip(rows, overview.scores, strict=True):
        text = row.inner_text()
        assert standing.score.label in text
        assert f"{standing.score.edit:.3f}" in text
        assert str(standing.score.interval) in text
        assert f"{100 * standing.score.exact:.1f} %" in text
        if standing.against is not None:
            assert f"{abs(standing.against.mean):.3f}" in text
    assert "words: out of fold" in at.page.inner_text(".cautions")
    assert "a sample" in at.page.inner_text("#chart-temperature")
    gone = at.page.inner_text("#not-shown")
    assert gone.startswith(
        "Not shown: Edit Score while training (the records of the trainings have no scores)"
    )
    assert not at.page.is_visible("#chart-learning")
    assert not at.page.is_visible("#chart-loss")
    assert "[UNK] in the answer (there is no tokenizer.json beside" in at.page.inner_text("#facts")


def test_bars_filter_everything(at: Visit, place: Place, overview: Overview) -> None:
    distances = overview.own.score.distances
    wrong = values(overview, "error", "wrong place")
    choose(at, "error", "wrong place")
    assert at.count == wrong.sum() > 0
    assert f"{100 * distances[wrong].sum() / distances.sum():.1f} % of the distance" in at.page.inner_text(
        "#bar"
    )
    assert set(at.shown) <= set(guids(place, wrong))
    # a second value of the same facet widens, another facet narrows
    both = wrong | values(overview, "error", "too long")
    choose(at, "error", "too long")
    assert at.count == both.sum() > wrong.sum()
    (facet,) = [facet for facet in overview.facets if facet.key == "gold"]
    for number, label in enumerate(facet.labels):
        bar = at.page.inner_text(f".facet-gold .value >> nth={number} >> .n")
        assert int(bar.replace(",", "")) == (both & values(overview, "gold", label)).sum()
    narrow = both & values(overview, "gold", facet.labels[1])
    choose(at, "gold", facet.labels[1])
    assert at.count == narrow.sum() > 0
    mean = at.page.inner_text(".role-report td:last-child")
    assert f"{distances[narrow].mean():.3f}" in mean
    assert "(the selection)" in at.page.inner_text("#chart-lengths .note")
    at.page.click("#clear")
    assert at.count == len(place.data)
    assert at.page.evaluate("location.hash") == ""


def test_a_facet_shows_what_its_other_values_would_bring(at: Visit, overview: Overview) -> None:
    choose(at, "error", "wrong place")
    numbers = at.page.eval_on_selector_all(
        ".facet-error .n", "all => all.map(one => Number(one.textContent))"
    )
    (facet,) = [facet for facet in overview.facets if facet.key == "error"]
    assert numbers == np.bincount(np.array(facet.values)).tolist()
    assert at.page.get_attribute(".facet-error .value:has-text('wrong place')", "aria-pressed") == "true"


def test_search_looks_through_questions_answers_and_contexts(
    at: Visit, place: Place, overview: Overview
) -> None:
    for sought in ("누가", "<SCRIPT>", overview.source.texts[3], place.data.questions[4].guid, "toString"):
        at.page.fill("#search", sought)
        found = [
            question.guid
            for question, answer in zip(place.data, overview.source.texts, strict=True)
            if any(
                sought.lower() in text.lower()
                for text in (
                    question.guid,
                    question.text,
                    question.title,
                    question.context,
                    answer,
                    *question.golds,
                )
            )
        ]
        assert at.count >= len(found) > 0
        if len(found) < 8:
            assert set(found) <= set(at.shown)
    at.page.fill("#search", "nowhere to be found")
    assert at.count == 0
    assert at.page.inner_text("#list") == "No question passes these filters."


def test_sorting(at: Visit, place: Place, overview: Overview) -> None:
    own, rival = overview.own.score.distances, overview.versus
    assert rival is not None
    risks = np.array([np.nan if risk is None else risk for risk in overview.risks])
    orders = {
        "distance-down": -own,
        "distance-up": own,
        "file": np.zeros(len(own)),
        "risk": -np.nan_to_num(risks, nan=-1),
        "worse": -(own - rival.score.distances),
        "better": own - rival.score.distances,
        "gold": -np.array([len(gold) for gold in overview.source.golds]),
    }
    for name, key in orders.items():
        at.page.select_option("#sort", name)
        wanted = [place.data.questions[number].guid for number in np.argsort(key, kind="stable")[:6].tolist()]
        assert at.shown[:6] == wanted, name


def test_the_keyboard(at: Visit, place: Place, overview: Overview) -> None:
    at.page.select_option("#sort", "file")
    at.page.evaluate("document.activeElement.blur()")
    order = [question.guid for question in place.data]
    wrong = [order[number] for number in np.flatnonzero(overview.own.score.distances).tolist()]
    keys = at.page.keyboard
    keys.press("j")
    assert at.opened == order[0]
    keys.press("j")
    keys.press("ArrowDown")
    assert at.opened == order[2]
    keys.press("k")
    assert at.opened == order[1]
    keys.press("e")
    assert at.opened == next(guid for guid in wrong if order.index(guid) > 1)
    keys.press("e")
    assert at.opened == [guid for guid in wrong if order.index(guid) > 1][1]
    keys.press("/")
    keys.type("jek/")
    assert at.page.input_value("#search") == "jek/"
    keys.press("Escape")
    assert at.page.input_value("#search") == ""
    assert at.page.evaluate("document.activeElement === document.body")
    keys.press("Escape")
    assert at.opened is None
    for _ in range(40):
        keys.press("j")
    assert at.opened == order[39]
    box, pane = at.page.locator(".row.opened").bounding_box(), at.page.locator("#list").bounding_box()
    assert box is not None
    assert pane is not None
    assert pane["y"] <= box["y"]
    assert box["y"] + box["height"] <= pane["y"] + pane["height"] + 1


def test_the_address_holds_the_view(browser: Browser, at: Visit) -> None:
    choose(at, "error", "wrong place")
    choose(at, "error", "too long")
    at.page.fill("#search", "다")
    at.page.select_option("#sort", "risk")
    at.page.evaluate("document.activeElement.blur()")
    at.page.keyboard.press("j")
    at.page.keyboard.press("j")
    before = (at.count, at.shown, at.opened, at.page.inner_text("#bar"))
    assert before[0] > 1
    at.page.reload()
    at.page.wait_for_selector("html[data-unpacked]")
    assert (at.count, at.shown, at.opened, at.page.inner_text("#bar")) == before
    assert at.page.input_value("#search") == "다"
    assert at.page.input_value("#sort") == "risk"
    with visit(browser, at.page.url) as other:
        assert (other.count, other.shown, other.opened) == before[:3]
    at.page.evaluate("location.hash = '#error=0&open=long'")
    at.page.wait_for_function("document.querySelector('.guid')?.textContent === 'long'")
    assert at.page.input_value("#search") == ""


def test_an_address_of_nonsense_shows_everything(browser: Browser, url: str, place: Place) -> None:
    nonsense = "#error=99.x.-1&open=nobody&sort=toString&search=&__proto__=1&gold=%3Cb%3E"
    with visit(browser, url + nonsense) as at:
        assert at.count == len(place.data)
        assert at.opened is None


def test_a_question_shows_gold_answer_candidates_and_heatmaps(
    at: Visit, place: Place, overview: Overview
) -> None:
    report = overview.source
    number = int(np.flatnonzero(values(overview, "error", "wrong place"))[0])
    question = place.data.questions[number]
    at.turn(f"#open={question.guid}")
    page = at.page
    assert page.inner_text("#asked") == question.text
    assert page.text_content("#context") == question.context
    assert "".join(page.locator("#context mark.gold").all_text_contents()) == question.golds[0]
    assert "".join(page.locator("#context mark.said").all_text_contents()) == report.texts[number]
    assert f"{int(overview.own.score.distances[number])}" in page.inner_text("tr.own >> nth=0")
    assert "✗ wrong place" in page.inner_text("tr.own >> nth=0")
    candidates = overview.candidates[number].candidates
    rows = page.locator(".candidates tbody tr")
    assert rows.count() == len(candidates)
    for row, candidate in zip(rows.all(), candidates, strict=True):
        assert f"{candidate.risk:.2f}" in row.inner_text()
    assert "edit takes the text of least expected distance" in page.inner_text(".why")
    members = [page.inner_text(f"tr.member >> nth={index}") for index in range(2)]
    for text, member in zip(members, report.members, strict=True):
        assert member.label in text
        assert member.texts[number] in text
    if "whole" in page.inner_text("#zoom"):
        page.click("#zoom")
    posteriors = [member.posterior for member in report.members] + [report.blend]
    for index, posterior in enumerate(posteriors):
        assert posterior is not None
        for side, marginal in zip(("start", "end"), heatmap_of(posterior), strict=True):
            bars = page.locator(f".heatmap >> nth={index} >> rect.{side}")
            part = slice(marginal.offsets[number], marginal.offsets[number + 1])
            assert bars.count() == part.stop - part.start
            tallest = max(float(bar.get_attribute("height") or 0) for bar in bars.all())
            assert tallest == pytest.approx(max(marginal.heat[part].max() / 255 * 20, 1.5), abs=0.01)


def test_heatmaps_zoomed_in_show_the_characters_of_the_context(at: Visit, place: Place) -> None:
    question = place.data.questions[0]
    at.turn(f"#open={question.guid}")
    if "zoom in" in at.page.inner_text("#zoom"):
        at.page.click("#zoom")
    letters = "".join(at.page.locator("text.letter").all_text_contents())
    assert len(letters) >= 30
    assert letters in question.context


def test_comparison(at: Visit, place: Place, overview: Overview) -> None:
    rival = overview.versus
    assert rival is not None
    assert rival.against is not None
    change = overview.own.score.distances - rival.score.distances
    text = at.page.inner_text("#difference")
    assert f"in characters a question: {rival.against.in_words()}" in text
    for name, chosen in (("better", change < 0), ("worse", change > 0)):
        assert chosen.any()
        assert f"{chosen.sum()} question" in at.page.inner_text(f"#move-{name}")
        assert f"{abs(change[chosen].sum()):.0f} characters" in at.page.inner_text(f"#move-{name}")
        at.page.click(f"#move-{name}")
        assert at.count == chosen.sum()
        assert set(at.shown) <= set(guids(place, chosen))
        at.page.click("#clear")
    total = at.page.eval_on_selector_all(
        ".moves-matrix td button",
        "all => all.reduce((sum, one) => sum + Number(one.firstChild.textContent), 0)",
    )
    assert total == len(place.data)
    before = np.array(next(facet for facet in overview.facets if facet.key == "before").values)
    at.page.click(".moves-matrix td button >> nth=0")
    assert 0 < at.count < len(place.data)
    assert len(set(before.tolist())) > 1


@pytest.mark.parametrize("guid", list(HOSTILE))
def test_hostile_text_stays_text(at: Visit, url: str, guid: str) -> None:
    context, asked, gold = HOSTILE[guid]
    at.turn(f"#open={guid}")
    page = at.page
    assert at.opened == guid
    assert page.text_content("#context") == as_shown(context)
    assert page.text_content("#asked") == as_shown(asked)
    assert "".join(page.locator("#context mark.gold").all_text_contents()) == as_shown(gold)
    assert f"<i>{guid}</i>" in page.inner_text("#question")
    inside = page.eval_on_selector_all("#question *, #list *", "all => all.map(one => one.localName)")
    assert not {"script", "img", "b" if guid == "script" else "script", "i", "iframe"} & (set(inside) - {"b"})
    assert page.evaluate("document.images.length") == 0
    assert page.evaluate("document.scripts.length") == 4
    body = page.text_content("main")
    assert body is not None
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200e\u200f]", body)
    at.harmless(url)


def as_shown(text: str) -> str:
    """Characters that turn or hide text are named instead of sent."""
    return re.sub("[\u200b-\u200f\u2028-\u202e\u2066-\u2069]", lambda found: f"U+{ord(found[0]):04X}", text)


def test_the_long_context_is_all_there(browser: Browser, url: str) -> None:
    assert len(LONG) > 20_000 - 15
    with visit(browser, f"{url}#open=long", viewport={"width": 390, "height": 844}) as at:
        assert at.page.text_content("#context") == LONG
        assert at.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_no_width_scrolls_sideways(browser: Browser, url: str) -> None:
    """Of a page that is opened at a phone's width, and turned or made wider and narrower afterwards."""
    with visit(browser, url, viewport={"width": 320, "height": 844}) as at:
        at.page.keyboard.press("e")
        at.page.wait_for_selector(".heatmap svg")
        choose(at, "error", "wrong place")
        for width in (320, 1440, 390, 768):
            at.page.set_viewport_size({"width": width, "height": 844})
            at.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
            assert at.page.evaluate("innerWidth") == width
            assert at.page.evaluate("document.documentElement.scrollWidth") <= width
            assert at.page.evaluate("document.querySelectorAll('.chart svg').length") >= 7
            widest = at.page.evaluate(
                "Math.max(...[...document.querySelectorAll('.chart svg, .heatmap svg')]"
                ".map(one => one.getBoundingClientRect().right))"
            )
            assert widest <= width, width


@pytest.mark.parametrize(("width", "height"), [pytest.param(1280, 600, marks=pytest.mark.slow), (390, 844)])
def test_an_opened_question_is_in_view(browser: Browser, url: str, width: int, height: int) -> None:
    with visit(browser, url, viewport={"width": width, "height": height}) as at:
        for key in ("e", "e", "j"):
            at.page.evaluate("scrollTo(0, 0)")
            at.page.keyboard.press(key)
            asked, bar = at.page.locator("#asked").bounding_box(), at.page.locator("#bar").bounding_box()
            assert asked is not None
            assert bar is not None
            assert bar["y"] + bar["height"] <= asked["y"]
            assert asked["y"] + asked["height"] <= height
        link = at.page.url
    with visit(browser, link, viewport={"width": width, "height": height}) as at:
        asked = at.page.locator("#asked").bounding_box()
        assert asked is not None
        assert 0 < asked["y"] < height


def test_a_facet_of_the_other_csv_divides_that_csvs_distance(at: Visit, overview: Overview) -> None:
    (facet,) = [facet for facet in overview.facets if facet.key == "before"]
    for number, row in enumerate(facet_rows(overview, facet)):
        bar = at.page.inner_text(f".facet-before .value >> nth={number}")
        assert f"{100 * row.share_of_distance:.1f} %" in bar
        assert f"{row.mean:.2f}" in bar
    assert overview.versus is not None
    right = overview.versus.score.distances[np.array(facet.values) == facet.labels.index("right")]
    assert right.sum() == 0
    assert at.page.inner_text(".facet-before .value:has-text('right') .share") == "0.0 %"


def test_nothing_is_written_over_curves(at: Visit) -> None:
    assert at.page.locator(".meant circle").count() >= 4
    assert at.page.locator(".chart .meant text").count() == 0
    assert "best: " in at.page.inner_text("#chart-blank-length .legend")
    assert "words: 67 %" in at.page.inner_text("#chart-weight .legend")
    assert "words: 1" in at.page.inner_text("#chart-temperature .legend")


PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def test_a_phone_gets_a_list_or_a_question(browser: Browser, url: str, place: Place) -> None:
    with visit(browser, url, **PHONE) as at:
        page = at.page
        assert len(at.shown) == 20
        inside = "one => one.scrollHeight <= one.clientHeight + 1"
        assert page.eval_on_selector("#list", inside)  # no box that scrolls inside the page
        page.click(".more")
        assert len(at.shown) == 40
        assert not page.is_visible("#question")
        page.click(".row >> nth=30")
        assert page.is_visible("#asked")
        assert not page.is_visible("#list")
        assert page.eval_on_selector("#context", inside)
        page.click("#back")
        assert at.opened is None
        assert page.is_visible("#list")
        assert len(at.shown) == 40


def test_a_phone_sees_whole_tables_and_no_keys(browser: Browser, url: str) -> None:
    with visit(browser, url, **PHONE) as at:
        assert at.page.locator(".wide").count() == 2
        cut = at.page.eval_on_selector_all(
            ".wide", "all => all.map(one => one.scrollWidth - one.clientWidth)"
        )
        assert max(cut) <= 0
        assert at.page.locator(".matrix td").first.is_visible()
        keys = [one for one in at.page.query_selector_all("kbd") if one.is_visible()]
        assert keys == []
        at.page.click(".row >> nth=0")
        assert "(" not in (at.page.get_attribute("#next-error", "title") or "")


def test_touch_hides_keys_on_a_wide_screen_too(browser: Browser, url: str) -> None:
    wide = PHONE | {"viewport": {"width": 1024, "height": 1366}}
    with visit(browser, url, **wide) as at:
        assert not any(one.is_visible() for one in at.page.query_selector_all("kbd"))
        assert at.page.inner_text("#question .none").strip() == "Choose a question."


def test_korean_words_are_not_split(at: Visit) -> None:
    at.page.keyboard.press("e")
    for selector in ("#context", "#asked", ".candidates .text", "#facts dd", ".note"):
        assert at.page.eval_on_selector(selector, "one => getComputedStyle(one).wordBreak") == "keep-all"


def test_the_browsers_language_decides(browser: Browser, url: str, place: Place) -> None:
    with visit(browser, url, locale="ko-KR") as at:
        assert at.page.evaluate("document.documentElement.lang") == "ko"
        assert at.page.inner_text("#scores-title") == "점수"
        assert at.page.inner_text("#bar .amount") == f"전체 질문 {len(place.data)}개"
        at.page.keyboard.press("e")
        body = at.page.inner_text("body")
        english = [text for text in korean() if len(text.split()) > 2 and "{" not in text]
        assert len(english) > 90
        assert [text for text in english if text in body] == []
        assert not re.search(r"\{\w+\}", at.page.inner_text("main"))
        at.page.keyboard.press("Escape")
        choose(at, "error", "위치가 틀림")
        at.page.click("#language")
        at.page.wait_for_function("document.documentElement.lang === 'en'")
        at.page.wait_for_selector("html[data-unpacked]")
        assert at.page.inner_text("#scores-title") == "Scores"
        assert "wrong place" in at.page.inner_text("#bar")  # the view stays


def test_a_report_may_have_a_fixed_language(
    browser: Browser, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place.folder)
    for lang, locale, title in (("en", "ko-KR", "Scores"), ("ko", "en-US", "점수")):
        made = kit.report("words.csv", place.data, out=f"{lang}.html", lang=lang)
        with visit(browser, made.path.resolve().as_uri(), locale=locale) as at:
            assert at.page.inner_text("#scores-title") == title


def test_next_steps_have_gains_questions_and_commands(at: Visit, place: Place) -> None:
    steps = place.report.contents.suggestions
    assert steps
    items = at.page.query_selector_all("#next li")
    assert len(items) == len(steps)
    edit = place.report.contents.overview.own.score.edit
    for item, step in zip(items, steps, strict=True):
        text = item.inner_text()
        assert step.finding in text
        assert f"at most −{step.gain:.3f} characters ({100 * step.gain / edit:.0f} %)" in text
        command = item.query_selector("code")
        assert command is not None
        assert command.text_content() == step.command
        assert [word.text_content() for word in command.query_selector_all("span")] == step.command.split(" ")
    words = at.page.locator("#next code span").evaluate_all(
        "all => all.map(one => getComputedStyle(one).display)"
    )
    assert set(words) == {"inline-block"}  # so that a line breaks between words, not at a hyphen
    first = at.page.locator("#next .copy").first
    first.click()
    at.page.wait_for_function(
        "() => document.querySelector('#next .copy').textContent === 'copied' || `${getSelection()}` !== ''"
    )
    number = next(index for index, step in enumerate(steps) if step.facet)
    at.page.click(f"#next li:nth-child({number + 1}) .those")
    facet = next(facet for facet in place.report.contents.overview.facets if facet.key == steps[number].facet)
    assert at.count == facet.values.count(steps[number].value)


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it, of rgb(r, g, b)."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_schemes_can_be_read(at: Visit, scheme: str) -> None:
    at.page.emulate_media(color_scheme=scheme)
    at.page.keyboard.press("e")
    ground = luminance(at.page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))
    assert (ground > 0.5) == (scheme == "light")
    for selector in (
        "h1",
        ".note",
        "#asked",
        ".answers .gold .text bdi",
        ".against.better",
        ".facet .number.n",
    ):
        ink = luminance(at.page.eval_on_selector(selector, "one => getComputedStyle(one).color"))
        contrast = (max(ink, ground) + 0.05) / (min(ink, ground) + 0.05)
        assert contrast >= 4.5, (selector, contrast)
    at.page.emulate_media(color_scheme="null")


def test_hangul_is_in_every_font_stack_and_every_axis_has_a_unit(at: Visit) -> None:
    at.page.keyboard.press("e")
    at.page.wait_for_selector(".heatmap svg")
    stacks = at.page.evaluate(
        "[...new Set([...document.querySelectorAll('body, body *')]"
        ".map(one => getComputedStyle(one).fontFamily))]"
    )
    for stack in stacks:
        assert re.search("Malgun Gothic|Nanum|Noto Sans (CJK )?KR", stack), stack
    charts = at.page.query_selector_all(".chart svg[role=img]")
    assert len(charts) >= 7
    for chart in charts:
        axes = [axis.text_content() or "" for axis in chart.query_selector_all("text.axis")]
        assert len(axes) == 2
        for axis in axes:
            assert re.search("characters|%|questions|nats|log scale|step", axis), axis


def test_error_types_differ_without_colour(at: Visit) -> None:
    glyphs = at.page.eval_on_selector_all(
        ".facet-error .glyph, .facet-before .glyph", "all => all.map(one => one.textContent)"
    )
    names = at.page.eval_on_selector_all(
        ".facet-error .label bdi, .facet-before .label bdi", "all => all.map(one => one.textContent)"
    )
    pairs = dict(zip(names, glyphs, strict=True))
    assert set(pairs) <= {str(kind) for kind in ERROR_TYPES}
    assert len(set(pairs.values())) == len(pairs) > 3


def test_a_bare_csv_leaves_out_what_cannot_be_known(
    browser: Browser, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place.folder)
    made = kit.report("words.csv", place.data, out=tmp_path / "csv.html")
    with visit(browser, made.path.as_uri()) as at:
        at.page.keyboard.press("e")
        shown = {one.get_attribute("id"): one.is_visible() for one in at.page.query_selector_all(".chart")}
        assert {name for name, seen in shown.items() if seen} == {"chart-blank-length", "chart-lengths"}
        (line,) = at.page.query_selector_all("#not-shown")  # all reasons in one line, no empty boxes
        assert "Weights (a CSV has no members to weigh)" in line.inner_text()
        assert len(shown) == line.inner_text().count("(") + 2
        assert at.page.query_selector(".candidates") is None
        assert at.page.query_selector(".heatmap") is None
        assert at.page.query_selector("#comparison[hidden]") is not None


def main_thread_seconds(browser: Browser, url: str) -> float:
    """Processor time of the page's main thread until it is drawn: what a busy machine does not stretch."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    page.goto(url)
    page.wait_for_selector("html[data-ready]")
    metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    context.close()
    assert metrics["ThreadTime"] > 0
    return float(metrics["ThreadTime"])


@pytest.mark.slow
def test_thousands_of_questions_open_at_once(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    files = demo_corpus.write(tmp_path / "data", train_contexts=1240, test_contexts=3)
    data = kit.load(files.train)
    assert len(data) >= 4008
    texts = {question.guid: question.context[:5] for question in data}
    made = kit.report(kit.write_submission("many.csv", data, texts), data)
    with visit(browser, made.path.resolve().as_uri()) as at:
        assert at.count == len(data)
        assert len(at.shown) < 60
        assert main_thread_seconds(browser, made.path.resolve().as_uri()) < 2
        at.page.eval_on_selector("#list", "list => { list.scrollTop = list.scrollHeight; }")
        last = data.questions[
            int(np.lexsort((np.arange(len(data)), -made.contents.overview.own.score.distances))[-1])
        ]
        at.page.wait_for_selector(f'.row[data-guid="{last.guid}"]')
        assert len(at.shown) < 60
