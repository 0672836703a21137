"""How every call of kagglesdk is made: one request with its fields, and lists page by page."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any

from kit.errors import DownloadError

_MOST_PAGES = 1000


def ask(api: Any, service: str, method: str, **fields: Any) -> Any:
    """The answer of *service* of kagglesdk to *method*, whose request has these *fields* (None: left out).

    ``ask(api, "competitions.competition", "get_submission", ref=7)``
    """
    return send(api, service, method, request_of(service, method, **fields))


def request_of(service: str, method: str, **fields: Any) -> Any:
    """The request of `ask`."""
    area, name = service.split(".")
    types = importlib.import_module(f"kagglesdk.{area}.types.{name}_api_service")
    request = getattr(types, f"Api{method.title().replace('_', '')}Request")()
    for field, value in fields.items():
        if value is not None:
            setattr(request, field, value)
    return request


def send(api: Any, service: str, method: str, request: Any) -> Any:
    """The answer to *request*."""
    area, name = service.split(".")
    with api.build_kaggle_client() as kaggle:
        return getattr(getattr(getattr(kaggle, area), f"{name}_api_client"), method)(request)


def pages(page: Callable[[str | None], Any]) -> Iterator[Any]:
    """The answers of *page* (token of a page; None for the first), up to the one without a next page.

    Raises DownloadError for a list without an end.
    """
    token = None
    for _ in range(_MOST_PAGES):
        answer = page(token)
        yield answer
        token = answer.next_page_token or None
        if token is None:
            return
    raise DownloadError(f"a list of Kaggle does not end after {_MOST_PAGES} pages; try again later")
