"""Pages: from a dashboard, its answers and a reader to HTML.

What belongs here: what stands where. What does not: what stands in a card (`dashboards.site.cards`), running SQL
(`dashboards.answerer`), files (`dashboards.site.build`), paths (`dashboards.site.app`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment
from markdown_it import MarkdownIt
from markupsafe import Markup

from dashboards.answering import Answer, filters_of
from dashboards.charts.locales import locales
from dashboards.library import Definition
from dashboards.model import Card, Filter, Row
from dashboards.site.cards import Reader, view_of
from dashboards.site.language import date_words
from dashboards.site.policy import policy
from dashboards.templating import environment_of

BRAND = "Meta Ads Analytics"
_TEMPLATES = Path(__file__).with_name("templates")
_HEIGHT_OF_CONTEXT = 2


@dataclass(frozen=True)
class Shell:
    """What surrounds all pages of a space.

    Attributes:
        root: From a page to where assets are, such as `../`.
        home: From a page to the list of pages.
        assets: Paths of assets below the root.
        built: Whether the page is a file; else filters ask the server.
        foot: The line at the end.
    """

    root: str
    home: str
    assets: Mapping[str, str]
    built: bool
    foot: str


@dataclass(frozen=True)
class PlacedView:
    """A card on a page, or words in its place.

    Attributes:
        key: Of the card.
        title: Above it.
        about: Behind its sign.
        width: Columns.
        height: Rows of its grid.
        chart: Its kind.
        body: Its HTML; None while it is loading.
        words: HTML of words.
    """

    key: str
    title: str
    about: str | None
    width: int
    height: int
    chart: str
    body: Markup | None
    words: Markup | None = None


def dashboard_page(
    shell: Shell,
    reader: Reader,
    definition: Definition,
    bodies: Mapping[str, Markup],
    *,
    choices: Mapping[str, Sequence[str]] | None = None,
    variants: Mapping[str, Sequence[tuple[str, str]]] | None = None,
    problem: str = "",
    interface: str = "",
) -> str:
    """A dashboard as a page.

    Args:
        shell: What surrounds it.
        reader: Whoever looks.
        definition: The dashboard.
        bodies: HTML of cards by key; those that are not among them are loaded by the page.
        choices: What filters offer.
        variants: Pages with other values of a filter, by filter: words and address of each.
        problem: Why the address makes no sense, if so.
        interface: Where the page asks for cards; of no use in a built one.
    """
    library, dashboard = reader.library, definition.dashboard
    offered = filters_of(library, definition)
    tabs = [
        {"key": tab.key, "title": tab.title, "rows": [_row(row, bodies) for row in tab.rows]} for tab in dashboard.tabs
    ]
    settings = {
        "built": shell.built,
        "interface": interface,
        "ok": not problem,
        "vega": shell.root + shell.assets["vega.js"],
        "filters": [_filter(key, one, (choices or {}).get(key, ())) for key, one in offered.items()],
        "dates": date_words(),
        **locales(reader.formats.language),
    }
    pages = [
        {
            "title": one.dashboard.title,
            "href": reader.places.page(key),
            "is_here": key == definition.key,
            "filters": " ".join(one.dashboard.filters),
        }
        for key, one in library.dashboards.items()
    ]
    return _environment().get_template("dashboard.html").render(
        **_around(shell, f"{dashboard.title} · {reader.space.title}", pictures=reader.pictures),
        pages=pages,
        space=reader.space.title,
        heading=dashboard.title,
        about=dashboard.about,
        filters=[
            {
                "key": key,
                "title": one.title,
                "words": value_words(one, reader.values.get(key, one.default)),
                "pages": (variants or {}).get(key, ()),
            }
            for key, one in offered.items()
        ],
        is_built=shell.built,
        problem=problem,
        context=[card for row in library.shared.context for card in _row(row, bodies, _HEIGHT_OF_CONTEXT)["cards"]],
        tabs=tabs,
        settings=settings,
    )  # fmt: skip


def index_page(shell: Shell, heading: str, about: str, groups: Sequence[Mapping[str, Any]]) -> str:
    """A list of pages.

    Args:
        shell: What surrounds it.
        heading: Its title.
        about: A line below it.
        groups: Each with `title` and `pages`, of which each has `title`, `about` and `href`.
    """
    template = _environment().get_template("index.html")
    return template.render(**_around(shell, heading, pictures=False), heading=heading, about=about, groups=groups)


def card_bodies(
    reader: Reader, definition: Definition, answers: Mapping[str, Answer], tab: str | None = None
) -> dict[str, Markup]:
    """HTML of the cards that have an answer, by key; of a tab's and the context's alone if a tab is named."""
    template = _environment().get_template("card.html")
    found: dict[str, Markup] = {}
    for card, height, is_context in _cards(reader, definition, tab):
        if card.key not in answers:
            continue
        view = view_of(card, answers[card.key], reader, height, as_facts=is_context)
        html = template.render(view=view, title=card.title, height=height)
        found[card.key] = Markup(html)  # noqa: S704 - made by a template that escapes
    return found


def words(text: str) -> Markup:
    """Markdown as HTML; HTML in it is text, and links lead to http, https and mail alone."""
    return Markup(MarkdownIt("commonmark", {"html": False}).render(text))  # noqa: S704 - it escapes


def value_words(one: Filter, value: Any) -> str:
    """The value of a filter as people read it."""
    if value is None or value == []:
        return "All"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    known = dict(date_words())
    return known.get(str(value), str(value).replace("~", " to ")) if one.type.startswith("date/") else str(value)


def _cards(reader: Reader, definition: Definition, tab: str | None) -> Iterator[tuple[Card, int, bool]]:
    for row in reader.library.shared.context:
        yield from ((card, row.height, True) for card in row.cards if isinstance(card, Card))
    for one in definition.dashboard.tabs:
        if tab is None or one.key == tab:
            for row in one.rows:
                yield from ((card, row.height, False) for card in row.cards if isinstance(card, Card))


def _row(row: Row, bodies: Mapping[str, Markup], height: int | None = None) -> dict[str, Any]:
    cards = []
    for number, card in enumerate(row.cards):
        tall = height or row.height
        if isinstance(card, Card):
            body = bodies.get(card.key)
            cards.append(PlacedView(card.key, card.title, card.about, card.width, tall, card.chart, body))
        else:
            cards.append(PlacedView(f"words-{number}", "", None, card.width, tall, "words", None, words(card.text)))
    return {"heading": row.heading, "cards": cards}


def _filter(key: str, one: Filter, choices: Sequence[str]) -> dict[str, Any]:
    kind = {"date/all-options": "period", "date/single": "day"}.get(one.type)
    if kind is None:
        kind = "several" if one.type in ("string/=", "number/=") else "one" if choices else "typed"
    return {
        "key": key,
        "title": one.title,
        "kind": kind,
        "default": one.default,
        "about": one.about,
        "choices": list(choices),
        "free": one.choices is None,
    }


def _around(shell: Shell, title: str, *, pictures: bool) -> dict[str, Any]:
    return {
        "title": title,
        "root": shell.root,
        "home": shell.home,
        "assets": shell.assets,
        "brand": BRAND,
        "foot": shell.foot,
        "policy": policy(built=True, pictures=pictures) if shell.built else "",
    }


def _data(value: Any) -> Markup:
    """JSON inside a page: nothing in it can end the element that it stands in."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - no character of HTML is left in it


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = environment_of(_TEMPLATES)
    environment.filters["data"] = _data
    return environment
