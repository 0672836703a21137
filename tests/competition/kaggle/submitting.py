"""The server's side of submissions: uploads, the list, the day's allowance, the public board."""

from __future__ import annotations

import hashlib
from typing import Any

from tests.competition.kaggle.server import Body, Kaggle, Refusal

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


def score(kaggle: Kaggle, record: Body, public: float) -> None:
    """Finish the scoring of a submission."""
    record.update(status="COMPLETE", publicScore=str(public), privateScore="")


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


@Kaggle.answers("GetLeaderboard")
def _leaderboard(kaggle: Kaggle, body: Body) -> Body:
    teams = [
        {"teamId": number, "teamName": f"team {number}", "score": str(value)}
        for number, value in enumerate(kaggle.state.get("board", []))
    ]
    return _page(teams, body, "submissions")
