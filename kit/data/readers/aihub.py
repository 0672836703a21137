"""AI Hub's two generations of machine reading files, which users download themselves.

The first (``ko_nia_…_squad_all.json``) is SQuAD's layout with ``classtype``; the second
(``…_span_extraction.json``) prefixes the documents' keys, counts questions by integers and gives
``answers`` as one object.  Both often still lie inside the zip archive they came in.
"""

from __future__ import annotations

from collections.abc import Mapping

from kit.data.readers import nested
from kit.data.readers.builder import Gathering
from kit.data.readers.sniff import Sample

SQUAD = "aihub-squad"
SPAN = "aihub-span"


def recognises(sample: Sample) -> bool:
    """Nested questions called ``question_id``, or called ``id`` with a ``classtype`` or a ``creator``."""
    if not sample.nested:
        return False
    return _is_span(sample) or (
        sample.id_key == "id" and ("classtype" in sample.questions or "creator" in sample.top)
    )


def gather(sample: Sample, prefix: str, gathering: Gathering) -> str:
    """Add the questions to *gathering* and return the format's name."""
    if _is_span(sample):
        labels = nested.Labels(title="doc_title", source="doc_source", category=_document_class)
        nested.gather(sample, prefix, labels, gathering, one_answer_is_usual=True)
        return SPAN
    labels = nested.Labels(title="title", source="source", category=nested.news_category)
    nested.gather(sample, prefix, labels, gathering)
    return SQUAD


def _is_span(sample: Sample) -> bool:
    return sample.id_key == "question_id" or "doc_id" in sample.documents or "doc_title" in sample.documents


def _document_class(document: Mapping[str, object], where: str, gathering: Gathering) -> str:
    kind = document.get("doc_class")
    return gathering.label(kind, "class", f"{where}.doc_class") if isinstance(kind, dict) else ""
