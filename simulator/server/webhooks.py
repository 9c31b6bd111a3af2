"""Webhooks: subscriptions, their verification, signed deliveries with retries (section 8).

Belongs here: everything from "something changed" to the POST at the subscriber. Does not: deciding that a change is
allowed (`updates`). Only loopback callbacks are accepted: a stand-in must not call strangers.
"""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from simulator.contract import Node
from simulator.server.clock import SimClock
from simulator.server.config import Settings
from simulator.server.errors import GraphError, invalid, unsupported
from simulator.server.graph import GraphRequest, Reply, answer
from simulator.server.params import as_list, as_names

FIELDS = frozenset(
    {
        "effective_status",
        "subscriptions",
        "creative_fatigue",
        "ad_recommendations",
        "in_process_ad_objects",
        "with_issues_ad_objects",
        "product_set_issue",
        "ads_async_creation_request",
    }
)
EVENT_TYPES = ("OBJECT_CREATED", "OBJECT_UPDATED", "INSIGHTS_UPDATED", "INSIGHTS_MILESTONE_REACHED")
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
RETRY_SECONDS = (1.0, 5.0, 30.0, 300.0, 3600.0, 21_600.0, 86_400.0)
"""Simulated waits between attempts: decreasing frequency, given up after about 36 hours."""
_TIMEOUT = aiohttp.ClientTimeout(total=5)


def escaped(payload: Mapping[str, Any]) -> bytes:
    """Returns the bytes as Meta sends and signs them: ASCII, with `/ < % @` escaped too."""
    text = json.dumps(payload, separators=(",", ":"), ensure_ascii=True)
    text = text.replace("/", "\\/").replace("<", "\\u003C").replace("%", "\\u0025").replace("@", "\\u0040")
    return text.encode("ascii")


@dataclass
class Subscription:
    """A subscription of the July 2026 type."""

    id: str
    account_id: str
    event_type: str
    field: str | None = None
    value: Any = None
    operator: str | None = None
    filters: list[Any] = dataclasses.field(default_factory=list)
    status: str = "ENABLED"


@dataclass
class Delivery:
    """A notification under way or done, for the admin path."""

    account_id: str
    field: str
    attempts: int = 0
    status: int | None = None
    done: bool = False


@dataclass
class Webhooks:
    """Subscriptions of the app and of accounts, and what was delivered."""

    settings: Settings
    clock: SimClock
    callback: str | None = None
    fields: frozenset[str] = frozenset()
    accounts: set[str] = dataclasses.field(default_factory=set)
    subscriptions: dict[str, Subscription] = dataclasses.field(default_factory=dict)
    deliveries: list[Delivery] = dataclasses.field(default_factory=list)
    tasks: set[asyncio.Task[None]] = dataclasses.field(default_factory=set)
    next_id: int = 3_333_333_333

    async def subscribe_app(self, request: GraphRequest) -> Reply:
        """Answers `/{app}/subscriptions`: lists, removes, or sets the callback after verifying it."""
        if request.token is None or request.token.type != "APP":
            raise GraphError(15, "(#15) This method must be called with an app access token.")
        if request.method == "GET":
            listed = [{"object": "ad_account", "callback_url": self.callback, "active": True}] if self.callback else []
            return answer({"data": [{**e, "fields": [{"name": f} for f in sorted(self.fields)]} for e in listed]})
        if request.method == "DELETE":
            self.callback, self.fields = None, frozenset()
            return answer({"success": True})
        params = request.params
        if params.get("object") != "ad_account":
            raise invalid("object must be ad_account")
        fields = frozenset(as_names(params, "fields"))
        if not fields or not fields <= FIELDS:
            raise invalid(f"fields must be among: {', '.join(sorted(FIELDS))}")
        url = str(params.get("callback_url") or "")
        if urlsplit(url).hostname not in LOOPBACK:
            raise GraphError(2200, "(#2200) Callback verification failed: only loopback callbacks are allowed here")
        await self._verify(url, str(params.get("verify_token") or ""))
        self.callback, self.fields = url, fields
        return answer({"success": True})

    async def _verify(self, url: str, verify_token: str) -> None:
        challenge = str(secrets.randbelow(9 * 10**9) + 10**9)
        query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": verify_token}
        try:
            async with (
                aiohttp.ClientSession(timeout=_TIMEOUT) as session,
                session.get(url, params=query, allow_redirects=False) as got,
            ):
                good = got.status == 200 and (await got.text()).strip() == challenge
                status = got.status
        except (aiohttp.ClientError, TimeoutError):
            good, status = False, 0
        if not good:
            raise GraphError(2200, f"(#2200) Callback verification failed: HTTP Status Code = {status}")

    def subscribed_apps(self, request: GraphRequest, account_id: str) -> Reply:
        """Answers `/act_x/subscribed_apps`."""
        if request.method == "GET":
            listed = [{"id": self.settings.app_id, "name": "Simulator"}] if account_id in self.accounts else []
            return answer({"data": listed})
        self._may_write(request)
        if str(request.params.get("app_id") or self.settings.app_id) != self.settings.app_id:
            raise invalid("app_id is not the app of this token")
        (self.accounts.discard if request.method == "DELETE" else self.accounts.add)(account_id)
        return answer({"success": True})

    @staticmethod
    def _may_write(request: GraphRequest) -> None:
        assert request.token is not None
        request.token.need("ads_management")

    def account_subscriptions(self, request: GraphRequest, account_id: str, item: str | None) -> Reply:
        """Answers `/act_x/subscriptions[/<id>]`: create, read, change, delete."""
        mine = {k: s for k, s in self.subscriptions.items() if s.account_id == account_id}
        item = item or (str(request.params["id"]) if request.params.get("id") else None)
        if item is not None and item not in mine:
            raise unsupported(item, request.method.lower())
        if request.method == "GET":
            if item is not None:
                return answer(asdict(mine[item]))
            return answer({"data": [asdict(s) for s in mine.values()]})
        self._may_write(request)
        if request.method == "POST" and item is None:
            self.next_id += 1
            made = Subscription(str(self.next_id), account_id, "")
            self._fill(made, request.params, creating=True)
            self.subscriptions[made.id] = made
            return answer({"subscription_id": made.id})
        if item is None:
            raise invalid("The parameter id is required")
        if request.method == "DELETE":
            del self.subscriptions[item]
        else:
            self._fill(mine[item], request.params, creating=False)
        return answer({"success": True})

    @staticmethod
    def _fill(target: Subscription, params: Mapping[str, Any], *, creating: bool) -> None:
        event_type = params.get("event_type", target.event_type)
        if event_type not in EVENT_TYPES:
            raise invalid(f"event_type must be one of the following values: {', '.join(EVENT_TYPES)}")
        filters = as_list(params, "filters") if "filters" in params else target.filters
        if len(filters) > 20:
            raise invalid("Param filters must contain at most 20 items.")
        status = str(params.get("status", target.status))
        if status not in {"ENABLED", "DISABLED"}:
            raise invalid("status must be one of the following values: ENABLED, DISABLED")
        if creating and event_type != "OBJECT_CREATED" and not params.get("field"):
            raise invalid("The parameter field is required")
        target.event_type, target.filters, target.status = str(event_type), filters, status
        target.field = params.get("field", target.field)
        target.value = params.get("value", target.value)
        target.operator = params.get("operator", target.operator)

    def on_change(self, account_id: str, old: Node, new: Node, changes: Mapping[str, Any]) -> None:
        """Sends what a change through the API notifies: `effective_status` and matching subscriptions."""
        status = new.data.get("effective_status")
        if status != old.data.get("effective_status"):
            value = {"id": old.id, "level": old.kind.upper(), "effective_status": status}
            self.send(account_id, "effective_status", value)
        for found in list(self.subscriptions.values()):
            wanted = found.account_id == account_id and found.status == "ENABLED"
            if wanted and found.event_type == "OBJECT_UPDATED" and found.field in changes:
                self.send(account_id, "subscriptions", notification(found, old, changes[str(found.field)]))

    def send(self, account_id: str, name: str, value: Mapping[str, Any], times: int = 1) -> bool:
        """Starts a delivery; returns False when nobody subscribed to it.

        Args:
            account_id: Digits.
            name: The field that changed.
            value: What is told about it.
            times: How often the same bytes are sent: Meta repeats deliveries now and then, answered or not.
        """
        return self.send_together([(account_id, name, value)], times) == 1

    def send_together(self, changes: Sequence[tuple[str, str, Mapping[str, Any]]], times: int = 1) -> int:
        """Starts a delivery of several changes (account, field, value); returns how many somebody subscribed to."""
        wanted = [change for change in changes if change[1] in self.fields and change[0] in self.accounts]
        if self.callback is None or not wanted:
            return 0
        now = int(self.clock.seconds())
        entries = [{"id": a, "time": now, "changes": [{"field": name, "value": value}]} for a, name, value in wanted]
        body = escaped({"object": "ad_account", "entry": entries})
        for _ in range(times):
            delivery = Delivery(wanted[0][0], wanted[0][1])
            self.deliveries.append(delivery)
            task = asyncio.get_running_loop().create_task(self._deliver(self.callback, body, delivery))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        return len(wanted)

    def signature(self, body: bytes, algorithm: str = "sha256") -> str:
        """Returns the header value for a body: HMAC keyed with the app secret."""
        return f"{algorithm}={hmac.new(self.settings.app_secret.encode(), body, algorithm).hexdigest()}"

    async def _deliver(self, url: str, body: bytes, delivery: Delivery) -> None:
        headers = {
            "Content-Type": "application/json",
            "X-Hub-Signature-256": self.signature(body),
            "X-Hub-Signature": self.signature(body, hashlib.sha1(usedforsecurity=False).name),
            "User-Agent": "facebookexternalua",
        }
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
            for wait in (0.0, *RETRY_SECONDS):
                await self.clock.sleep(wait)
                delivery.attempts += 1
                try:
                    async with session.post(url, data=body, headers=headers, allow_redirects=False) as got:
                        delivery.status = got.status
                except (aiohttp.ClientError, TimeoutError):
                    delivery.status = None
                if delivery.status is not None and 200 <= delivery.status < 300:
                    break
        delivery.done = True

    async def close(self) -> None:
        """Gives up deliveries that are still waiting."""
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


def notification(found: Subscription, node: Node, value: Any) -> dict[str, Any]:
    """Returns the value of a `subscriptions` change; ids are numbers here, the value is text (section 8)."""
    return {
        "subscription_id": int(found.id),
        "account_id": int(found.account_id),
        "object_id": int(node.id.removeprefix("act_")),
        "object_type": node.kind,
        "field": found.field,
        "current_value": str(value),
    }
