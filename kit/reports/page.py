"""The page: template, style and scripts of the package, and a report's contents, as one HTML file.

The contents are in the page as data, never as markup: JSON in script elements of a type that no browser runs,
packed or with every character escaped that could end the element.  The scripts put them into the document as
text only, and the page's policy forbids the network and any other script.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from pathlib import Path

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from kit.files import write_text
from kit.reports.contents import Contents, compact, contexts_of, index_of
from kit.reports.language import page_file

SCRIPTS = (
    "dom.js", "texts.js", "data.js", "state.js", "svg.js", "scores.js", "facets.js", "list.js", "heatmap.js",
    "question.js", "charts.js", "app.js",
)  # fmt: skip
_HEAD = 1000
"""Characters of a page that hold its first meta elements."""
_TO_ESCAPE = re.compile("[<>&\u2028\u2029\ud800-\udfff]")


def write_page(path: Path, contents: Contents, made_from: str = "") -> Path:
    """Write the report as *path*, whole or not at all.  Raises WriteError where it cannot be written.

    *made_from*: a hash that stands for the subject and its data, so that `made_from_same` knows the page.
    """
    write_text(path, html_of(contents, made_from))
    return path


def made_from_same(page: Path, made_from: str) -> bool:
    """Whether *page* is a report with this *made_from*."""
    with page.open(encoding="utf-8", errors="replace") as file:
        return f'<meta name="kit-made-from" content="{made_from}">' in file.read(_HEAD)


def html_of(contents: Contents, made_from: str = "") -> str:
    """The whole page."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True)
    style = page_file("style.css")
    script = f'"use strict";\n(() => {{\n{"".join(map(page_file, SCRIPTS))}}})();\n'
    return environment.from_string(page_file("report.html")).render(
        title=f"{contents.title} · {contents.overview.source.dataset.path.name}",
        language=contents.language or "en",
        made_from=made_from,
        style=Markup(style),  # noqa: S704  (the package's own file)
        script=Markup(script),  # noqa: S704
        style_hash=_hash(style),
        script_hash=_hash(script),
        index=escaped(compact(index_of(contents))),
        contexts=_packed(compact(contexts_of(contents))),
        details=_packed("\n".join(contents.details)),
    )


def escaped(text: str) -> Markup:
    """JSON text that is safe inside a script element: nothing in it can end or begin an element."""
    # Half a surrogate pair has no UTF-8, but a JSON escape.
    return Markup(_TO_ESCAPE.sub(lambda found: f"\\u{ord(found[0]):04x}", text))  # noqa: S704


def _packed(text: str) -> str:
    """A large text that is not needed at once: gzip in base64, a third of the bytes."""
    return base64.b64encode(gzip.compress(escaped(text).encode(), mtime=0)).decode()


def _hash(text: str) -> str:
    """The hash by which a content security policy allows a script or style."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
