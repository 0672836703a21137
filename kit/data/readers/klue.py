"""KLUE-MRC: nested as published, or flat rows as Hugging Face serves it.

An unanswerable question may carry ``plausible_answers``, and in flat files these stand under
``answers``; they answer another question and are never read as gold.
"""

from __future__ import annotations

from kit.data.readers import nested
from kit.data.readers.builder import Gathering
from kit.data.readers.sniff import Sample

NESTED = "klue"
FLAT = "klue-flat"
LABELS = nested.Labels(title="title", source="source", category=nested.news_category)
_OWN_KEYS = frozenset({"question_type", "is_impossible", "plausible_answers"})


def recognises(sample: Sample) -> bool:
    """Flat rows, or nested questions called ``guid`` that tell their type or whether they have an answer."""
    if not sample.nested:
        return sample.id_key != ""
    return sample.id_key == "guid" and not _OWN_KEYS.isdisjoint(sample.questions)


def gather(sample: Sample, prefix: str, gathering: Gathering) -> str:
    """Add the questions to *gathering* and return the format's name."""
    if sample.nested:
        nested.gather(sample, prefix, LABELS, gathering)
        return NESTED
    for where, row in sample.objects(gathering, prefix):
        title = gathering.label(row, "title", where)
        source = gathering.label(row, "source", where)
        category = gathering.label(row, "news_category", where)
        passage = gathering.passage(row, where, title, category, source)
        gathering.question(row, where, sample.id_key, passage)
    return FLAT
