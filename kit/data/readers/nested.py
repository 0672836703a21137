"""The SQuAD shape that every nested layout shares: documents, paragraphs, questions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kit.data.readers.builder import Gathering
from kit.data.readers.sniff import Sample


@dataclass(frozen=True, slots=True)
class Labels:
    """Under which keys a layout's documents keep title, source and category."""

    title: str
    source: str
    category: Callable[[Mapping[str, object], str, Gathering], str]


def news_category(document: Mapping[str, object], where: str, gathering: Gathering) -> str:
    """The category under ``news_category``, where the competition and KLUE keep it."""
    return gathering.label(document, "news_category", where)


def gather(
    sample: Sample, prefix: str, labels: Labels, gathering: Gathering, *, one_answer_is_usual: bool = False
) -> None:
    """Add every question below *sample*'s documents to *gathering*; paths begin with *prefix*."""
    for where, document in sample.objects(gathering, prefix):
        title = gathering.label(document, labels.title, where)
        source = gathering.label(document, labels.source, where)
        category = labels.category(document, where, gathering)
        # A document may be its only paragraph, as in KorQuAD 2.
        alone = "qas" in document and "paragraphs" not in document
        paragraphs = [(where, document)] if alone else gathering.rows(document, "paragraphs", where)
        for place, paragraph in paragraphs:
            passage = gathering.passage(paragraph, place, title, category, source)
            for spot, row in gathering.rows(paragraph, "qas", place):
                gathering.question(row, spot, sample.id_key, passage, one_answer_is_usual=one_answer_is_usual)
