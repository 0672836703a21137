"""Whether an account sees a competition: tells a misspelt slug from rules that are not accepted."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any

_PAGE = 100
_MOST_PAGES = 20
_ALIKE = 0.6
"""Of 1: how much of two slugs must be the same for one to be proposed in place of the other."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What an account sees of a slug.

    visible: whether there is such a competition for it; None where that could not be found out
    entered: whether it takes part, and so has accepted the rules
    near: slugs alike among those that it has entered, the likest first
    """

    visible: bool | None
    entered: bool = False
    near: tuple[str, ...] = ()


def look(api: Any, slug: str, failed: BaseException | None) -> Sight:
    """Ask Kaggle about *slug* after *failed*; every failure here only leaves something unknown."""
    from kagglesdk.competitions.types.competition_enums import CompetitionListTab

    try:
        own = _listed(api, CompetitionListTab.COMPETITION_LIST_TAB_ENTERED)
    except (Exception, SystemExit):
        return Sight(None)
    if slug in own:
        # A list that marks those that were entered need not hold only them.
        return Sight(True, entered=own[slug] or not any(own.values()))
    near = tuple(difflib.get_close_matches(slug, own, n=3, cutoff=_ALIKE))
    request = getattr(getattr(failed, "response", None), "request", None)
    if str(getattr(request, "url", "")).endswith("/GetCompetition"):  # the same question again
        return Sight(None, near=near)
    try:
        return Sight(True, bool(_get(api, slug).user_has_entered), near)
    except (Exception, SystemExit) as error:
        status = getattr(getattr(error, "response", None), "status_code", None)
    try:
        everything = _listed(api, CompetitionListTab.COMPETITION_LIST_TAB_EVERYTHING, search=slug)
    except (Exception, SystemExit):
        everything = {}
    if slug in everything:
        return Sight(True, everything[slug], near)
    return Sight(False if status in (403, 404) else None, near=near)


def slug_of(reference: str) -> str:
    """The slug of a competition's reference, which may be its address."""
    return reference.rstrip("/").rsplit("/", 1)[-1].lower()


def _listed(api: Any, tab: Any, search: str = "") -> dict[str, bool]:
    """The slugs of a list of competitions, all pages, and whether the account has entered each."""
    from kagglesdk.competitions.types.competition_api_service import ApiListCompetitionsRequest

    found: dict[str, bool] = {}
    token = ""
    for _ in range(_MOST_PAGES):
        request = ApiListCompetitionsRequest()
        request.group, request.page_size = tab, _PAGE
        if search:
            request.search = search
        if token:
            request.page_token = token
        with api.build_kaggle_client() as kaggle:
            answer = kaggle.competitions.competition_api_client.list_competitions(request)
        found |= {
            slug_of(one.ref): bool(one.user_has_entered) for one in answer.competitions or () if one.ref
        }
        token = answer.next_page_token or ""
        if not token:
            break
    return found


def _get(api: Any, slug: str) -> Any:
    from kagglesdk.competitions.types.competition_api_service import ApiGetCompetitionRequest

    request = ApiGetCompetitionRequest()
    request.competition_name = slug
    with api.build_kaggle_client() as kaggle:
        return kaggle.competitions.competition_api_client.get_competition(request)
