"""The server's two paths: `/webhook` for Meta, `/healthz` for whoever watches it.

What belongs here: HTTP. What does not: signatures (`signature`), envelopes (`notification`), storing (`inbox`).
A refusal never says why: who has the secret knows, and nobody else should.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from orchestration.receiver import PATH
from orchestration.receiver.inbox import Inbox, InboxUnavailable
from orchestration.receiver.notification import read_delivery
from orchestration.receiver.signature import SIGNATURE_HEADER, challenge_to_echo, is_signed
from warehouse.errors import WarehouseError

log = logging.getLogger(__name__)

LARGEST_BODY = 4 * 1024 * 1024
"""Bytes. Meta sends up to 1,000 changes at once, of less than a kilobyte each."""
_BODY_SECONDS = 10.0
_TOLD_EVERY_SECONDS = 60.0


class BodyTooLarge(Exception):
    """More bytes than any delivery of Meta has."""


class Receiver:
    """The handlers, and what they share."""

    def __init__(self, inbox: Inbox, check: Callable[[], None], verify_token: str, app_secret: str) -> None:
        self._inbox = inbox
        self._check = check
        self._verify_token = verify_token
        self._app_secret = app_secret
        self._refused = 0
        self._told_at = 0.0

    async def verify(self, request: Request) -> Response:
        """`GET`: the handshake that sets a callback up."""
        challenge = challenge_to_echo(request.query_params, self._verify_token)
        if challenge is None:
            return self._refusal()
        return PlainTextResponse(challenge, headers={"X-Content-Type-Options": "nosniff"})

    async def receive(self, request: Request) -> Response:
        """`POST`: a delivery. 200 is said once it is on disk; anything else makes Meta send it again."""
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                body = await _read(request)
        except BodyTooLarge:
            # Reason: the rest of the body is not read, so the connection is of no further use.
            return Response(status_code=HTTPStatus.REQUEST_ENTITY_TOO_LARGE, headers={"Connection": "close"})
        except TimeoutError:
            return Response(status_code=HTTPStatus.REQUEST_TIMEOUT, headers={"Connection": "close"})
        except ClientDisconnect:
            return Response(status_code=HTTPStatus.BAD_REQUEST)  # Nobody is there to read it.
        if not is_signed(body, request.headers.getlist(SIGNATURE_HEADER), self._app_secret):
            return self._refusal()
        try:
            await self._inbox.put(read_delivery(body))
        except InboxUnavailable as problem:
            log.warning("a delivery of %d bytes has to come again: %s", len(body), problem)
            return Response(status_code=HTTPStatus.SERVICE_UNAVAILABLE)
        return Response(status_code=HTTPStatus.OK)

    async def health(self, request: Request) -> Response:  # noqa: ARG002 - Starlette's signature
        """`GET /healthz`: 200 if a notification could be stored now."""
        try:
            await asyncio.wait_for(asyncio.to_thread(self._check), 5)
        except (WarehouseError, TimeoutError):
            return PlainTextResponse("the database cannot be reached\n", HTTPStatus.SERVICE_UNAVAILABLE)
        return PlainTextResponse("ok\n")

    def _refusal(self) -> Response:
        """403 without a word. Strangers find every address: they are counted, and must not fill the log."""
        self._refused += 1
        now = time.monotonic()
        if self._refused == 1 or now - self._told_at > _TOLD_EVERY_SECONDS:
            self._told_at = now
            log.warning("refused without a valid signature or token: %d requests since the start", self._refused)
        return Response(status_code=HTTPStatus.FORBIDDEN)


def make_app(inbox: Inbox, check: Callable[[], None], verify_token: str, app_secret: str) -> Starlette:
    """The application; the inbox works while it runs.

    Args:
        inbox: Where deliveries go.
        check: Returns if the database can be reached, else raises a `WarehouseError`; called in a thread.
        verify_token: The one that was chosen when the callback was set up.
        app_secret: Of the app.
    """
    receiver = Receiver(inbox, check, verify_token, app_secret)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:  # noqa: ARG001 - Starlette's signature
        writer = asyncio.create_task(inbox.run())
        try:
            yield
        finally:
            # Reason: every request has been answered by now, so nobody waits for what is left.
            writer.cancel()
            with suppress(asyncio.CancelledError):
                await writer

    routes = [
        Route(PATH, receiver.verify, methods=["GET"]),
        Route(PATH, receiver.receive, methods=["POST"]),
        Route("/healthz", receiver.health, methods=["GET"]),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


async def _read(request: Request) -> bytes:
    """The raw body.

    Raises:
        BodyTooLarge: It says so itself, or turns out to be.
        ClientDisconnect: The body ended before the length that it announced.
    """
    told = request.headers.get("content-length", "")
    if told.isascii() and told.isdigit() and int(told) > LARGEST_BODY:
        raise BodyTooLarge
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_BODY:
            raise BodyTooLarge
    return bytes(body)
