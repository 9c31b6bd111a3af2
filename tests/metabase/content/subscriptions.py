"""Subscriptions of dashboards (pulses) and alerts of cards (notifications): kept, never sent.

They are here so that tests can see that a tool makes none, and that those of people survive it.
"""

from __future__ import annotations

from typing import Any, Literal

from tests.metabase.content.collections import check_readable
from tests.metabase.core.call import ID, Call, route
from tests.metabase.core.errors import bad_request, not_found
from tests.metabase.core.ids import new_entity_id, timestamp
from tests.metabase.core.schema import Body, NonBlank, OpenMap, PositiveInt, Query
from tests.metabase.core.state import Row


class PulseCard(Body):
    """A card in a subscription."""

    id: PositiveInt
    dashboard_card_id: int | None = None
    dashboard_id: PositiveInt | None = None
    include_csv: bool = False
    include_xls: bool = False
    format_rows: bool | None = None
    pivot_results: bool | None = None


class Channel(Body):
    """How and when a subscription is sent."""

    id: int | None = None
    channel_type: Literal["email", "slack", "http"]
    enabled: bool | None = None
    schedule_type: Literal["hourly", "daily", "weekly", "monthly"]
    schedule_hour: int | None = None
    schedule_day: str | None = None
    schedule_frame: str | None = None
    recipients: list[OpenMap] | None = None
    details: OpenMap | None = None


class NewPulse(Body):
    """A subscription."""

    name: NonBlank
    cards: list[PulseCard]
    channels: list[Channel]
    skip_if_empty: bool | None = False
    dashboard_id: PositiveInt | None = None
    collection_id: PositiveInt | None = None
    collection_position: PositiveInt | None = None
    parameters: list[OpenMap] | None = None


class PulseChange(Body):
    """A changed subscription. What is left out is taken for its default: `archived` for false."""

    name: NonBlank | None = None
    cards: list[PulseCard] | None = None
    channels: list[Channel] | None = None
    skip_if_empty: bool | None = False
    collection_id: PositiveInt | None = None
    archived: bool | None = False
    parameters: list[OpenMap] | None = None


class PulseFilter(Query):
    """Which subscriptions to list."""

    archived: bool = False
    dashboard_id: PositiveInt | None = None


class Alert(Body):
    """What a notification is about."""

    card_id: PositiveInt
    send_condition: Literal["has_result", "goal_above", "goal_below"] = "has_result"
    send_once: bool = False
    card: OpenMap | None = None


class NewNotification(Body):
    """A notification; the stand-in knows those about cards."""

    payload_type: Literal["notification/card"]
    payload: Alert
    subscriptions: list[OpenMap] | None = None
    handlers: list[OpenMap] | None = None
    active: bool | None = None
    creator_id: int | None = None
    creator: OpenMap | None = None
    payload_id: None = None


class NotificationFilter(Query):
    """Which notifications to list."""

    card_id: PositiveInt | None = None
    include_inactive: bool = False


def _dumped(models: list[Any] | None) -> list[dict[str, Any]]:
    return [model.given() for model in models or []]


@route("POST", "/api/pulse", body=NewPulse)
def create_pulse(call: Call) -> Row:
    """Makes a subscription; whether mail is set up at all is not asked."""
    body = call.body
    if not body.cards or not body.channels:
        raise bad_request("value must be an array. Each value must be a map. The array cannot be empty.")
    dashboard = call.state.get("dashboard", body.dashboard_id)
    if body.dashboard_id is not None:
        if dashboard is None:
            raise not_found()
        check_readable(call, dashboard["collection_id"])
    return call.state.add(
        "pulse",
        {
            "name": body.name,
            "cards": _dumped(body.cards),
            "channels": _dumped(body.channels),
            "parameters": body.parameters or [],
            "skip_if_empty": bool(body.skip_if_empty),
            "dashboard_id": body.dashboard_id,
            "collection_id": dashboard["collection_id"] if dashboard else body.collection_id,
            "collection_position": body.collection_position,
            "archived": False,
            "creator_id": call.user["id"],
            "entity_id": new_entity_id(),
            "created_at": timestamp(call.standin.now()),
        },
    )


@route("GET", "/api/pulse", query=PulseFilter)
def pulses(call: Call) -> list[Row]:
    """Subscriptions by name."""
    query = call.query
    found = [
        p
        for p in call.state.where("pulse", archived=query.archived)
        if query.dashboard_id in {None, p["dashboard_id"]}
        and (call.user["is_superuser"] or p["creator_id"] == call.user["id"])
    ]
    return sorted(found, key=lambda p: str(p["name"]).lower())


@route("GET", f"/api/pulse/{ID}")
def pulse(call: Call) -> Row:
    """A subscription."""
    return call.row("pulse")


@route("PUT", f"/api/pulse/{ID}", body=PulseChange)
def change_pulse(call: Call) -> Row:
    """Changes a subscription; without `archived` it is taken out of the archive."""
    row, given = call.row("pulse"), call.body.given()
    for name in ("cards", "channels"):
        if name in given:
            given[name] = _dumped(getattr(call.body, name))
    row |= given | {"archived": bool(call.body.archived), "skip_if_empty": bool(call.body.skip_if_empty)}
    return row


@route("POST", "/api/notification", body=NewNotification)
def create_notification(call: Call) -> dict[str, Any]:
    """Makes an alert."""
    card = call.state.get("card", call.body.payload.card_id)
    if card is None:
        raise not_found()
    check_readable(call, card["collection_id"])
    return call.state.add(
        "notification",
        call.body.given()
        | {
            "active": call.body.active is not False,
            "card_id": card["id"],
            "creator_id": call.user["id"],
            "created_at": timestamp(call.standin.now()),
        },
    )


@route("GET", "/api/notification", query=NotificationFilter)
def notifications(call: Call) -> list[Row]:
    """Alerts."""
    query = call.query
    return [
        n
        for n in call.state.all("notification")
        if (query.include_inactive or n["active"])
        and query.card_id in {None, n["card_id"]}
        and (call.user["is_superuser"] or n["creator_id"] == call.user["id"])
    ]


@route("GET", f"/api/notification/{ID}")
def notification(call: Call) -> Row:
    """An alert."""
    return call.row("notification")
