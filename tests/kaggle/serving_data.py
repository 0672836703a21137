"""The server's competition files: listed page by page, and downloaded as one zip behind a redirect."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

from tests.kaggle.server import Body, Kaggle, Refusal, Reply

ARCHIVE = "all.zip"
"""The name of the zip in storage: what `Kaggle.fail` takes to make that download go wrong."""
_PAGE = 2  # so that a competition's three files need two


def offer(
    kaggle: Kaggle, slug: str, files: Mapping[str, bytes], archive: bytes | None = None, sign: str = ""
) -> None:
    """Give the competition *slug* these *files*; *archive* is sent in place of a sound zip of them."""
    kaggle.state.setdefault("data", {})[slug] = dict(files)
    kaggle.stored[f"/storage/{slug}{sign}/{ARCHIVE}"] = zipped(files) if archive is None else archive
    kaggle.state.setdefault("archives", {})[slug] = f"/storage/{slug}{sign}/{ARCHIVE}"


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A zip of *files*."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


@Kaggle.answers("ListDataFiles")
def _list(kaggle: Kaggle, body: Body) -> Body:
    files = _files(kaggle, body)
    first = int(body.get("pageToken") or 0)
    shown = list(files.items())[first : first + _PAGE]
    more = str(first + _PAGE) if first + _PAGE < len(files) else ""
    return {
        "files": [
            {"name": name, "totalBytes": len(content), "creationDate": "2026-11-02T10:00:00Z"}
            for name, content in shown
        ],
        "nextPageToken": more,
    }


@Kaggle.answers("DownloadDataFiles")
def _download(kaggle: Kaggle, body: Body) -> Reply:
    _files(kaggle, body)
    path = kaggle.state["archives"][body["competitionName"]]
    return Reply({}, 302, {"Location": f"{kaggle.endpoint}{path}?X-Goog-Signature=abc"})


def _files(kaggle: Kaggle, body: Body) -> dict[str, bytes]:
    files: dict[str, bytes] | None = kaggle.state.get("data", {}).get(body["competitionName"])
    if files is None:
        raise Refusal(403, "Permission 'competitions.get' was denied")
    return files
