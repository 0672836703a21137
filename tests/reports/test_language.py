"""Korean: every text of the report is in the table, and none that is not used."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import kit
from kit.errors import ConfigError
from kit.phrase import Phrase, joined, numbered
from kit.reports.contents import index_of
from kit.reports.language import korean, language_given, translated
from tests.reports.conftest import Place

PACKAGE = Path(kit.__file__).resolve().parent
MODULES = [*(PACKAGE / "reports").glob("*.py"), *(PACKAGE / "decoding").glob("*.py")]
MODULES += [
    PACKAGE / "cli" / "report.py",
    PACKAGE / "cli" / "tables.py",
    PACKAGE / "metrics" / "bootstrap.py",
    PACKAGE / "metrics" / "metrics.py",
    PACKAGE / "tuning" / "figures.py",
    PACKAGE / "display.py",
]
SCRIPTS = sorted((PACKAGE / "reports" / "page").glob("*.js"))
PLURAL = re.compile(r"\{n\} [a-z]+")


def constants(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def phrases_in_python(path: Path) -> set[str]:
    """The templates given to Phrase and to what makes phrases, where they stand in the call."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        name = node.func.id
        arguments = node.args[1:] if name == "_in" else node.args
        if name in {"Phrase", "_fit", "_note", "_in"} and arguments:
            found |= {
                one.value
                for one in ast.walk(arguments[0])
                if isinstance(one, ast.Constant) and isinstance(one.value, str)
            }
    return found


def texts_in(script: Path) -> set[str]:
    """The English texts in calls of t(…) and pieces(…)."""
    content = script.read_text(encoding="utf-8")
    found = re.findall(r'\b(?:t|pieces)\(\s*"((?:[^"\\]|\\.)+)"', content)
    either = re.findall(r'\bt\([^()]*?\? "((?:[^"\\]|\\.)+)" : "((?:[^"\\]|\\.)+)"', content)
    return set(found) | {one for pair in either for one in pair}


def names(template: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", template))


@pytest.mark.parametrize("path", [*MODULES, *SCRIPTS], ids=lambda path: path.name)
def test_every_text_has_its_korean(path: Path) -> None:
    found = phrases_in_python(path) if path.suffix == ".py" else texts_in(path)
    assert {text for text in found if re.search("[a-z]{2}", re.sub(r"\{\w+\}", "", text))} <= set(korean())


def test_the_table_keeps_names_and_is_korean() -> None:
    for english, text in korean().items():
        assert names(english) == names(text), english
        if english not in {"CSV", "Edit Score"} and "~" not in text and "kit {version}" not in text:
            assert re.search("[가-힣]", text), english


def test_no_text_of_the_table_is_unused() -> None:
    known = {text for path in MODULES for text in constants(path)}
    scripts = "\n".join(script.read_text(encoding="utf-8") for script in SCRIPTS)
    unused = [
        english
        for english in korean()
        if english.removeprefix("{file}: ") not in known
        and english not in known
        and json.dumps(english, ensure_ascii=False) not in scripts
        and not PLURAL.fullmatch(english)
        and english
        not in {"no interval: all questions form one group", "no interval: there are no questions"}
    ]
    assert unused == []


def templates(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if "say" in value:
            yield value["say"]
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from templates(one)


def test_every_phrase_of_a_page_has_its_korean(place: Place) -> None:
    index = json.loads(json.dumps(index_of(place.report.contents)))
    said = set(templates(index)) | {
        one for line in place.report.contents.details for one in templates(json.loads(line))
    }
    assert len(said) > 40
    words = {text for text in said if re.search("[a-z]{2}", re.sub(r"\{\w+\}", "", text))}
    assert words <= set(korean())


def test_phrases_are_translated_with_their_values() -> None:
    text = Phrase("{n} on {articles}", n="12", articles=numbered(3, "article"))
    assert translated(text, "ko") == "12개 (글 3편)"
    assert translated(text, "en") == translated(text, None) == "12 on 3 articles"
    assert translated(joined([Phrase("Scores"), Phrase("Weights")]), "ko") == "점수 가중치"
    assert translated("right", "ko") == "right"  # a text of the data


def test_an_unknown_language_is_an_error() -> None:
    assert (language_given("ko"), language_given(None)) == ("ko", None)
    with pytest.raises(ConfigError, match=r"kr.*ko"):
        language_given("kr")
    with pytest.raises(ConfigError, match=r"lang"):
        kit.report("nowhere.csv", lang="kr")
