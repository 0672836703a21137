"""The competition's files: nested, ``guid``, several gold answers, null in the test file."""

from __future__ import annotations

from kit.data.readers import nested
from kit.data.readers.builder import Gathering
from kit.data.readers.sniff import Sample

NAME = "competition"
LABELS = nested.Labels(title="title", source="source", category=nested.news_category)


def recognises(sample: Sample) -> bool:
    """Nested questions called ``guid``; KLUE's, which have more keys, are looked for before."""
    return sample.nested and sample.id_key == "guid"


def gather(sample: Sample, prefix: str, gathering: Gathering) -> str:
    """Add the questions to *gathering* and return the format's name."""
    nested.gather(sample, prefix, LABELS, gathering)
    return NAME
