"""The server's kernels: saved, in a state that tests set, with output files that tests put there."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tests.competition.kaggle.server import Body, Kaggle, Refusal

_PAGE = 3


@dataclass
class Kernel:
    """One kernel of the server: what was saved, how it is, and what it wrote (name → bytes)."""

    saved: Body
    version: int = 1
    state: str = "QUEUED"
    message: str = ""
    output: dict[str, bytes] = field(default_factory=dict)

    def take_output(self, working: Path) -> None:
        """Everything in the folder that was its /kaggle/working."""
        self.output = {
            path.relative_to(working).as_posix(): path.read_bytes()
            for path in sorted(working.rglob("*"))
            if path.is_file()
        }


def kernels(kaggle: Kaggle) -> dict[str, Kernel]:
    """OWNER/SLUG → the server's kernels."""
    found: dict[str, Kernel] = kaggle.state.setdefault("kernels", {})
    return found


@Kaggle.answers("SaveKernel")
def _save(kaggle: Kaggle, body: Body) -> Body:
    answer: Body = kaggle.state.get("save answer", {})
    if answer.get("error"):
        return answer
    known = kernels(kaggle)
    name = body["slug"]
    version = known[name].version + 1 if name in known else 1
    known[name] = Kernel(body, version)
    url = f"https://www.kaggle.com/code/{name}"
    return {"ref": f"/code/{name}", "url": url, "versionNumber": version, **answer}


@Kaggle.answers("GetKernelSessionStatus")
def _status(kaggle: Kaggle, body: Body) -> Body:
    kernel = _find(kaggle, body)
    return {"status": kernel.state, "failureMessage": kernel.message}


@Kaggle.answers("ListKernelSessionOutput")
def _output(kaggle: Kaggle, body: Body) -> Body:
    kernel = _find(kaggle, body)
    name = f"{body['userName']}/{body['kernelSlug']}"
    first = int(body.get("pageToken") or 0)
    files = []
    for number, (file, content) in enumerate(list(kernel.output.items())[first : first + _PAGE], first):
        path = f"/output/{name}/{number}"
        kaggle.stored[path] = content
        files.append({"url": f"{kaggle.endpoint}{path}", "fileName": file})
    more = str(first + _PAGE) if first + _PAGE < len(kernel.output) else ""
    return {"files": files, "log": '[{"stream_name":"stdout","data":"hello"}]', "nextPageToken": more}


def _find(kaggle: Kaggle, body: Body) -> Kernel:
    found = kernels(kaggle).get(f"{body['userName']}/{body['kernelSlug']}")
    if found is None:
        raise Refusal(403, "Permission 'kernels.get' was denied")
    return found
