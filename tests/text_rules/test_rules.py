"""Text rules: what each does, the laws that all obey, and how recipes name them."""

from __future__ import annotations

import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kit.errors import ConfigError
from kit.text_rules.rules import (
    RULES,
    SPECIAL_TOKENS,
    WHITE_SPACE,
    Rule,
    apply_rules,
    balance_quotes,
    blank_long,
    parse_rule,
    parse_rules,
    strip_particles,
    strip_special_tokens,
    tighten_symbols,
    trim,
)
from tests.examples import examples

KNOWN = (
    "strip_special_tokens, trim, strip_particles, balance_quotes, tighten_symbols, {blank_long: CHARACTERS}"
)

# Whole and broken tokens, so that removal builds new ones; Hangul, NFD jamo, emoji, odd spaces.
PIECES = [*SPECIAL_TOKENS, "[C", "CLS]", "LS]", "<", "s>", "</", "[", "]", "#", "##", " ", "  "]
PIECES += [
    "한글",
    "가",
    "\u1112\u1161\u11ab",
    "韓",
    "🙂",
    "👍🏽",
    "\xa0",
    "\u200b",
    "\ufeff",
    "\u3000",
    "\n",
    "a",
    "_",
]
pieces = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)
anything = st.one_of(pieces, st.text(max_size=30))
rules = st.one_of(
    st.just(Rule("strip_special_tokens")),
    st.just(Rule("trim")),
    st.sampled_from([Rule("strip_particles"), Rule("balance_quotes"), Rule("tighten_symbols")]),
    st.integers(1, 40).map(lambda length: Rule("blank_long", length)),
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[CLS] 한 달가량 [SEP]", "한 달가량"),
        ("[CLS]한 달[SEP][PAD][PAD]", "한 달"),
        ("<s> 한 달 </s> <pad> <pad>", "한 달"),
        ("한 [UNK] 달", "한 달"),
        ("한 [UNK] [UNK] 달", "한 달"),
        ("한[UNK]달", "한달"),
        ("한 [UNK]달", "한 달"),
        ("한  달 [SEP]", "한  달"),  # a double space of the text's own
        ("한  달", "한  달"),
        ("한  [UNK] 달", "한  달"),
        (" 한 달 ", " 한 달 "),  # nothing removed, nothing touched
        ("한\xa0[SEP]", "한\xa0"),  # only the plain spaces that tokens leave
        ("##가량", "가량"),
        ("한##달", "한달"),
        ("한 ##달", "한 달"),
        ("[UNK]##가량", "가량"),
        ("[C[CLS]LS] 달", "달"),
        ("[[UNK]UNK]", ""),
        ("<<s>s>", ""),
        ("[C##LS]", ""),
        ("[SEP]", ""),
        ("", ""),
        # These are the context's own words.
        ("C## 프로그래밍", "C## 프로그래밍"),
        ("###제목", "###제목"),
        ("#1 순위", "#1 순위"),
        ("## 제목", "## 제목"),
        ("[cls] <S> <b>굵게</b> [1]", "[cls] <S> <b>굵게</b> [1]"),
    ],
)
def test_strip_special_tokens(text: str, expected: str) -> None:
    assert strip_special_tokens(text) == expected


@pytest.mark.parametrize("token", SPECIAL_TOKENS)
def test_no_token_survives(token: str) -> None:
    assert strip_special_tokens(f"서울 {token} 시") == "서울 시"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\u3000\xa0 한\xa0달\u200b\ufeff\n", "한\xa0달"),
        ("\u200b\xad한\xad", "한"),
        ("\u200c\u200d\u200e한\u200f\u2060\u3164\xa0", "한"),
        ("\ufe0f서울\ufe0f", "서울"),
        ("서울\ufe0f\u200b", "서울"),
        ("❤\ufe0f", "❤\ufe0f"),  # a variation selector is part of its emoji
        ("❤\ufe0f\u200b\ufe0f", "❤\ufe0f"),
        ("葛\U000e0100 ", "葛\U000e0100"),
        ("a\u200db", "a\u200db"),
        ("\x7f\x08한\x00", "한"),
        ("\U0001f3f4\U000e0067\U000e007f", "\U0001f3f4\U000e0067\U000e007f"),  # tags complete a flag
        ("\xa0\u200b", ""),
    ],
)
def test_trim(text: str, expected: str) -> None:
    assert trim(text) == expected


def test_white_space_is_all_of_unicode() -> None:
    assert {chr(code) for code in range(sys.maxunicode + 1) if chr(code).isspace()} == set(WHITE_SPACE)


def test_blank_long_counts_code_points() -> None:
    assert blank_long("가" * 19, 20) == "가" * 19
    assert blank_long("가" * 20, 20) == ""
    assert blank_long("🙂" * 3, 4) == "🙂" * 3
    assert blank_long("\u1112\u1161\u11ab", 3) == ""  # one syllable on the screen, three code points


@examples(100)
@given(anything, rules)
@example("[C[CLS]LS]", Rule("strip_special_tokens"))
@example("#[CLS]##a", Rule("strip_special_tokens"))
@example("가 (나 “다", Rule("balance_quotes"))
@example("</<</", Rule("balance_quotes"))
def test_rules_settle_and_never_add(text: str, rule: Rule) -> None:
    once = rule(text)
    assert rule(once) == once
    if len(once) > len(text):
        assert rule.name == "balance_quotes"
        assert once.rstrip("”’)]}〉》」』>）】") in text  # what was added are closing marks at the end


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("“교동반점 짬뽕”", "“교동반점 짬뽕”"),
        ("“교동반점 짬뽕", "교동반점 짬뽕"),
        ("교동반점 짬뽕”", "교동반점 짬뽕"),
        ("소설 “골목", "소설 “골목”"),
        ("한빛전자(주", "한빛전자(주)"),
        ("(주)한빛전자", "(주)한빛전자"),
        ("한빛전자 (주", "한빛전자 (주)"),
        ("(가 「나", "가 「나」"),
        ("1) 항목", "1) 항목"),
        ('"골목', "골목"),
        ('골목길"', "골목길"),
        ("길'", "길"),
        ('"골목"', '"골목"'),
        ("rock 'n roll", "rock 'n roll"),
        ("“", ""),
    ],
)
def test_balance_quotes(text: str, expected: str) -> None:
    assert balance_quotes(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("( 주 )한빛", "(주)한빛"),
        ("“ 골목 ”", "“골목”"),
        ("3 . 1 운동", "3.1 운동"),
        ("1 , 200 만", "1,200 만"),
        ("50 %", "50%"),
        ("3.1 운동", "3.1 운동"),
        ("2 장. 3 절", "2 장. 3 절"),
        ("가 , 나", "가 , 나"),
    ],
)
def test_tighten_symbols(text: str, expected: str) -> None:
    assert tighten_symbols(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("한국은행이", "한국은행"),
        ("서울에서는", "서울"),
        ("3일까지", "3일"),
        ("“교동반점 짬뽕”은", "“교동반점 짬뽕”"),
        ("🙂 서울에서는", "🙂 서울"),
        ("바나나", "바나나"),
        ("제주도", "제주도"),
        ("하와이", "하와이"),
        ("은", "은"),
    ],
)
def test_strip_particles(text: str, expected: str) -> None:
    assert strip_particles(text) == expected


def test_a_missing_morphology_names_the_install_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kiwipiepy", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"not installed; pip install 'korean-mrc-kit\[particles\]'"):
        parse_rules(["strip_particles"])


@given(anything)
def test_nothing_is_left_to_strip(text: str) -> None:
    once = strip_special_tokens(text)
    assert not any(token in once for token in SPECIAL_TOKENS)
    if not any(token in text for token in SPECIAL_TOKENS) and "##" not in text:
        assert once == text


@given(anything)
def test_trim_gives_a_slice(text: str) -> None:
    assert trim(text) in text
    assert trim(text) == "" or not (trim(text)[0].isspace() or trim(text)[-1].isspace())


@given(anything, st.lists(rules, max_size=4))
def test_rules_apply_in_order(text: str, several: list[Rule]) -> None:
    expected = text
    for rule in several:
        expected = rule(expected)
    assert apply_rules(text, several) == expected
    assert apply_rules("", several) == ""


@given(rules)
def test_spec_is_what_was_parsed(rule: Rule) -> None:
    assert parse_rule(rule.spec) == rule
    assert hash(parse_rule(rule.spec)) == hash(rule)


def test_course_recipe() -> None:
    several = parse_rules(["strip_special_tokens", "trim", {"blank_long": 20}])
    assert [rule.spec for rule in several] == ["strip_special_tokens", "trim", {"blank_long": 20}]
    assert apply_rules("[CLS] \xa0한 달가량\u200b [SEP]", several) == "한 달가량"
    assert apply_rules("가" * 25 + "[SEP]", several) == ""
    assert parse_rules([]) == ()


def test_every_registered_rule_can_be_named() -> None:
    for name, kind in RULES.items():
        rule = Rule(name, 1 if kind.argument else None)
        assert isinstance(rule("한 달"), str)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("strip_josa", f"'strip_josa' is not a rule; known rules: {KNOWN}"),
        ("blank_long:20", f"'blank_long:20' is not a rule; did you mean blank_long? known rules: {KNOWN}"),
        (
            "blank_long",
            "blank_long is given no argument; it needs a whole number: write {blank_long: CHARACTERS}",
        ),
        ({"trim": 3}, "trim is given 3 but takes no argument; write trim"),
        *(
            (
                {"blank_long": value},
                f"blank_long is given {value!r}; it needs a whole number of at least 1: "
                "write {blank_long: CHARACTERS}",
            )
            for value in (0, -5, "20", 20.0, True, [20])
        ),
        *(
            (spec, f"{spec!r} is not a rule; write one name or one {{name: argument}}: {KNOWN}")
            for spec in (None, 7, [], {}, {1: 2}, {"trim": None, "blank_long": 20})
        ),
    ],
)
def test_mistakes_are_named(spec: object, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_rule(spec)
    assert str(caught.value) == message


def test_a_bare_key_is_its_name() -> None:
    assert parse_rule({"trim": None}) == Rule("trim")  # YAML's "- trim:"


def test_all_mistakes_are_reported_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_rules(["trim", "nope", {"blank_long": 0}], where="five.yaml: rules")
    message = str(caught.value)
    assert message.startswith("five.yaml: rules[1]: 'nope' is not a rule; known rules: ")
    assert "five.yaml: rules[2]: blank_long is given 0; it needs a whole number of at least 1" in message
    assert "\n" not in message


@pytest.mark.parametrize("specs", ["trim", {"trim": None}, None, 3])
def test_rules_are_a_list(specs: object) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_rules(specs)
    assert str(caught.value) == f"rules is {specs!r}; write a list, for example [trim, {{blank_long: 20}}]"
