"""A report in a notebook: the whole page in a frame, apart from the notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kit.api import report as api
from tests.reports.conftest import Place

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def test_the_page_works_in_a_frame_and_reaches_nothing_outside(place: Place, browser: Browser) -> None:
    shown = place.report._repr_html_()
    assert shown.startswith("<iframe srcdoc=")
    assert shown.count("<") == 2  # nothing of the page is markup of the notebook
    page = browser.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.set_content(f"<!doctype html><title>notebook</title>{shown}")
    frame = page.frame_locator("iframe")
    frame.locator(".row").first.wait_for(timeout=20_000)
    frame.locator(".row").first.click()
    frame.locator(".guid").wait_for(timeout=20_000)
    assert complaints == []
    assert [url for url in requests if not url.startswith(("about:", "data:"))] == []
    assert page.evaluate("window.pwned === undefined")
    assert page.title() == "notebook"
    page.close()


def test_what_is_too_large_stays_in_its_file(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "_LARGEST_INLINE", 1000)
    shown = place.report._repr_html_()
    assert "iframe" not in shown
    assert "too large for a notebook; open it in a browser" in shown
    assert "all blank" in shown


def test_it_is_short_in_a_shell(place: Place) -> None:
    for found in (place.report, place.report.contents, place.report.contents.overview):
        assert len(repr(found)) < 260
        assert "two" in repr(found)
    assert "all blank" in str(place.report)
