"""The server's side of code competitions: the output of a kernel's version becomes a submission."""

from __future__ import annotations

from tests.kaggle.server import Body, Kaggle, Refusal
from tests.kaggle.serving_kernels import kernels
from tests.kaggle.serving_submissions import LIMIT, records


@Kaggle.answers("CreateCodeSubmission")
def _create(kaggle: Kaggle, body: Body) -> Body:
    name = f"{body['kernelOwner']}/{body['kernelSlug']}"
    latest = kernels(kaggle).get(name)
    versions = {} if latest is None else {**latest.earlier, latest.version: latest}
    kernel = versions.get(body["kernelVersion"])
    if kernel is None or body["fileName"] not in kernel.output:
        raise Refusal(404, "Notebook not found")
    kaggle.state["left"] = kaggle.state.get("left", LIMIT) - 1
    ref = 1000 + len(records(kaggle))
    records(kaggle).append(
        {
            "ref": ref, "date": f"2026-11-25T10:{ref - 1000:02d}:00Z", "status": "PENDING",
            "description": body.get("submissionDescription", ""), "fileName": body["fileName"],
            "publicScore": "", "privateScore": "", "kernel": f"{name}/{body['kernelVersion']}",
        }
    )  # fmt: skip
    return {"message": "Successfully submitted", "ref": ref}
