"""Coming in: waiting until Metabase has started, the version gate, set-up, a key.

What belongs here: that, and the file in which a key is kept. What does not: where settings come from (`orchestration`).

A key that is given is used. Else the key in the file, which belongs to one address. Else the administrator's e-mail and
password: on an instance that nobody set up they become the first administrator's. With them a key is made once and kept
in the file, readable for its owner alone; Metabase shows it once.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dashboards.errors import (
    MetabaseError,
    MetabaseKeyWeak,
    MetabaseKeyWrong,
    MetabaseNotSetUp,
    MetabaseRefused,
    MetabaseUnreachable,
)
from dashboards.metabase.client import Metabase
from dashboards.metabase.versions import check_version

KEY_NAME = "meta-ads"
_STARTING = 503
_NO_PASSWORD = "set METABASE_API_KEY, or METABASE_ADMIN_EMAIL and METABASE_ADMIN_PASSWORD"  # noqa: S105 - a sentence


@dataclass(frozen=True)
class Credentials:
    """How to come in.

    Attributes:
        api_key: A key of the group Administrators.
        email: The administrator's, also for the set-up.
        password: The administrator's.
        key_file: Where a key that we make is kept; None keeps none.
        site_name: What an instance is called that we set up.
    """

    api_key: str | None = field(default=None, repr=False)
    email: str | None = None
    password: str | None = field(default=None, repr=False)
    key_file: Path | None = None
    site_name: str = "Meta Ads Analytics"


def wait_until_ready(metabase: Metabase, tell: Callable[[str], None]) -> None:
    """Waits while Metabase starts.

    Raises:
        MetabaseUnreachable: Nobody answers, or the start takes too long.
    """
    deadline = time.monotonic() + metabase.patience.start
    is_told = False
    while True:
        try:
            metabase.get_once("health")
        except MetabaseRefused as refused:
            if refused.status != _STARTING:
                raise
            if time.monotonic() >= deadline:
                mend = "look into Metabase's log, then run this again"
                raise MetabaseUnreachable(
                    f"Metabase at {metabase.url} is still starting after {metabase.patience.start:.0f} s", mend
                ) from None
            if not is_told:
                tell("Metabase is starting")
                is_told = True
            metabase.sleep(metabase.patience.poll)
        else:
            return


def come_in(
    metabase: Metabase,
    credentials: Credentials,
    *,
    may_write: bool,
    tell: Callable[[str], None] = lambda _: None,
) -> list[str]:
    """Makes the client one of an administrator.

    Args:
        metabase: Nobody's yet.
        credentials: What there is.
        may_write: Whether to set an instance up and to make a key.
        tell: Called with what it waits for.

    Returns:
        Sentences for people.

    Raises:
        MetabaseUnreachable: Nobody answers.
        MetabaseUnsafe: The version must not be used.
        MetabaseNotSetUp: It is not set up, or there is nothing to come in with.
        MetabaseKeyWrong: Key or password are wrong.
        MetabaseKeyWeak: They are not an administrator's.
    """
    wait_until_ready(metabase, tell)
    properties = metabase.get("session/properties")
    warning = check_version(str((properties.get("version") or {}).get("tag")))
    notes = [warning] if warning else []
    if not metabase.is_encrypted:
        notes.append(f"{metabase.url} is not encrypted: whoever is on the way can read the key.")
    if not properties.get("has-user-setup"):
        _set_up(metabase, credentials, properties, may_write)
        notes.append(f"Metabase was set up, with {credentials.email} as its administrator.")
        return [*notes, *_make_key(metabase, credentials)]
    kept = _kept_key(metabase, credentials)
    if credentials.api_key or kept:
        metabase.use_key(credentials.api_key or kept or "")
        try:
            _check_administrator(metabase)
        except MetabaseKeyWrong:
            if credentials.api_key or not (credentials.email and credentials.password):
                raise
        else:
            return notes
    _log_in(metabase, credentials)
    _check_administrator(metabase)
    return [*notes, *_make_key(metabase, credentials)] if may_write else notes


def _set_up(metabase: Metabase, credentials: Credentials, properties: Any, may_write: bool) -> None:
    if not (credentials.email and credentials.password):
        raise MetabaseNotSetUp(
            f"Nobody has set up the Metabase at {metabase.url}",
            "set METABASE_ADMIN_EMAIL and METABASE_ADMIN_PASSWORD to what its first administrator shall have",
        )
    if not may_write:
        raise MetabaseNotSetUp(f"Nobody has set up the Metabase at {metabase.url}", "run `meta-ads dashboards apply`")
    body = {
        "token": properties.get("setup-token"),
        "user": {
            "email": credentials.email,
            "password": credentials.password,
            "first_name": "Meta",
            "last_name": "Ads",
            "site_name": credentials.site_name,
        },
        "prefs": {"site_name": credentials.site_name, "allow_tracking": False},
    }
    try:
        answer = metabase.post("setup", body)
    except MetabaseRefused as refused:
        mend = "choose another METABASE_ADMIN_PASSWORD: at least 8 characters with a digit, and no common one"
        raise MetabaseNotSetUp(f"Metabase cannot be set up: {refused.said}", mend) from None
    metabase.use_session(answer["id"])


def _log_in(metabase: Metabase, credentials: Credentials) -> None:
    if not (credentials.email and credentials.password):
        raise MetabaseNotSetUp(f"There is nothing to come into the Metabase at {metabase.url} with", _NO_PASSWORD)
    metabase.use_nobody()
    answer = metabase.post("session", {"username": credentials.email, "password": credentials.password})
    metabase.use_session(answer["id"])


def _check_administrator(metabase: Metabase) -> None:
    me = metabase.get("user/current")
    if not me.get("is_superuser"):
        raise MetabaseKeyWeak(
            f"Metabase at {metabase.url} knows us as {me.get('common_name')}, who is no administrator",
            "give METABASE_API_KEY a key of the group Administrators",
        )


def _make_key(metabase: Metabase, credentials: Credentials) -> list[str]:
    """Makes a key and keeps it in the file; one whose file was lost is drawn anew."""
    if credentials.key_file is None:
        return []
    mine = next((one for one in metabase.get("api-key") if one["name"] == KEY_NAME), None)
    if mine is not None:
        made = metabase.put(f"api-key/{mine['id']}/regenerate")
    else:
        groups = metabase.get("permissions/group")
        administrators = next(group["id"] for group in groups if group.get("magic_group_type") == "admin")
        made = metabase.post("api-key", {"name": KEY_NAME, "group_id": administrators})
    _keep_key(credentials.key_file, metabase.url, made["unmasked_key"])
    metabase.use_key(made["unmasked_key"])
    return [
        f"An API key was made and is kept in {credentials.key_file}; other machines need it as METABASE_API_KEY. "
        "METABASE_ADMIN_PASSWORD may go."
    ]


def _kept_key(metabase: Metabase, credentials: Credentials) -> str | None:
    if credentials.key_file is None or not credentials.key_file.exists():
        return None
    try:
        kept = json.loads(credentials.key_file.read_text(encoding="utf-8"))
        return str(kept["key"]) if kept["url"] == metabase.url else None
    except (OSError, ValueError, KeyError, TypeError):
        mend = "remove it: with METABASE_ADMIN_EMAIL and METABASE_ADMIN_PASSWORD set, a new key is made"
        raise MetabaseError(f"{credentials.key_file} holds no key of a Metabase", mend) from None


def _keep_key(path: Path, url: str, key: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    # Reason: the file is never there with other rights or half of the key.
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump({"url": url, "key": key}, file)
    draft.replace(path)
