"""Near-duplicates are found, and only they; the fast search agrees with the obvious one."""

from __future__ import annotations

import random
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.data import near_duplicates

SYLLABLES = [chr(code) for code in range(0xAC00, 0xAC00 + 2000)]


def article(seed: int, words: int = 250) -> str:
    """Nonsense with the word lengths of news, made of a vocabulary that all articles share."""
    shared = random.Random(0)
    vocabulary = ["".join(shared.choices(SYLLABLES, k=shared.choice((1, 2, 2, 3, 4)))) for _ in range(3000)]
    weights = [1 / (rank + 1) for rank in range(3000)]
    return " ".join(random.Random(seed).choices(vocabulary, weights, k=words))


def edited(text: str, share: float, seed: int = 0) -> str:
    rng = random.Random(seed)
    return "".join(rng.choice(SYLLABLES) if rng.random() < share else c for c in text)


def near_pairs(texts: list[str], left: int | None = None) -> set[tuple[int, int]]:
    forms = near_duplicates.normal_form(texts)
    pairs = zip(*(side.tolist() for side in forms.candidates(left)), strict=True)
    return {(one, other) for one, other in pairs if forms.overlap(one, other).near}


def slow_pairs(texts: list[str]) -> set[tuple[int, int]]:
    """Every pair, by sets of real substrings."""

    def normal(text: str) -> str:
        folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
        return "".join(c for c in folded if unicodedata.category(c)[0] in "LNM")

    forms = [normal(text) for text in texts]
    sets = [{form[i : i + 8] for i in range(len(form) - 7)} for form in forms]
    return {
        (i, j)
        for j in range(len(sets))
        for i in range(j)
        if near_duplicates.Overlap(len(sets[i] & sets[j]), len(sets[i]), len(sets[j])).near
    }


CHANGES = {
    "one in a hundred": lambda text: edited(text, 0.01),
    "one in twenty": lambda text: edited(text, 0.05),
    "front cut off": lambda text: text[130:],
    "end cut off": lambda text: text[:-130],
    "only half": lambda text: text[: len(text) // 2],
    "wrapped in another": lambda text: article(99, 200) + text + article(98, 200),
    "other spaces": lambda text: text.replace(" ", "\xa0 ").replace("가", "가\u200b"),
    "no spaces": lambda text: text.replace(" ", ""),
    "decomposed": lambda text: unicodedata.normalize("NFD", text),
    "quoted": lambda text: "“" + text.replace(" ", "” “") + "”",
}


@pytest.mark.parametrize("change", CHANGES)
def test_an_edited_article_is_near(change: str) -> None:
    texts = [article(seed) for seed in range(8)]
    texts.append(CHANGES[change](texts[3]))
    assert near_pairs(texts) == {(3, 8)} == slow_pairs(texts)


def test_different_articles_on_one_topic_are_not_near() -> None:
    """They share a quoted sentence and stock phrases, as news of one day does."""
    quote = article(50, 25)
    texts = [
        article(seed, 120) + quote + article(seed + 100, 120) + " 무단 전재 및 재배포 금지"
        for seed in range(40)
    ]
    assert near_pairs(texts) == set() == slow_pairs(texts)


def test_many_copies_are_all_connected() -> None:
    """More copies than pairs are ever listed for: each still has a near partner."""
    copies = [edited(article(1), 0.02, seed) for seed in range(90)]
    paired = {text for pair in near_pairs(copies) for text in pair}
    assert paired == set(range(90))
    across = near_pairs(copies, left=45)
    assert {one for one, _ in across} == set(range(45))
    assert {other for _, other in across} == set(range(45, 90))


def test_short_texts_must_agree_both_ways() -> None:
    long = article(4)
    assert (
        near_pairs([long, long[100:112], long[300:360]])
        == {(0, 2)}
        == slow_pairs([long, long[100:112], long[300:360]])
    )
    assert near_pairs(["", "가", "가나다라", " ", "가나다라마바사"]) == set()


@given(st.lists(st.text("가나다라 .", max_size=60), max_size=6), st.integers(0, 3))
def test_candidates_miss_no_near_pair(texts: list[str], repeats: int) -> None:
    texts = texts + [text + "가" for text in texts[:repeats]]
    assert near_pairs(texts) <= slow_pairs(texts)
    # A pair may be missed only where the shared runs are short and few.
    missed = slow_pairs(texts) - near_pairs(texts)
    forms = near_duplicates.normal_form(texts)
    for one, other in missed:
        assert forms.form(one) != forms.form(other)
        assert forms.overlap(one, other).jaccard < 0.9


PIECES = st.sampled_from(
    [
        "가",
        "\u1100\u1161\u11a8",
        "힣",
        "A",
        "ａ",
        "漢",
        "㎜",
        "①",
        "…",
        "ß",
        "é",
        "e\u0301",
        " ",
        "\xa0",
        "\u200b",
        ".",
        "“",
        "😀",
        "8",
    ]
)
TEXTS = st.lists(PIECES, max_size=20).map("".join)


@given(st.lists(TEXTS, max_size=6))
def test_the_normal_form_is_the_slow_one(texts: list[str]) -> None:
    forms = near_duplicates.normal_form(texts)
    for index, text in enumerate(texts):
        folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
        slow = "".join(c for c in folded if unicodedata.category(c)[0] in "LNM")
        assert forms.form(index).decode("utf-32-le") == slow
    assert len(forms) == len(texts)


@given(st.lists(TEXTS, max_size=6))
def test_exact_points_to_the_first_equal_form(texts: list[str]) -> None:
    forms = near_duplicates.normal_form(texts)
    keys = [forms.form(index) for index in range(len(texts))]
    expected = [keys.index(key) if key else index for index, key in enumerate(keys)]
    assert forms.exact.tolist() == expected


def test_memory_is_cut_into_chunks_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [article(seed, 60) for seed in range(30)]
    texts += [edited(text, 0.02) for text in texts[:10]]
    whole = near_pairs(texts)
    forms = near_duplicates.normal_form(texts)
    expected = [side.tolist() for side in forms.candidates()]
    for chunk in (1, 500, 5000):
        monkeypatch.setattr(near_duplicates, "_CHUNK", chunk)
        monkeypatch.setattr(near_duplicates, "_BLOCK", chunk)
        forms = near_duplicates.normal_form(texts)
        assert [side.tolist() for side in forms.candidates()] == expected
    assert whole == {(i, i + 30) for i in range(10)}


def test_shingles_of_any_width_are_as_many_as_the_text_has() -> None:
    text = article(7, 40).replace(" ", "")
    for width in (4, 8):
        forms = near_duplicates.normal_form([text, text[:width], text[: width - 1]], width)
        assert len(forms.shingles(0)) == len({text[i : i + width] for i in range(len(text) - width + 1)})
        assert (len(forms.shingles(1)), len(forms.shingles(2))) == (1, 0)
        assert np.isin(forms.shingles(1), forms.shingles(0)).all()
