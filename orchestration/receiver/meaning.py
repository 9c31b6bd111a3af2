"""What a notification means: what to pull.

What belongs here: the reading of Meta's fields, as a pure function. What does not: pulling, or when.
No webhook carries numbers (fact sheet, webhooks): a notification says that it is time to look.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from ingestion.entities import KINDS
from warehouse.ops.notifications import Notification


class Pull(StrEnum):
    """What is pulled for a notification."""

    OBJECTS = "objects"
    """The account's campaigns, ad sets, ads and so on: those that changed."""
    TODAY = "today"
    """The account's current day, by the hour."""


@dataclass(frozen=True)
class Meaning:
    """What follows from a notification.

    Attributes:
        pull: What to pull; None for nothing.
        reason: Why nothing is pulled.
    """

    pull: Pull | None
    reason: str = ""


TOPIC = "ad_account"
#: Fields of the topic that tell of changed objects; `subscriptions` may tell of either.
OBJECT_FIELDS = frozenset(
    {"effective_status", "with_issues_ad_objects", "in_process_ad_objects", "ads_async_creation_request"}
)
SUBSCRIPTIONS = "subscriptions"
#: Fields that are understood, and speak of what this platform does not pull.
_NOT_PULLED = {
    "ad_recommendations": "recommendations are not pulled",
    "creative_fatigue": "Meta's fatigue levels are not pulled; the marts have their own",
    "product_set_issue": "catalogues are not pulled",
}
_BY_EVENT_TYPE = {
    "OBJECT_CREATED": Pull.OBJECTS,
    "OBJECT_UPDATED": Pull.OBJECTS,
    "INSIGHTS_UPDATED": Pull.TODAY,
    "INSIGHTS_MILESTONE_REACHED": Pull.TODAY,
}
_OF_OBJECTS = frozenset(field for kind in KINDS.values() for field in kind.fields)


def meaning(notification: Notification, known_accounts: Collection[int]) -> Meaning:
    """What to pull for a notification.

    Args:
        notification: Stored.
        known_accounts: Those that this platform works on.
    """
    if notification.object != TOPIC:
        return Meaning(None, f"{notification.object or 'nothing'} is not a topic that is pulled")
    if notification.account_id is None:
        return Meaning(None, "it names no account, as the test of Meta's dashboard does")
    if notification.account_id not in known_accounts:
        return Meaning(None, f"act_{notification.account_id} is not an account of this platform")
    field = notification.field or ""
    if field in OBJECT_FIELDS:
        return Meaning(Pull.OBJECTS)
    if field == SUBSCRIPTIONS:
        return Meaning(_of_subscription(notification.payload))
    return Meaning(None, _NOT_PULLED.get(field, f"the field {field!r} is unknown"))


def _of_subscription(change: object) -> Pull:
    """Objects or numbers.

    Reason: the documented value names the field that changed, and not the event type of its subscription. A field of an
    object, or none, speaks of objects; any other is a number such as `today_spent` or `cpa`.
    """
    value = change.get("value") if isinstance(change, dict) else None
    value = value if isinstance(value, dict) else {}
    told = _BY_EVENT_TYPE.get(str(value.get("event_type")))
    if told is not None:
        return told
    field = value.get("field")
    return Pull.OBJECTS if not field or field in _OF_OBJECTS else Pull.TODAY
