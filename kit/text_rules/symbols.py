"""Rules about quotes, brackets and the spaces around symbols."""

from __future__ import annotations

import re

_PAIRS = dict(zip("“‘([{〈《「『<（【", "”’)]}〉》」』>）】", strict=True))
_CLOSERS = {closer: opener for opener, closer in _PAIRS.items()}
_OPENING = "".join(map(re.escape, _PAIRS))
_CLOSING = "".join(map(re.escape, _CLOSERS))
_SPACE = r"[ \t\xa0\u3000]+"
_TIGHT = re.compile(
    rf"(?<=[{_OPENING}]){_SPACE}"  # behind an opening mark
    rf"|{_SPACE}(?=[{_CLOSING}])"  # before a closing one
    rf"|(?<=[0-9]){_SPACE}(?=[.,:/~%])(?=[.,:/~]{_SPACE}?[0-9]|%)"  # 3 .1, 50 %
    rf"|(?<=[0-9][.,:/~]){_SPACE}(?=[0-9])"  # 3. 1
)


def balance_quotes(text: str) -> str:
    """Give quotes and brackets their partner, or remove them where they stand alone at an end.

    ``“교동반점 짬뽕`` → ``교동반점 짬뽕``, ``소설 “골목`` → ``소설 “골목”``.  A straight quote
    at an end goes if it is the only one.  A closing mark inside the text may number a list, and stays.
    """
    while (changed := _balanced_once(text)) != text:
        text = changed
    return text


def _balanced_once(text: str) -> str:
    opened: list[int] = []
    lone: list[int] = []
    for place, character in enumerate(text):
        if character in _PAIRS:
            opened.append(place)
        elif character in _CLOSERS:
            if opened and text[opened[-1]] == _CLOSERS[character]:
                opened.pop()
            else:
                lone.append(place)
    last = len(text) - 1
    for place in (*opened, *lone):
        if place in (0, last):
            return text[:place] + text[place + 1 :]
    if opened:
        # The innermost first; an opening mark before a lone closing one of another kind is hopeless.
        return text + _PAIRS[text[opened[-1]]] if not lone else text
    for mark in "\"'":
        if text.count(mark) == 1 and mark in (text[:1], text[-1:]):
            return text.replace(mark, "")
    return text


def tighten_symbols(text: str) -> str:
    """Remove spaces inside brackets and quotes and around signs of numbers: ``( 3 . 1 )`` → ``(3.1)``."""
    while (tighter := _TIGHT.sub("", text)) != text:
        text = tighter
    return text
