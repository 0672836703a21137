"""KorQuAD 1.0, and every other file in SQuAD's layout: nested, ``id``."""

from __future__ import annotations

from kit.data.readers import nested
from kit.data.readers.builder import Gathering
from kit.data.readers.sniff import Sample

NAME = "korquad"
LABELS = nested.Labels(title="title", source="source", category=nested.news_category)


def recognises(sample: Sample) -> bool:
    """Nested questions called ``id``; AI Hub's, which have more keys, are looked for before."""
    return sample.nested and sample.id_key == "id"


def gather(sample: Sample, prefix: str, gathering: Gathering) -> str:
    """Add the questions to *gathering* and return the format's name."""
    nested.gather(sample, prefix, LABELS, gathering)
    return NAME
