"""The texts that every law is tried with: what Korean files hold, and what no editor would write."""

from __future__ import annotations

import unicodedata

from hypothesis import strategies as st

SYLLABLES = "가각나한글뷁힣이은을"
JAMO = unicodedata.normalize("NFD", "한글각") + "ㄱㅏㅎ"
"""Conjoining jamo, as NFD and macOS file names have them, and the compatibility ones."""
HANJA = "韓國美中\uf900\U00020000"
"""With a compatibility form that NFC replaces, and one outside the basic plane."""
EMOJI = ("🙂", "👨\u200d👩\u200d👧", "🏳\ufe0f\u200d🌈", "👍🏽", "🇰🇷", "1\ufe0f\u20e3")
"""Several code points that are one picture: joiners, variation selectors, skin, flags, keycaps."""
INVISIBLE = "\xa0\u200b\xad\x00\u200d\u2060\ufeff\u3000\u202e\u2066\u2028\x85\x1b\t\n\r"
"""NUL, soft hyphen, joiners, spaces of all kinds, turned directions, line ends that few know, ESC."""
MEANINGFUL = "\"'`,;|\\/#=+-@<>&%()[]{}“”‘’「」《》·…_:."
"""What CSV, YAML, JSON, HTML, spreadsheets, shells or text rules could mistake for their own."""
AWKWARD = (
    "", " ", "NA", "null", "nan", "None", "TRUE", "007", "1e5", "0x10", "-0", "~", "---", "...", "- a",
    "a: b", "!!int 3", "*a", "&a", "=1+1", "@x", "-2", "+3", "=HYPERLINK(\"http://x\")", "[CLS]", "##이",
    "</s>", "2026-11-25", "가\x00나", "a\r\nb", "\ufeff가", "\x1b[2J", "\u202e가", "e\u0301", "각", "각",
    "🇰🇷", "👨\u200d👩\u200d👧", "“교동반점", "3 . 1 운동",
)  # fmt: skip

_pieces = st.one_of(
    st.sampled_from(SYLLABLES),
    st.sampled_from(JAMO),
    st.sampled_from(HANJA),
    st.sampled_from(EMOJI),
    st.sampled_from(INVISIBLE),
    st.sampled_from(MEANINGFUL),
    st.sampled_from(" aB1"),
    st.characters(exclude_categories=["Cs"]),
)


def texts(min_size: int = 0, max_size: int = 12) -> st.SearchStrategy[str]:
    """Texts of so many pieces (an emoji is one): all that a UTF-8 file can hold, the awkward ones often."""
    made = st.lists(_pieces, min_size=min_size, max_size=max_size).map("".join)
    awkward = [text for text in AWKWARD if min_size <= len(text)]
    return st.one_of(made, st.sampled_from(awkward)) if max_size else made


def names(max_size: int = 8) -> st.SearchStrategy[str]:
    """Texts that may be a guid: not blank."""
    return texts(1, max_size).filter(lambda text: bool(text.strip()))
