"""The server's competitions, where a test says which there are, and which of them the account has entered."""

from __future__ import annotations

from tests.kaggle.server import Body, Kaggle, Refusal

_PAGE = 2  # so that a list of three needs two


def show(kaggle: Kaggle, **entered: bool) -> None:
    """Let the account see these competitions (``_`` stands for ``-``): True for one that it has entered."""
    kaggle.state["competitions"] = {slug.replace("_", "-"): value for slug, value in entered.items()}


@Kaggle.answers("GetCompetition")
def _get(kaggle: Kaggle, body: Body) -> Body:
    slug = body["competitionName"]
    known: dict[str, bool] | None = kaggle.state.get("competitions")
    if known is not None and slug not in known:
        raise Refusal(403, "Permission 'competitions.get' was denied")
    return {"ref": slug, "userHasEntered": bool(known and known[slug])}


@Kaggle.answers("ListCompetitions")
def _list(kaggle: Kaggle, body: Body) -> Body:
    known: dict[str, bool] | None = kaggle.state.get("competitions")
    if known is None:
        raise Refusal(404, "this server has no competitions")
    own = body["group"] == "COMPETITION_LIST_TAB_ENTERED"
    found = [
        slug for slug, entered in known.items() if (entered or not own) and body.get("search", "") in slug
    ]
    first = int(body.get("pageToken") or 0)
    shown = [
        {"ref": f"https://www.kaggle.com/competitions/{slug}", "userHasEntered": known[slug]}
        for slug in found[first : first + _PAGE]
    ]
    more = str(first + _PAGE) if first + _PAGE < len(found) else ""
    return {"competitions": shown, "nextPageToken": more}
