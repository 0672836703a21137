"""The server's data sets: blobs that are uploaded piece by piece, and private data sets made of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.kaggle.server import Body, Call, Kaggle, Refusal, Reply


@dataclass
class Dataset:
    """A data set: for each version what was sent for it, and its files (name → bytes)."""

    private: bool
    description: str
    versions: list[tuple[str, dict[str, bytes]]] = field(default_factory=list)
    """Notes and files."""
    state: str = "READY"


@dataclass
class Blob:
    """One upload: what has come of it, of how much."""

    name: str
    size: int
    content: bytes = b""


def datasets(kaggle: Kaggle) -> dict[str, Dataset]:
    """OWNER/NAME → the server's data sets."""
    found: dict[str, Dataset] = kaggle.state.setdefault("datasets", {})
    return found


def blobs(kaggle: Kaggle) -> dict[str, Blob]:
    """Token → the uploads that were started."""
    found: dict[str, Blob] = kaggle.state.setdefault("blobs", {})
    return found


def received(kaggle: Kaggle) -> int:
    """How many bytes were sent to the store, twice or not."""
    return sum(
        len(call.body) for call in kaggle.calls if call.verb == "PUT" and call.path.startswith("/blob/")
    )


@Kaggle.answers("StartBlobUpload")
def _start(kaggle: Kaggle, body: Body) -> Body:
    token = f"blob-{len(blobs(kaggle)) + 1}"
    blobs(kaggle)[token] = Blob(body["name"], int(body["contentLength"]))
    return {"token": token, "createUrl": f"{kaggle.endpoint}/blob/{token}?upload_id=x"}


@Kaggle.serves("/blob/")
def _put(kaggle: Kaggle, call: Call) -> Reply:
    """Google's resumable uploads: the rest of a file, or a question how much has come.

    ``state["store keeps"]``: of the next file only so many bytes arrive.
    """
    assert isinstance(call.body, bytes)
    blob = blobs(kaggle).get(call.method)
    if blob is None:
        return Reply({}, 404)
    first = call.content_range.removeprefix("bytes ").split("/")[0]
    if first != "*":
        assert int(first.split("-")[0] or 0) == len(blob.content)
        kept = kaggle.state.pop("store keeps", None)
        blob.content += call.body[:kept]
    if len(blob.content) == blob.size:
        return Reply({})
    come = {"Range": f"bytes=0-{len(blob.content) - 1}"} if blob.content else {}
    return Reply({}, 308, come)


@Kaggle.answers("CreateDataset")
def _create(kaggle: Kaggle, body: Body) -> Body:
    name = f"{body['ownerSlug']}/{body['slug']}"
    if answer := kaggle.state.get("dataset answer"):
        return dict(answer)
    if name in datasets(kaggle):
        return {"status": "error", "error": f'The requested title "{body["title"]}" is already in use'}
    private = bool(body.get("isPrivate", False))
    datasets(kaggle)[name] = Dataset(private, body.get("description", ""), [("", _files(kaggle, body))])
    return {"status": "ok", "url": f"https://www.kaggle.com/datasets/{name}", "ref": name}


@Kaggle.answers("CreateDatasetVersion")
def _add(kaggle: Kaggle, body: Body) -> Body:
    found = _find(kaggle, body)
    content = body["body"]
    found.versions.append((content.get("versionNotes", ""), _files(kaggle, content)))
    found.description = content.get("description", found.description)
    return {"status": "ok"}


@Kaggle.answers("GetDataset")
def _get(kaggle: Kaggle, body: Body) -> Body:
    found = _find(kaggle, body)
    versions = [
        {"versionNumber": number, "versionNotes": notes}
        for number, (notes, _) in enumerate(found.versions, 1)
    ]
    return {
        "ref": f"{body['ownerSlug']}/{body['datasetSlug']}", "isPrivate": found.private,
        "description": found.description, "currentVersionNumber": len(versions), "versions": versions[::-1],
    }  # fmt: skip


@Kaggle.answers("GetDatasetStatus")
def _status(kaggle: Kaggle, body: Body) -> Body:
    found = _find(kaggle, body)
    states = kaggle.state.get("dataset states", [])
    return {"status": states.pop(0) if states else found.state}


def _files(kaggle: Kaggle, body: Body) -> dict[str, bytes]:
    whole = [blobs(kaggle)[file["token"]] for file in body["files"]]
    assert all(len(blob.content) == blob.size for blob in whole)
    return {blob.name: blob.content for blob in whole}


def _find(kaggle: Kaggle, body: Body) -> Dataset:
    found = datasets(kaggle).get(f"{body['ownerSlug']}/{body['datasetSlug']}")
    if found is None:
        raise Refusal(403, "Permission 'datasets.get' was denied")
    return found
