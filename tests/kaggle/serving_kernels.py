"""The server's kernels: saved, in a state that tests set, with output files that tests put there."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from tests.kaggle.server import Body, Call, Kaggle, Refusal, Reply

_PAGE = 3


@dataclass
class Kernel:
    """One version of a kernel of the server: what was saved, how it is, and what it wrote (name → bytes)."""

    saved: Body
    version: int = 1
    state: str = "QUEUED"
    message: str = ""
    output: dict[str, bytes] = field(default_factory=dict)
    log: list[Body] = field(default_factory=list)
    steps: list[tuple[list[str], str]] = field(default_factory=list)
    """What each reader of its live log gets more than the one before, and its state after that."""
    earlier: dict[int, Kernel] = field(default_factory=dict)
    """Its versions before this one."""

    def take_output(self, working: Path) -> None:
        """Everything in the folder that was its /kaggle/working."""
        self.output = {
            path.relative_to(working).as_posix(): path.read_bytes()
            for path in sorted(working.rglob("*"))
            if path.is_file()
        }

    def write(self, *lines: str) -> None:
        """Add lines to its log."""
        self.log += [
            {"stream_name": "stdout", "time": float(len(self.log)), "data": f"{line}\n"} for line in lines
        ]


def kernels(kaggle: Kaggle) -> dict[str, Kernel]:
    """OWNER/SLUG → the server's kernels, each as its latest version."""
    found: dict[str, Kernel] = kaggle.state.setdefault("kernels", {})
    return found


def saved(kaggle: Kaggle) -> int:
    """How many versions of kernels there are."""
    return sum(1 + len(kernel.earlier) for kernel in kernels(kaggle).values())


@Kaggle.answers("SaveKernel")
def _save(kaggle: Kaggle, body: Body) -> Body:
    answer: Body = kaggle.state.get("save answer", {})
    if answer.get("error") and "versionNumber" not in answer:
        return answer
    known = kernels(kaggle)
    name = body["slug"]
    before = known.get(name)
    version = before.version + 1 if before else 1
    known[name] = Kernel(body, version, earlier={**before.earlier, before.version: before} if before else {})
    url = f"https://www.kaggle.com/code/{name}"
    return {"ref": f"/code/{name}", "url": url, "versionNumber": version, **answer}


@Kaggle.answers("GetKernel")
def _get(kaggle: Kaggle, body: Body) -> Body:
    kernel = _find(kaggle, body)
    metadata = {"ref": f"{body['userName']}/{body['kernelSlug']}", "currentVersionNumber": kernel.version}
    return {"metadata": metadata, "blob": {"source": kernel.saved.get("text", "")}}


@Kaggle.answers("GetKernelSessionStatus")
def _status(kaggle: Kaggle, body: Body) -> Body:
    kernel = _find(kaggle, body)
    return {"status": kernel.state, "failureMessage": kernel.message}


@Kaggle.answers("ListKernelSessionOutput")
def _output(kaggle: Kaggle, body: Body) -> Body:
    kernel = _find(kaggle, body)
    name = f"{body['userName']}/{body['kernelSlug']}/{kernel.version}"
    first = int(body.get("pageToken") or 0)
    files = []
    for number, (file, content) in enumerate(list(kernel.output.items())[first : first + _PAGE], first):
        path = f"/output/{name}/{number}"
        kaggle.stored[path] = content
        files.append({"url": f"{kaggle.endpoint}{path}", "fileName": file})
    more = str(first + _PAGE) if first + _PAGE < len(kernel.output) else ""
    return {"files": files, "log": json.dumps(kernel.log) if kernel.log else "", "nextPageToken": more}


@Kaggle.serves("/v1/kernels/logs/stream/")
def _stream(kaggle: Kaggle, call: Call) -> Reply:
    """As events while it runs, and the kept log once it is over."""
    path, _, query = call.path.partition("?")
    owner, slug = path.split("/")[-2:]
    label = query.removeprefix("versionLabel=")
    try:
        kernel = _find(kaggle, {"userName": owner, "kernelSlug": slug, "versionLabel": label})
    except Refusal as refusal:
        return Reply({"error": {"code": refusal.status, "message": str(refusal)}}, refusal.status)
    if kernel.steps:
        lines, after = kernel.steps.pop(0)
        kernel.write(*lines)
        events = "".join(f"data: {json.dumps(event)}\n\n" for event in kernel.log)
        kernel.state = after
        end = "data: END_OF_LOG\n\n" if after != "RUNNING" else ""
        return Reply((events + end).encode(), headers={"Content-Type": "text/event-stream"})
    return Reply(json.dumps(kernel.log).encode(), headers={"Content-Type": "application/octet-stream"})


@Kaggle.answers("GetAcceleratorQuotaStatistics")
def _quota(kaggle: Kaggle, body: Body) -> Body:
    usual = {"timeUsed": "36000s", "timeReserved": "1800s", "totalTimeAllowed": "108000s"}
    answer: Body = kaggle.state.get(
        "quota",
        {
            "quotaRefreshTime": "2026-11-28T00:00:00Z",
            "gpuQuota": usual,
            "tpuQuota": {"timeUsed": "0s", "totalTimeAllowed": "72000s"},
        },
    )
    return answer


def _find(kaggle: Kaggle, body: Body) -> Kernel:
    found = kernels(kaggle).get(f"{body['userName']}/{body['kernelSlug']}")
    if found is None:
        raise Refusal(403, "Permission 'kernels.get' was denied")
    label = body.get("versionLabel") or ""
    if not label or label == f"v{found.version}":
        return found
    number = int(label[1:]) if label[1:].isdecimal() and label[0] == "v" else 0
    if number not in found.earlier:
        raise Refusal(404, f"no version {label}")
    return found.earlier[number]
