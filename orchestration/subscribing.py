"""Subscribes this installation to Meta's webhooks.

What belongs here: the callback once, then each account; one account's refusal does not stop the others. What does
not: the calls (`ingestion.webhooks`), receiving (`orchestration.receiver`).
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from ingestion.errors import AccountUnavailable, ObjectNotFound
from ingestion.webhooks import set_callback, subscribe_account
from orchestration.errors import ConfigurationError, UserError
from orchestration.platform import Platform

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def check_callback(url: str) -> None:
    """Refuses what Meta cannot call.

    Raises:
        UserError: It is no https address. Without TLS only this machine itself is accepted, for the simulator.
    """
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme == "http" and parts.hostname in _LOOPBACK:
        return
    raise UserError(
        f"{url} is not an address that Meta calls.",
        "name the public https address of the receiver, such as https://ads.example.com/webhook",
    )


def subscribe(platform: Platform, callback_url: str, account_ids: Iterable[int]) -> dict[int, str]:
    """Sets the callback, and has it hear of accounts.

    Args:
        platform: With the app's id and secret, the verify token, and a token with `ads_management`.
        callback_url: Where the receiver can be reached from outside.
        account_ids: Which accounts.

    Returns:
        Accounts that Meta refused, with its words.

    Raises:
        ConfigurationError: A setting is missing.
        UserError: Meta cannot call such an address.
        GraphError: The callback did not answer as it should, or the token is refused.
    """
    check_callback(callback_url)
    _, verify_token = platform.settings.webhook_secrets()
    app_id = platform.settings.meta_app_id
    if app_id is None:
        raise ConfigurationError("There is no META_APP_ID.", "copy it from the app's basic settings into .env")
    app = platform.app_client()
    try:
        set_callback(app, app_id, callback_url, verify_token)
    finally:
        app.close()
    refused = {}
    client = platform.graph_client()
    try:
        for account_id in account_ids:
            try:
                subscribe_account(client, str(account_id), app_id)
            except (AccountUnavailable, ObjectNotFound) as problem:
                refused[account_id] = str(problem)
    finally:
        client.close()
    return refused
