"""A hook of `make docs`: links from a page to files outside docs/, which the built site does not hold.

On the forge such links work.  In the site they lead to ``repo_url``, or become plain text where mkdocs.yml
names none.  A link to a file that does not exist is a warning, and so an error for `mkdocs build --strict`.
"""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path
from typing import Any

_LOG = logging.getLogger("mkdocs.hooks.docs_links")  # warnings of mkdocs' own loggers count as failures
_LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]+)\]\((?P<target>\.\./[^)\s]+)\)")


def on_page_markdown(markdown: str, *, page: Any, config: Any, files: Any) -> str:
    """The page's Markdown with its links out of docs/ replaced; called by MkDocs."""
    docs = Path(config["docs_dir"])

    def replaced(link: re.Match[str]) -> str:
        path, _, anchor = link["target"].partition("#")
        target = Path(os.path.normpath((docs / page.file.src_uri).parent / path))
        if target.is_relative_to(docs):
            return link[0]
        if not target.exists():
            _LOG.warning("%s links to %s, which does not exist", page.file.src_uri, link["target"])
        if not config["repo_url"]:
            return link["text"]
        place = target.relative_to(docs.parent).as_posix()
        return (
            f"[{link['text']}]({config['repo_url'].rstrip('/')}/blob/main/{place}{anchor and '#' + anchor})"
        )

    return _LINK.sub(replaced, markdown)
