"""Telling Meta where to send notifications: the app's callback, and the accounts that it hears of.

What belongs here: the two calls (fact sheet, webhooks). What does not: receiving (`orchestration.receiver`).
Both may be repeated: they set, and do not add.
"""

from __future__ import annotations

from ingestion.graph import GraphClient

FIELDS = (
    "effective_status",
    "with_issues_ad_objects",
    "in_process_ad_objects",
    "ads_async_creation_request",
    "subscriptions",
)
"""What is subscribed to: fields of the topic `ad_account` that something is pulled for."""


def set_callback(client: GraphClient, app_id: str, callback_url: str, verify_token: str) -> None:
    """Sets the app's callback for ad accounts. Meta asks the callback for a proof before it answers.

    Args:
        client: With the app's own token.
        app_id: Digits.
        callback_url: HTTPS, reachable from the internet.
        verify_token: What the callback expects to be shown.

    Raises:
        GraphError: The callback did not give the challenge back, or the token is not the app's.
    """
    params = {
        "object": "ad_account",
        "callback_url": callback_url,
        "fields": ",".join(FIELDS),
        "verify_token": verify_token,
    }
    client.post(f"{app_id}/subscriptions", params, repeat=True)


def subscribe_account(client: GraphClient, account_id: str, app_id: str) -> None:
    """Has an account's notifications sent to the app.

    Args:
        client: With a token of an administrator of the account, with `ads_management`.
        account_id: Digits.
        app_id: Digits.

    Raises:
        GraphError: The token may not do this.
    """
    client.post(f"act_{account_id}/subscribed_apps", {"app_id": app_id}, account_id, repeat=True)
