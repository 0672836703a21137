"""Which titles name an article: placeholders do not, nor does a label over many contexts that are unlike."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from kit.data.readers.display import quoted
from kit.data.readers.raw import Remark
from kit.data.records import Question
from kit.data.spread import spread

_PLACEHOLDER = re.compile(
    r"nan|none|null|nil|na|n/a|nat|<na>|undefined|untitled|unknown|title|notitle|article|news|-1"
    r"|제목|제목없음|무제|없음|미상|미정|기사|뉴스|0*\.?0*|[\W_]*"
)
"""In lower case, without spaces and brackets; the last two are zeros and mere punctuation."""
MANY = 10
"""Distinct contexts from which on a title must show that they are alike."""
_SURE = 20
_ALIKE_FEW, _ALIKE = 0.5, 0.6
"""The share of a title's contexts that must have a word in common: below _SURE contexts, and from there on.

KorQuAD's articles of 10 paragraphs or more have a word in 0.5 of them or more (0.75 from 20 on); 20
paragraphs drawn from all articles have one in 0.3 of them at most.
"""
_LIFT = 5
"""Such a word is this many times as frequent in them as elsewhere: it belongs to the topic."""
_OWN, _OTHERS, _FEWEST = 24, 512, 24
"""Contexts of a title, and of other titles, that are looked at; and how many others must be there."""
_WORD = re.compile(r"\w{2,}")


@lru_cache(1024)
def identity(title: str) -> str:
    """What two titles must share to name the same article; "" for a blank title or a placeholder."""
    text = " ".join(unicodedata.normalize("NFC", title).split())
    bare = unicodedata.normalize("NFKC", text).casefold().replace(" ", "")
    return "" if _PLACEHOLDER.fullmatch(bare.strip("()[]{}〈〉《》「」『』【】'\"“”‘’")) else text


def articles(questions: Iterable[Question]) -> dict[str, list[str]]:
    """The distinct contexts of every title that names an article, by its `identity`."""
    contexts = _contexts(questions)
    for title in {"", *_labels(contexts)}:
        contexts.pop(title, None)
    return contexts


def remarks(questions: Sequence[Question]) -> list[Remark]:
    """A remark for each title that names no article, with the number of its questions."""
    contexts = _contexts(questions)
    unlike = _labels(contexts)
    found = []
    for title, count in Counter(question.title for question in questions if question.title).items():
        name = identity(title)
        if not name:
            found.append(Remark(f"title {quoted(title)} is a placeholder and joins no articles", count))
        elif name in unlike:
            over = f"{len(contexts[name]):,} unlike contexts"
            found.append(Remark(f"title {quoted(title)} stands over {over} and joins none of them", count))
    return found


def _contexts(questions: Iterable[Question]) -> dict[str, list[str]]:
    """Distinct contexts by their titles' identity; under "" those without a title."""
    found: dict[str, dict[str, None]] = {}
    for question in questions:
        found.setdefault(identity(question.title), {})[question.context] = None
    return {name: list(contexts) for name, contexts in found.items()}


def _labels(contexts: Mapping[str, Sequence[str]]) -> set[str]:
    """The titles that stand over MANY unlike contexts.

    Contexts of one article have a word of its topic in common, which other articles lack; where there are
    no other articles, it must be a word of the title.
    """
    large = {title: texts for title, texts in contexts.items() if title and len(texts) >= MANY}
    if not large:
        return set()
    every = [(title, text) for title, texts in contexts.items() for text in texts]
    sample = [(title, _words(text)) for title, text in spread(every, _OTHERS)]
    counts = Counter(word for _, words in sample for word in words)
    labels = set()
    for title, texts in large.items():
        own = [_words(text) for text in spread(texts, _OWN)]
        least = _ALIKE_FEW if len(texts) < _SURE else _ALIKE
        found = Counter(word for words in own for word in words)
        common = {word: count / len(own) for word, count in found.items() if count >= least * len(own)}
        inside = [words for other, words in sample if other == title]
        elsewhere = len(sample) - len(inside)
        if elsewhere < _FEWEST:
            alike = not common.keys().isdisjoint(_words(title.replace("_", " ")))
        else:
            alike = any(
                share * elsewhere >= _LIFT * max(counts[word] - sum(word in words for words in inside), 1)
                for word, share in common.items()
            )
        if not alike:
            labels.add(title)
    return labels


def _words(text: str) -> set[str]:
    """The beginnings of a text's words, two and three characters long: particles come at the end."""
    return {word[:length] for word in _WORD.findall(text) for length in (2, 3) if len(word) >= length}
