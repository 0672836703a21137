"""A corpus with hostile articles, two runs with out-of-fold scores on it, and a browser."""

from __future__ import annotations

import base64
import json
import os
import shutil
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import kit
from kit.api.report import Report
from kit.data import demo_corpus
from kit.data.records import Dataset
from tests.spans.made import letters, make_run, scores_of, words

if TYPE_CHECKING:
    from playwright.sync_api import Browser

LONG = "가나다라마 바사아자차 " * 1666 + "끝말이다."
HOSTILE = {
    "script": ("앞 <script>window.pwned = 1</script> 뒤 서울이다.", "무엇<b>인가</b>?", "서울"),
    "close": ("</script><script>window.pwned = 2</script><!-- --> 부산이다.", "<!--<script> 어디?", "부산"),
    "image": ('<img src=x onerror="window.pwned = 3">대구\u2028이다.', "{{ 7 * 7 }} ${1+1} 몇?", "대구"),
    "bidi": ("앞 \u202eABC\u202c 뒤 \u2067인천\u2069이다. \u200f", "누가 \u202e뒤집나?", "인천"),
    "astral": ("😀😀 𠮷野家 광주😀이다.", "어디 😀?", "광주😀"),
    "long": (LONG, "언제?", "끝말이다"),
    "__proto__": ("제주 constructor 이다.", "왜 toString?", "제주"),
}
"""guid → context, question, gold"""
RECIPE = """members:
  - run: runs/words
  - run: runs/letters
    weight: 0.5
blend: mean
decoder: edit
length_prior: 0.5
rules: [trim, {blank_long: 12}]
"""


@dataclass(frozen=True)
class Place:
    """The folder of a made report, and what is in it."""

    folder: Path
    data: Dataset
    report: Report


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """two.yaml over runs/words and runs/letters on data/train.json, compared with words.csv."""
    folder = tmp_path_factory.mktemp("reports")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        files = demo_corpus.write(Path("data"), train_contexts=25, test_contexts=3)
        content = json.loads(files.train.read_text(encoding="utf-8"))
        content["data"] += [article(guid, *texts) for guid, texts in HOSTILE.items()]
        files.train.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        data = kit.load(files.train)
        make_run(data, "words", scores_of(data, words, 1, 3.0))
        make_run(data, "letters", scores_of(data, letters, 2, 4.0))
        Path("two.yaml").write_text(RECIPE, encoding="utf-8")
        kit.write_submission("words.csv", data, kit.decode("runs/words", data))
        report = kit.report("two.yaml", data, versus="words.csv")
        yield Place(folder, data, Report(report.path.resolve(), report.contents))


def article(guid: str, context: str, question: str, gold: str) -> dict[str, object]:
    """One article with one question, as the data files have it."""
    answers = [{"text": gold, "answer_start": context.index(gold)}]
    qas = [{"guid": guid, "id": guid, "question": question, "answers": answers}]
    return {"title": f"<i>{guid}</i>", "paragraphs": [{"context": context, "qas": qas}]}


def unpacked(text: str) -> list[list[tuple[int, float]]]:
    """Positions and probabilities of each heatmap and side, as the page reads them."""
    content, at, sides = base64.b64decode(text), 0, []
    while at < len(content):
        words = struct.unpack_from(f"<{content[at]}I", content, at + 1)
        sides.append([(word >> 8, (word & 0xFF) / 255) for word in words])
        at += 1 + 4 * len(words)
    return sides


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium; the test skips where there is none."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    names = ("chromium", "chromium-browser", "google-chrome")
    program = os.environ.get("KIT_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if program is None:
        pytest.skip("no Chromium is installed (apt-get install chromium, or set KIT_CHROMIUM to its path)")
    with api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()
