"""The server: pages, cards as JSON, assets.

What belongs here: HTTP. What does not: which spaces there are and where it listens (`orchestration.site`).

    /                          spaces and their dashboards
    /<space>/<dashboard>       a page; filters and tab in the query
    /api/<space>/<dashboard>   its cards for the same query: {"cards": {key: html}}
    /_assets/...               style, script, drawing library
    /healthz                   200 while the database answers
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboards.answerer import Answerer
from dashboards.answering import Space, filters_of
from dashboards.errors import BadValue
from dashboards.formats import Formats
from dashboards.library import Definition
from dashboards.site.assets import FOLDER, Assets
from dashboards.site.cards import Reader
from dashboards.site.pages import BRAND, Shell, card_bodies, dashboard_page, index_page
from dashboards.site.policy import headers
from dashboards.site.urls import TAB, values_of
from warehouse.errors import WarehouseError
from warehouse.ops.builds import newest_build

log = logging.getLogger(__name__)

LOCAL_HOSTS = ("127.0.0.1", "localhost", "[::1]")
_FOREVER = "public, max-age=31536000, immutable"
_AWAY = "The database cannot be reached at the moment."


class _NotFound(Exception):
    """There is no such page."""


class _Addresses:
    """Where pages of a space are on the server."""

    def __init__(self, space: str) -> None:
        self._space = space

    def page(self, dashboard: str) -> str:
        return f"/{self._space}/{dashboard}"


class _Site:
    """The handlers, and what they share."""

    def __init__(
        self, answerer: Answerer, spaces: Callable[[], Sequence[Space]], assets: Assets, language: str, pictures: bool
    ) -> None:
        self._answerer = answerer
        self._spaces = spaces
        self._assets = assets
        self._language = language
        self._pictures = pictures
        self._shell = Shell("/", "/", assets.paths, False, f"{BRAND}. Served from this machine.")

    def index(self, request: Request) -> Response:  # noqa: ARG002 - Starlette's signature
        groups = [
            {
                "title": space.title,
                "pages": [
                    {"title": one.dashboard.title, "about": one.dashboard.about, "href": f"/{space.name}/{key}"}
                    for key, one in self._answerer.library.dashboards.items()
                ],
            }
            for space in self._spaces()
        ]
        return _page(index_page(self._shell, "Dashboards", "By client", groups))

    def first(self, request: Request) -> Response:
        space = self._space(request)
        return RedirectResponse(f"/{space.name}/{next(iter(self._answerer.library.dashboards))}")

    def dashboard(self, request: Request) -> Response:
        space, definition = self._space(request), self._definition(request)
        offered = filters_of(self._answerer.library, definition)
        problem, values, status = "", {}, HTTPStatus.OK
        try:
            values = values_of(request.query_params.multi_items(), offered)
        except BadValue as error:
            problem, status = str(error), HTTPStatus.BAD_REQUEST
        choices = {key: self._answerer.choices(space, one) for key, one in offered.items()}
        text = dashboard_page(
            self._shell,
            self._reader(space, values),
            definition,
            {},
            choices=choices,
            problem=problem,
            interface=f"/api/{space.name}/{definition.key}",
        )
        return _page(text, status)

    def cards(self, request: Request) -> Response:
        space, definition = self._space(request), self._definition(request)
        library = self._answerer.library
        tab = request.query_params.get(TAB) or definition.dashboard.tabs[0].key
        if tab not in {one.key for one in definition.dashboard.tabs}:
            return _refusal(f"There is no tab `{tab[:60]}`.")
        wanted = (*library.context, *(placed for placed in definition.cards if placed.tab == tab))
        try:
            values = values_of(request.query_params.multi_items(), filters_of(library, definition))
            answers = self._answerer.answers(space, definition, wanted, values)
        except BadValue as error:
            return _refusal(str(error))
        for key, answer in answers.items():
            if answer.error is not None:
                log.warning("%s/%s, card %s: %s", space.name, definition.key, key, answer.error)
        bodies = card_bodies(self._reader(space, values), definition, answers, tab)
        return JSONResponse({"cards": bodies}, headers={"Cache-Control": "no-store"})

    def asset(self, request: Request) -> Response:
        content = self._assets.content(f"{FOLDER}/{request.path_params['name']}")
        if content is None:
            raise _NotFound
        kind = "text/css" if request.path_params["name"].endswith(".css") else "text/javascript"
        return Response(content, media_type=kind, headers={"Cache-Control": _FOREVER})

    def health(self, request: Request) -> Response:  # noqa: ARG002 - Starlette's signature
        for space in self._spaces()[:1]:
            newest_build(space.warehouse)
        return PlainTextResponse("ok\n")

    def _space(self, request: Request) -> Space:
        for space in self._spaces():
            if space.name == request.path_params["space"]:
                return space
        raise _NotFound

    def _definition(self, request: Request) -> Definition:
        found = self._answerer.library.dashboards.get(request.path_params["dashboard"])
        if found is None:
            raise _NotFound
        return found

    def _reader(self, space: Space, values: Mapping[str, Any]) -> Reader:
        library = self._answerer.library
        formats = Formats(library.shared, self._language, space.zone)
        return Reader(library, space, formats, _Addresses(space.name), values, self._pictures)


def make_app(
    answerer: Answerer,
    spaces: Callable[[], Sequence[Space]],
    assets: Assets,
    *,
    language: str = "en",
    pictures: bool = False,
    hosts: Sequence[str] = LOCAL_HOSTS,
) -> Starlette:
    """The application.

    Args:
        answerer: Asks.
        spaces: Whose data; asked at each request, since a build may bring another.
        assets: From `dashboards.site.assets`.
        language: Of numbers and dates.
        pictures: Whether pages may ask other hosts for images.
        hosts: Names that the server answers to. A page of a stranger that has its own name point at this machine is
            refused by this.
    """
    site = _Site(answerer, spaces, assets, language, pictures)
    routes = [
        Route("/", _guarded(site.index)),
        Route("/healthz", _guarded(site.health)),
        Route(f"/{FOLDER}/{{name}}", _guarded(site.asset)),
        Route("/api/{space}/{dashboard}", _guarded(site.cards)),
        Route("/{space}", _guarded(site.first)),
        Route("/{space}/{dashboard}", _guarded(site.dashboard)),
    ]
    middleware = [
        Middleware(_Headers, found=headers(pictures=pictures)),
        Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False),
        Middleware(GZipMiddleware, minimum_size=2000, compresslevel=5),
    ]
    return Starlette(routes=routes, middleware=middleware)


def _guarded(handler: Callable[[Request], Response]) -> Callable[[Request], Awaitable[Response]]:
    """A handler in a thread of its own, its errors as answers."""

    async def answer(request: Request) -> Response:
        try:
            return await run_in_threadpool(handler, request)
        except _NotFound:
            return PlainTextResponse("There is no such page.\n", HTTPStatus.NOT_FOUND)
        except WarehouseError as error:
            log.warning("%s", error)
            return PlainTextResponse(f"{_AWAY}\n", HTTPStatus.SERVICE_UNAVAILABLE)

    return answer


class _Headers:
    """Puts the same headers on every answer."""

    def __init__(self, app: ASGIApp, found: Mapping[str, str]) -> None:
        self._app = app
        self._found = [(name.lower().encode(), value.encode()) for name, value in found.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *self._found]
            await send(message)

        await self._app(scope, receive, sending)


def _page(text: str, status: HTTPStatus = HTTPStatus.OK) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(text, status, headers, media_type="text/html")


def _refusal(message: str) -> Response:
    return JSONResponse({"error": message}, HTTPStatus.BAD_REQUEST, {"Cache-Control": "no-store"})
