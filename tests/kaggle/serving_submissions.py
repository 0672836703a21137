"""The server's side of submissions: uploads, the list, files, the day's allowance, the boards."""

from __future__ import annotations

import hashlib
from typing import Any

from tests.kaggle.server import Body, Kaggle, Refusal, Reply
from tests.kaggle.serving_data import zipped

LIMIT = 5
PAGE = 2
"""Small, so that every list has several pages."""


def records(kaggle: Kaggle) -> list[Body]:
    """The submissions that the server has recorded, as ListSubmissions shows them; tests may change them."""
    found: list[Body] = kaggle.state.setdefault("submissions", [])
    return found


def bytes_of(kaggle: Kaggle, record: Body) -> bytes:
    """What was uploaded for a recorded submission."""
    return kaggle.stored[f"/upload/{record['blob']}"]


def score(kaggle: Kaggle, record: Body, public: float, private: float | None = None) -> None:
    """Finish the scoring of a submission; the private score is out once the contest has ended."""
    record.update(
        status="COMPLETE", publicScore=str(public), privateScore="" if private is None else str(private)
    )


@Kaggle.answers("StartSubmissionUpload")
def _start(kaggle: Kaggle, body: Body) -> Body:
    number = kaggle.state.get("uploads", 0) + 1
    kaggle.state["uploads"] = number
    return {"token": str(number), "createUrl": f"{kaggle.endpoint}/upload/{number}"}


@Kaggle.answers("CreateSubmission")
def _create(kaggle: Kaggle, body: Body) -> Body:
    if kaggle.state.get("left", LIMIT) <= 0:
        raise Refusal(400, "You have reached your daily Submission allowance")
    kaggle.state["left"] = kaggle.state.get("left", LIMIT) - 1
    ref = 1000 + len(records(kaggle))
    content = kaggle.stored[f"/upload/{body['blobFileTokens']}"]
    scores: dict[str, float] = kaggle.state.get("scores", {})
    sha256 = hashlib.sha256(content).hexdigest()
    record = {
        "ref": ref, "date": f"2026-11-25T10:{ref - 1000:02d}:00Z", "status": "PENDING",
        "description": body.get("submissionDescription", ""), "fileName": "answers.csv",
        "publicScore": "", "privateScore": "", "blob": body["blobFileTokens"],
    }  # fmt: skip
    records(kaggle).append(record)
    if sha256 in scores:
        score(kaggle, record, scores[sha256])
    if (judge := kaggle.state.get("judge")) is not None:
        score(kaggle, record, judge(content))
    return {"message": "Successfully submitted", "ref": ref}


def _page(items: list[Any], body: Body, name: str) -> Body:
    first = int(body.get("pageToken") or 0)
    following = first + PAGE
    token = str(following) if following < len(items) else ""
    return {name: items[first:following], "nextPageToken": token}


@Kaggle.answers("ListSubmissions")
def _list(kaggle: Kaggle, body: Body) -> Body:
    shown = [{name: value for name, value in one.items() if name != "blob"} for one in records(kaggle)]
    return _page(shown[::-1], body, "submissions")


@Kaggle.answers("GetSubmissionLimits")
def _limits(kaggle: Kaggle, body: Body) -> Body:
    made = len(records(kaggle))
    left = kaggle.state.get("left", LIMIT)
    by_total = kaggle.state.get("by_total", False)
    return {"numToday": made, "numTotal": made, "numAllowedNow": left, "limitedByTotal": by_total}


@Kaggle.answers("GetSubmission")
def _one(kaggle: Kaggle, body: Body) -> Body:
    record = _record(kaggle, body["ref"])
    return {name: value for name, value in record.items() if name != "blob"}


@Kaggle.answers("DownloadSubmission")
def _fetch(kaggle: Kaggle, body: Body) -> Reply:
    record = _record(kaggle, body["submissionId"])
    path = f"/storage/submissions/{record['ref']}/{record['fileName']}"
    kaggle.stored.setdefault(path, bytes_of(kaggle, record))
    return Reply({}, 302, {"Location": f"{kaggle.endpoint}{path}?X-Goog-Signature=abc"})


def _record(kaggle: Kaggle, ref: int) -> Body:
    for record in records(kaggle):
        if record["ref"] == ref:
            return record
    raise Refusal(403, "Permission 'submissions.get' was denied")


@Kaggle.answers("GetLeaderboard")
def _leaderboard(kaggle: Kaggle, body: Body) -> Body:
    private = kaggle.state.get("private board")
    shown = kaggle.state.get("board", []) if private is None or body.get("overridePublic") else private
    return _page(_teams(shown), body, "submissions")


@Kaggle.answers("DownloadLeaderboard")
def _download(kaggle: Kaggle, body: Body) -> Reply:
    """A zip that is called like the competition's data, with one CSV; its name has colons."""
    private = kaggle.state.get("private board")
    board = "public" if private is None else "private"
    shown = kaggle.state.get("board", []) if private is None else private
    rows = [
        f"{team['teamId']},{team['teamName']},2026-11-25 10:00:00,{team['score']}" for team in _teams(shown)
    ]
    text = "\ufeff" + "\n".join(["TeamId,TeamName,LastSubmissionDate,Score", *rows]) + "\n"
    name = f"{body['competitionName']}-{board}leaderboard-2026-11-25T10:00:00.csv"
    files = kaggle.state.get("board files", {name: text.encode()})
    content = files if isinstance(files, bytes) else zipped(files)
    return Reply(content, 200, {"Content-Type": "application/zip"})


def _teams(scores: list[Any]) -> list[Body]:
    return [
        {"teamId": number, "teamName": f"team {number}", "score": str(value)}
        for number, value in enumerate(scores)
    ]
