"""Contexts that are HTML: read unchanged, and counted, so that nobody trains on tags unknowingly."""

from __future__ import annotations

import re
from collections.abc import Iterable
from statistics import fmean

from kit.data.readers import Remark

_NAMES = (
    "a|article|b|blockquote|body|br|caption|center|code|d[dlt]|div|em|figcaption|figure|font|footer|h[1-6]|head|"
    "header|hr|html|i|img|li|link|main|meta|nav|ol|p|pre|script|section|small|span|strong|style|su[bp]|table|"
    "tbody|td|tfoot|th|thead|title|tr|u|ul"
)
_TAG = re.compile(rf"</?(?:{_NAMES})(?:\s[^<>]*)?/?>", re.IGNORECASE)
_LEAST = 2
"""A tag alone may be what a text is about."""


def html_remark(contexts: Iterable[str]) -> Remark | None:
    """How many contexts are HTML, with their lengths in characters; None where none is."""
    lengths: list[int] = []
    texts: list[int] = []
    for context in contexts:
        tags = _TAG.findall(context) if "</" in context else []
        if len(tags) >= _LEAST:
            lengths.append(len(context))
            texts.append(len(context) - sum(map(len, tags)))
    if not lengths:
        return None
    return Remark(
        f"context is HTML (mean {fmean(lengths):,.0f} characters, {fmean(texts):,.0f} of them text, longest "
        f"{max(lengths):,}); it is read as it is, tags and all, and answers may hold tags",
        len(lengths),
    )
