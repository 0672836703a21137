"""Whether an account sees a competition: tells a misspelt slug from rules that are not accepted."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

from kit.errors import near_names
from kit.kaggle.api_calls import ask, pages

_SERVICE = "competitions.competition"
_MOST_PAGES = 20


@dataclass(frozen=True, slots=True)
class CompetitionAccess:
    """What an account sees of a slug.

    visible: whether there is such a competition for it; None where that could not be found out
    entered: whether it takes part, and so has accepted the rules
    near: slugs alike among those that it has entered, the likest first
    """

    visible: bool | None
    entered: bool = False
    near: tuple[str, ...] = ()


def competition_access(api: Any, slug: str, failed: BaseException) -> CompetitionAccess:
    """Ask Kaggle about *slug* after *failed*; a failure here only leaves something unknown."""
    from kagglesdk.competitions.types.competition_enums import CompetitionListTab

    try:
        own = _listed(api, CompetitionListTab.COMPETITION_LIST_TAB_ENTERED)
    except (Exception, SystemExit):
        return CompetitionAccess(None)
    if slug in own:
        # A list that marks those that were entered need not hold only them.
        return CompetitionAccess(True, entered=own[slug] or not any(own.values()))
    near = tuple(near_names(slug, own))
    request = getattr(getattr(failed, "response", None), "request", None)
    if str(getattr(request, "url", "")).endswith("/GetCompetition"):  # the same question again
        return CompetitionAccess(None, near=near)
    try:
        return CompetitionAccess(
            True, bool(ask(api, _SERVICE, "get_competition", competition_name=slug).user_has_entered), near
        )
    except (Exception, SystemExit) as error:
        status = getattr(getattr(error, "response", None), "status_code", None)
    try:
        everything = _listed(api, CompetitionListTab.COMPETITION_LIST_TAB_EVERYTHING, search=slug)
    except (Exception, SystemExit):
        everything = {}
    if slug in everything:
        return CompetitionAccess(True, everything[slug], near)
    return CompetitionAccess(False if status in (403, 404) else None, near=near)


def _listed(api: Any, tab: Any, search: str | None = None) -> dict[str, bool]:
    """The slugs of a list of competitions, all pages, and whether the account has entered each."""
    answers = pages(
        lambda token: ask(
            api, _SERVICE, "list_competitions", group=tab, page_size=100, search=search, page_token=token
        )
    )
    return {
        # A reference may be an address.
        one.ref.rstrip("/").rpartition("/")[2].lower(): bool(one.user_has_entered)
        for answer in itertools.islice(answers, _MOST_PAGES)
        for one in answer.competitions or ()
        if one.ref
    }
