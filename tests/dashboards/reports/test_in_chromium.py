"""The HTML part in a browser, wide and on a phone, in the light and in the dark."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from dashboards.answering import Space
from dashboards.library import Library
from dashboards.reports.model import Message, Order
from dashboards.reports.periods import period_of
from dashboards.reports.write import write
from tests.dashboards.reports import world

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.xdist_group("site")]

ORDER = Order(
    "weekly",
    "Weekly report",
    "Acme Outdoor",
    period_of("last_week", world.NOW.date()),
    zone=ZoneInfo("Europe/Berlin"),
    link="https://ads.example/acme",
)


def shown(message: Message, path: Path) -> Path:
    """The HTML part as a file, with its pictures where a mail program puts them."""
    html = message.html
    for image in message.images:
        data = base64.b64encode(image.png).decode()
        html = html.replace(f"cid:{image.cid}", f"data:image/png;base64,{data}")
    path.write_text(html, encoding="utf-8")
    return path


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_mail_is_shown_as_it_is_meant(
    language: str, space: Space, library: Library, page: Page, tmp_path: Path
) -> None:
    message = write(replace(ORDER, language=language), space, library, world.NOW)  # type: ignore[arg-type]
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for width, scheme in ((1200, "light"), (390, "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.goto(shown(message, tmp_path / "mail.html").as_uri())
        assert page.evaluate("() => window.wasRun") is None
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width
        assert page.evaluate("() => [...document.images].every(one => one.complete && one.naturalWidth > 0)")
        assert page.locator(".paper").bounding_box()["width"] <= 640  # type: ignore[index]
    assert all(url.startswith(("file:", "data:")) for url in asked)
    assert "<script>window.wasRun = true</script>" in page.locator("body").inner_text()
