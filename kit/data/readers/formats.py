"""The formats of question files: how each is recognised, and under which keys its documents keep what.

A new format is an entry of `FORMATS`, in front of the one that it extends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kit.data.readers.builder import QuestionBuilder
from kit.data.readers.sniff import Sample


def _news_category(document: Mapping[str, object], where: str, builder: QuestionBuilder) -> str:
    return builder.label(document, "news_category", where)


def _document_class(document: Mapping[str, object], where: str, builder: QuestionBuilder) -> str:
    kind = document.get("doc_class")
    return builder.label(kind, "class", f"{where}.doc_class") if isinstance(kind, dict) else ""


@dataclass(frozen=True, slots=True)
class Format:
    """One format: nested documents, paragraphs and questions, as in SQuAD, or flat rows.

    recognises: whether a file with this sample is of the format
    title, source, category: the keys of a document (or a flat row), and how its category is read
    one_answer_is_usual: whether ``answers`` is one object instead of a list
    """

    name: str
    recognises: Callable[[Sample], bool]
    title: str = "title"
    source: str = "source"
    category: Callable[[Mapping[str, object], str, QuestionBuilder], str] = _news_category
    one_answer_is_usual: bool = False

    def gather(self, sample: Sample, prefix: str, builder: QuestionBuilder) -> None:
        """Add every question of the file to *builder*; paths begin with *prefix*."""
        for where, document in sample.objects(builder, prefix):
            title = builder.label(document, self.title, where)
            source = builder.label(document, self.source, where)
            category = self.category(document, where, builder)
            own = [(where, document)]
            # A document may be its only paragraph, as in KorQuAD 2.
            alone = not sample.nested or ("qas" in document and "paragraphs" not in document)
            for place, paragraph in own if alone else builder.rows(document, "paragraphs", where):
                passage = builder.passage(paragraph, place, title, category, source)
                for spot, row in builder.rows(paragraph, "qas", place) if sample.nested else own:
                    builder.question(
                        row, spot, sample.id_key, passage, one_answer_is_usual=self.one_answer_is_usual
                    )


_KLUE_KEYS = frozenset({"question_type", "is_impossible", "plausible_answers"})


def _is_aihub_span(sample: Sample) -> bool:
    """AI Hub's second generation (``…_span_extraction.json``): documents' keys have prefixes."""
    own = "doc_id" in sample.documents or "doc_title" in sample.documents
    return sample.nested and (sample.id_key == "question_id" or own)


def _is_aihub_squad(sample: Sample) -> bool:
    """AI Hub's first generation (``ko_nia_…_squad_all.json``): questions have a ``classtype``."""
    own = "classtype" in sample.questions or "creator" in sample.top
    return sample.nested and sample.id_key == "id" and own


def _is_klue(sample: Sample) -> bool:
    """KLUE-MRC as published.  ``plausible_answers`` answer another question and are never read as gold."""
    return sample.nested and sample.id_key == "guid" and not _KLUE_KEYS.isdisjoint(sample.questions)


FORMATS: tuple[Format, ...] = (
    Format(
        "aihub-span", _is_aihub_span, "doc_title", "doc_source", _document_class, one_answer_is_usual=True
    ),
    Format("aihub-squad", _is_aihub_squad),
    Format("klue", _is_klue),
    Format("klue-flat", lambda sample: not sample.nested and sample.id_key != ""),
    Format("competition", lambda sample: sample.nested and sample.id_key == "guid"),
    Format("korquad", lambda sample: sample.nested and sample.id_key == "id"),
)
"""The first that recognises a file reads it."""
